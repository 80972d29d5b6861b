"""What every adapter of the Jobs port must hold, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.clock import system_clock
from bot.jobs.embedded import EmbeddedJobs
from bot.jobs.lanes import AT_ONCE
from bot.jobs.pgqueuer import PgQueuerJobs
from bot.ports import Again, Job, JobKind, Jobs, Lane, RunJob
from bot.records import InboxKind
from bot.store import Store
from bot.store.tables import INBOX

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 30  # far longer than anything here takes: reached only when a job was lost
SOON = timedelta(milliseconds=300)
LATER = timedelta(hours=1)

Runs = Callable[[str], Awaitable[Again | None]]


@dataclass(slots=True)
class Seen:
    """Remembers which rows were looked at, and lets a test wait for the next one."""

    rows: list[str] = field(default_factory=list)
    news: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def look(self, row_id: str) -> Again | None:
        self.rows.append(row_id)
        self.news.put_nowait(row_id)
        return None

    async def next(self) -> str:
        async with asyncio.timeout(LIMIT_S):
            return await self.news.get()


@pytest.fixture
def jobs(engine: AsyncEngine) -> Jobs:
    """The adapter that belongs to the database."""
    if engine.dialect.name == "sqlite":
        return EmbeddedJobs(engine, system_clock)
    return PgQueuerJobs(engine, system_clock, take_over_after=timedelta(seconds=2))


@pytest.fixture
def seen() -> Seen:
    return Seen()


def all_kinds(run: RunJob) -> Mapping[JobKind, RunJob]:
    return dict.fromkeys(JobKind, run)


def post(row_id: str, due_in: timedelta | None = None) -> Job:
    due_at = system_clock() + due_in if due_in is not None else None
    return Job(kind=JobKind.POST, row_id=row_id, due_at=due_at)


async def submit(engine: AsyncEngine, jobs: Jobs, *submitted: Job) -> None:
    async with engine.begin() as connection:
        await jobs.submit(connection, submitted)


@asynccontextmanager
async def running(jobs: Jobs, run: Mapping[JobKind, RunJob]) -> AsyncIterator[None]:
    task = asyncio.create_task(jobs.run(run))
    try:
        yield
    finally:
        await jobs.stop()
        async with asyncio.timeout(LIMIT_S):
            await task


async def test_a_job_is_handed_out_once(engine: AsyncEngine, jobs: Jobs, seen: Seen) -> None:
    """A committed job is run; a job that ended is not run again, not even after a restart."""
    async with running(jobs, all_kinds(seen.look)):
        await submit(engine, jobs, post("a"))
        assert await seen.next() == "a"
    async with running(jobs, all_kinds(seen.look)):
        await submit(engine, jobs, post("b"))
        assert await seen.next() == "b"
    assert seen.rows == ["a", "b"]


async def test_a_job_waits_for_somebody_to_run_it(
    engine: AsyncEngine, jobs: Jobs, seen: Seen
) -> None:
    """What was submitted while nothing ran is run at the start."""
    await submit(engine, jobs, post("a"))
    async with running(jobs, all_kinds(seen.look)):
        assert await seen.next() == "a"


async def test_a_job_shares_the_fate_of_its_transaction(
    engine: AsyncEngine, jobs: Jobs, seen: Seen
) -> None:
    """Rolled back means never submitted; the next job, committed, is the only one seen."""
    async with running(jobs, all_kinds(seen.look)):
        async with engine.connect() as connection:
            await jobs.submit(connection, [post("rolled back")])
            await connection.rollback()
        await submit(engine, jobs, post("committed"))
        assert await seen.next() == "committed"
    assert seen.rows == ["committed"]


async def test_a_job_is_not_handed_out_before_it_is_due(
    engine: AsyncEngine, jobs: Jobs, seen: Seen
) -> None:
    """A job due in a moment waits for it; one that is due now does not wait behind it."""
    due = post("later", SOON)
    async with running(jobs, all_kinds(seen.look)):
        await submit(engine, jobs, due, post("now"))
        assert await seen.next() == "now"
        assert await seen.next() == "later"
        assert due.due_at is not None
        assert system_clock() >= due.due_at


async def test_waiting_jobs_of_one_key_are_one(engine: AsyncEngine, jobs: Jobs, seen: Seen) -> None:
    """Five wishes for one row, in one transaction and in several, are one job."""
    await submit(engine, jobs, post("a"), post("a"), post("a"))
    await submit(engine, jobs, post("a"))
    await submit(engine, jobs, post("a"), post("b", SOON))
    async with running(jobs, all_kinds(seen.look)):
        assert [await seen.next(), await seen.next()] == ["a", "b"]
    assert seen.rows == ["a", "b"]


@pytest.mark.parametrize(
    ("first", "second"),
    [(LATER, None), (None, LATER), (LATER, SOON), (SOON, LATER)],
    ids=["later, now", "now, later", "later, soon", "soon, later"],
)
async def test_the_earlier_of_two_wishes_counts(
    engine: AsyncEngine,
    jobs: Jobs,
    seen: Seen,
    first: timedelta | None,
    second: timedelta | None,
) -> None:
    """A waiting job moves to an earlier time, never to a later one."""
    await submit(engine, jobs, post("a", first))
    await submit(engine, jobs, post("a", second))
    async with running(jobs, all_kinds(seen.look)):
        assert await seen.next() == "a"
    assert seen.rows == ["a"]


async def test_what_is_submitted_while_the_row_is_looked_at_is_not_lost(
    engine: AsyncEngine, jobs: Jobs, seen: Seen
) -> None:
    """The row is looked at once more, since the first look may have come before the change."""
    go_on = asyncio.Event()

    async def slow(row_id: str) -> Again | None:
        await seen.look(row_id)
        await go_on.wait()
        return None

    async with running(jobs, all_kinds(slow)):
        await submit(engine, jobs, post("a"))
        await seen.next()
        await submit(engine, jobs, post("a"))
        go_on.set()
        assert await seen.next() == "a"
    assert seen.rows == ["a", "a"]


async def test_the_last_look_sees_the_last_change(engine: AsyncEngine, jobs: Jobs) -> None:
    """However changes, their jobs and the looks are interleaved, no change stays unseen."""
    changes = 40
    now = system_clock()
    kept = await Store(engine, jobs).inbox.keep(
        kind=InboxKind.WEBHOOK, sender_id="a", tenant_id="acme", payload={}, now=now
    )
    row_id = kept.item.inbox_id
    all_seen = asyncio.Event()

    async def look(_row_id: str) -> Again | None:
        async with engine.connect() as connection:
            found = await connection.execute(INBOX.select().where(INBOX.c.inbox_id == row_id))
            if found.one().attempts == changes:
                all_seen.set()
        return None

    async def change() -> None:
        async with engine.begin() as connection:
            await connection.execute(
                update(INBOX)
                .where(INBOX.c.inbox_id == row_id)
                .values(attempts=INBOX.c.attempts + 1)
            )
            await jobs.submit(connection, [Job(kind=JobKind.INBOX, row_id=row_id)])

    async with running(jobs, all_kinds(look)):
        await asyncio.gather(*(change() for _ in range(changes)))
        async with asyncio.timeout(LIMIT_S):
            await all_seen.wait()
    assert all_seen.is_set()


async def test_again_means_once_more_and_not_before(
    engine: AsyncEngine, jobs: Jobs, seen: Seen
) -> None:
    """A job that asks to be looked at again is, at the time it named."""
    again = Again(at=system_clock() + SOON)

    async def first_again(row_id: str) -> Again | None:
        await seen.look(row_id)
        return again if len(seen.rows) == 1 else None

    async with running(jobs, all_kinds(first_again)):
        await submit(engine, jobs, post("a"))
        assert [await seen.next(), await seen.next()] == ["a", "a"]
        assert system_clock() >= again.at
    assert seen.rows == ["a", "a"]


async def test_a_job_that_raises_is_tried_again(
    engine: AsyncEngine, jobs: Jobs, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    """A raise is logged and costs a pause, not the job; and other jobs go on meanwhile."""

    async def fails_first(row_id: str) -> Again | None:
        await seen.look(row_id)
        if seen.rows == ["a"]:
            raise ValueError("the first time")
        return None

    async with running(jobs, all_kinds(fails_first)):
        await submit(engine, jobs, post("a"))
        assert await seen.next() == "a"
        await submit(engine, jobs, post("b"))
        assert [await seen.next(), await seen.next()] == ["b", "a"]
    (logged,) = [r for r in caplog.records if r.message == "a job failed and is tried again"]
    assert logged.__dict__["job"] == "post:a"


async def test_lanes_do_not_wait_for_one_another(
    engine: AsyncEngine, jobs: Jobs, seen: Seen
) -> None:
    """With every place of the intake lane taken and more waiting, timers and posts still run."""
    go_on = asyncio.Event()

    async def slow(_row_id: str) -> Again | None:
        await go_on.wait()
        return None

    crowd = [Job(kind=JobKind.INBOX, row_id=str(n)) for n in range(AT_ONCE[Lane.INTAKE] + 5)]
    others = [JobKind.DEADLINE, JobKind.PAGE, JobKind.POST]
    async with running(jobs, {**all_kinds(seen.look), JobKind.INBOX: slow}):
        await submit(engine, jobs, *crowd)
        await submit(engine, jobs, *(Job(kind=kind, row_id=kind) for kind in others))
        assert {await seen.next() for _ in others} == set(others)
        go_on.set()


async def test_a_lane_runs_no_more_at_once_than_it_may(
    engine: AsyncEngine, jobs: Jobs, seen: Seen
) -> None:
    """The crowd of a lane comes in one by one as places become free, and all of it comes."""
    crowd = AT_ONCE[Lane.INTAKE] * 3
    inside: set[str] = set()
    most = 0

    async def look(row_id: str) -> Again | None:
        nonlocal most
        inside.add(row_id)
        most = max(most, len(inside))
        await asyncio.sleep(0)
        inside.discard(row_id)
        return await seen.look(row_id)

    async with running(jobs, all_kinds(look)):
        await submit(engine, jobs, *(Job(kind=JobKind.INBOX, row_id=str(n)) for n in range(crowd)))
        assert {await seen.next() for _ in range(crowd)} == {str(n) for n in range(crowd)}
    assert most <= AT_ONCE[Lane.INTAKE]


async def test_stop_lets_running_jobs_end(engine: AsyncEngine, jobs: Jobs, seen: Seen) -> None:
    """After stop, run returns only when the job has ended; and that job has been run, once."""
    go_on = asyncio.Event()

    async def slow(row_id: str) -> Again | None:
        await seen.look(row_id)
        await go_on.wait()
        return None

    task = asyncio.create_task(jobs.run(all_kinds(slow)))
    await submit(engine, jobs, post("a"))
    await seen.next()
    await jobs.stop()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    async with asyncio.timeout(LIMIT_S):
        await task
    async with running(jobs, all_kinds(seen.look)):
        await submit(engine, jobs, post("b"))
        assert await seen.next() == "b"
    assert seen.rows == ["a", "b"]


async def test_stop_before_run_is_heard(jobs: Jobs, seen: Seen) -> None:
    """A program that is stopped while it starts does not run for ever."""
    await jobs.stop()
    async with asyncio.timeout(LIMIT_S):
        await jobs.run(all_kinds(seen.look))
    assert seen.rows == []


async def test_a_run_that_is_cancelled_loses_no_job(
    engine: AsyncEngine, jobs: Jobs, seen: Seen
) -> None:
    """Cancelled in the middle of a job, the row is looked at to the end: in this run or in the next."""
    inside, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_row_id: str) -> Again | None:
        inside.set()
        await go_on.wait()
        ended.set()
        return None

    await submit(engine, jobs, post("a"))
    task = asyncio.create_task(jobs.run(all_kinds(slow)))
    async with asyncio.timeout(LIMIT_S):
        await inside.wait()
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with running(jobs, all_kinds(seen.look)):
        await submit(engine, jobs, post("b", SOON))
        looked = [await seen.next()]
        while looked[-1] != "b":
            looked.append(await seen.next())
    assert ended.is_set() or looked == ["a", "b"]


async def test_the_job_of_a_killed_process_is_handed_out_again(
    engine: AsyncEngine, jobs: Jobs, seen: Seen, database_url: str
) -> None:
    """With kill -9 in the middle of a job: whoever runs next looks at the row again."""
    await submit(engine, jobs, post("a"))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests/contract/jobs_child.py"),
        database_url,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        assert (await child.stdout.readline()).decode().strip() == "a"
    child.kill()
    await child.wait()
    async with running(jobs, all_kinds(seen.look)):
        assert await seen.next() == "a"
