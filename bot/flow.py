"""The way of an alert, of a question, of a due deadline. Read it first.

An inbox row was committed before anybody was told that we have it; a job wakes us with its id.
Everything here may run twice, after a crash or beside another replica: each store call is one short
transaction that changes nothing the second time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.collect import collect
from bot.deps import Deps
from bot.escalation import plan, resolve_targets
from bot.intake.registry import read_webhook, recognise_slack
from bot.policy.tell import why_tell
from bot.ports import Again, BotError
from bot.records import (
    Alert,
    AlertStatus,
    Deadline,
    InboxItem,
    InboxKind,
    InboxState,
    Incident,
    Joined,
    Place,
    Post,
    PostKind,
    Reason,
)
from rca.case import Anomaly, AnomalyType, Case, Dataset
from rca.diagnosis import Diagnosis
from runbook.advice import advise
from runbook.context import context_of

MAX_ATTEMPTS: Final = 8
BY_NOBODY: Final = "rca-bot"
REVIEWED: Final = (
    "manual review done"  # how the timeline calls runbook step 5, "after manual review"
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Somebody asks about a dataset: ``/rca DATASET``, a mention, or the API."""

    tenant_id: str
    dataset: str
    anomaly_type: AnomalyType | None
    asked_by: str
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What came of one anomaly."""

    incident: Incident
    diagnosis: Diagnosis
    reason: Reason


async def handle_inbox(inbox_id: str, deps: Deps) -> Again | None:
    """Do what one inbox row asks for; a row that was done already is left alone."""
    item = await deps.store.inbox.get(inbox_id)
    if item is None or item.state is not InboxState.NEW:
        return None
    if await deps.store.inbox.count_attempt(inbox_id) > MAX_ATTEMPTS:
        log.error("an inbox row was given up", extra={"inbox_id": inbox_id, "kind": item.kind})
        await _close(item, InboxState.FAILED, Reason.GAVE_UP, deps)
        return None
    match item.kind:
        case InboxKind.SLACK_MESSAGE:
            await _take_slack_message(item, deps)
        case InboxKind.WEBHOOK:
            alerts = read_webhook(str(item.payload["format"]), item.payload["body"])
            await _take_alerts(item, alerts, None, deps)
        case InboxKind.COMMAND:
            await _take_question(item, deps)
        case InboxKind.ACTION:
            await _close(item, InboxState.DONE, None, deps)
    return None


async def _take_slack_message(item: InboxItem, deps: Deps) -> None:
    """Another bot's message: answered in its own thread, or left alone when no format knows it."""
    message = item.payload["message"]
    recognised = recognise_slack(message)
    if recognised is None:
        await _close(item, InboxState.IGNORED, Reason.QUIET_UNRECOGNISED, deps)
        return
    thread_ts = str(message.get("thread_ts") or message["ts"])
    place = Place(channel_id=str(item.payload["channel"]), thread_ts=thread_ts)
    await _take_alerts(item, recognised.alerts, place, deps)


async def _take_alerts(
    item: InboxItem, alerts: Sequence[Alert], place: Place | None, deps: Deps
) -> None:
    reason = Reason.QUIET_RESOLVED
    for position, alert in enumerate(alerts):
        anomaly = await _anomaly_of(item, position, alert, deps)
        if alert.status is AlertStatus.RESOLVED:
            reason = await _take_recovery(anomaly, deps)
            continue
        examined = await handle_anomaly(
            anomaly,
            deps,
            inbox_id=item.inbox_id,
            position=position,
            place=place or _home(anomaly, deps),
            alert=alert,
        )
        reason = examined.reason
    await _close(item, InboxState.DONE, reason, deps)


async def _anomaly_of(item: InboxItem, position: int, alert: Alert, deps: Deps) -> Anomaly:
    """What the alert says, with the catalog's name for the dataset, or the sender's own when it is not covered."""
    catalog = await deps.catalog(item.tenant_id)
    dataset = catalog.resolve(alert.dataset_hints) or _foremost(catalog.all_of(alert.dataset_hints))
    name = (
        dataset.name if dataset else (alert.dataset_hints[0] if alert.dataset_hints else "unknown")
    )
    metric = {
        "name": alert.metric_name,
        "observed": alert.observed,
        "expected": alert.expected,
        "lower": alert.lower,
        "upper": alert.upper,
    }
    return Anomaly.model_validate(
        {
            "tenant_id": item.tenant_id,
            "dataset": name,
            "anomaly_type": alert.anomaly_type,
            "detected_at": min(alert.detected_at or item.received_at, item.received_at),
            "severity": alert.severity,
            "metric": metric if any(value is not None for value in metric.values()) else None,
            "column": alert.column,
            "check_id": alert.check_id,
            "correlation_id": alert.correlation_id or f"{item.inbox_id}:{position}",
            "source": alert.format,
        }
    )


def _foremost(datasets: Sequence[Dataset]) -> Dataset | None:
    """Which of a connection's datasets stands for all of them: one message, about what matters most."""
    ranked = sorted(datasets, key=lambda one: (not one.critical, not one.merchant_facing, one.name))
    return ranked[0] if ranked else None


def _home(anomaly: Anomaly, deps: Deps) -> Place | None:
    """Where an incident lives that did not come from a Slack thread."""
    channel_id = deps.directory.incident_channel(anomaly.tenant_id, anomaly.dataset)
    return Place(channel_id=channel_id) if channel_id else None


