"""Windows of time: which ones are over, and how a column's own type says where they begin and end. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from bot.sources.warehouse.options import Unit

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """From ``start`` on and before ``end``, both UTC."""

    start: datetime
    end: datetime


class TimeKind(StrEnum):
    """What the values of a time column are: days, instants without a zone (read as UTC), or instants."""

    DATE = "date"
    NAIVE = "naive"
    AWARE = "aware"


def closed(unit: Unit, zone: ZoneInfo, since: datetime, until: datetime) -> tuple[Window, ...]:
    """Return the windows that end after *since* and not after *until*, the oldest first.

    A day begins at midnight in *zone* and is as long as the clock there makes it (23 to 25 hours where the clock
    is changed); an hour is an hour of UTC. The window that contains *until* is not over and is left out: a part
    of a day cannot be compared with whole days.
    """
    starts = _midnights(zone, since) if unit is Unit.DAY else _hours(since)
    found = []
    start = next(starts)
    for end in starts:
        if end > until:
            break
        if end > since:
            found.append(Window(start=start, end=end))
        start = end
    return tuple(found)


def _midnights(zone: ZoneInfo, since: datetime) -> Iterator[datetime]:
    day = since.astimezone(zone).date() - DAY
    while True:
        yield _midnight(day, zone)
        day += DAY


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _hours(since: datetime) -> Iterator[datetime]:
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while True:
        yield hour
        hour += HOUR


def runs(windows: Iterable[Window], first: int, size: int) -> tuple[tuple[Window, ...], ...]:
    """Return *windows* in runs without gaps, the newest run first: of at most *first* windows, then of *size*."""
    found: list[list[Window]] = []
    for window in sorted(windows, reverse=True):
        limit = first if len(found) <= 1 else size
        if found and len(found[-1]) < limit and found[-1][-1].start == window.end:
            found[-1].append(window)
        else:
            found.append([window])
    return tuple(tuple(reversed(run)) for run in found)


def time_kind(type_name: str | None, plain_timestamp: TimeKind) -> TimeKind | None:
    """Return what a column of this type holds, or None when it is no time.

    Args:
        type_name: the type in the warehouse's words, in any case.
        plain_timestamp: what this warehouse means by TIMESTAMP alone.
    """
    name = re.sub(r"\s*\(\d+\)", "", (type_name or "").strip().lower())
    if name in ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"):
        return plain_timestamp
    return _KINDS.get(name)


_KINDS: Final = {
    "date": TimeKind.DATE,
    "date32": TimeKind.DATE,
    "datetime": TimeKind.NAIVE,
    "timestamp without time zone": TimeKind.NAIVE,
    "timestamp_ntz": TimeKind.NAIVE,
    "timestamp with time zone": TimeKind.AWARE,
    "timestamptz": TimeKind.AWARE,
    "timestamp_tz": TimeKind.AWARE,
    "timestamp_ltz": TimeKind.AWARE,
}


def bound(instant: datetime, kind: TimeKind, zone: ZoneInfo) -> date | datetime:
    """Return *instant*, where a window begins or ends, as a value of a column of this kind."""
    if kind is TimeKind.DATE:
        return instant.astimezone(zone).date()
    return instant if kind is TimeKind.AWARE else instant.replace(tzinfo=None)
