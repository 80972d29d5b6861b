"""Where a change sits: the segments of a dataset that moved, as a short list for people.

``localise`` is the front door for whatever was measured; ``segments`` asks it of the profiles in a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, assert_never

import numpy as np
from scipy.special import xlogy  # type: ignore[import-untyped]  # scipy ships no types

from rca.case import SegmentProfile
from rca.stats.localise_additive import localise_additive
from rca.stats.localise_cube import Codes, Element, Located, Numbers, members
from rca.stats.localise_leaves import AdditiveLeaves, CountLeaves, Leaves, Names, RateLeaves
from rca.stats.localise_rate import localise_rate, past_rates
from rca.stats.localise_windows import localise_windows

MOST_SEGMENTS: Final = 5  # what a person reads in a card


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
class Place:
    """A part of the leaves that moved, in the measure's own unit: a sum, the hits of a rate, or rows.

    ``expected`` is what it should hold, ``observed`` what it holds. ``trials`` is what the hits of a rate are out of,
    now; None of any other measure. ``explained_share`` in [0, 1] is the part of the net change that lies in it; of all
    that was found its way, where the net change is less than that.
    """

    elements: Mapping[str, str | None]
    expected: float
    observed: float
    trials: float | None = None
    explained_share: float


def localise(leaves: Leaves, *, limit: int = MOST_SEGMENTS) -> tuple[Place, ...]:
    """Return the segments that explain why what was measured is not what was to be expected.

    Args:
        leaves: what was measured; its kind chooses the search.
        limit: the most places returned.

    Returns:
        What moved most first, none inside another; nothing when no segment stands out from the noise.

    Raises:
        ValueError: numbers and combinations do not fit each other, or a number cannot be.

    Source: docs/localisation.md.
    """
    match leaves:
        case AdditiveLeaves():
            return _of_sums(leaves, limit)
        case RateLeaves():
            return _of_rate(leaves, limit)
        case CountLeaves():
            return _of_counts(leaves, limit)
        case _:
            assert_never(leaves)


def _of_sums(leaves: AdditiveLeaves, limit: int) -> tuple[Place, ...]:
    names = leaves.names
    found = localise_additive(
        names.codes, names.sizes, leaves.expected, leaves.observed, limit=limit
    )
    moved = np.maximum(leaves.observed, 0.0) - np.maximum(leaves.expected, 0.0)
    return _places(names, found, moved)


def _of_counts(leaves: CountLeaves, limit: int) -> tuple[Place, ...]:
    found, moved = _among_windows(leaves, limit)
    return _places(leaves.names, found, moved)


def _of_rate(leaves: RateLeaves, limit: int) -> tuple[Place, ...]:
    names = leaves.names
    found = localise_rate(
        names.codes,
        names.sizes,
        hits_before=leaves.past_hits,
        trials_before=leaves.past_trials,
        hits=leaves.hits,
        trials=leaves.trials,
        limit=limit,
    )
    if not found:
        return ()
    expected = leaves.trials * past_rates(leaves.past_hits, leaves.past_trials)
    return _places(names, found, leaves.hits - expected, leaves.trials)


def _places(
    names: Names, found: Sequence[Located], moved: Numbers, trials: Numbers | None = None
) -> tuple[Place, ...]:
    """Return *found* in words; *moved* is by how much every leaf did, up or down."""
    return tuple(
        Place(
            elements=MappingProxyType(names.of(place.element)),
            expected=place.expected,
            observed=place.observed,
            trials=None if trials is None else _held(trials, names.codes, place.element),
            explained_share=_share(place.moved, _whole(names, found, moved, place)),
        )
        for place in found
    )


def _whole(names: Names, found: Sequence[Located], moved: Numbers, place: Located) -> float:
    """Return how much there is to explain the way *place* went: no less than what was found.

    The sum of what each leaf moved would be mostly noise where leaves are many; in the net change noise cancels.
    """
    way = 1.0 if place.rose else -1.0
    alike = [members(other.element, names.codes) for other in found if other.rose is place.rose]
    inside = np.logical_or.reduce(alike)
    return max(way * float(moved.sum()), way * float(moved[inside].sum()))


def _among_windows(leaves: CountLeaves, limit: int) -> tuple[tuple[Located, ...], Numbers]:
    """Return the elements that moved, and by how much every leaf did; nothing where a side has no rows."""
    held = leaves.baseline[leaves.baseline.any(axis=1)]
    if not len(held) or not leaves.current.any():
        return (), np.zeros_like(leaves.current)
    found, expected = localise_windows(
        leaves.names.codes, leaves.names.sizes, current=leaves.current, baseline=held, limit=limit
    )
    return found, leaves.current - expected


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
            found += _moved(_leaves(windows[current], past), limit)
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
    names = Names(
        dimensions=(dimension,),
        values=(tuple(values),),
        codes=np.arange(len(values), dtype=np.intp)[:, np.newaxis],
    )
    leaves = CountLeaves(names=names, current=current, baseline=baseline)
    return tuple(sorted(_moved(leaves, limit), key=_divergence, reverse=True))


def _divergence(segment: Segment) -> float:
    """Return the divergence in nats of the shares of the segment and of all else; it compares losses with gains."""
    inside = _apart(segment.baseline_share, segment.current_share)
    return inside + _apart(1.0 - segment.baseline_share, 1.0 - segment.current_share)


def _apart(before: float, now: float) -> float:
    middle = (before + now) / 2.0
    return float((xlogy(before, before) + xlogy(now, now)) / 2.0 - xlogy(middle, middle))


def _inside(part: Mapping[str, str | None], whole: Mapping[str, str | None]) -> bool:
    return whole.items() < part.items()


def _leaves(current: SegmentProfile, past: Sequence[SegmentProfile]) -> CountLeaves:
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
    names = Names(
        dimensions=current.dimensions,
        values=tuple(values for values, _ in coded),
        codes=codes.T,
    )
    return CountLeaves(names=names, current=counts[0], baseline=counts[1:])


def _coded(column: Sequence[str | None]) -> tuple[tuple[str | None, ...], list[int]]:
    places: dict[str | None, int] = {}
    codes = [places.setdefault(value, len(places)) for value in column]
    return tuple(places), codes


def _moved(leaves: CountLeaves, limit: int) -> list[Segment]:
    """Return the segments of one set of dimensions, with their shares of all rows."""
    names, pooled = leaves.names, leaves.baseline.sum(axis=0)
    found, moved = _among_windows(leaves, limit)
    return [
        Segment(
            elements=MappingProxyType(names.of(place.element)),
            baseline_share=_held(pooled, names.codes, place.element) / float(pooled.sum()),
            current_share=_held(leaves.current, names.codes, place.element)
            / float(leaves.current.sum()),
            explained_share=_share(place.moved, _in_direction(moved, place)),
        )
        for place in found
    ]


def _held(counts: Numbers, codes: Codes, element: Element) -> float:
    return float(counts[members(element, codes)].sum())


def _in_direction(moved: Numbers, located: Located) -> float:
    """Return by how much all leaves moved that went the way of *located*."""
    return float(np.maximum(moved if located.rose else -moved, 0.0).sum())


def _share(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole > 0.0 else 0.0
