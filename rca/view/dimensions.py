"""Counts per value of each dimension as vectors: the judged window against its own history."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from rca.case import DimensionProfile, SegmentProfile
from rca.stats.cut_off import ceilings, least_surprising
from rca.view.instants import epoch_s, epochs_s

Counts = npt.NDArray[np.float64]
AnyProfile = TypeVar("AnyProfile", DimensionProfile, SegmentProfile)

JOINT: Final = " & "
SPARE_FROM: Final = 4  # older windows; from here on the newest can be spared
MAX_HISTORY: Final = 28  # windows; four weeks of days tell the weekday and forget what is long over


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Counts of which rare values were cut off, as they came: a row for each window, 0 for what it does not list.

    ``cut`` says which windows were, and ``ceilings`` the most rows that a value may have had without being listed.
    """

    counts: Counts
    cut: tuple[bool, ...]
    ceilings: Counts

    def hidden(self, windows: int) -> float:
        """Return the largest share that a value may have had in any of the first *windows* without being listed."""
        rows = self.counts[:windows].sum(axis=1)
        return float((self.ceilings[:windows] / np.maximum(rows, 1.0)).max(initial=0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionView:
    """One dimension: the names of its values, counts of the current window and of each older one (a row each).

    History windows without rows are left out; ``current`` may be empty. ``rows`` are those of the current window.
    Where rare values were cut off in some window, a value that it does not list has the count there that surprises
    least, and ``told`` has the counts as they came, the current window last.
    """

    dimension: str
    values: tuple[str, ...]
    current: Counts
    history: Counts
    told: Told | None = None
    window_start: datetime
    window_end: datetime
    rows: float = field(init=False)

    def __post_init__(self) -> None:
        """Add up the rows once: every detector asks for them, some several times."""
        object.__setattr__(self, "rows", float(self.current.sum()))

    @property
    def baseline(self) -> Counts:
        """The older windows without the newest of them when there are enough: a shift may have begun in it."""
        return self.history[: self.spared]

    @property
    def spared(self) -> int:
        """How many older windows ``baseline`` has."""
        return len(self.history) - (len(self.history) >= SPARE_FROM)


class Combined(NamedTuple):
    """The counts of one window by combinations of values; a tuple, because a case brings hundreds."""

    dimension: str
    window_start: datetime
    window_end: datetime
    counts: Mapping[str, int]
    truncated: bool = False


Profile = DimensionProfile | Combined


def read_dimensions(
    profiles: Sequence[DimensionProfile], detected_at: datetime, as_of: datetime
) -> tuple[DimensionView, ...]:
    """Return one view per dimension that has a current window and at least one older one with rows."""
    return _views(_begun(profiles, min(detected_at, as_of)))


def read_segments(
    profiles: Sequence[SegmentProfile], detected_at: datetime, as_of: datetime
) -> tuple[DimensionView, ...]:
    """Return one view per combination of dimensions, its values joined by JOINT; a shift may show in no single one."""
    combined = [p for p in profiles if len(p.dimensions) > 1]
    return _views(
        (end_s, Combined(JOINT.join(p.dimensions), p.window_start, p.window_end, _counts(p)))
        for end_s, p in _begun(combined, min(detected_at, as_of))
    )


def _begun(
    profiles: Sequence[AnyProfile], known_by: datetime
) -> Iterator[tuple[float, AnyProfile]]:
    """Yield the windows that had begun at *known_by*, each with its end."""
    starts_s = epochs_s([p.window_start for p in profiles])
    ends_s = epochs_s([p.window_end for p in profiles])
    known_by_s = epoch_s(known_by)
    for start_s, end_s, profile in zip(starts_s, ends_s, profiles, strict=True):
        if start_s <= known_by_s:
            yield end_s, profile


def joined(values: Iterable[str | None]) -> str:
    """Return a combination of values as one name."""
    return JOINT.join(["null" if value is None else value for value in values])


def _counts(profile: SegmentProfile) -> dict[str, int]:
    counts: dict[str, int] = {}
    for values, rows in profile.rows:
        name = joined(values)
        counts[name] = counts.get(name, 0) + rows
    return counts


def _views(windows: Iterable[tuple[float, Profile]]) -> tuple[DimensionView, ...]:
    """Return a view per dimension; of two readings of the same window the later in the list counts."""
    grouped: dict[str, dict[float, Profile]] = {}
    for end_s, profile in windows:
        grouped.setdefault(profile.dimension, {})[end_s] = profile
    found = []
    for name, by_end in grouped.items():
        ends = sorted(by_end)[-1 - MAX_HISTORY :]
        current = by_end[ends.pop()]
        past = [p for end_s in ends if any((p := by_end[end_s]).counts.values())]
        if past:
            found.append(_vectors(name, past, current))
    return tuple(found)


def _vectors(name: str, past: Sequence[Profile], current: Profile) -> DimensionView:
    everything = [*past, current]
    values, counts = _matrix([profile.counts for profile in everything])
    told, cut = None, tuple(profile.truncated for profile in everything)
    if any(cut):
        listed = _listed(values, everything, counts)
        told = Told(counts=counts, cut=cut, ceilings=ceilings(counts, listed))
        counts = least_surprising(counts, listed)
    return DimensionView(
        dimension=name,
        values=values,
        current=counts[-1],
        history=counts[:-1],
        told=told,
        window_start=current.window_start,
        window_end=current.window_end,
    )


def _listed(
    values: Sequence[str], windows: Sequence[Profile], counts: Counts
) -> npt.NDArray[np.bool_]:
    """Return a row for each window: False where it was cut off and does not list the value."""
    listed: npt.NDArray[np.bool_] = counts > 0.0
    for row, window in zip(listed, windows, strict=True):
        if not window.truncated:
            row[:] = True
        elif 0 in window.counts.values():  # told to have no rows
            row[:] = [value in window.counts for value in values]
    return listed


def _matrix(windows: Sequence[Mapping[str, int]]) -> tuple[tuple[str, ...], Counts]:
    """Return all values in the order in which they first appear, and their counts: a row for each window."""
    sizes = [len(counts) for counts in windows]
    rows = itertools.chain.from_iterable([counts.values() for counts in windows])
    numbers = np.fromiter(rows, dtype=np.float64, count=sum(sizes))
    first = tuple(windows[0])
    if all(tuple(counts) == first for counts in windows):  # as small dimensions nearly always do
        return first, numbers.reshape(len(windows), len(first))
    place: dict[str, int] = defaultdict(itertools.count().__next__)  # a new value takes the next
    values = map(place.__getitem__, itertools.chain.from_iterable(windows))
    column = np.fromiter(values, dtype=np.intp, count=len(numbers))
    matrix = np.zeros((len(windows), len(place)))
    matrix[np.repeat(np.arange(len(sizes)), sizes), column] = numbers
    return tuple(place), matrix
