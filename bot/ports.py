"""The records that cross the bot's rooms, and what the flow needs from outside, as Protocols.

Domain rows are the truth; jobs are only wake-ups that say "look at row X". Losing or doubling a job can
delay, never damage: whoever handles it reads the row, does what is due, and is idempotent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from rca.case import Anomaly, AnomalyType, Case, Dataset, Hole, Severity
from rca.diagnosis import Diagnosis


class BotError(Exception):
    """Something the person who asked, or who runs the bot, can fix; the text is the sentence they read."""


# ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────


class Lane(StrEnum):
    """Work that must not wait for other work: each lane has its own concurrency."""

    INTAKE = "intake"
    TIMERS = "timers"  # deadlines and pages
    POSTS = "posts"
    COLLECT = "collect"


class JobKind(StrEnum):
    """Which table's row a job is about."""

    INBOX = "inbox"
    DEADLINE = "deadline"
    PAGE = "page"
    POST = "post"


LANE_OF: Final = {
    JobKind.INBOX: Lane.INTAKE,
    JobKind.DEADLINE: Lane.TIMERS,
    JobKind.PAGE: Lane.TIMERS,
    JobKind.POST: Lane.POSTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A wake-up for one row, at once or not before ``due_at``."""

    kind: JobKind
    row_id: str
    due_at: datetime | None = None

    @property
    def lane(self) -> Lane:
        """The lane this kind of job runs in."""
        return LANE_OF[self.kind]

    @property
    def key(self) -> str:
        """Two waiting jobs with one key are one job, due at the earlier of the two times."""
        return f"{self.kind}:{self.row_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What a job's function returns when the row is to be looked at once more, not before ``at``."""

    at: datetime


RunJob = Callable[[str], Awaitable[Again | None]]
"""Looks at one row. A raise means the same as Again with a growing pause; it is logged and never lost."""


class Jobs(Protocol):
    """Durable wake-ups: kept in the same transaction as the row they are about, handed out at least once."""

    async def submit(self, connection: AsyncConnection, jobs: Sequence[Job]) -> None:
        """Keep *jobs* with the transaction that *connection* is in: both are committed, or neither."""

    async def run(self, run: Mapping[JobKind, RunJob]) -> None:
        """Hand out due jobs until stopped or cancelled; returns only after running jobs have ended."""

    async def stop(self) -> None:
        """Let running jobs end, hand out no more."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """Everything needed to draw one incident, read in one transaction."""

    incident: Incident
    diagnosis: Diagnosis | None
    deadlines: tuple[Deadline, ...] = ()
    pages: tuple[Page, ...] = ()
    posts: tuple[Post, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()


# ── outside ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOrder:
    """What a pager is asked to do: wake *target* about an incident. Plain text only, no secrets."""

    dedup_key: str
    summary: str
    severity: Severity
    source: str
    timestamp: datetime
    details: Mapping[str, str]
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider took the page."""

    at: datetime
    reference: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider did not take it; ``retry_after`` None means that trying again is useless."""

    reason: str
    retry_after: timedelta | None


PageOutcome = Accepted | Refused


class Pager(Protocol):
    """A service that wakes somebody."""

    async def page(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Ask for the page; the same ``dedup_key`` any number of times is one page. Never raises for the network."""

    async def resolve(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Say that the incident behind ``dedup_key`` is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one source could read: part of a case, by the case's own keys, and holes for the rest."""

    found: Mapping[str, object]
    holes: tuple[Hole, ...] = ()


class Source(Protocol):
    """Reads facts from one system."""

    @property
    def name(self) -> str:
        """What people call the system; named in every hole and error."""

    async def read(self, anomaly: Anomaly, dataset: Dataset | None, as_of: datetime) -> Facts:
        """Return what was known at *as_of*; what cannot be read becomes a hole that names this source."""


class Diagnose(Protocol):
    """The engine, as the flow sees it."""

    def __call__(self, case: Case) -> Diagnosis:
        """Return the diagnosis of *case*; pure."""
