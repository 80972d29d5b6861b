"""The plan of one incident: the place, the instants, what goes wrong in it and what only looks as if."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.strangers.place import HOUR, Place, happens

Facts = dict[str, Any]
Shares = dict[str, float]
DAY: Final = 24 * HOUR
CHANGEOVERS: Final = (
    date(2026, 3, 29),
    date(2025, 10, 26),
    date(2026, 3, 8),
    date(2025, 11, 2),
    date(2026, 4, 5),
)
CHANGEOVER_SHARE: Final = 0.08
HOLIDAYS: Final = (date(2026, 1, 1), date(2027, 1, 1), date(2025, 12, 25), date(2026, 12, 25))
FIRST_DAY: Final = date(2025, 3, 1)
DAYS: Final = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncTrouble:
    """What happens to the syncs *first* to *last*; sync 0 is the one right after the current window's end."""

    first: int
    last: int
    how: str  # failed | incomplete | thin | long | missing | cancelled | retried
    code: str | None = None
    message: str | None = None
    origin: str | None = None
    failure_type: str | None = None
    drop: float = 0.0  # share of the rows that such a sync leaves behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Shares of one dimension that change from a window on (0 is the current one)."""

    first: int
    dimension: str
    change: Callable[[Shares], Shares]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swell:
    """Rows that really come more or less often during windows *first* to *last*, times *factor*."""

    first: int
    last: int
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChange:
    """From *at* on the relation has these columns."""

    at: datetime
    change: Callable[[list[tuple[str, str]]], list[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTrouble:
    """What a node does in the runs *first* to *last*; run 0 is the last one before the alert."""

    first: int
    last: int
    node: str
    status: str = "error"
    message: str | None = None
    slower: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """A new commit before run *first*; the nodes whose code it changes."""

    first: int
    by: str
    changed: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Story:
    """One incident while it is being thought up; `telling` turns it into facts."""

    case_id: str
    draw: Random
    numbers: np.random.Generator
    place: Place
    end: datetime
    detected_at: datetime
    as_of: datetime
    kind: str
    causes: list[str] = field(default_factory=list)
    signals: list[str] = field(default_factory=list)
    symptoms: set[str] = field(default_factory=set)
    tags: list[str] = field(default_factory=list)
    difficulty: str = "easy"
    diagnosable: bool = True
    anomaly_type: str = "volume_anomaly"
    column: str | None = None
    mover: Facts | None = None
    segment: Facts | None = None
    syncs: list[SyncTrouble] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)
    joint: dict[tuple[str, str], float] = field(default_factory=dict)
    swells: list[Swell] = field(default_factory=list)
    copies: float = 1.0  # rows of a model for each row it should have, in the current window
    columns: list[ColumnChange] = field(default_factory=list)
    nodes: list[NodeTrouble] = field(default_factory=list)
    deploys: list[Deploy] = field(default_factory=list)
    peers: list[Facts] = field(default_factory=list)
    resolved: bool = False
    respelled_at: datetime | None = None  # from here on the types are spelled another way
    vague: bool = False  # the catalog knows neither interval nor stream
    base: dict[str, float] = field(
        default_factory=dict
    )  # seconds that a node usually takes, where it matters

    @property
    def lag(self) -> int:
        """1 where the sync or run after the current window's end still fills it, 0 where it is too late."""
        return 0 if self.place.by_arrival else 1

    @property
    def first_run(self) -> int:
        """The first run of dbt that touches the current window."""
        return self.lag - max(1, round(self.place.window / self.place.run_every))

    @property
    def carried(self) -> timedelta:
        """How much earlier than they are counted rows happen, where they are counted as they arrive."""
        if not self.place.by_arrival:
            return timedelta(0)
        node = self.place.models.node or ""
        every = self.place.run_every if node.startswith("model.") else self.place.sync_every
        return every - self.offset

    @property
    def offset(self) -> timedelta:
        """From a window's end to the start of the first sync after it."""
        return min(timedelta(minutes=9), self.place.window * 0.04)

    def sync_at(self, index: int) -> datetime:
        """Return when sync *index* is due."""
        return self.end + self.offset + index * self.place.sync_every

    def run_at(self, index: int) -> datetime:
        """Return when run *index* of dbt begins."""
        settled = timedelta(seconds=self.place.sync_s * 1.6)
        return self.end + self.offset + settled + index * self.place.run_every

    def edge(self, index: int) -> datetime:
        """Return the start of window *index*, which the place's own calendar decides for days and weeks."""
        window = self.place.window
        if window < DAY:
            return self.end + (index - 1) * window
        zone = ZoneInfo(self.place.zone)
        wall = self.end.astimezone(zone).replace(tzinfo=None) + (index - 1) * window
        return wall.replace(tzinfo=zone).astimezone(UTC)


def _some_day(draw: Random) -> date:
    return FIRST_DAY + timedelta(days=draw.randrange(DAYS))


def begin(
    case_id: str, kind: str, place: Place, draw: Random, numbers: np.random.Generator
) -> Story:
    """Return a story in which nothing has happened yet, at an instant when the place is open."""
    zone = ZoneInfo(place.zone)
    while True:
        day = draw.choice(CHANGEOVERS) if happens(draw, CHANGEOVER_SHARE) else _some_day(draw)
        if kind == "holiday":
            day = draw.choice(HOLIDAYS) + (place.window >= DAY) * timedelta(days=1)
        hour = (
            draw.randrange(8, 20)
            if place.window == HOUR
            else draw.choice((8, 12, 16, 20))
            if place.window < DAY
            else 0
        )
        end = datetime(day.year, day.month, day.day, hour, tzinfo=zone).astimezone(UTC)
        story = Story(
            case_id=case_id, draw=draw, numbers=numbers, place=place, end=end, detected_at=end, as_of=end, kind=kind,
        )  # fmt: skip
        latest = (end - story.carried - timedelta(minutes=1)).astimezone(zone)
        if place.window > DAY or place.traffic.weekdays[latest.weekday()] > 0:
            break
    settled = story.run_at(0) + place.window * draw.uniform(0.08, 0.14)
    story.detected_at = settled.replace(microsecond=0)
    story.as_of = (settled + min(place.window * draw.uniform(0.005, 0.06), 3 * HOUR)).replace(
        microsecond=0
    )
    return story
