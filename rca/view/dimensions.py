"""Counts per value of each dimension as vectors: the judged window against its own history."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from rca.case import DimensionProfile, SegmentProfile

Counts = npt.NDArray[np.float64]

JOINT: Final = " & "
SPARE_FROM: Final = 4  # older windows; from here on the newest can be spared
MAX_HISTORY: Final = 28  # windows; four weeks of days tell the weekday and forget what is long over


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionView:
    """One dimension: the names of its values, counts of the current window and of each older one (a row each).

    History windows without rows are left out; ``current`` may be empty. ``truncated`` when rare values were cut off
    in any window, so that distinct counts and unseen values say nothing.
    """

    dimension: str
    values: tuple[str, ...]
    current: Counts
    history: Counts
    truncated: bool
    window_start: datetime
    window_end: datetime

    @property
    def baseline(self) -> Counts:
        """The older windows without the newest of them when there are enough: a shift may have begun in it."""
        return self.history[:-1] if len(self.history) >= SPARE_FROM else self.history

    @property
    def rows(self) -> float:
        """Rows of the current window."""
        return float(self.current.sum())


def read_dimensions(
    profiles: Sequence[DimensionProfile], detected_at: datetime, as_of: datetime
) -> tuple[DimensionView, ...]:
    """Return one view per dimension that has a current window and at least one older one with rows."""
    known_by = min(detected_at, as_of)
    grouped: dict[str, list[DimensionProfile]] = {}
    for profile in profiles:
        if profile.window_start <= known_by:
            grouped.setdefault(profile.dimension, []).append(profile)
    found = []
    for name, windows in grouped.items():
        ordered = _each_once(windows)
        past = [p for p in ordered[-1 - MAX_HISTORY : -1] if any(p.counts.values())]
        if past:
            found.append(_vectors(name, past, ordered[-1]))
    return tuple(found)


def read_segments(
    profiles: Sequence[SegmentProfile], detected_at: datetime, as_of: datetime
) -> tuple[DimensionView, ...]:
    """Return one view per combination of dimensions, its values joined by JOINT; a shift may show in no single one."""
    joined = [
        DimensionProfile(
            dimension=JOINT.join(profile.dimensions),
            window_start=profile.window_start,
            window_end=profile.window_end,
            counts=_counts(profile),
        )
        for profile in profiles
        if len(profile.dimensions) > 1
    ]
    return read_dimensions(joined, detected_at, as_of)


def _counts(profile: SegmentProfile) -> dict[str, int]:
    counts: dict[str, int] = {}
    for values, rows in profile.rows:
        name = JOINT.join("null" if value is None else value for value in values)
        counts[name] = counts.get(name, 0) + rows
    return counts


def _each_once(windows: list[DimensionProfile]) -> list[DimensionProfile]:
    """Return *windows* in order of time; of two readings of the same window the later in the list counts."""
    ordered = sorted(windows, key=attrgetter("window_end"))
    return [
        window
        for window, following in zip(ordered, [*ordered[1:], None], strict=True)
        if following is None or window.window_end != following.window_end
    ]


def _vectors(
    name: str, past: Sequence[DimensionProfile], current: DimensionProfile
) -> DimensionView:
    everything = [*past, current]
    place: dict[str, int] = defaultdict(itertools.count().__next__)  # a new value takes the next
    columns = [
        np.fromiter(map(place.__getitem__, p.counts), dtype=np.intp, count=len(p.counts))
        for p in everything
    ]
    matrix = np.zeros((len(everything), len(place)))
    for row, where, profile in zip(matrix, columns, everything, strict=True):
        row[where] = np.fromiter(profile.counts.values(), dtype=np.float64, count=len(where))
    return DimensionView(
        dimension=name,
        values=tuple(place),
        current=matrix[-1],
        history=matrix[:-1],
        truncated=any(p.truncated for p in everything),
        window_start=current.window_start,
        window_end=current.window_end,
    )
