"""Where the change of an additive measure sits: rows, amounts, counts that add up over any dimension.

The answer is the set of elements that makes the observed leaves most likely, found greedily: take the element whose
leaves speak most clearly for one common ratio, after paying for naming it; set its leaves aside; repeat while an
element is worth its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rca.stats.localise_cube import (
    Codes,
    Cuboid,
    Element,
    Flags,
    Located,
    Numbers,
    checked,
    cuboids,
    element_at,
    members,
    without_children,
)
from rca.stats.localise_noise import Readings, counted, readings

MOST_ELEMENTS: Final = 12  # nobody reads more
WORTH: Final = 3.0  # nats beyond the cost of naming; chance gives as much once in twenty
TRIED: Final = (
    16  # elements of one cuboid that are looked at exactly, those with the highest bounds
)
EXACT: Final = 9  # decimals of a nat; a matrix product differs beyond them from run to run
SAME: Final = 1e-6  # nats; scores this close are one score, however their sums were rounded
SPLIT_GAIN: Final = 1.1  # times; parts must say that much more than the whole before it is split


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaves:
    """The leaves that hold anything: their codes, what each says, the cuboids above and who is not yet explained."""

    codes: Codes
    sizes: tuple[int, ...]
    says: Readings
    cuboids: tuple[Cuboid, ...]
    open: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """An element by its dimensions and open leaves, with its score and the column of its ratio."""

    score: float
    column: int
    dimensions: tuple[int, ...]
    leaves: Codes


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What is known of one cuboid's elements while leaves are set aside.

    ``bound`` is no less than each element's score. ``counts`` is how many open leaves each has of each row of odds: it
    is made when it is first asked for and then kept, unless the cuboid is too fine for that.
    """

    cuboid: Cuboid
    bound: Numbers
    counts: Codes | None = None

    def sums(self, leaves: _Leaves, likely: Codes) -> Numbers:
        """Return what the open leaves of the elements *likely* say for every ratio: (likely, ratios) nats."""
        says = leaves.says
        if self.counts is None and self.cuboid.size * len(says.odds) <= len(leaves.codes):
            inside = np.flatnonzero(leaves.open)
            self.counts = _counts(says, self.cuboid.ids[inside], inside, self.cuboid.size)
        if self.counts is not None:
            return _said(self.counts[likely], says)
        place = np.full(self.cuboid.size, -1, dtype=np.intp)
        place[likely] = np.arange(len(likely))
        where = place[self.cuboid.ids]
        inside = np.flatnonzero((where >= 0) & leaves.open)
        return _said(_counts(says, where[inside], inside, len(likely)), says)

    def set_aside(self, says: Readings, leaves: Codes) -> None:
        """Forget *leaves*, which an element explains."""
        elements = self.cuboid.ids[leaves]
        np.subtract.at(self.bound, elements, says.best[leaves])
        if self.counts is not None:
            np.subtract.at(self.counts, (elements, says.rows[leaves]), 1)


def localise_additive(
    codes: Codes,
    sizes: Sequence[int],
    expected: Numbers,
    observed: Numbers,
    *,
    limit: int = MOST_ELEMENTS,
) -> tuple[Located, ...]:
    """Return the elements that explain why *observed* differs from *expected*.

    Only one direction is explained, losses or gains: the one whose elements speak more clearly together. The total is
    no guide to it, because the noise of the largest leaves can exceed what a small segment lost.

    Args:
        codes: (leaves, dimensions) integers, each below its dimension's size; one row per combination of values.
        sizes: number of values of each dimension.
        expected: what each leaf should hold; below 0 counts as 0.
        observed: what each leaf holds; below 0 counts as 0.
        limit: the most elements returned; those that speak most clearly.

    Returns:
        What moved most first, none inside another; nothing when no element stands out from the leaves' own noise.

    Raises:
        ValueError: shapes differ, a code is not below its size, or a number is not finite.

    Source: docs/localisation.md.
    """
    checked(codes, sizes, expected, observed)
    forecast, actual = np.maximum(expected, 0.0), np.maximum(observed, 0.0)
    held = counted(forecast, actual)
    if not held.any() or not sizes:
        return ()
    kept = codes[held]
    above = cuboids(kept, sizes)
    lost = _search(_leaves(kept, sizes, above, forecast[held], actual[held]), limit)
    gained = _search(_leaves(kept, sizes, above, actual[held], forecast[held]), limit)
    found = gained if _together(gained) > _together(lost) + SAME else lost
    return _located(found, codes, forecast, actual)


def _together(found: Sequence[tuple[Element, float]]) -> float:
    return sum(score for _, score in found)


def _leaves(
    codes: Codes, sizes: Sequence[int], above: tuple[Cuboid, ...], many: Numbers, few: Numbers
) -> _Leaves:
    """Return leaves that fell from *many* to *few*; swapped, those that rose."""
    return _Leaves(
        codes=codes,
        sizes=tuple(sizes),
        says=readings(many, few),
        cuboids=above,
        open=np.ones(len(codes), dtype=np.bool_),
    )


def _located(
    found: Sequence[tuple[Element, float]], codes: Codes, expected: Numbers, observed: Numbers
) -> tuple[Located, ...]:
    places = []
    for element, score in found:
        inside = members(element, codes)
        before, now = float(expected[inside].sum()), float(observed[inside].sum())
        places.append(Located(element=element, score=score, expected=before, observed=now))
    return without_children(sorted(places, key=lambda p: (-p.moved, p.element)))


