"""What is to be counted, what of it is still owed, and how rows of a query become facts of the case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import BaseModel

from bot.sources.warehouse.queries import Rows
from bot.sources.warehouse.statements import rows_per_value, rows_per_window, value_of
from bot.sources.warehouse.tables import Table
from bot.sources.warehouse.windows import TimeKind, Window, bound
from rca.case import DimensionProfile, FactKind, SegmentProfile, VolumeWindow

OTHERS: Final = "(all other values)"  # what the rare values are kept as, together
NULL: Final = "null"
FIRST: Final = 8  # windows of the first query of a long history: the newest week answers an alert
MOST_WINDOWS: Final = 64  # of any query: the deepest choice of a window is then six comparisons
MOST_ROWS: Final = 50_000  # that one query may bring


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is counted of a dataset: by no columns (volume), by one (a dimension), or by several (a segment)."""

    tenant_id: str
    dataset: str
    columns: tuple[str, ...]

    @property
    def kind(self) -> FactKind:
        """The facts that come of it."""
        if not self.columns:
            return FactKind.VOLUME_HISTORY
        one = len(self.columns) == 1
        return FactKind.DIMENSION_PROFILES if one else FactKind.SEGMENT_PROFILES

    @property
    def title(self) -> str:
        """Say what is counted, in words."""
        return "rows" if not self.columns else f"rows by {' and '.join(self.columns)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The time column, what its values are, and where days begin."""

    column: str
    kind: TimeKind
    zone: ZoneInfo


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Windows that were asked for and not read yet, and how many of them one query could bring last time."""

    owed: set[Window] = field(default_factory=set)
    size: int = MOST_WINDOWS

    def ask(self, windows: Iterable[Window], oldest: datetime) -> None:
        """Note what is wanted now; what became older than *oldest* is not wanted any more."""
        self.owed = {w for w in (*self.owed, *windows) if w.end > oldest}

    def paid(self, windows: Iterable[Window]) -> None:
        """Note what was read."""
        self.owed -= set(windows)

    def too_slow(self, windows: Sequence[Window]) -> None:
        """Ask for less at once next time; a single window that takes too long is given up."""
        self.size = max(1, min(self.size, len(windows)) // 2)
        if len(windows) == 1:
            self.owed = {w for w in self.owed if w.start > windows[0].start}


def query_of(
    subject: Subject, table: Table, clock: Clock, windows: Sequence[Window], most: int
) -> sa.Select[Any]:
    """Return the query that counts *subject* in *windows*, which follow one another without a gap.

    Raises:
        QueryError: the table has no such column.
    """
    instants = [*(window.start for window in windows), windows[-1].end]
    bounds = [bound(instant, clock.kind, clock.zone) for instant in instants]
    if not subject.columns:
        return rows_per_window(table.parts, clock.column, clock.kind, bounds)
    columns = [table.column(name) for name in subject.columns]
    values = [value_of(column.name, column.type) for column in columns]
    return rows_per_value(table.parts, clock.column, clock.kind, bounds, values, most=most)


def windows_at_once(subject: Subject, most: int) -> int:
    """Return how many windows one query may ask for, so that it brings no more rows than agreed."""
    return MOST_WINDOWS if not subject.columns else max(1, min(MOST_WINDOWS, MOST_ROWS // most))


def facts_of(
    subject: Subject, windows: Sequence[Window], rows: Rows
) -> Mapping[Window, tuple[BaseModel, int]]:
    """Return each window's fact and how many rows it counts; windows without rows have one too."""
    found: dict[Window, list[tuple[Any, ...]]] = {window: [] for window in windows}
    for row in rows:
        found[windows[int(row[0])]].append(row[1:])
    return {window: _fact(subject, window, each) for window, each in found.items()}


def _fact(
    subject: Subject, window: Window, rows: Sequence[tuple[Any, ...]]
) -> tuple[BaseModel, int]:
    span = {"window_start": window.start, "window_end": window.end}
    total = sum(int(row[-1]) for row in rows)
    if not subject.columns:
        return VolumeWindow(rows=total, **span), total
    if len(subject.columns) == 1:
        counts: dict[str, int] = {}
        for value, rest, number in rows:
            name = OTHERS if rest else NULL if value is None else str(value)
            counts[name] = counts.get(name, 0) + int(number)
        dimension = subject.columns[0]
        cut = any(row[-2] for row in rows)
        return DimensionProfile(dimension=dimension, counts=counts, truncated=cut, **span), total
    width = len(subject.columns)
    others: tuple[str | None, ...] = (OTHERS,) * width
    segments = tuple(
        (others if row[-2] else tuple(None if v is None else str(v) for v in row[:width]), int(row[-1]))
        for row in rows
    )  # fmt: skip
    return SegmentProfile(dimensions=subject.columns, rows=segments, **span), total


def worth_telling(
    counted: Mapping[Window, tuple[BaseModel, int]], late_from: datetime
) -> tuple[BaseModel, ...]:
    """Return the facts, the oldest first, without the empty windows before the first row.

    A table that is a month old does not have two months of days without rows as its history; but that nothing
    came lately (since *late_from*) is always told.
    """
    begun = min((window.start for window, (_, rows) in counted.items() if rows), default=None)
    return tuple(
        fact
        for window, (fact, _) in sorted(counted.items())
        if window.end > late_from or (begun is not None and window.start >= begun)
    )
