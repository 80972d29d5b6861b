"""The way of an alert, of a question, of a due deadline. Read it first; then ``bot.examine``.

An inbox row was committed before anybody was told that we have it; a job wakes us with its id.
Everything here may run twice, after a crash or beside another replica: each store call is one short
transaction that changes nothing the second time.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import InterfaceError, OperationalError

from bot.anomaly import anomaly_again, anomaly_asked, anomaly_of
from bot.deps import Deps
from bot.examine import Examined, examine
from bot.intake.registry import link_back_of, read_pushed, read_webhook, recognise_slack
from bot.ports import Again, BotError, Pushed
from bot.records import (
    Alert,
    AlertStatus,
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
from bot.render import answers
from bot.render.text import escape
from rca.case import Anomaly, AnomalyType

MAX_FAILURES: Final = 8  # of one inbox row; with the pauses between them about two minutes
BY_NOBODY: Final = "rca-bot"
ON_ITS_WAY: Final = timedelta(seconds=10)  # for an alert that another worker may be opening
SORRY: Final = "This could not be examined, because of an error of mine. Nobody is paged for it: please look by hand."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Somebody asks about a dataset: ``/rca DATASET``, a mention, or the API."""

    tenant_id: str
    dataset: str
    anomaly_type: AnomalyType | None
    asked_by: str
    place: Place | None


async def handle_inbox(inbox_id: str, deps: Deps) -> Again | None:
    """Do what one inbox row asks for; a row that was done already is left alone.

    What fails is tried again, however often the process dies; only ``MAX_FAILURES`` errors of our own, or one of
    the sender's, end it, and then whoever waits is told.
    """
    item = await deps.store.inbox.get(inbox_id)
    if item is None or item.state is not InboxState.NEW:
        return None
    try:
        return await _take(item, deps)
    except BotError as error:
        await _give_up(item, escape(str(error)), deps)
    except Exception:
        if await deps.store.inbox.count_attempt(inbox_id) < MAX_FAILURES:
            raise
        log.exception("an inbox row was given up", extra={"inbox_id": inbox_id, "kind": item.kind})
        await _give_up(item, SORRY, deps)
    return None


async def _take(item: InboxItem, deps: Deps) -> Again | None:
    match item.kind:
        case InboxKind.SLACK_MESSAGE:
            return await _take_slack_message(item, deps)
        case InboxKind.WEBHOOK:
            await _keep_pushed(item, deps)
            alerts = read_webhook(str(item.payload["format"]), item.payload["body"])
            return await _take_alerts(item, alerts, None, deps)
        case InboxKind.COMMAND:
            await _take_question(item, deps)
        case InboxKind.ACTION:
            await _close(item, InboxState.DONE, None, deps)
    return None


async def _keep_pushed(item: InboxItem, deps: Deps) -> None:
    """Keep the facts that a webhook carries, before anything it alerts of is diagnosed with them.

    Facts that cannot be read or kept are left out: what the webhook alerts of is heard all the same.
    """
    catalog = await deps.catalog(item.tenant_id)
    for pushed in _pushed(item):
        for dataset in catalog.all_of(pushed.dataset_hints):
            try:
                await deps.collector.push(item.tenant_id, dataset, pushed.found, item.received_at)
            except (OperationalError, InterfaceError):  # it passes: the row is looked at again
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the alert comes first
                _left_out(item, error)


def _pushed(item: InboxItem) -> tuple[Pushed, ...]:
    format_name, body = str(item.payload["format"]), item.payload["body"]
    try:
        return read_pushed(format_name, body, item.received_at)
    except Exception as error:  # noqa: BLE001 - as above
        _left_out(item, error)
        return ()


def _left_out(item: InboxItem, error: Exception) -> None:
    """Only the kind of error: its text, and its traceback, would quote what was sent."""
    log.warning(
        "facts of a webhook were not kept",
        extra={
            "inbox_id": item.inbox_id,
            "format": item.payload["format"],
            "error": type(error).__name__,
        },
    )


async def _give_up(item: InboxItem, text: str, deps: Deps) -> None:
    """Say so where the answer is awaited, before the row is closed: *text* is markup."""
    post = _apology(item, text, deps)
    if post is not None:
        await deps.store.posts.add([post], deps.clock())
    await _close(item, InboxState.FAILED, Reason.GAVE_UP, deps)


def _apology(item: InboxItem, text: str, deps: Deps) -> Post | None:
    """To the one who asked; in the alert's thread; or, for a webhook, in the tenant's incident channel."""
    payload = item.payload
    user_id = payload.get("user")
    thread_ts = payload.get("thread_ts")
    channel = payload.get("channel") or deps.directory.incident_channel(item.tenant_id, "")
    if item.kind is InboxKind.SLACK_MESSAGE:
        thread_ts = _thread_of(payload["message"])
    if channel is None or item.kind is InboxKind.ACTION:
        return None
    return Post(
        post_id=f"sorry:{item.inbox_id}",
        incident_id=None,
        kind=PostKind.EPHEMERAL if user_id else PostKind.NOTE,
        channel_id=str(channel),
        thread_ts=thread_ts,
        user_id=str(user_id) if user_id else None,
        text=text,
    )


