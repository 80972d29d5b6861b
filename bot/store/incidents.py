"""Incidents: opened once, followed, closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Table, and_, select
from sqlalchemy import case as ranked
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from bot.records import (
    Deadline,
    Incident,
    IncidentState,
    IncidentView,
    Joined,
    Place,
    Post,
    Reason,
    TimelineEntry,
)
from bot.store import rows
from bot.store.answers import of_incident
from bot.store.changes import (
    Change,
    Decision,
    acknowledging,
    change,
    monitoring,
    reopening,
    resolving,
    snoozing,
)
from bot.store.joining import Arrival, open_or_join
from bot.store.recording import Record, record
from bot.store.tables import DEADLINES, INCIDENTS, PAGES, POSTS, ROOT_CAUSE_SIGNALS, TIMELINE
from bot.store.transaction import Database
from rca.case import Anomaly, AnomalyType, Case, Severity
from rca.diagnosis import Diagnosis

LONGEST_VIEW: Final = 500  # timeline entries; the newest of a storm are enough to draw a card


class Incidents:
    """Our record of each thing that is wrong."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_or_join(
        self,
        anomaly: Anomaly,
        *,
        inbox_id: str,
        position: int,
        place: Place | None,
        title: str | None,
        alert_url: str | None,
        now: datetime,
        is_alert: bool = True,
    ) -> Joined:
        """Return the open incident of the anomaly's fingerprint, or a new one.

        Args:
            anomaly: what is wrong.
            inbox_id: the delivery it came in; with *position* it makes a repeated call change nothing.
            position: of the anomaly within its delivery, from 0.
            place: where it was heard of; an incident keeps the first place it is given.
            title: the alert's own.
            alert_url: the alert's own.
            now: when.
            is_alert: False for a question: it is not counted, and says nothing about being well or not.
        """
        arrival = Arrival(
            anomaly=anomaly,
            inbox_id=inbox_id,
            position=position,
            place=place,
            title=title,
            alert_url=alert_url,
            is_alert=is_alert,
            now=now,
        )
        async with self._database.writing() as tx:
            return await open_or_join(tx, arrival)

    async def get(self, incident_id: str) -> Incident | None:
        """Return one incident, or None."""
        async with self._database.reading() as connection:
            return await _get(connection, incident_id)

    async def find_open(
        self, tenant_id: str, dataset: str, anomaly_type: AnomalyType | None = None
    ) -> tuple[Incident, ...]:
        """Return the dataset's open incidents, of one type or of all, the newest first."""
        what = [INCIDENTS.c.dataset == dataset]
        if anomaly_type is not None:
            what.append(INCIDENTS.c.anomaly_type == anomaly_type)
        return await self._newest(and_(INCIDENTS.c.tenant_id == tenant_id, _OPEN, *what), None)

    async def list_open(self, tenant_id: str, limit: int) -> tuple[Incident, ...]:
        """Return at most *limit* open incidents of the tenant, the worst first, then the newest."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(INCIDENTS)
                .where(INCIDENTS.c.tenant_id == tenant_id, _OPEN)
                .order_by(_WORST_FIRST, INCIDENTS.c.opened_at.desc(), INCIDENTS.c.incident_id)
                .limit(limit)
            )
            return tuple(rows.incident(row) for row in found)

    async def recent(self, tenant_id: str, dataset: str, limit: int) -> tuple[Incident, ...]:
        """Return at most *limit* incidents of the dataset, open or not, the newest first."""
        return await self._newest(
            and_(INCIDENTS.c.tenant_id == tenant_id, INCIDENTS.c.dataset == dataset), limit
        )

    async def well_since(self, instant: datetime, limit: int) -> tuple[Incident, ...]:
        """Return incidents whose check has passed since *instant* or longer."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(INCIDENTS)
                .where(
                    INCIDENTS.c.state == IncidentState.MONITORING,
                    INCIDENTS.c.monitoring_since <= instant,
                )
                .order_by(INCIDENTS.c.monitoring_since)
                .limit(limit)
            )
            return tuple(rows.incident(row) for row in found)

    async def _newest(self, where: ColumnElement[bool], limit: int | None) -> tuple[Incident, ...]:
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(INCIDENTS)
                .where(where)
                .order_by(INCIDENTS.c.opened_at.desc(), INCIDENTS.c.incident_id)
                .limit(limit)
            )
            return tuple(rows.incident(row) for row in found)

    async def view(self, incident_id: str) -> IncidentView | None:
        """Return everything needed to draw one incident, or None."""
        async with self._database.reading() as connection:
            incident = await _get(connection, incident_id)
            if incident is None:
                return None
            deadlines = await _of(connection, DEADLINES, incident_id, DEADLINES.c.due_at)
            pages = await _of(connection, PAGES, incident_id, PAGES.c.requested_at)
            posts = await _of(connection, POSTS, incident_id, POSTS.c.created_at)
            return IncidentView(
                incident=incident,
                diagnosis=await _diagnosis(connection, incident),
                deadlines=tuple(rows.deadline(row) for row in deadlines),
                pages=tuple(rows.page(row) for row in pages),
                posts=tuple(rows.post(row) for row in posts),
                timeline=await _timeline(connection, incident_id),
                answers=await of_incident(connection, incident_id),
            )

    async def record(
        self,
        incident_id: str,
        *,
        case: Case,
        diagnosis: Diagnosis,
        deadlines: Sequence[Deadline],
        posts: Sequence[Post],
        reason: Reason,
        now: datetime,
    ) -> None:
        """Keep a diagnosis with its case, deadlines and posts in one transaction, before it is told.

        It becomes the one in force. Of the deadlines, a pending one keeps the earlier time, and one whose
        rule the diagnosis no longer names is cancelled. Posts the incident has already are drawn anew.
        The same diagnosis again changes nothing.
        """
        this = Record(
            case=case,
            diagnosis=diagnosis,
            deadlines=deadlines,
            posts=posts,
            reason=reason,
            now=now,
        )
        async with self._database.writing() as tx:
            await record(tx, incident_id, this)

    async def acknowledge(self, incident_id: str, *, by: str, now: datetime) -> Change:
        """Somebody has it; pending deadlines are cancelled."""
        return await change(
            self._database,
            incident_id,
            Decision(what="acknowledged", by=by, now=now),
            acknowledging(by, now),
        )

    async def resolve(
        self, incident_id: str, *, by: str, now: datetime, well_since: datetime | None = None
    ) -> Change:
        """It is over: deadlines are cancelled, and accepted pages are to be resolved.

        With *well_since*, only if its check has been passing since that instant.
        """
        return await change(
            self._database,
            incident_id,
            Decision(what="resolved", by=by, now=now),
            resolving(by, now, well_since),
        )

    async def monitor(
        self, incident_id: str, *, by: str, now: datetime, check_id: str | None = None
    ) -> Change:
        """The check passes again; deadlines wait, once every check that failed has passed."""
        return await change(
            self._database,
            incident_id,
            Decision(what="monitoring", by=by, now=now),
            monitoring(check_id, now),
        )

    async def reopen(self, incident_id: str, *, by: str, now: datetime) -> Change:
        """It was not over; changes nothing while a newer incident of the same fingerprint is open."""
        return await change(
            self._database,
            incident_id,
            Decision(what="reopened", by=by, now=now),
            reopening(),
        )

    async def snooze(self, incident_id: str, *, by: str, until: datetime, now: datetime) -> Change:
        """Keep quiet until *until*; earlier deadlines move there."""
        return await change(
            self._database,
            incident_id,
            Decision(what="snoozed", by=by, now=now),
            snoozing(until),
        )

    async def add_timeline(self, entry: TimelineEntry) -> None:
        """Append *entry*."""
        async with self._database.writing() as tx:
            await tx.note(
                entry.incident_id, entry.at, entry.what, actor=entry.actor, details=entry.details
            )

    async def timeline(self, incident_id: str) -> tuple[TimelineEntry, ...]:
        """Return what happened, the oldest first; of a very long story its newest part."""
        async with self._database.reading() as connection:
            return await _timeline(connection, incident_id)


