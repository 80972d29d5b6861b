"""The search behind rates and raw counts: few rows per leaf, so whole elements are weighed, not leaves.

Every element's count is held against what its own leaves led to expect, as a likelihood ratio; an element that carries
only part of the change counts for less; one element, or two side by side, that say nearly as much as the best and are
simpler are preferred. All elements of all cuboids lie side by side in one array, because questions are small and calls
are what they cost.

Source: the likelihood ratio of the spatial scan statistic (Kulldorff 1997) without its circles; the share of the change
that must be carried is Adtributor's explanatory power (NSDI 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import xlogy  # type: ignore[import-untyped]  # scipy ships no types

from rca.stats.localise_cube import (
    Codes,
    Cuboid,
    Element,
    Flags,
    Located,
    Numbers,
    element_at,
    members,
)

WORTH: Final = 3.0  # nats beyond the cost of naming; chance gives as much once in twenty
CARRIES: Final = (
    2.0  # power of the carried share: half of the change is worth a quarter of the evidence
)
NEARLY: Final = 0.97  # of the best; what says as much with fewer conditions is preferred
SECOND: Final = 1.3  # times the evidence that a second element must bring
EXPLAINED: Final = 0.8  # share of the change; the rest is not worth another round
SMALLEST: Final = 1e-12  # rows; keeps the logarithm of nothing finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The leaves of one question: what was expected and what was seen.

    For a rate also of how many trials, and the variance of what was expected; None for plain counts. ``rose`` is the
    direction to explain, ``gap`` how much of it there is; ``jitter`` is what healthy counts stray by, relative and
    beyond chance, and ``habit`` how much further the oddest healthy window went.
    """

    codes: Codes
    expected: Numbers
    observed: Numbers
    trials: Numbers | None
    doubt: Numbers | None
    rose: bool
    gap: float
    jitter: float = 0.0
    habit: float = 1.0

    def moved(self, expected: Numbers, observed: Numbers) -> Numbers:
        """Return how far each went in the direction to explain; below 0 the other way."""
        return observed - expected if self.rose else expected - observed

    def without(self, inside: Flags) -> Change:
        """Return the change with the leaves *inside* set aside."""
        explained = self.moved(self.expected, self.observed)[inside].sum()
        return replace(
            self,
            expected=np.where(inside, 0.0, self.expected),
            observed=np.where(inside, 0.0, self.observed),
            trials=None if self.trials is None else np.where(inside, 0.0, self.trials),
            doubt=None if self.doubt is None else np.where(inside, 0.0, self.doubt),
            gap=self.gap - float(explained),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """All elements above the leaves, one cuboid after the other.

    ``ids`` holds the element of every leaf, cuboid by cuboid; ``cuboid_of`` and ``costs`` have one entry per element,
    ``starts`` the first element of each cuboid.
    """

    cuboids: tuple[Cuboid, ...]
    ids: Codes
    cuboid_of: Codes
    costs: Numbers
    starts: Codes

    @classmethod
    def of(cls, cuboids: Sequence[Cuboid]) -> Above:
        """Lay the elements of *cuboids*, at least one, side by side."""
        sizes = np.array([cuboid.size for cuboid in cuboids])
        starts = np.cumsum(sizes) - sizes
        return cls(
            cuboids=tuple(cuboids),
            ids=np.concatenate([c.ids + start for c, start in zip(cuboids, starts, strict=True)]),
            cuboid_of=np.repeat(np.arange(len(cuboids)), sizes),
            costs=np.repeat([cuboid.cost for cuboid in cuboids], sizes),
            starts=starts,
        )

    def sums(self, leaves: Numbers) -> Numbers:
        """Return what each element holds of a number per leaf."""
        weights = np.concatenate((leaves,) * len(self.cuboids))
        held: Numbers = np.bincount(self.ids, weights, len(self.costs)).astype(
            np.float64, copy=False
        )
        return held

    def element(self, place: int, codes: Codes) -> Element:
        """Return the element at *place*, which some leaf has."""
        index = int(self.cuboid_of[place])
        cuboid = self.cuboids[index]
        leaf = int(np.argmax(cuboid.ids == place - self.starts[index]))
        return element_at(cuboid.dimensions, codes, leaf)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """One or two elements of one cuboid each: their places (answers, elements), and the weight of what they say."""

    places: Codes
    weights: Numbers


def explained(change: Change, above: Above, limit: int) -> list[Located]:
    """Return elements of the best answer, then of the best answer for the rest, while much of the change is left."""
    found: list[Located] = []
    whole = change.gap
    while len(found) < limit and change.gap > (1.0 - EXPLAINED) * whole:
        answer = _simplest(change, above)
        if not answer:
            break
        for element, score in answer:
            inside = members(element, change.codes)
            before = float(change.expected[inside].sum())
            now = float(change.observed[inside].sum())
            found.append(Located(element=element, score=score, expected=before, observed=now))
            change = change.without(inside)
    return found


def _simplest(change: Change, above: Above) -> list[tuple[Element, float]]:
    """Return the simplest of the answers that say nearly as much as the best one, with the score of each element.

    Fewer elements first, then fewer conditions of each; nothing when no element is worth its name.
    """
    expected, observed = above.sums(change.expected), above.sums(change.observed)
    says = _evidence(change, above, expected, observed)
    named = np.flatnonzero(says - above.costs > WORTH)
    if not len(named):
        return []
    if len(named) == 1:
        place = int(named[0])
        return [(above.element(place, change.codes), float(says[place] - above.costs[place]))]
    # cut before it is divided: a tiny gap beside a large move would overflow, and more than all of it says no more
    moved = change.moved(expected[named], observed[named])
    shares = np.clip(moved, 0.0, change.gap) / change.gap
    answers = _answers(named, above.cuboid_of[named], says[named], shares)
    enough = NEARLY * max(float(each.weights.max()) for each in answers)
    good: list[tuple[int, int, float, tuple[Element, ...], list[int]]] = []
    for each in answers:
        for row in np.flatnonzero(each.weights >= enough):
            places = each.places[row].tolist()
            elements = tuple(above.element(place, change.codes) for place in places)
            weight = float(each.weights[row])
            good.append((len(elements), len(elements[0]), -weight, elements, places))
    *_, elements, places = min(good)
    scores = says[places] - above.costs[places]
    return list(zip(elements, scores.tolist(), strict=True))


def _answers(
    named: Codes, cuboid_of: Codes, says: Numbers, shares: Numbers
) -> tuple[_Answers, ...]:
    """Return every cuboid's best element, and its two most telling ones together where it has two.

    Args:
        named: the places of the elements that are worth a name, in the order of their cuboids.
        cuboid_of: their cuboids; also one entry each:
        says: their evidence in nats.
        shares: of the change, what each carries.
    """
    last = np.append(np.flatnonzero(cuboid_of[1:] != cuboid_of[:-1]), len(named) - 1)
    first = np.append(0, last[:-1] + 1)
    alone = np.lexsort((-says * shares**CARRIES, cuboid_of))[first][:, np.newaxis]
    telling = np.lexsort((-says, cuboid_of))
    paired = first[last > first]
    pairs = telling[paired[:, np.newaxis] + (0, 1)]
    chosen = (alone, pairs) if len(pairs) else (alone,)
    return tuple(
        _Answers(places=named[each], weights=_weights(says[each], shares[each])) for each in chosen
    )


def _weights(says: Numbers, shares: Numbers) -> Numbers:
    """Return what the elements of each answer (rows) say together, by how much of the change they carry."""
    carried = np.minimum(shares.sum(axis=1), 1.0)
    weights: Numbers = says.sum(axis=1) * carried**CARRIES / SECOND ** (says.shape[1] - 1)
    return weights


def _evidence(change: Change, above: Above, expected: Numbers, observed: Numbers) -> Numbers:
    """Return each element's log-likelihood ratio in nats, its own level against the expected one, by its dispersion.

    Binomial where trials are known, Poisson otherwise; 0 for an element that went the other way.
    """
    floor = np.maximum(expected, SMALLEST)
    says = xlogy(observed, np.maximum(observed, SMALLEST) / floor)
    if change.trials is None:
        says = says - (observed - expected)
    else:
        trials = above.sums(change.trials)
        missed, should = np.maximum(trials - observed, 0.0), np.maximum(trials - expected, SMALLEST)
        says = says + xlogy(missed, np.maximum(missed, SMALLEST) / should)
    right = np.where(change.moved(expected, observed) > 0.0, says, 0.0)
    weighed: Numbers = right / _dispersion(change, above, expected)
    return weighed


def _dispersion(change: Change, above: Above, expected: Numbers) -> Numbers:
    """Return the variance of each element's healthy count over its mean."""
    dispersion: Numbers = change.habit * (1.0 + change.jitter**2 * expected)
    if change.doubt is not None:
        dispersion = dispersion + above.sums(change.doubt) / np.maximum(expected, SMALLEST)
    return dispersion
