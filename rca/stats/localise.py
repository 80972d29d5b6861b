"""Where a shift sits: the segments of a dataset whose rows moved, as a short list for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy.special import xlogy  # type: ignore[import-untyped]  # scipy ships no types

from rca.case import SegmentProfile
from rca.stats.localise_cube import Codes, Element, Numbers, cuboids, members
from rca.stats.localise_rate import DEEPEST, localise_counts
from rca.stats.localise_scan import WORTH

MOST_SEGMENTS: Final = 5  # what a person reads in a card
HALF_A_ROW: Final = 0.5  # expected of a combination that no window of the baseline holds
NAME_PER_FOLD: Final = 0.1  # e-folds off the usual level that are as odd as one exception
LEVELS: Final = 32  # ratios tried as the common one
TINY: Final = 1e-12  # rows; keeps the logarithm of nothing finite
ENOUGH_ROWS: Final = 1.0  # expected; rarer leaves do not show how steady the windows are


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of the dataset that moved: the value of each dimension that defines it, and how much it is.

    ``explained_share`` is the part of all rows that moved, in its direction, which lies in this segment. All shares are
    in [0, 1].
    """

    elements: Mapping[str, str | None]
    baseline_share: float
    current_share: float
    explained_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Profiles over the same dimensions as counts: one column per combination, one row per window of the baseline."""

    dimensions: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]
    codes: Codes
    current: Numbers
    baseline: Numbers


def segments(
    profiles: Sequence[SegmentProfile],
    *,
    current: datetime,
    baseline: Sequence[datetime],
    limit: int = MOST_SEGMENTS,
) -> tuple[Segment, ...]:
    """Return the segments that explain how the current window differs from the baseline.

    Args:
        profiles: counts over one or more sets of dimensions; of two for one window the later in the list counts.
        current: the end of the window judged.
        baseline: the ends of the windows that show what is normal; others are ignored.
        limit: the most segments returned.

    Returns:
        What moved the shares most first, none inside another; empty when nothing moved beyond these windows' own noise,
        or when either side has no rows.
    """
    groups: dict[tuple[str, ...], dict[datetime, SegmentProfile]] = {}
    for profile in profiles:
        groups.setdefault(profile.dimensions, {})[profile.window_end] = profile
    found: list[Segment] = []
    for windows in groups.values():
        past = [windows[end] for end in sorted(set(baseline)) if end in windows and end != current]
        if current in windows and past:
            found += _of_table(_table(windows[current], past), limit)
    ordered = sorted(found, key=_divergence, reverse=True)
    outer = [s for s in ordered if not any(_inside(s.elements, o.elements) for o in ordered)]
    return tuple(outer[:limit])


def segments_of_values(
    dimension: str,
    values: Sequence[str],
    *,
    current: Numbers,
    baseline: Numbers,
    limit: int = MOST_SEGMENTS,
) -> tuple[Segment, ...]:
    """Return the values of one dimension that explain how the current window differs from the baseline.

    Args:
        dimension: its name.
        values: its values, each once.
        current: rows per value in the window judged.
        baseline: rows per value (columns) in each window that shows what is normal (rows).
        limit: the most segments returned.

    Returns:
        As ``segments``, each of one value.
    """
    table = _Table(
        dimensions=(dimension,),
        values=(tuple(values),),
        codes=np.arange(len(values), dtype=np.intp)[:, np.newaxis],
        current=current,
        baseline=baseline[baseline.any(axis=1)],
    )
    return tuple(sorted(_of_table(table, limit), key=_divergence, reverse=True))


def _divergence(segment: Segment) -> float:
    """Return the divergence in nats of the shares of the segment and of all else; it compares losses with gains."""
    inside = _apart(segment.baseline_share, segment.current_share)
    return inside + _apart(1.0 - segment.baseline_share, 1.0 - segment.current_share)


def _apart(before: float, now: float) -> float:
    middle = (before + now) / 2.0
    return float((xlogy(before, before) + xlogy(now, now)) / 2.0 - xlogy(middle, middle))


def _inside(part: Mapping[str, str | None], whole: Mapping[str, str | None]) -> bool:
    return whole.items() < part.items()


def _table(current: SegmentProfile, past: Sequence[SegmentProfile]) -> _Table:
    """Return the profiles as counts; rows that do not fit their own dimensions are left out."""
    width = len(current.dimensions)
    places: dict[tuple[str | None, ...], int] = {}
    windows = (current, *past)
    for profile in windows:
        for combination, _ in profile.rows:
            if len(combination) == width:
                places.setdefault(combination, len(places))
    counts = np.zeros((len(windows), len(places)))
    for row, profile in enumerate(windows):
        for combination, rows in profile.rows:
            if len(combination) == width:
                counts[row, places[combination]] += rows
    coded = [_coded([combination[d] for combination in places]) for d in range(width)]
    codes = np.array([column for _, column in coded], dtype=np.intp).reshape(width, len(places))
    return _Table(
        dimensions=current.dimensions,
        values=tuple(values for values, _ in coded),
        codes=codes.T,
        current=counts[0],
        baseline=counts[1:][counts[1:].any(axis=1)],
    )


def _coded(column: Sequence[str | None]) -> tuple[tuple[str | None, ...], list[int]]:
    places: dict[str | None, int] = {}
    codes = [places.setdefault(value, len(places)) for value in column]
    return tuple(places), codes


def _of_table(table: _Table, limit: int) -> list[Segment]:
    pooled = table.baseline.sum(axis=0)
    before, now = float(pooled.sum()), float(table.current.sum())
    if before <= 0.0 or now <= 0.0:
        return []
    jitter = _jitter(table.baseline)
    expected = np.maximum(pooled, HALF_A_ROW) * _scale(table, jitter)
    sizes = [len(values) for values in table.values]
    places = localise_counts(
        table.codes,
        sizes,
        expected,
        table.current,
        jitter=jitter,
        habit=_habit(table, sizes, jitter),
        limit=limit,
    )
    moved = table.current - expected
    return [
        Segment(
            elements=_named(table, place.element),
            baseline_share=_held(pooled, table.codes, place.element) / before,
            current_share=_held(table.current, table.codes, place.element) / now,
            explained_share=_share(place.moved, moved, rose=place.observed > place.expected),
        )
        for place in places
    ]


def _scale(table: _Table, jitter: float) -> float:
    """Return today's rows per pooled row at which the fewest combinations moved.

    A quiet day or a lost segment changes the shares of all others; their counts keep one common ratio. Each level
    tried is charged for every combination what is less: its misfit, or the name it would need as an exception; and one
    name for every tenth by which it leaves both today's total and the usual number of rows, because a level between
    the two needs a reason of its own.
    """
    pooled = table.baseline.sum(axis=0)
    held = pooled > 0.0
    before, now = pooled[held], table.current[held]
    total, usual = float(now.sum() / before.sum()), 1.0 / len(table.baseline)
    if total <= 0.0:
        return usual
    tried = np.append(_levels(before, now), (total, usual))
    expected = np.maximum(before * tried[:, np.newaxis], TINY)
    misfit = _misfit(now, expected, jitter)
    named = WORTH + math.log(len(before))
    away = np.minimum(np.abs(np.log(tried / total)), np.abs(np.log(tried / usual)))
    charge = np.minimum(misfit, named).sum(axis=1) + named * away / NAME_PER_FOLD
    return float(tried[int(np.argmin(charge))])


def _levels(before: Numbers, now: Numbers) -> Numbers:
    """Return up to LEVELS ratios of combinations, spread over the rows they stand for; none of them 0."""
    ratios = now / before
    order = np.argsort(ratios, kind="stable")
    reached = np.cumsum(before[order])
    wanted = (np.arange(LEVELS) + 0.5) / LEVELS * reached[-1]
    levels: Numbers = np.unique(ratios[order][np.searchsorted(reached, wanted)])
    return levels[levels > 0.0]


def _jitter(baseline: Numbers) -> float:
    """Return how far healthy leaves stray from their usual share beyond chance, relative to their size.

    Source: the moment estimate of ``variance = mean + jitter^2 mean^2``.
    """
    windows = len(baseline)
    if windows < 2:  # noqa: PLR2004 - one window cannot stray from itself
        return 0.0
    pooled = baseline.sum(axis=0)
    usual = np.outer(baseline.sum(axis=1), pooled / pooled.sum())
    inside = usual >= ENOUGH_ROWS
    # each window is part of the pool it is compared with, which hides one part in `windows` of its straying
    strays = (baseline - usual) ** 2 * (windows / (windows - 1.0))
    beyond = float((strays - usual)[inside].sum()) / max(float((usual[inside] ** 2).sum()), 1.0)
    return math.sqrt(max(0.0, beyond))


def _habit(table: _Table, sizes: Sequence[int], jitter: float) -> float:
    """Return by how many times the oddest element of a healthy window exceeds the name it would need; 1 or more."""
    windows = table.baseline
    if len(windows) > 2:  # noqa: PLR2004 - two are left when the newest is spared, because a shift may begin in it
        windows = windows[:-1]
    if len(windows) < 2:  # noqa: PLR2004 - one window has no others
        return 1.0
    habit = 1.0
    for cuboid in cuboids(table.codes, sizes, DEEPEST):
        sums = [np.bincount(cuboid.ids, row, cuboid.size) for row in windows]
        counts: Numbers = np.stack(sums).astype(np.float64)
        odd = float(_misfit(counts, _by_the_others(counts), jitter).max())
        habit = max(habit, odd / (WORTH + cuboid.cost))
    return habit


def _by_the_others(counts: Numbers) -> Numbers:
    """Return what each window's counts (a row each) would be at the shares of all other windows."""
    rest = counts.sum(axis=0) - counts
    level = counts.sum(axis=1) / np.maximum(rest.sum(axis=1), TINY)
    usual: Numbers = np.maximum(rest, HALF_A_ROW) * level[:, np.newaxis]
    return usual


def _misfit(observed: Numbers, expected: Numbers, jitter: float) -> Numbers:
    """Return the evidence in nats that each count is not a draw from what was expected."""
    floor = np.maximum(expected, TINY)
    says: Numbers = xlogy(observed, np.maximum(observed, TINY) / floor) - (observed - expected)
    return says / (1.0 + jitter**2 * expected)


def _held(counts: Numbers, codes: Codes, element: Element) -> float:
    return float(counts[members(element, codes)].sum())


def _share(part: float, moved: Numbers, *, rose: bool) -> float:
    whole = float(np.maximum(moved if rose else -moved, 0.0).sum())
    return min(1.0, part / whole) if whole > 0.0 else 0.0


def _named(table: _Table, element: Element) -> Mapping[str, str | None]:
    return MappingProxyType({table.dimensions[d]: table.values[d][value] for d, value in element})
