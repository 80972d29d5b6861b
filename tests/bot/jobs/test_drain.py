"""Draining with a clock that stands still: what the stories run on, the same on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.jobs import submit_only
from bot.jobs.embedded import EmbeddedJobs
from bot.jobs.pgqueuer import PgQueuerJobs
from bot.ports import Again, Job, JobKind, RunJob

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(engine: AsyncEngine, clock: Clock) -> EmbeddedJobs | PgQueuerJobs:
    """The adapter that belongs to the database."""
    jobs = submit_only(engine, clock)
    assert isinstance(jobs, EmbeddedJobs | PgQueuerJobs)
    return jobs


async def submit(engine: AsyncEngine, jobs: EmbeddedJobs | PgQueuerJobs, *submitted: Job) -> None:
    async with engine.begin() as connection:
        await jobs.submit(connection, submitted)


def page(row_id: str, due_in: timedelta | None = None) -> Job:
    return Job(kind=JobKind.PAGE, row_id=row_id, due_at=NOW + due_in if due_in else None)


def noting(rows: list[str], answers: Mapping[str, Again] | None = None) -> dict[JobKind, RunJob]:
    """Note each row; answer with what *answers* has for it, once."""
    left = dict(answers or {})

    async def look(row_id: str) -> Again | None:
        rows.append(row_id)
        return left.pop(row_id, None)

    return dict.fromkeys(JobKind, look)


async def test_it_runs_what_is_due_in_the_order_of_due_times(
    engine: AsyncEngine, jobs: EmbeddedJobs | PgQueuerJobs, clock: Clock
) -> None:
    """At an instant everything due up to it runs, the longest due first, and nothing that is due later."""
    rows: list[str] = []
    await submit(engine, jobs, page("c", 3 * MINUTE), page("a", MINUTE), page("b", 2 * MINUTE))
    assert await jobs.drain(noting(rows)) == 0
    clock.now += 2 * MINUTE
    assert await jobs.drain(noting(rows)) == 2
    assert rows == ["a", "b"]
    clock.now += MINUTE
    assert await jobs.drain(noting(rows)) == 1
    assert rows == ["a", "b", "c"]


async def test_a_job_that_moved_to_an_earlier_time_is_due_then(
    engine: AsyncEngine, jobs: EmbeddedJobs | PgQueuerJobs
) -> None:
    """The earlier wish for one row counts, and it runs once."""
    rows: list[str] = []
    await submit(engine, jobs, page("a", MINUTE))
    await submit(engine, jobs, page("a"))
    assert await jobs.drain(noting(rows)) == 1
    assert await jobs.drain(noting(rows)) == 0


async def test_again_waits_for_the_clock(
    engine: AsyncEngine, jobs: EmbeddedJobs | PgQueuerJobs, clock: Clock
) -> None:
    """A job that asks to be looked at again runs when the clock has got there."""
    rows: list[str] = []
    run = noting(rows, {"a": Again(at=NOW + MINUTE)})
    await submit(engine, jobs, page("a"))
    assert await jobs.drain(run) == 1
    clock.now += MINUTE - timedelta(microseconds=1)
    assert await jobs.drain(run) == 0
    clock.now += timedelta(microseconds=1)
    assert await jobs.drain(run) == 1


async def test_what_jobs_submit_is_drained_too(
    engine: AsyncEngine, jobs: EmbeddedJobs | PgQueuerJobs
) -> None:
    """A job that is submitted by another, or for its own row while that is looked at, runs in the same drain."""
    rows: list[str] = []

    async def look(row_id: str) -> Again | None:
        rows.append(row_id)
        if len(rows) == 1:
            await submit(engine, jobs, page("a"), page("b"))
        return None

    await submit(engine, jobs, page("a"))
    assert await jobs.drain(dict.fromkeys(JobKind, look)) == 3
    assert rows[0] == "a"
    assert sorted(rows) == ["a", "a", "b"]


async def test_the_pause_after_a_raise_grows_and_a_success_ends_it(
    engine: AsyncEngine, jobs: EmbeddedJobs | PgQueuerJobs, clock: Clock
) -> None:
    """Raises in a row wait 1, 2 and 4 seconds; after a look that went well it starts with 1 again."""
    outcomes: list[Again | Exception | None] = [
        ValueError("first"),
        ValueError("second"),
        ValueError("third"),
        Again(at=NOW + MINUTE),
        ValueError("first again"),
        None,
    ]

    async def look(_row_id: str) -> Again | None:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    run: dict[JobKind, RunJob] = dict.fromkeys(JobKind, look)
    await submit(engine, jobs, page("a"))
    assert await jobs.drain(run) == 1
    for pause_s in (1, 2, 4):
        clock.now += timedelta(seconds=pause_s, microseconds=-1)
        assert await jobs.drain(run) == 0
        clock.now += timedelta(microseconds=1)
        assert await jobs.drain(run) == 1
    clock.now = NOW + MINUTE
    assert await jobs.drain(run) == 1
    clock.now += timedelta(seconds=1)
    assert await jobs.drain(run) == 1
    assert outcomes == []
