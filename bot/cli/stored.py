"""Opens the store for one command and closes it again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.clock import system_clock
from bot.jobs import submit_only
from bot.settings import Settings
from bot.store import Store
from bot.store.engine import create_engine
from bot.store.migrate import upgrade

T = TypeVar("T")


async def with_store(settings: Settings, do: Callable[[Store], Awaitable[T]]) -> T:
    """Return what *do* makes of the store, with the database brought up to date first.

    It runs beside a serving bot: it may submit jobs, but never runs any.
    """
    engine = create_engine(settings.database_url.get_secret_value())
    try:
        await upgrade(engine)
        return await do(Store(engine, submit_only(engine, system_clock)))
    finally:
        await engine.dispose()
