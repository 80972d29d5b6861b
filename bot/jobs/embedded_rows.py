"""The embedded queue's statements, each of them a whole step of a job's life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from bot.jobs.pause import pause_after
from bot.jobs.table import JOBS, from_us, to_us
from bot.ports import Job, JobKind, Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A job that was handed out."""

    key: str
    kind: JobKind
    row_id: str
    failures: int


async def keep(connection: AsyncConnection, jobs: Sequence[Job], now: datetime) -> None:
    """Keep *jobs*; a waiting one of the same key becomes due at the earlier time, a running one runs once more."""
    for job in jobs:
        due_us = to_us(job.due_at or now)
        insert = sqlite.insert(JOBS).values(
            key=job.key, kind=job.kind, lane=job.lane, row_id=job.row_id, due_us=due_us
        )
        later = func.min(func.coalesce(JOBS.c.next_due_us, due_us), due_us)
        await connection.execute(
            insert.on_conflict_do_update(
                index_elements=[JOBS.c.key],
                set_={
                    "due_us": _if_running(JOBS.c.due_us, func.min(JOBS.c.due_us, due_us)),
                    "next_due_us": _if_running(later, None),
                },
            )
        )


def _if_running(then: object, otherwise: object) -> object:
    return func.iif(JOBS.c.running, then, otherwise)


async def take(
    connection: AsyncConnection, lanes: Sequence[Lane], now: datetime, limit: int
) -> tuple[Taken, ...]:
    """Hand out at most *limit* due jobs of *lanes*, those due longest first."""
    due = (
        select(JOBS.c.key)
        .where(JOBS.c.lane.in_(lanes), ~JOBS.c.running, JOBS.c.due_us <= to_us(now))
        .order_by(JOBS.c.due_us, JOBS.c.key)
        .limit(limit)
    )
    found = await connection.execute(
        update(JOBS)
        .where(JOBS.c.key.in_(due))
        .values(running=True)
        .returning(JOBS.c.key, JOBS.c.kind, JOBS.c.row_id, JOBS.c.failures, JOBS.c.due_us)
    )
    in_order = sorted(found.all(), key=lambda row: (row.due_us, row.key))
    return tuple(
        Taken(key=row.key, kind=JobKind(row.kind), row_id=row.row_id, failures=row.failures)
        for row in in_order
    )


async def next_due(connection: AsyncConnection, lane: Lane) -> datetime | None:
    """Return when the lane's next waiting job is due; None when none waits."""
    found = await connection.execute(
        select(func.min(JOBS.c.due_us)).where(JOBS.c.lane == lane, ~JOBS.c.running)
    )
    due_us = found.scalar()
    return None if due_us is None else from_us(due_us)


async def end(connection: AsyncConnection, job: Taken, again_at: datetime | None) -> None:
    """The job ran: it is gone, or waits again for the earlier of *again_at* and what was submitted meanwhile."""
    if again_at is None:
        gone = await connection.execute(
            delete(JOBS).where(JOBS.c.key == job.key, JOBS.c.running, JOBS.c.next_due_us.is_(None))
        )
        if gone.rowcount:
            return
    await _let_wait(connection, job, again_at, failures=0)


async def fail(connection: AsyncConnection, job: Taken, now: datetime) -> datetime:
    """The job raised: it waits again, longer each time; returns until when."""
    failures = job.failures + 1
    again_at = now + pause_after(failures)
    await _let_wait(connection, job, again_at, failures=failures)
    return again_at


async def _let_wait(
    connection: AsyncConnection, job: Taken, again_at: datetime | None, *, failures: int
) -> None:
    due: ColumnElement[int] = JOBS.c.next_due_us
    if again_at is not None:
        due = func.min(func.coalesce(JOBS.c.next_due_us, to_us(again_at)), to_us(again_at))
    await connection.execute(
        update(JOBS)
        .where(JOBS.c.key == job.key, JOBS.c.running)
        .values(due_us=due, running=False, next_due_us=None, failures=failures)
    )


async def release_all(connection: AsyncConnection) -> int:
    """Let everything wait that a killed process left running; returns how much that was."""
    released = await connection.execute(
        update(JOBS).where(JOBS.c.running).values(running=False, next_due_us=None)
    )
    return released.rowcount
