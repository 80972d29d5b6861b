"""Where a shift sits: the values, or the combinations of values, that a dimension's drift comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from rca.case import SegmentProfile
from rca.evidence import Mover
from rca.stats.aside import Cube, combinations, whole
from rca.stats.divergence import Counts, jsd_bits, jsd_terms, shares
from rca.stats.localise import MOST_SEGMENTS, Segment, segments, segments_of_values
from rca.view import CaseView
from rca.view.dimensions import JOINT, MAX_HISTORY, SPARE_FROM, DimensionView, joined
from rca.view.wording import quoted

TOLD: Final = 0.9  # share of the divergence; what moved beyond it is not worth a reader's time

MOST_VALUES: Final = (
    512  # a smaller value of so many is no place to look at first; it bounds the search to some ms
)
MOST_CELLS: Final = (
    50_000  # combinations times windows; beyond, reading them takes longer than all else
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """The values of *dimension* that carry a shift, what explains most of it first; one at least, five at most.

    ``dimension`` is one name, or several joined by JOINT, and then so are the values. ``bits`` is the divergence of the
    shares over it. ``stands_out`` when the first of them moved beyond its own noise,
    and is not merely the largest part.
    """

    dimension: str
    bits: float
    movers: tuple[Mover, ...]
    stands_out: bool

    def first(self) -> str:
        """Return what explains most as people say it: ``US``, or ``country = US & channel = web`` of a combination."""
        value = self.movers[0].value
        names, values = self.dimension.split(JOINT), value.split(JOINT)
        if len(names) == 1 or len(names) != len(values):  # a value may hold the joint itself
            return quoted(value)
        return JOINT.join(f"{n} = {quoted(v)}" for n, v in zip(names, values, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Windows:
    """The profiles of one set of dimensions, the ends of the windows that are normal, and of the one that is judged."""

    profiles: tuple[SegmentProfile, ...]
    past: tuple[datetime, ...]
    current: datetime


def whereabouts(view: CaseView, dimension: DimensionView) -> Whereabouts:
    """Return where the shift of *dimension* sits.

    Args:
        view: the case; its segment profiles are read only here, because they are rarely needed.
        dimension: a dimension, or a combination of them, whose shares moved.

    Returns:
        Combinations, where one of those that hold this dimension explains the shift better than any single value does;
        its own values otherwise.
    """
    return _in_combinations(view, dimension) or _in_values(dimension)


def _in_combinations(view: CaseView, dimension: DimensionView) -> Whereabouts | None:
    asked = dimension.dimension.split(JOINT)
    counted = list(_windows(view, dimension))
    located = [
        (found, w)
        for w in counted
        if (found := _located(w)) and not found[0].elements.keys().isdisjoint(asked)
    ]
    if not located:
        return _set_apart(counted, dimension)
    found, windows = max(located, key=lambda pair: pair[0][0].explained_share)
    names = tuple(found[0].elements)
    if len(names) == 1:
        return None
    told = [s for s in found if tuple(s.elements) == names]
    cube = _cube(windows)
    larger = whole(cube, [dict(s.elements) for s in told])
    if larger is not None and asked == [*larger]:
        return None  # all of the value moved, and its own dimension is asked about
    return Whereabouts(
        dimension=JOINT.join(names),
        bits=_bits(cube, names),
        movers=tuple(_mover(s) for s in told),
        stands_out=True,
    )


def _set_apart(counted: Sequence[_Windows], dimension: DimensionView) -> Whereabouts | None:
    """Return combinations that no search is sure of, where they moved and the rest of their values stayed.

    They only say where: whether anything stands out is still for the values of *dimension* to say.
    """
    for windows in counted:
        cube = _cube(windows)
        found = combinations(cube)
        if found and not found[0].keys().isdisjoint(dimension.dimension.split(JOINT)):
            names = tuple(found[0])
            return Whereabouts(
                dimension=JOINT.join(names),
                bits=_bits(cube, names),
                movers=tuple(_part(cube, elements) for elements in found),
                stands_out=_in_values(dimension).stands_out,
            )
    return None


def _cube(windows: _Windows) -> Cube:
    """Return the counts of *windows*; rows that do not fit their own dimensions are left out."""
    names = windows.profiles[0].dimensions
    latest = {profile.window_end: profile for profile in windows.profiles}
    ends = (*windows.past, windows.current)
    fitting = [[row for row in latest[end].rows if len(row[0]) == len(names)] for end in ends]
    at = {key: k for k, key in enumerate(dict.fromkeys(key for rows in fitting for key, _ in rows))}
    counts = np.zeros((len(ends), len(at)))
    for window, rows in enumerate(fitting):
        for key, n in rows:
            counts[window, at[key]] += n
    held = counts[:-1][counts[:-1].any(axis=1)]
    return Cube(dimensions=names, keys=tuple(at), before=held, now=counts[-1])


def _part(cube: Cube, elements: Mapping[str, str | None]) -> Mover:
    inside, before = cube.inside(elements), cube.before.sum(axis=0)
    return _moved(
        joined(elements.values()),
        float(before[inside].sum() / before.sum()),
        float(cube.now[inside].sum() / cube.now.sum()),
    )


def _located(windows: _Windows) -> tuple[Segment, ...]:
    return segments(windows.profiles, current=windows.current, baseline=windows.past)


def _windows(view: CaseView, dimension: DimensionView) -> Iterator[_Windows]:
    """Yield the combinations that hold *dimension*, over the windows that its own shift was seen in."""
    grouped: dict[tuple[str, ...], list[SegmentProfile]] = {}
    for profile in view.case.segment_profiles or ():
        names = profile.dimensions
        about = dimension.dimension in names or dimension.dimension == JOINT.join(names)
        if len(names) > 1 and about and profile.window_end <= dimension.window_end:
            grouped.setdefault(names, []).append(profile)
    for profiles in grouped.values():
        ends = sorted({profile.window_end for profile in profiles})[-1 - MAX_HISTORY :]
        past = ends[:-2] if len(ends) > SPARE_FROM else ends[:-1]
        cells = sum(len(profile.rows) for profile in profiles)
        if past and ends[-1] == dimension.window_end and cells <= MOST_CELLS:
            yield _Windows(profiles=tuple(profiles), past=tuple(past), current=ends[-1])


def _bits(cube: Cube, names: Sequence[str]) -> float:
    """Return the divergence over *names*, which may be fewer than the counts are by."""
    over = cube.over(names)
    return jsd_bits(over.before.sum(axis=0), over.now)


def _in_values(dimension: DimensionView) -> Whereabouts:
    """Return the values that moved beyond chance, then those that the rest of the divergence comes from."""
    pooled, current = dimension.baseline.sum(axis=0), dimension.current
    before, now = shares(pooled), shares(current)
    named = _named(dimension, before + now)
    kept = _told(named, jsd_terms(pooled, current))
    return Whereabouts(
        dimension=dimension.dimension,
        bits=jsd_bits(pooled, current),
        movers=tuple(_moved(dimension.values[i], float(before[i]), float(now[i])) for i in kept),
        stands_out=bool(named),
    )


def _named(dimension: DimensionView, sizes: Counts) -> list[int]:
    """Return the places of values that moved beyond chance, of the largest MOST_VALUES; the rest is as one value."""
    current, baseline = dimension.current, dimension.baseline
    large = np.sort(np.argsort(-sizes, kind="stable")[:MOST_VALUES])
    kept, held = current[large], baseline[:, large]
    names = [str(place) for place in large]
    if len(large) < len(current):
        kept = np.append(kept, current.sum() - kept.sum())
        held = np.column_stack((held, baseline.sum(axis=1) - held.sum(axis=1)))
        names.append("")
    found = segments_of_values("", names, current=kept, baseline=held)
    return [int(place) for segment in found for place in segment.elements.values() if place]


def _told(named: Sequence[int], terms: Counts) -> list[int]:
    """Return *named* and then what has the largest terms, until most of the divergence is told."""
    kept = list(named)
    told, whole = float(terms[kept].sum()), float(terms.sum())
    for place in np.argsort(-terms, kind="stable").tolist():
        if len(kept) >= MOST_SEGMENTS or (kept and told >= TOLD * whole):
            break
        if place not in named:
            kept.append(place)
            told += float(terms[place])
    return kept


def _mover(segment: Segment) -> Mover:
    return _moved(
        joined(tuple(segment.elements.values())), segment.baseline_share, segment.current_share
    )


def _moved(value: str, before: float, now: float) -> Mover:
    return Mover(
        value=value,
        baseline_share=round(before, 6),
        current_share=round(now, 6),
        delta=round(now - before, 6),
    )
