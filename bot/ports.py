"""What the flow needs from outside, as Protocols, and the jobs that wake it.

Domain rows are the truth; jobs are only wake-ups that say "look at row X". Losing or doubling a job can
delay, never damage: whoever handles it reads the row, does what is due, and is idempotent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from rca.case import AnomalyType, Case, Column, Dataset, FactKind, Hole, Severity
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
class Ask:
    """What a source is asked for: one dataset's facts as they were at one instant.

    ``since``: history is wanted from here on; what is older was read before, or is of no use.
    ``time_column``, ``dimensions`` and ``segments`` say what of the rows may be counted; empty: nothing.
    """

    tenant_id: str
    dataset: Dataset
    as_of: datetime
    since: datetime
    time_column: str | None = None
    dimensions: tuple[str, ...] = ()
    segments: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something wrong that a source saw and that raises no alert; ``key`` is the same each time it is seen."""

    key: str
    anomaly_type: AnomalyType
    title: str
    severity: Severity = Severity.WARNING
    message: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one source could read: part of a case, by the case's own keys, and holes for the rest.

    ``dataset``: fields of the case's Dataset that the source knows, such as a schedule; None for one that it knows
    to be none. They are kept for the catalog, where the directory's words win.
    """

    found: Mapping[str, object]
    holes: tuple[Hole, ...] = ()
    noticed: tuple[Notice, ...] = ()
    dataset: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """Facts that somebody sent us, and what they call the dataset, surest name first."""

    dataset_hints: tuple[str, ...]
    found: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a source is asked, and how long what it said holds.

    ``time_limit``: one read takes no longer. ``fresh_for``: an alert within this of the last read asks nobody
    again. ``poll_every``: how often it is read without an alert. ``stale_after``: when the source fails, what it
    said longer ago than this is not believed any more. ``reach``: how much history the first read asks for.
    """

    time_limit: timedelta = timedelta(seconds=10)
    fresh_for: timedelta = timedelta(minutes=1)
    poll_every: timedelta = timedelta(minutes=5)
    stale_after: timedelta = timedelta(minutes=30)
    reach: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One thing that was tried live: what it was, and, when it failed, what came back and what to do about it."""

    what: str
    problem: str | None = None
    fix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One thing a source knows that is a dataset, or part of one; what it does not know stays None."""

    source_id: str
    title: str
    relation: str | None = None
    connector_id: str | None = None
    stream: str | None = None
    dbt_node: str | None = None
    check_name: str | None = None
    expected_sync_interval_s: float | None = None
    critical: bool | None = None
    merchant_facing: bool | None = None
    owner: str | None = None
    columns: tuple[Column, ...] | None = None
    dimensions: tuple[str, ...] | None = None


class Source(Protocol):
    """Reads facts from one system."""

    @property
    def source_id(self) -> str:
        """Its key in the directory."""

    @property
    def name(self) -> str:
        """What people call the system; named in every hole and error."""

    @property
    def gives(self) -> frozenset[FactKind]:
        """The kinds of facts it can give; when it fails, these are what is missing."""

    @property
    def pace(self) -> Pace:
        """How often it is asked."""

    def covers(self, dataset: Dataset) -> bool:
        """Return whether it may know anything about *dataset*: asked of no other."""

    async def read(self, ask: Ask) -> Facts:
        """Return what was known at ``ask.as_of``.

        What cannot be read becomes a hole that says what was asked of whom and what came back; never a secret.
        """

    async def check(self) -> tuple[Checked, ...]:
        """Try live whether it can be reached and may read what it needs, one line each. Never raises."""

    async def offers(self) -> tuple[Offer, ...]:
        """Return what it knows that could be a dataset. Raises BotError that says why it could not be asked."""


class Diagnose(Protocol):
    """The engine, as the flow sees it."""

    def __call__(self, case: Case) -> Diagnosis:
        """Return the diagnosis of *case*; pure."""
