"""What the flow needs from outside, as Protocols, and the jobs that wake it.

Domain rows are the truth; jobs are only wake-ups that say "look at row X". Losing or doubling a job can
delay, never damage: whoever handles it reads the row, does what is due, and is idempotent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from rca.case import Anomaly, Case, Dataset, Hole, Severity
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
