"""Counts per value of each dimension as vectors: the judged window against its own history."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rca.case import DimensionProfile, SegmentProfile
from rca.view.instants import epoch_s

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


class Profile(NamedTuple):
    """The counts of one window, of a dimension or of a combination; a tuple, because a case brings hundreds."""

    dimension: str
    window_start: datetime
    window_end: datetime
    counts: Mapping[str, int]
    truncated: bool


def read_dimensions(
    profiles: Sequence[DimensionProfile], detected_at: datetime, as_of: datetime
) -> tuple[DimensionView, ...]:
    """Return one view per dimension that has a current window and at least one older one with rows."""
    known_by = min(detected_at, as_of)
    return _views(
        Profile(p.dimension, p.window_start, p.window_end, p.counts, p.truncated)
        for p in profiles
        if p.window_start <= known_by
    )


def read_segments(
    profiles: Sequence[SegmentProfile], detected_at: datetime, as_of: datetime
) -> tuple[DimensionView, ...]:
    """Return one view per combination of dimensions, its values joined by JOINT; a shift may show in no single one."""
    known_by = min(detected_at, as_of)
    return _views(
        Profile(JOINT.join(p.dimensions), p.window_start, p.window_end, _counts(p), truncated=False)
        for p in profiles
        if len(p.dimensions) > 1 and p.window_start <= known_by
    )


def joined(values: Iterable[str | None]) -> str:
    """Return a combination of values as one name."""
    return JOINT.join("null" if value is None else value for value in values)


def _counts(profile: SegmentProfile) -> dict[str, int]:
    counts: dict[str, int] = {}
    for values, rows in profile.rows:
        name = joined(values)
        counts[name] = counts.get(name, 0) + rows
    return counts


def _views(profiles: Iterable[Profile]) -> tuple[DimensionView, ...]:
    grouped: dict[str, list[Profile]] = {}
    for profile in profiles:
        grouped.setdefault(profile.dimension, []).append(profile)
    found = []
    for name, windows in grouped.items():
        ordered = _each_once(windows)
        past = [p for p in ordered[-1 - MAX_HISTORY : -1] if any(p.counts.values())]
        if past:
            found.append(_vectors(name, past, ordered[-1]))
    return tuple(found)


def _each_once(windows: list[Profile]) -> list[Profile]:
    """Return *windows* in order of time; of two readings of the same window the later in the list counts."""
    by_end = {epoch_s(window.window_end): window for window in windows}
    return [by_end[end_s] for end_s in sorted(by_end)]


def _vectors(name: str, past: Sequence[Profile], current: Profile) -> DimensionView:
    everything = [*past, current]
    counts = [profile.counts for profile in everything]
    sizes = [len(held) for held in counts]
    place: dict[str, int] = defaultdict(itertools.count().__next__)  # a new value takes the next
    values = map(place.__getitem__, itertools.chain.from_iterable(counts))
    column = np.fromiter(values, dtype=np.intp, count=sum(sizes))
    rows = itertools.chain.from_iterable([held.values() for held in counts])
    matrix = np.zeros((len(everything), len(place)))
    matrix[np.repeat(np.arange(len(sizes)), sizes), column] = np.fromiter(
        rows, dtype=np.float64, count=len(column)
    )
    return DimensionView(
        dimension=name,
        values=tuple(place),
        current=matrix[-1],
        history=matrix[:-1],
        truncated=any(p.truncated for p in everything),
        window_start=current.window_start,
        window_end=current.window_end,
    )
