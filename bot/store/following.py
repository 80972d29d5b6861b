"""What every change of an incident does besides: the card is drawn again, and people are told why."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, update

from bot.ports import Job, JobKind
from bot.records import DeadlineState, PostKind, PostState
from bot.store.tables import DEADLINES, INCIDENTS, POSTS
from bot.store.transaction import Writing

WHOLE: Final = (PostKind.CARD, PostKind.DETAILS)
"""What is drawn anew when somebody was paged, and when it is over or open again: the details say whom to page."""


async def locked_incident(tx: Writing, incident_id: str) -> Row[Any] | None:
    """Return the incident's row, which nobody else changes until this transaction ends."""
    found = await tx.connection.execute(
        select(INCIDENTS).where(INCIDENTS.c.incident_id == incident_id).with_for_update()
    )
    return found.first()


async def bump(tx: Writing, incident_id: str, *kinds: PostKind) -> None:
    """Wish the incident's posts of *kinds* (its card, unless said otherwise) drawn anew."""
    bumped = await tx.connection.execute(
        update(POSTS)
        .where(
            POSTS.c.incident_id == incident_id,
            POSTS.c.kind.in_(kinds or (PostKind.CARD,)),
            POSTS.c.state != PostState.DEAD,
        )
        .values(wanted=POSTS.c.wanted + 1)
        .returning(POSTS.c.post_id)
    )
    tx.wake(*(Job(kind=JobKind.POST, row_id=row.post_id) for row in bumped))


async def cancel_deadlines(tx: Writing, incident_id: str, now: datetime) -> int:
    """Cancel what is pending and return how many that were."""
    cancelled = await tx.connection.execute(
        update(DEADLINES)
        .where(
            DEADLINES.c.incident_id == incident_id,
            DEADLINES.c.state == DeadlineState.PENDING,
        )
        .values(state=DeadlineState.CANCELLED, closed_at=now)
    )
    return cancelled.rowcount


async def wake_deadlines(tx: Writing, incident_id: str) -> None:
    """Submit a job for every pending deadline, at its own time."""
    pending = await tx.connection.execute(
        select(DEADLINES.c.deadline_id, DEADLINES.c.due_at).where(
            DEADLINES.c.incident_id == incident_id,
            DEADLINES.c.state == DeadlineState.PENDING,
        )
    )
    tx.wake(
        *(Job(kind=JobKind.DEADLINE, row_id=row.deadline_id, due_at=row.due_at) for row in pending)
    )