_OPEN: Final = INCIDENTS.c.state != IncidentState.RESOLVED
_WORST_FIRST: Final = ranked(
    {severity.value: -rank for rank, severity in enumerate(Severity)},
    value=INCIDENTS.c.severity,
    else_=1,
)


async def _get(connection: AsyncConnection, incident_id: str) -> Incident | None:
    found = await connection.execute(
        select(INCIDENTS).where(INCIDENTS.c.incident_id == incident_id)
    )
    row = found.first()
    return rows.incident(row) if row else None


async def _of(
    connection: AsyncConnection, table: Table, incident_id: str, order: ColumnElement[datetime]
) -> Sequence[rows.AnyRow]:
    """The incident's rows of *table*, in *order* and then always in the same one."""
    found = await connection.execute(
        select(table)
        .where(table.c.incident_id == incident_id)
        .order_by(order, *table.primary_key.columns)
    )
    return found.all()


async def _diagnosis(connection: AsyncConnection, incident: Incident) -> Diagnosis | None:
    if incident.signal_id is None:
        return None
    found = await connection.execute(
        select(ROOT_CAUSE_SIGNALS.c.diagnosis, ROOT_CAUSE_SIGNALS.c.is_active).where(
            ROOT_CAUSE_SIGNALS.c.id == incident.signal_id
        )
    )
    row = found.first()
    return rows.diagnosis(row.diagnosis, is_active=row.is_active) if row else None


async def _timeline(connection: AsyncConnection, incident_id: str) -> tuple[TimelineEntry, ...]:
    found = await connection.execute(
        select(TIMELINE)
        .where(TIMELINE.c.incident_id == incident_id)
        .order_by(TIMELINE.c.entry_id.desc())
        .limit(LONGEST_VIEW)
    )
    return tuple(rows.timeline_entry(row) for row in reversed(found.all()))