async def _take_slack_message(item: InboxItem, deps: Deps) -> Again | None:
    """Another bot's message: answered in its own thread, or left alone when no format knows it."""
    message = item.payload["message"]
    recognised = recognise_slack(message)
    if recognised is None:
        await _close(item, InboxState.IGNORED, Reason.QUIET_UNRECOGNISED, deps)
        return None
    place = Place(channel_id=str(item.payload["channel"]), thread_ts=_thread_of(message))
    return await _take_alerts(item, recognised.alerts, place, deps)


def _thread_of(message: Mapping[str, object]) -> str:
    return str(message.get("thread_ts") or message["ts"])


async def _take_alerts(
    item: InboxItem, alerts: Sequence[Alert], place: Place | None, deps: Deps
) -> Again | None:
    reason = Reason.QUIET_RESOLVED
    catalog = await deps.catalog(item.tenant_id)
    for position, alert in enumerate(alerts):
        anomaly = anomaly_of(alert, item, position, catalog)
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
        await _link_back(item, examined.incident, deps)
    if alerts and reason is Reason.QUIET_RESOLVED and await _first_look(item, deps):
        return Again(at=deps.clock() + ON_ITS_WAY)
    await _close(item, InboxState.DONE, reason, deps)
    return None


async def _link_back(item: InboxItem, incident: Incident, deps: Deps) -> None:
    """Tell a webhook's sender that takes links where the card is, once per incident and address."""
    if item.kind is not InboxKind.WEBHOOK:
        return
    address = link_back_of(str(item.payload["format"]), item.payload["body"])
    if address is None:
        return
    digest = hashlib.sha256(address.encode()).hexdigest()[:16]
    post = Post(
        post_id=f"link:{incident.incident_id}:{digest}",
        incident_id=incident.incident_id,
        kind=PostKind.LINK,
        channel_id=None,
        response_url=address,
        text=f"Diagnosis of {incident.dataset} in Slack",
    )
    await deps.store.posts.add([post], deps.clock())


async def _first_look(item: InboxItem, deps: Deps) -> bool:
    """Whether a recovery of nothing is seen for the first time: after a backlog it may overtake its own alert."""
    return await deps.store.inbox.count_attempt(item.inbox_id) == 1


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
        await deps.store.incidents.monitor(
            incident.incident_id, by=BY_NOBODY, now=deps.clock(), check_id=anomaly.check_id
        )
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
    examined = await examine(joined, anomaly, deps, now, asked=False)
    pointer = _pointer(joined, place, f"{inbox_id}:{position}")
    if pointer is not None:
        await deps.store.posts.add([pointer], now)
    return examined


def _pointer(joined: Joined, heard: Place | None, key: str) -> Post | None:
    """Where the card is, for readers of the first alert of an incident that a question opened elsewhere."""
    incident = joined.incident
    is_first = incident.alert_count == 1 and not joined.opened
    if not is_first or heard is None or incident.place in (None, heard):
        return None
    return Post(
        post_id=f"pointer:{key}",
        incident_id=incident.incident_id,
        kind=PostKind.NOTE,
        channel_id=heard.channel_id,
        thread_ts=heard.thread_ts,
        text=answers.card_elsewhere(incident),
    )


async def _take_question(item: InboxItem, deps: Deps) -> None:
    """``/rca DATASET``: look, show the card where it was asked, and tell the asker where to find it."""
    payload = item.payload
    kind = payload.get("anomaly_type")
    question = Question(
        tenant_id=item.tenant_id,
        dataset=str(payload["dataset"]),
        anomaly_type=AnomalyType(kind) if kind else None,
        asked_by=str(payload["user"]),
        place=_place_of(payload.get("channel"), payload.get("thread_ts")),
    )
    try:
        await answer(question, deps, inbox_id=item.inbox_id)
    except UnknownDatasetError as error:  # it left the catalog since the question was taken
        await _give_up(item, answers.unknown_dataset(error.name, error.near), deps)
        return
    await _close(item, InboxState.DONE, Reason.TOLD_ASKED, deps)


def _place_of(channel_id: str | None, thread_ts: str | None) -> Place | None:
    return Place(channel_id=channel_id, thread_ts=thread_ts) if channel_id else None


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
    kind = question.anomaly_type or AnomalyType.OTHER
    anomalies = [anomaly_again(incident) for incident in open_ones] or [
        anomaly_asked(question.tenant_id, dataset.name, kind, now)
    ]
    return tuple(
        [
            await examine(
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


async def _close(item: InboxItem, state: InboxState, reason: Reason | None, deps: Deps) -> None:
    await deps.store.inbox.close(item.inbox_id, state=state, reason=reason, now=deps.clock())


async def fire_deadline(deadline_id: str, deps: Deps) -> Again | None:
    """Page the deadline's team, unless somebody acknowledged, resolved or snoozed in time."""
    fired = await deps.store.deadlines.fire(deadline_id, deps.clock())
    return Again(at=fired.not_before) if fired.not_before else None
