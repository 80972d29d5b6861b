"""An anomaly opens an incident or joins the one that is open: once, however many replicas ask."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, update

from bot.records import IncidentState, Joined, Place
from bot.store import rows
from bot.store.following import locked_incident, wake_deadlines
from bot.store.tables import ALERTS, INCIDENTS, NOT_RESOLVED
from bot.store.transaction import Writing
from rca.case import Anomaly, AnomalyType, Severity

TRIES: Final = 5  # each lost try means that somebody resolved the incident in the same instant

WORSE: Final = tuple(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One anomaly of one delivery, and where it was heard of."""

    anomaly: Anomaly
    inbox_id: str
    position: int
    place: Place | None
    title: str | None
    alert_url: str | None
    is_alert: bool
    now: datetime


def fingerprint(tenant_id: str, dataset: str, anomaly_type: AnomalyType) -> str:
    """Return what two anomalies of one incident share, in 64 characters whatever the names are."""
    text = "\n".join(f"{len(part)}:{part}" for part in (tenant_id, dataset, anomaly_type))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


async def open_or_join(tx: Writing, arrival: Arrival) -> Joined:
    """Return the incident that *arrival* belongs to; the same arrival again changes nothing."""
    known = await _known(tx, arrival)
    if known is not None:
        return known
    for _ in range(TRIES):
        opened = await _open(tx, arrival)
        row = await _open_row(tx, arrival)
        if row is not None:
            return await _join(tx, arrival, row, opened=opened)
    raise RuntimeError("an incident was resolved as often as it was opened")


async def _known(tx: Writing, arrival: Arrival) -> Joined | None:
    """The answer that this very anomaly was given before."""
    found = await tx.connection.execute(
        select(ALERTS.c.incident_id, ALERTS.c.opened).where(
            ALERTS.c.inbox_id == arrival.inbox_id, ALERTS.c.position == arrival.position
        )
    )
    alert = found.first()
    if alert is None:
        return None
    incident = await tx.connection.execute(
        select(INCIDENTS).where(INCIDENTS.c.incident_id == alert.incident_id)
    )
    return Joined(incident=rows.incident(incident.one()), opened=alert.opened)


async def _open(tx: Writing, arrival: Arrival) -> bool:
    """Open an incident unless one is open; a second replica waits here for the first one's commit."""
    anomaly = arrival.anomaly
    insert = tx.insert(INCIDENTS).values(
        incident_id=str(uuid.uuid4()),
        tenant_id=anomaly.tenant_id,
        dataset=anomaly.dataset,
        anomaly_type=anomaly.anomaly_type,
        fingerprint=_fingerprint_of(anomaly),
        state=IncidentState.OPEN,
        severity=anomaly.severity,
        opened_at=arrival.now,
        detected_at=anomaly.detected_at,
        correlation_id=anomaly.correlation_id,
        channel_id=arrival.place.channel_id if arrival.place else None,
        thread_ts=arrival.place.thread_ts if arrival.place else None,
        alert_count=0,
        title=arrival.title,
        alert_url=arrival.alert_url,
    )
    opened = await tx.connection.execute(
        insert.on_conflict_do_nothing(
            index_elements=[INCIDENTS.c.fingerprint], index_where=NOT_RESOLVED
        ).returning(INCIDENTS.c.incident_id)
    )
    return opened.first() is not None


async def _open_row(tx: Writing, arrival: Arrival) -> Row[Any] | None:
    found = await tx.connection.execute(
        select(INCIDENTS)
        .where(
            INCIDENTS.c.fingerprint == _fingerprint_of(arrival.anomaly),
            INCIDENTS.c.state != IncidentState.RESOLVED,
        )
        .with_for_update()
    )
    return found.first()


async def _join(tx: Writing, arrival: Arrival, row: Row[Any], *, opened: bool) -> Joined:
    """Write the anomaly down and let the incident know of it."""
    noted = await tx.connection.execute(
        tx.insert(ALERTS)
        .values(
            inbox_id=arrival.inbox_id,
            position=arrival.position,
            incident_id=row.incident_id,
            opened=opened,
            anomaly=arrival.anomaly.model_dump(mode="json"),
            joined_at=arrival.now,
        )
        .on_conflict_do_nothing()
        .returning(ALERTS.c.incident_id)
    )
    if noted.first() is None:  # another replica took the same job over from a slow one
        return Joined(incident=rows.incident(row), opened=False)
    if opened:
        await tx.note(row.incident_id, arrival.now, "opened")
    await _tell_incident(tx, arrival, row, opened=opened)
    after = await locked_incident(tx, row.incident_id)
    return Joined(incident=rows.incident(after or row), opened=opened)


async def _tell_incident(tx: Writing, arrival: Arrival, row: Row[Any], *, opened: bool) -> None:
    changes: dict[str, object] = {}
    if row.channel_id is None and arrival.place is not None:
        changes |= {
            "channel_id": arrival.place.channel_id,
            "thread_ts": arrival.place.thread_ts,
        }
    if arrival.is_alert:
        changes |= {
            "alert_count": row.alert_count + 1,
            "severity": _worst(row.severity, arrival.anomaly.severity),
            "title": row.title or arrival.title,
            "alert_url": row.alert_url or arrival.alert_url,
            "correlation_id": row.correlation_id or arrival.anomaly.correlation_id,
        }
        if row.state == IncidentState.MONITORING:
            changes |= await _fails_again(tx, arrival.now, row)
        if not opened:
            await tx.note(row.incident_id, arrival.now, "alert joined")
    if changes:
        await tx.connection.execute(
            update(INCIDENTS).where(INCIDENTS.c.incident_id == row.incident_id).values(**changes)
        )


async def _fails_again(tx: Writing, now: datetime, row: Row[Any]) -> dict[str, object]:
    """What was well again is not: whoever had it still has it, and pending deadlines count on."""
    await tx.note(row.incident_id, now, "fails again")
    await wake_deadlines(tx, row.incident_id)
    state = IncidentState.ACKNOWLEDGED if row.acknowledged_at else IncidentState.OPEN
    return {"state": state, "monitoring_since": None}


def _fingerprint_of(anomaly: Anomaly) -> str:
    return fingerprint(anomaly.tenant_id, anomaly.dataset, anomaly.anomaly_type)


def _worst(one: str | None, other: Severity | None) -> Severity | None:
    known = [Severity(severity) for severity in (one, other) if severity]
    return max(known, key=WORSE.index, default=None)
