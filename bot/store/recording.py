"""A diagnosis is recorded, with what is due because of it and what people are to see, before anybody is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, update

from bot.ports import Job, JobKind
from bot.records import Deadline, DeadlineState, IncidentState, Post, Reason
from bot.store.following import WHOLE, bump, locked_incident, wake_deadlines
from bot.store.tables import DEADLINES, INCIDENTS, POSTS, ROOT_CAUSE_SIGNALS
from bot.store.transaction import Writing
from rca.case import Case
from rca.diagnosis import Diagnosis

NEWS: Final = frozenset({Reason.TOLD_OPENED, Reason.TOLD_CHANGED, Reason.TOLD_ASKED})
"""Reasons to draw the details anew as well; the card is drawn anew by every diagnosis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that follows from one diagnosis."""

    case: Case
    diagnosis: Diagnosis
    deadlines: Sequence[Deadline]
    posts: Sequence[Post]
    reason: Reason
    now: datetime


async def record(tx: Writing, incident_id: str, this: Record) -> bool:
    """Write *this* down; the same diagnosis again changes nothing.

    Returns:
        Whether it was new; False also when there is no such incident.
    """
    row = await locked_incident(tx, incident_id)
    if row is None or not await _insert_signal(tx, row, this):
        return False
    await tx.connection.execute(
        update(ROOT_CAUSE_SIGNALS)
        .where(
            ROOT_CAUSE_SIGNALS.c.incident_id == incident_id,
            ROOT_CAUSE_SIGNALS.c.id != this.diagnosis.signal_id,
        )
        .values(is_active=False)
    )
    await tx.connection.execute(
        update(INCIDENTS)
        .where(INCIDENTS.c.incident_id == incident_id)
        .values(signal_id=this.diagnosis.signal_id)
    )
    if row.state != IncidentState.RESOLVED and row.acknowledged_at is None:
        await _set_deadlines(tx, incident_id, this.deadlines, this.now)
    await _tell(tx, incident_id, this)
    await _note(tx, incident_id, this)
    return True


async def _insert_signal(tx: Writing, row: Row[Any], this: Record) -> bool:
    diagnosis = this.diagnosis
    document = diagnosis.model_dump(mode="json", by_alias=True)
    inserted = await tx.connection.execute(
        tx.insert(ROOT_CAUSE_SIGNALS)
        .values(
            id=diagnosis.signal_id,
            tenant_id=row.tenant_id,
            dataset=row.dataset,
            anomaly_type=row.anomaly_type,
            top_cause_type=diagnosis.top_cause_type,
            top_confidence=diagnosis.top_confidence,
            hypothesis_count=diagnosis.hypothesis_count,
            is_active=row.state != IncidentState.RESOLVED,
            detected_at=diagnosis.detected_at,
            hypotheses=document["hypotheses"],
            correlation_id=diagnosis.correlation_id,
            incident_id=row.incident_id,
            reason=this.reason,
            diagnosis=document,
            case_document=this.case.model_dump(mode="json", by_alias=True),
            created_at=this.now,
        )
        .on_conflict_do_nothing()
        .returning(ROOT_CAUSE_SIGNALS.c.id)
    )
    return inserted.first() is not None


async def _set_deadlines(
    tx: Writing, incident_id: str, wanted: Sequence[Deadline], now: datetime
) -> None:
    """Make *wanted* what is pending; what has fired stays so, and what is pending never moves to later.

    A rule that the diagnosis dropped is cancelled, and comes back if a later diagnosis asks for it again:
    nobody has taken the incident on in between, or this would not be called.
    """
    found = await tx.connection.execute(
        select(DEADLINES).where(DEADLINES.c.incident_id == incident_id)
    )
    known = {(row.rule, row.team): row for row in found}
    for deadline in wanted:
        row = known.pop((deadline.rule, deadline.team), None)
        if row is None:
            await tx.connection.execute(DEADLINES.insert().values(**asdict(deadline)))
        elif row.state != DeadlineState.FIRED:
            await _renew(tx, row, deadline)
    for row in known.values():
        if row.state == DeadlineState.PENDING:
            await _update(tx, row, state=DeadlineState.CANCELLED, closed_at=now)
    await wake_deadlines(tx, incident_id)


async def _renew(tx: Writing, row: Row[Any], deadline: Deadline) -> None:
    due_at = deadline.due_at
    if row.state == DeadlineState.PENDING:
        due_at = min(row.due_at, due_at)
    await _update(
        tx,
        row,
        state=DeadlineState.PENDING,
        due_at=due_at,
        reason=deadline.reason,
        person=deadline.person,
        closed_at=None,
    )


async def _update(tx: Writing, row: Row[Any], **values: object) -> None:
    await tx.connection.execute(
        update(DEADLINES).where(DEADLINES.c.deadline_id == row.deadline_id).values(**values)
    )


async def _tell(tx: Writing, incident_id: str, this: Record) -> None:
    """Keep the posts an incident does not have yet, and draw those it has anew."""
    await bump(tx, incident_id, *(WHOLE if this.reason in NEWS else ()))
    await insert_posts(tx, this.posts, this.now)


async def insert_posts(tx: Writing, posts: Sequence[Post], now: datetime) -> None:
    """Keep *posts* and wake the outbox for those that are new."""
    for post in posts:
        inserted = await tx.connection.execute(
            tx.insert(POSTS)
            .values(**asdict(post), created_at=now)
            .on_conflict_do_nothing()
            .returning(POSTS.c.post_id)
        )
        if inserted.first() is not None:
            tx.wake(Job(kind=JobKind.POST, row_id=post.post_id))


async def _note(tx: Writing, incident_id: str, this: Record) -> None:
    diagnosis = this.diagnosis
    await tx.note(
        incident_id,
        this.now,
        "diagnosed",
        details={
            "signal_id": diagnosis.signal_id,
            "top_cause_type": diagnosis.top_cause_type,
            "top_confidence": diagnosis.top_confidence,
            "band": diagnosis.band,
            "reason": this.reason,
        },
    )
