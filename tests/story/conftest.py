"""Every story gets a world of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.world import World, open_world


@pytest.fixture
async def rough(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """A world at noon in which Slack may refuse calls, because the story makes it."""
    async with open_world(tmp_path, database_url) as opened:
        yield opened


@pytest.fixture
async def world(rough: World) -> AsyncIterator[World]:
    """A world at noon; at its end no call was refused, and no message stands there that nobody looked at."""
    yield rough
    assert rough.sandbox.unexpected == ()
