"""What people decide about an incident, each in one transaction; the second time nothing is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, update

from bot.ports import Job, JobKind
from bot.records import DeadlineState, Incident, IncidentState, PageState
from bot.store import rows
from bot.store.following import WHOLE, bump, cancel_deadlines, locked_incident, wake_deadlines
from bot.store.tables import (
    ALERTS,
    DEADLINES,
    INCIDENTS,
    PAGES,
    ROOT_CAUSE_SIGNALS,
    TIMELINE,
)
from bot.store.transaction import Database, Writing

CHECK_PASSED: Final = "check passed"  # how the timeline calls one check of several


class NoIncidentError(LookupError):
    """There is no incident of this id; whoever asked has not looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The incident as it stands now, and whether this call changed it."""

    changed: bool
    incident: Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decided, when, and how the timeline calls it."""

    what: str
    by: str
    now: datetime


Decide = Callable[[Writing, Row[Any]], Awaitable[Mapping[str, object] | None]]
"""Returns the incident's new values, or None when there is nothing to change; may write rows beside it."""


async def change(
    database: Database, incident_id: str, decision: Decision, decide: Decide
) -> Change:
    """Apply *decide* to the incident, note it and draw the card again.

    Raises:
        NoIncidentError: there is none of that id.
    """
    async with database.writing() as tx:
        row = await locked_incident(tx, incident_id)
        if row is None:
            raise NoIncidentError(incident_id)
        values = await decide(tx, row)
        if values is None:
            return Change(changed=False, incident=rows.incident(row))
        changed = await tx.connection.execute(
            update(INCIDENTS)
            .where(INCIDENTS.c.incident_id == incident_id)
            .values(**values)
            .returning(INCIDENTS)
        )
        incident = rows.incident(changed.one())
        await tx.note(incident_id, decision.now, decision.what, actor=decision.by)
        turned = (row.state == IncidentState.RESOLVED) is incident.is_open
        await bump(tx, incident_id, *(WHOLE if turned else ()))
        return Change(changed=True, incident=incident)


def acknowledging(by: str, now: datetime) -> Decide:
    """Somebody has it: nobody is paged by itself any more."""

    async def decide(tx: Writing, row: Row[Any]) -> Mapping[str, object] | None:
        if row.state == IncidentState.RESOLVED or row.acknowledged_at is not None:
            return None
        await cancel_deadlines(tx, row.incident_id, now)
        monitored = row.state == IncidentState.MONITORING
        return {
            "state": IncidentState.MONITORING if monitored else IncidentState.ACKNOWLEDGED,
            "acknowledged_by": by,
            "acknowledged_at": now,
        }

    return decide


def resolving(by: str, now: datetime, well_since: datetime | None = None) -> Decide:
    """It is over: no deadline, no active diagnosis, and the pages' providers are to be told.

    With *well_since* only if the check has been passing since then: it may have failed again since somebody looked.
    """

    async def decide(tx: Writing, row: Row[Any]) -> Mapping[str, object] | None:
        if row.state == IncidentState.RESOLVED:
            return None
        if well_since is not None and not (
            row.state == IncidentState.MONITORING and row.monitoring_since <= well_since
        ):
            return None
        await cancel_deadlines(tx, row.incident_id, now)
        await tx.connection.execute(
            update(ROOT_CAUSE_SIGNALS)
            .where(ROOT_CAUSE_SIGNALS.c.incident_id == row.incident_id)
            .values(is_active=False)
        )
        wished = await tx.connection.execute(
            update(PAGES)
            .where(
                PAGES.c.incident_id == row.incident_id,
                PAGES.c.state.in_((PageState.ACCEPTED, PageState.REQUESTED)),
            )
            .values(resolve_wanted=True)
            .returning(PAGES.c.page_id)
        )
        tx.wake(*(Job(kind=JobKind.PAGE, row_id=page.page_id) for page in wished))
        return {"state": IncidentState.RESOLVED, "resolved_by": by, "resolved_at": now}

    return decide


def monitoring(check_id: str | None, now: datetime) -> Decide:
    """The check passes again: deadlines wait until it is over, or fails once more.

    An incident of several checks waits for all of them; one that passes is noted. A recovery that names no check,
    and alerts that name none, speak of the whole.
    """

    async def decide(tx: Writing, row: Row[Any]) -> Mapping[str, object] | None:
        if row.state in (IncidentState.MONITORING, IncidentState.RESOLVED):
            return None
        failing = await failing_checks(tx, row.incident_id) if check_id else None
        if check_id and failing is not None:
            if check_id not in failing:
                return None
            if failing != {check_id}:
                details = {"check_id": check_id}
                await tx.note(row.incident_id, now, CHECK_PASSED, details=details)
                return None
        return {"state": IncidentState.MONITORING, "monitoring_since": now}

    return decide


async def failing_checks(tx: Writing, incident_id: str) -> set[str] | None:
    """Return the checks whose last word is that they fail; None when some alert named no check."""
    alerts = await tx.connection.execute(
        select(ALERTS.c.anomaly, ALERTS.c.joined_at).where(ALERTS.c.incident_id == incident_id)
    )
    failed: dict[str, datetime] = {}
    for alert in alerts:
        check_id = alert.anomaly.get("check_id")
        if not check_id:
            return None
        failed[check_id] = max(alert.joined_at, failed.get(check_id, alert.joined_at))
    passed = await tx.connection.execute(
        select(TIMELINE.c.details, TIMELINE.c.at).where(
            TIMELINE.c.incident_id == incident_id, TIMELINE.c.what == CHECK_PASSED
        )
    )
    for entry in passed:
        check_id = entry.details.get("check_id")
        if check_id in failed and failed[check_id] <= entry.at:
            del failed[check_id]
    return set(failed)


def reopening() -> Decide:
    """It was not over: nobody has it, and its last diagnosis is active again."""

    async def decide(tx: Writing, row: Row[Any]) -> Mapping[str, object] | None:
        if row.state not in (IncidentState.MONITORING, IncidentState.RESOLVED):
            return None
        if row.state == IncidentState.RESOLVED and await _successor(tx, row):
            return None
        await wake_deadlines(tx, row.incident_id)
        await tx.connection.execute(
            update(ROOT_CAUSE_SIGNALS)
            .where(ROOT_CAUSE_SIGNALS.c.id == row.signal_id)
            .values(is_active=True)
        )
        return {
            "state": IncidentState.OPEN,
            "monitoring_since": None,
            "resolved_by": None,
            "resolved_at": None,
            "acknowledged_by": None,
            "acknowledged_at": None,
        }

    return decide


async def _successor(tx: Writing, row: Row[Any]) -> bool:
    """Whether a newer incident of the same fingerprint is open: there is only ever one."""
    found = await tx.connection.execute(
        select(INCIDENTS.c.incident_id).where(
            INCIDENTS.c.fingerprint == row.fingerprint,
            INCIDENTS.c.state != IncidentState.RESOLVED,
        )
    )
    return found.first() is not None


def snoozing(until: datetime) -> Decide:
    """Keep quiet until then: deadlines move to the end of it."""

    async def decide(tx: Writing, row: Row[Any]) -> Mapping[str, object] | None:
        if row.state == IncidentState.RESOLVED or row.snoozed_until == until:
            return None
        await tx.connection.execute(
            update(DEADLINES)
            .where(
                DEADLINES.c.incident_id == row.incident_id,
                DEADLINES.c.state == DeadlineState.PENDING,
                DEADLINES.c.due_at < until,
            )
            .values(due_at=until)
        )
        await wake_deadlines(tx, row.incident_id)
        return {"snoozed_until": until}

    return decide
