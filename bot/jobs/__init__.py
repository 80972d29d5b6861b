"""Jobs: durable wake-ups, with one adapter per database behind ``bot.ports.Jobs``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.clock import Clock
from bot.jobs.embedded import EmbeddedJobs
from bot.jobs.one_process import SecondProcessError, one_process
from bot.ports import BotError, Jobs

__all__ = ["SecondProcessError", "open_jobs", "submit_only"]


@asynccontextmanager
async def open_jobs(engine: AsyncEngine, clock: Clock) -> AsyncIterator[Jobs]:
    """Yield the jobs of *engine*'s database, to be submitted and to be run.

    Raises:
        SecondProcessError: on SQLite, when another process runs them already.
        BotError: on PostgreSQL, when its extra is not installed.
    """
    if engine.dialect.name != "sqlite":
        yield submit_only(engine, clock)
        return
    with one_process(engine):
        yield EmbeddedJobs(engine, clock)


def submit_only(engine: AsyncEngine, clock: Clock) -> Jobs:
    """Return the jobs of *engine*'s database for a command beside a serving bot, which submits and never runs them.

    Raises:
        BotError: on PostgreSQL, when its extra is not installed.
    """
    if engine.dialect.name == "sqlite":
        return EmbeddedJobs(engine, clock)
    try:
        from bot.jobs.pgqueuer import PgQueuerJobs  # noqa: PLC0415 - an extra: SQLite works without it
    except ImportError:
        raise BotError("PostgreSQL needs the extra: pip install 'rca-bot[postgres]'") from None
    return PgQueuerJobs(engine, clock)
