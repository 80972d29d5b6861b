"""One anomaly, examined: facts become a case, the case a diagnosis, and all of it is recorded before it is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.deps import Deps
from bot.escalation import plan, resolve_targets
from bot.policy.tell import why_tell
from bot.records import (
    Deadline,
    Incident,
    Joined,
    Post,
    PostKind,
    Reason,
    TimelineEntry,
)
from rca.case import Anomaly, Case
from rca.diagnosis import Diagnosis
from runbook.advice import advise
from runbook.context import context_of

REVIEWED: Final = (
    "manual review done"  # how the timeline calls runbook step 5, "after manual review"
)
JOINED: Final = "alert joined"  # how the timeline calls every alert but one that opened

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What came of one anomaly."""

    incident: Incident
    diagnosis: Diagnosis
    reason: Reason


async def examine(
    joined: Joined, anomaly: Anomaly, deps: Deps, now: datetime, *, asked: bool
) -> Examined:
    """Diagnose *anomaly* and record it with its deadlines and posts, each with its job.

    Args:
        joined: the incident it belongs to.
        anomaly: what is wrong.
        deps: the flow's surroundings.
        now: one instant for everything that follows.
        asked: a person wants to know; what is news to them may be old to everybody else.
    """
    incident = joined.incident
    case = await _case_of(anomaly, incident, deps, now)
    timeline = await deps.store.incidents.timeline(incident.incident_id)
    reviewed = any(entry.what == REVIEWED for entry in timeline)
    # Off the loop: a rich case takes tenths of a second, and Slack waits for its answers meanwhile.
    diagnosis = await asyncio.to_thread(_advised, case, incident, deps, now, reviewed=reviewed)
    previous = await deps.store.signals.active_of(incident.incident_id)
    reason = Reason.TOLD_ASKED if asked else why_tell(joined, previous, diagnosis, now)
    counted = replace(incident, opened_at=alarmed_at(incident, timeline))
    await deps.store.incidents.record(
        incident.incident_id,
        case=case,
        diagnosis=diagnosis,
        deadlines=_deadlines(counted, case, diagnosis, deps, now),
        posts=_posts(incident),
        reason=reason,
        now=now,
    )
    _log(incident, diagnosis, reason)
    return Examined(incident=incident, diagnosis=diagnosis, reason=reason)


def alarmed_at(incident: Incident, timeline: Sequence[TimelineEntry]) -> datetime:
    """Return since when somebody has been waiting: the opening, or the first alert where a question opened it.

    Whoever asked this morning has not made tonight's alert half an hour late.
    """
    joins = [entry.at for entry in timeline if entry.what == JOINED]
    opened_by_question = 0 < incident.alert_count <= len(joins)
    return joins[0] if opened_by_question else incident.opened_at


async def _case_of(anomaly: Anomaly, incident: Incident, deps: Deps, now: datetime) -> Case:
    catalog = await deps.catalog(anomaly.tenant_id)
    dataset = catalog.resolve((anomaly.dataset,))
    near = () if dataset else await asyncio.to_thread(catalog.near, anomaly.dataset)
    return await deps.collector.case(
        anomaly,
        dataset,
        case_id=f"{incident.incident_id}:{now.isoformat()}",
        as_of=now,
        near=near,
    )


def _advised(
    case: Case, incident: Incident, deps: Deps, now: datetime, *, reviewed: bool
) -> Diagnosis:
    """What happened, by rca; what to do about it, by the runbook. Both pure."""
    diagnosis = deps.diagnose(case)
    context = context_of(
        case, diagnosis, opened_at=incident.opened_at, now=now, manual_review_done=reviewed
    )
    return advise(diagnosis, case, context, deps.book(), now)


def _deadlines(
    incident: Incident, case: Case, diagnosis: Diagnosis, deps: Deps, now: datetime
) -> tuple[Deadline, ...]:
    """Who is paged by itself, and when. A question alone pages nobody: whoever asks is already looking."""
    if incident.alert_count == 0:
        return ()
    planned = plan(incident, diagnosis, now)
    return resolve_targets(planned, case.dataset, deps.directory)


def _posts(incident: Incident) -> tuple[Post, ...]:
    """The incident's one card and its details; the store keeps the first of each kind and edits it afterwards."""
    if incident.place is None:
        return ()
    return tuple(
        Post(
            post_id=f"{kind}:{incident.incident_id}",
            incident_id=incident.incident_id,
            kind=kind,
            channel_id=incident.place.channel_id,
            thread_ts=incident.place.thread_ts,
        )
        for kind in (PostKind.CARD, PostKind.DETAILS)
    )


def _log(incident: Incident, diagnosis: Diagnosis, reason: Reason) -> None:
    log.info(
        "an anomaly was diagnosed",
        extra={
            "incident_id": incident.incident_id,
            "tenant_id": incident.tenant_id,
            "dataset": incident.dataset,
            "top_cause_type": diagnosis.top_cause_type,
            "top_confidence": round(diagnosis.top_confidence, 3),
            "reason": reason,
        },
    )
