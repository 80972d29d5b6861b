"""Deadlines: the instants at which a team is paged by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select, update

from bot.records import Deadline, DeadlineState, IncidentState, Page
from bot.store import rows
from bot.store.following import locked_incident
from bot.store.pages import Request, request_page
from bot.store.tables import DEADLINES
from bot.store.transaction import Database, Writing

BY_ITSELF: Final = "rca-bot"
WHILE_WELL: Final = timedelta(
    minutes=5
)  # ours: how often a monitored incident's deadline looks again


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """What came of a deadline: a page, a later time, or nothing when it is void."""

    page: Page | None = None
    not_before: datetime | None = None


class Deadlines:
    """Pending until they fire, or somebody takes the incident on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, deadline_id: str) -> Deadline | None:
        """Return one deadline, or None."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(DEADLINES).where(DEADLINES.c.deadline_id == deadline_id)
            )
            row = found.first()
            return rows.deadline(row) if row else None

    async def fire(self, deadline_id: str, now: datetime) -> Fired:
        """Request the deadline's page if it is due and nobody has the incident; once.

        While the incident is snoozed, or its check passes again, the deadline waits.
        """
        async with self._database.writing() as tx:
            found = await tx.connection.execute(
                select(DEADLINES.c.incident_id).where(DEADLINES.c.deadline_id == deadline_id)
            )
            incident_id = found.scalar()
            if incident_id is None:
                return Fired()
            incident = await locked_incident(
                tx, incident_id
            )  # first, like every other change of it
            again = await tx.connection.execute(
                select(DEADLINES).where(DEADLINES.c.deadline_id == deadline_id)
            )
            deadline = again.one()
            if incident is None or deadline.state != DeadlineState.PENDING:
                return Fired()
            return await _fire(tx, incident, deadline, now)


async def _fire(tx: Writing, incident: Row[Any], deadline: Row[Any], now: datetime) -> Fired:
    if incident.state == IncidentState.RESOLVED or incident.acknowledged_at is not None:
        await _close(tx, deadline, DeadlineState.CANCELLED, now)
        return Fired()
    later = _later(incident, deadline, now)
    if later is not None:
        return Fired(not_before=later)
    await _close(tx, deadline, DeadlineState.FIRED, now)
    details = {"rule": deadline.rule, "team": deadline.team, "reason": deadline.reason}
    await tx.note(incident.incident_id, now, "deadline fired", actor=BY_ITSELF, details=details)
    request = Request(
        team=deadline.team,
        reason=deadline.reason,
        by=BY_ITSELF,
        now=now,
        person=deadline.person,
    )
    requested = await request_page(tx, incident, request)
    return Fired(page=requested.page)


def _later(incident: Row[Any], deadline: Row[Any], now: datetime) -> datetime | None:
    """When to look again; None when it is due now."""
    if now < deadline.due_at:
        return deadline.due_at  # type: ignore[no-any-return]  # a row's columns have no types
    if incident.snoozed_until is not None and now < incident.snoozed_until:
        return incident.snoozed_until  # type: ignore[no-any-return]  # a row's columns have no types
    if incident.state == IncidentState.MONITORING:
        return now + WHILE_WELL
    return None


async def _close(tx: Writing, deadline: Row[Any], state: DeadlineState, now: datetime) -> None:
    await tx.connection.execute(
        update(DEADLINES)
        .where(DEADLINES.c.deadline_id == deadline.deadline_id)
        .values(state=state, closed_at=now)
    )
