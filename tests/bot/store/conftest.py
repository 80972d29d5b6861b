"""A store on each database, for every test in this folder."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.jobs import submit_only
from bot.jobs.embedded import EmbeddedJobs
from bot.jobs.pgqueuer import PgQueuerJobs
from bot.store import Store
from tests.bot.store.world import World


@pytest.fixture
def world(engine: AsyncEngine) -> World:
    """A world on a fresh database, once on SQLite and once on PostgreSQL."""
    here: list[World] = []
    jobs = submit_only(engine, lambda: here[0].now)
    assert isinstance(jobs, EmbeddedJobs | PgQueuerJobs)
    here.append(World(store=Store(engine, jobs), jobs=jobs))
    return here[0]
