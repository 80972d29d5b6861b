"""Turns: on SQLite one writes at a time, so the writers of a process queue here instead of polling the file."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine


class Turn:
    """Whose turn it is to write: in the order of asking, but the urgent before all others."""

    def __init__(self) -> None:
        self._is_taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def taken(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """Wait for the turn, and hand it on at the end."""
        await self._take(self._urgent if urgent else self._others)
        try:
            yield
        finally:
            self._hand_on()

    async def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._hand_on()  # it was ours already
            raise

    def _hand_on(self) -> None:
        for queue in (self._urgent, self._others):
            while queue:
                waiting = queue.popleft()
                if not waiting.done():
                    waiting.set_result(None)
                    return
        self._is_taken = False


class Everybody(Turn):
    """The turns of a database that lets everybody write at once."""

    @asynccontextmanager
    async def taken(self, *, urgent: bool = False) -> AsyncIterator[None]:  # noqa: ARG002 - nobody waits here
        """Go on at once."""
        yield


_TURNS: Final[WeakKeyDictionary[Engine, Turn]] = WeakKeyDictionary()


def turn_of(engine: AsyncEngine) -> Turn:
    """Return the one queue of everybody in this process who writes through *engine*."""
    kind = Turn if engine.dialect.name == "sqlite" else Everybody
    return _TURNS.setdefault(engine.sync_engine, kind())
