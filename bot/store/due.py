"""What is due and asleep: rows whose job was lost, for the sweep to wake."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, select

from bot.ports import Job, JobKind
from bot.records import DeadlineState, InboxState, IncidentState
from bot.store import pages, posts
from bot.store.tables import DEADLINES, INBOX, INCIDENTS, PAGES, POSTS
from bot.store.transaction import Database

SETTLED: Final = timedelta(minutes=1)  # a fresh delivery's own job is given this long


async def due(database: Database, now: datetime, limit: int) -> tuple[Job, ...]:
    """Return a job for each of at most *limit* due rows of each kind, the most urgent kind first."""
    jobs: list[Job] = []
    async with database.reading() as connection:
        for kind, statement in _statements(now).items():
            found = await connection.execute(statement.limit(limit))
            jobs += [Job(kind=kind, row_id=row_id) for row_id in found.scalars()]
    return tuple(jobs[:limit])


def _statements(now: datetime) -> dict[JobKind, Select[Any]]:
    return {
        JobKind.PAGE: select(PAGES.c.page_id)
        .where(pages.WANTS_WORK, pages.free(now))
        .order_by(PAGES.c.requested_at),
        JobKind.DEADLINE: select(DEADLINES.c.deadline_id)
        .join(INCIDENTS)
        .where(
            DEADLINES.c.state == DeadlineState.PENDING,
            DEADLINES.c.due_at <= now,
            INCIDENTS.c.state == IncidentState.OPEN,
            INCIDENTS.c.snoozed_until.is_(None) | (INCIDENTS.c.snoozed_until <= now),
        )
        .order_by(DEADLINES.c.due_at),
        JobKind.INBOX: select(INBOX.c.inbox_id)
        .where(INBOX.c.state == InboxState.NEW, INBOX.c.received_at <= now - SETTLED)
        .order_by(INBOX.c.received_at),
        JobKind.POST: select(POSTS.c.post_id)
        .where(posts.WANTS_TELLING, posts.free(now))
        .order_by(POSTS.c.created_at),
    }
