"""Says that something changed to all who wait for it."""

from __future__ import annotations

import asyncio


class Pulse:
    """A counter of changes that can be waited for; ``revision`` only grows."""

    def __init__(self) -> None:
        self.revision = 0
        self._changed = asyncio.Event()

    def beat(self) -> None:
        """Wake all who wait."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def after(self, revision: int) -> int:
        """Return the revision as soon as it is later than *revision*."""
        while self.revision <= revision:
            await self._changed.wait()
        return self.revision