async def _take_recovery(anomaly: Anomaly, deps: Deps) -> Reason:
    """The check passes again: what is open about it is monitored until it stays so."""
    open_ones = await deps.store.incidents.find_open(
        anomaly.tenant_id, anomaly.dataset, anomaly.anomaly_type
    )
    for incident in open_ones:
        await deps.store.incidents.monitor(incident.incident_id, by=BY_NOBODY, now=deps.clock())
    return Reason.QUIET_RECOVERED if open_ones else Reason.QUIET_RESOLVED


async def handle_anomaly(
    anomaly: Anomaly,
    deps: Deps,
    *,
    inbox_id: str,
    position: int,
    place: Place | None,
    alert: Alert,
) -> Examined:
    """Diagnose *anomaly* and tell its incident's thread, at least once."""
    now = deps.clock()
    joined = await deps.store.incidents.open_or_join(
        anomaly,
        inbox_id=inbox_id,
        position=position,
        place=place,
        title=alert.title or None,
        alert_url=alert.url,
        now=now,
    )
    return await _examine(joined, anomaly, deps, now, asked=False)


async def _take_question(item: InboxItem, deps: Deps) -> None:
    """``/rca DATASET``: look, show the card where it was asked, and tell the asker where to find it."""
    payload = item.payload
    kind = payload.get("anomaly_type")
    question = Question(
        tenant_id=item.tenant_id,
        dataset=str(payload["dataset"]),
        anomaly_type=AnomalyType(kind) if kind else None,
        asked_by=str(payload["user"]),
        place=Place(channel_id=str(payload["channel"]), thread_ts=payload.get("thread_ts")),
    )
    await answer(question, deps, inbox_id=item.inbox_id)
    await _close(item, InboxState.DONE, Reason.TOLD_ASKED, deps)


async def answer(question: Question, deps: Deps, *, inbox_id: str) -> tuple[Examined, ...]:
    """Diagnose every open incident of the dataset anew, or open one for the question when there is none.

    Raises:
        UnknownDatasetError: the catalog does not know the dataset; its text has the near matches.
    """
    now = deps.clock()
    catalog = await deps.catalog(question.tenant_id)
    dataset = catalog.resolve((question.dataset,))
    if dataset is None:
        raise UnknownDatasetError(question.dataset, catalog.near(question.dataset))
    open_ones = await deps.store.incidents.find_open(
        question.tenant_id, dataset.name, question.anomaly_type
    )
    anomalies = [_anomaly_again(incident) for incident in open_ones] or [
        _anomaly_asked(question, dataset.name, now)
    ]
    return tuple(
        [
            await _examine(
                await deps.store.incidents.open_or_join(
                    anomaly,
                    inbox_id=inbox_id,
                    position=position,
                    place=question.place,
                    title=None,
                    alert_url=None,
                    now=now,
                    is_alert=False,
                ),
                anomaly,
                deps,
                now,
                asked=True,
            )
            for position, anomaly in enumerate(anomalies)
        ]
    )


class UnknownDatasetError(BotError):
    """The catalog has no such dataset; ``near`` holds the names that look like it."""

    def __init__(self, name: str, near: Sequence[str]) -> None:
        super().__init__(f"I know no dataset named {name}.")
        self.name = name
        self.near = tuple(near)


def _anomaly_again(incident: Incident) -> Anomaly:
    return Anomaly(
        tenant_id=incident.tenant_id,
        dataset=incident.dataset,
        anomaly_type=incident.anomaly_type,
        detected_at=incident.detected_at,
        severity=incident.severity,
        correlation_id=incident.correlation_id,
    )


def _anomaly_asked(question: Question, dataset: str, now: datetime) -> Anomaly:
    return Anomaly(
        tenant_id=question.tenant_id,
        dataset=dataset,
        anomaly_type=question.anomaly_type or AnomalyType.OTHER,
        detected_at=now,
        source="asked",
    )


async def _examine(
    joined: Joined, anomaly: Anomaly, deps: Deps, now: datetime, *, asked: bool
) -> Examined:
    incident = joined.incident
    case = await _case_of(anomaly, incident, deps, now)
    timeline = await deps.store.incidents.timeline(incident.incident_id)
    reviewed = any(entry.what == REVIEWED for entry in timeline)
    diagnosis = _advised(case, incident, deps, now, reviewed=reviewed)
    previous = await deps.store.signals.active_of(incident.incident_id)
    reason = Reason.TOLD_ASKED if asked else why_tell(joined, previous, diagnosis, now)
    await deps.store.incidents.record(
        incident.incident_id,
        case=case,
        diagnosis=diagnosis,
        deadlines=_deadlines(incident, case, diagnosis, deps, now),
        posts=_posts(incident),
        reason=reason,
        now=now,
    )
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
    return Examined(incident=incident, diagnosis=diagnosis, reason=reason)


async def _case_of(anomaly: Anomaly, incident: Incident, deps: Deps, now: datetime) -> Case:
    catalog = await deps.catalog(anomaly.tenant_id)
    return await collect(
        anomaly,
        catalog.resolve((anomaly.dataset,)),
        deps.sources,
        case_id=f"{incident.incident_id}:{now.isoformat()}",
        as_of=now,
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


async def _close(item: InboxItem, state: InboxState, reason: Reason | None, deps: Deps) -> None:
    await deps.store.inbox.close(item.inbox_id, state=state, reason=reason, now=deps.clock())


async def fire_deadline(deadline_id: str, deps: Deps) -> Again | None:
    """Page the deadline's team, unless somebody acknowledged, resolved or snoozed in time."""
    fired = await deps.store.deadlines.fire(deadline_id, deps.clock())
    return Again(at=fired.not_before) if fired.not_before else None
