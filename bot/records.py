"""The records that cross the bot's rooms: what reached us, the incidents, and what we owe people about them.

Frozen values, as the store keeps them; the services that work with them are ``bot.ports``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from rca.case import AnomalyType, Severity
from rca.diagnosis import Diagnosis

# ── inbox ─────────────────────────────────────────────────────────────────────────────────────────────────


class InboxKind(StrEnum):
    """By which way something reached us."""

    SLACK_MESSAGE = "slack_message"  # another bot's message in a watched channel
    WEBHOOK = "webhook"  # POST /alerts/{format}
    COMMAND = "command"  # /rca DATASET, @rca DATASET, message shortcut
    ACTION = "action"  # a button or a command that changes an incident


class InboxState(StrEnum):
    """How far we are with it."""

    NEW = "new"
    DONE = "done"
    IGNORED = "ignored"  # looked at and left alone; ``reason`` says why
    FAILED = "failed"  # given up after the last attempt; ``reason`` says why


class Reason(StrEnum):
    """Why we told somebody, or kept quiet; stored with every decision."""

    TOLD_OPENED = "told_opened"
    TOLD_CHANGED = "told_changed"
    TOLD_ASKED = "told_asked"
    QUIET_JOINED = "quiet_joined"  # same fingerprint, nothing new to say
    QUIET_SNOOZED = "quiet_snoozed"
    QUIET_UNRECOGNISED = "quiet_unrecognised"
    QUIET_RESOLVED = "quiet_resolved"  # the alert says that all is well again and nothing was open
    QUIET_RECOVERED = "quiet_recovered"  # the alert says that all is well again
    QUIET_UNKNOWN_DATASET = "quiet_unknown_dataset"
    QUIET_OWN = "quiet_own"
    GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """Something that reached us; unique on ``(kind, sender_id)``.

    ``sender_id`` is the sender's own: Slack's event_id, trigger_id or action_ts with user and value; a webhook's
    fingerprint. ``payload`` is JSON.
    """

    inbox_id: str
    kind: InboxKind
    sender_id: str
    tenant_id: str
    payload: Mapping[str, Any]
    received_at: datetime
    state: InboxState = InboxState.NEW
    reason: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Answer of the inbox: its row, and whether this delivery was the first."""

    item: InboxItem
    fresh: bool


# ── intake ────────────────────────────────────────────────────────────────────────────────────────────────


class AlertStatus(StrEnum):
    """Whether the alert says that something broke, or that it is well again."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert as a format read it, before the catalog has been asked.

    ``dataset_hints`` are the names by which the sender calls the dataset, best first (relation, bare table name,
    dbt unique_id, connection id); the catalog resolves them in any case and quoting.
    """

    format: str
    status: AlertStatus
    dataset_hints: tuple[str, ...]
    anomaly_type: AnomalyType
    detected_at: datetime | None = None
    severity: Severity | None = None
    title: str = ""
    message: str | None = None
    metric_name: str | None = None
    observed: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    column: str | None = None
    check_id: str | None = None
    correlation_id: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in Slack an incident lives: the alert's thread, or a channel when ``thread_ts`` is None."""

    channel_id: str
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How many of a tenant's webhook bodies one format refused; ``problem`` is the first one's."""

    format_name: str
    count: int
    last_at: datetime
    problem: str


# ── incident ──────────────────────────────────────────────────────────────────────────────────────────────


class IncidentState(StrEnum):
    """Where an incident stands; only ``resolved`` is closed."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MONITORING = "monitoring"  # the check passes again; resolves by itself if it stays so
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Our record of one thing that is wrong; one open incident per tenant, dataset and anomaly type."""

    incident_id: str
    tenant_id: str
    dataset: str
    anomaly_type: AnomalyType
    state: IncidentState
    severity: Severity | None
    opened_at: datetime
    detected_at: datetime
    correlation_id: str | None
    place: Place | None
    signal_id: str | None = None
    alert_count: int = 1
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    snoozed_until: datetime | None = None
    title: str | None = None
    alert_url: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether anybody still has to do something."""
        return self.state is not IncidentState.RESOLVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The incident an anomaly belongs to, and whether the anomaly opened it."""

    incident: Incident
    opened: bool


class DeadlineState(StrEnum):
    """A deadline is pending until it fires or somebody acknowledges or resolves."""

    PENDING = "pending"
    FIRED = "fired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The instant at which *team* is paged by itself; ``rule`` is ``matrix`` or an escalation rule's id."""

    deadline_id: str
    incident_id: str
    rule: str
    team: str
    reason: str
    due_at: datetime
    person: str | None = None
    state: DeadlineState = DeadlineState.PENDING


class PageState(StrEnum):
    """How far a page is; "paged" is said only from ``accepted`` on."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    UNDELIVERED = "undelivered"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One call for one team about one incident; unique on ``dedup_key`` = ``rca:{tenant}:{incident}:{team}``."""

    page_id: str
    incident_id: str
    team: str
    dedup_key: str
    reason: str
    requested_by: str  # a Slack user id, or "rca-bot" for a deadline
    requested_at: datetime
    state: PageState = PageState.REQUESTED
    person: str | None = None
    pager: str | None = None
    accepted_at: datetime | None = None
    url: str | None = None
    attempts: int = 0
    error: str | None = None
    fallback_of: str | None = None  # the team that could not be reached before
    resolve_wanted: bool = False  # the incident is over: the provider is to be told


class PostKind(StrEnum):
    """What a message of ours is; an incident has one card and one details reply, and any number of the rest."""

    CARD = "card"
    DETAILS = "details"
    NOTE = "note"  # a quiet line in the thread
    MENTION = "mention"  # names a user group; wakes people
    EPHEMERAL = "ephemeral"  # seen by one person
    REPLY = "reply"  # answers a command through its response_url
    LINK = "link"  # tells an alert's sender, at response_url, where the card is


class PostState(StrEnum):
    """A post is an intent until Slack has given it a ts; ``dead`` when Slack refused it for good."""

    INTENT = "intent"
    POSTED = "posted"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of ours, kept before it is sent.

    A card is rendered anew each time from its incident: ``wanted`` counts the changes people should see,
    ``told`` how many of them Slack has. Other kinds carry their own ``text``.
    """

    post_id: str
    incident_id: str | None
    kind: PostKind
    channel_id: str | None
    thread_ts: str | None = None
    user_id: str | None = None
    response_url: str | None = None
    text: str | None = None
    message_ts: str | None = None
    state: PostState = PostState.INTENT
    wanted: int = 1
    told: int = 0
    attempts: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened to an incident; append-only."""

    incident_id: str
    at: datetime
    what: str
    actor: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Verdict(StrEnum):
    """What a person says of one hypothesis."""

    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsAnswer:
    """What one person said of one cause in one diagnosis; the last word of each person counts.

    ``cause_type`` is a cause of the model, or ``none`` for "none of these", which only ever is right.
    """

    incident_id: str
    signal_id: str
    tenant_id: str
    cause_type: str
    verdict: Verdict
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """Everything needed to draw one incident, read in one transaction."""

    incident: Incident
    diagnosis: Diagnosis | None
    deadlines: tuple[Deadline, ...] = ()
    pages: tuple[Page, ...] = ()
    posts: tuple[Post, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    answers: tuple[PersonsAnswer, ...] = ()
