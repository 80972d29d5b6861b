"""Keeps a second process away from a SQLite database that one is serving."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ports import BotError


class SecondProcessError(BotError):
    """Another process serves this database; SQLite is for one, PostgreSQL for any number."""


@contextmanager
def one_process(engine: AsyncEngine) -> Iterator[None]:
    """Hold the lock of *engine*'s SQLite file; the kernel gives it back however this process ends.

    Raises:
        SecondProcessError: somebody else holds it.
    """
    path = f"{engine.url.database}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SecondProcessError(
                f"Another rca-bot is serving {engine.url.database}. Stop it first, "
                "or use PostgreSQL (DATABASE_URL=postgresql://…), which any number of processes can share."
            ) from None
        yield
    finally:
        os.close(descriptor)