def _search(leaves: _Leaves, limit: int) -> list[tuple[Element, float]]:
    best = leaves.says.best
    tallies = [
        _Tally(
            cuboid=cuboid,
            bound=np.bincount(cuboid.ids, best, cuboid.size).astype(np.float64) - cuboid.cost,
        )
        for cuboid in leaves.cuboids
    ]
    found: list[tuple[Element, float]] = []
    while len(found) < limit:
        whole = _strongest(leaves, tallies)
        if whole is None:
            break
        choice = _narrowed(leaves, whole)
        element = element_at(choice.dimensions, leaves.codes, int(choice.leaves[0]))
        found.append((element, choice.score))
        leaves.open[choice.leaves] = False
        for tally in tallies:
            tally.set_aside(leaves.says, choice.leaves)
    return found


def _strongest(leaves: _Leaves, tallies: Sequence[_Tally]) -> _Choice | None:
    """Return the element of the highest score of all cuboids, or None when none is worth its name.

    Of elements that score the same, the one with fewer dimensions, then the earlier ones: the order in which bounds
    happen to lead to them, and the rounding of their sums, must not choose.
    """
    highest = np.array([tally.bound.max() for tally in tallies])
    found: list[tuple[int, _Choice]] = []
    floor = WORTH
    for index in np.argsort(-highest, kind="stable").tolist():
        if highest[index] <= floor - SAME:
            break
        choice = _best_of(leaves, tallies[index], floor)
        if choice is not None:
            found.append((index, choice))
            floor = max(floor, choice.score)
    level = [(index, choice) for index, choice in found if choice.score >= floor - SAME]
    return min(level, key=lambda pair: pair[0])[1] if level else None


def _best_of(leaves: _Leaves, tally: _Tally, floor: float) -> _Choice | None:
    """Return the cuboid's best element if its score reaches *floor*: bounds say where to look, sums decide."""
    cuboid, bound = tally.cuboid, tally.bound
    likely = np.flatnonzero(bound > floor - SAME)
    if len(likely) > TRIED:
        least = np.partition(bound[likely], -TRIED)[-TRIED]
        likely = likely[bound[likely] >= least - SAME]
    says = tally.sums(leaves, likely)
    scores = says.max(axis=1) - cuboid.cost
    top = _first_highest(scores)
    if scores[top] < floor - SAME:
        return None
    return _Choice(
        score=float(scores[top]),
        column=_first_highest(says[top]),
        dimensions=cuboid.dimensions,
        leaves=np.flatnonzero((cuboid.ids == likely[top]) & leaves.open),
    )


def _first_highest(scores: Numbers) -> int:
    """Return the first place of the highest score, or of one that is as high but for rounding."""
    return int(np.flatnonzero(scores >= scores.max() - SAME)[0])


def _said(counts: Codes, says: Readings) -> Numbers:
    """Return what each group of leaves says for every ratio: (groups, ratios) nats.

    Leaves with the same row say the same, so *counts* has how many each group has of each row; the sums do not depend
    on the order of leaves.
    """
    sums: Numbers = counts.astype(np.float64) @ says.odds
    return np.round(sums, EXACT)


def _counts(says: Readings, groups: Codes, inside: Codes, count: int) -> Codes:
    """Return how many of the leaves *inside* each of *count* groups has of each row of odds."""
    kinds = len(says.odds)
    flat = np.bincount(groups * kinds + says.rows[inside], minlength=count * kinds)
    return flat.reshape(count, kinds)


def _narrowed(leaves: _Leaves, whole: _Choice) -> _Choice:
    """Return *whole*, or the strongest of its parts when parts that pay for their own names say clearly more.

    Two moved children of one parent outweigh either child alone, although most of the parent is untouched.
    """
    choice = whole
    while (part := _part(leaves, choice)) is not None:
        choice = part
    return choice if choice is whole else _plain(leaves, choice)


def _plain(leaves: _Leaves, choice: _Choice) -> _Choice:
    """Return *choice* without conditions that set nothing apart, such as the country of a city."""
    element = element_at(choice.dimensions, leaves.codes, int(choice.leaves[0]))
    held = int(np.count_nonzero(members(element, leaves.codes)))
    for condition in element:
        fewer = tuple(pair for pair in element if pair != condition)
        if fewer and int(np.count_nonzero(members(fewer, leaves.codes))) == held:
            element = fewer
    return replace(choice, dimensions=tuple(dimension for dimension, _ in element))


def _part(leaves: _Leaves, choice: _Choice) -> _Choice | None:
    costs = {cuboid.dimensions: cuboid.cost for cuboid in leaves.cuboids}
    best, needed = None, SPLIT_GAIN * choice.score
    for dimension in range(len(leaves.sizes)):
        finer = tuple(sorted({*choice.dimensions, dimension}))
        if dimension in choice.dimensions or finer not in costs:
            continue
        present, values = np.unique(leaves.codes[choice.leaves, dimension], return_inverse=True)
        sums = _said(_counts(leaves.says, values, choice.leaves, len(present)), leaves.says)
        says = sums[:, choice.column] - costs[finer]
        together = float(says[says > WORTH].sum())
        if together > needed + SAME:
            needed, top = together, _first_highest(says)
            best = _Choice(
                score=float(says[top]),
                column=choice.column,
                dimensions=finer,
                leaves=choice.leaves[values == top],
            )
    return best
