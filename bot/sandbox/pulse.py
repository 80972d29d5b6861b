"""Says that something changed to all who wait for it."""

from __future__ import annotations

import asyncio


class Pulse:
    """A counter of changes that can be waited for; ``revision`` only grows."""

    def __init__(self) -> None:
        self.revision = 0
        self.stopped = False
        self._changed = asyncio.Event()

    def beat(self) -> None:
        """Wake all who wait."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def stop(self) -> None:
        """Wake all who wait, for the last time."""
        self.stopped = True
        self.beat()

    async def after(self, revision: int, within_s: float | None = None) -> int:
        """Return the revision once it is later than *revision*, or when *within_s* seconds have passed."""
        try:
            async with asyncio.timeout(within_s):
                while self.revision <= revision:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self.revision
