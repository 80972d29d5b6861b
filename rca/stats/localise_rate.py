"""Where the change of a rate or of raw counts sits: few rows per leaf, so whole elements are weighed, not leaves.

Every element's count is held against what its own leaves led to expect, as a likelihood ratio; an element that carries
only part of the change counts for less; one element, or two side by side, that say nearly as much as the best and are
simpler are preferred.

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
    checked,
    cuboids,
    element_at,
    members,
    without_children,
)

DEEPEST: Final = 3  # dimensions; a deeper element of small counts is a handful of rows
WORTH: Final = 3.0  # nats beyond the cost of naming; chance gives as much once in twenty
PRIOR_TRIALS: Final = 30.0  # trials at the overall rate that a leaf's own past is worth less than
CARRIES: Final = (
    2.0  # power of the carried share: half of the change is worth a quarter of the evidence
)
NEARLY: Final = 0.97  # of the best; what says as much with fewer conditions is preferred
SECOND: Final = 1.3  # times the evidence that a second element must bring
EXPLAINED: Final = 0.8  # share of the change; the rest is not worth another round
SMALLEST: Final = 1e-12  # rows; keeps the logarithm of nothing finite


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
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

    def dispersion(self, cuboid: Cuboid, expected: Numbers) -> Numbers:
        """Return the variance of each element's healthy count over its mean; evidence is divided by it."""
        dispersion: Numbers = self.habit * (1.0 + self.jitter**2 * expected)
        if self.doubt is not None:
            doubt = np.bincount(cuboid.ids, self.doubt, cuboid.size)
            dispersion = dispersion + doubt / np.maximum(expected, SMALLEST)
        return dispersion

    def without(self, inside: Flags) -> _Change:
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
class _Answer:
    """One or two elements of one cuboid: the weight of what they say together, and of each its evidence in nats."""

    weight: float
    elements: tuple[Element, ...]
    scores: tuple[float, ...]

    @property
    def conditions(self) -> tuple[int, int]:
        """How much there is to read: fewer elements first, then fewer conditions of each."""
        return len(self.elements), len(self.elements[0])


def localise_rate(
    codes: Codes,
    sizes: Sequence[int],
    *,
    hits_before: Numbers,
    trials_before: Numbers,
    hits: Numbers,
    trials: Numbers,
    limit: int = 2,
) -> tuple[Located, ...]:
    """Return the elements that explain why the rate of *hits* per *trials* changed.

    What an element is expected to hold follows from its own leaves' past rates at today's trials, so a mere change of
    mix explains nothing; a past of few trials makes it doubtful and the evidence weaker.

    Args:
        codes: (leaves, dimensions) integers, each below its dimension's size; one row per combination of values.
        sizes: number of values of each dimension.
        hits_before: per leaf, over the past windows; 0 to *trials_before*.
        trials_before: per leaf; 0 where the leaf is new.
        hits: per leaf, in the window judged; 0 to *trials*.
        trials: per leaf.
        limit: the most elements returned.

    Returns:
        What moved most first, none inside another, in hits; nothing when chance gives as much.

    Raises:
        ValueError: shapes differ, a code is not below its size, a number is not finite or hits exceed trials.
    """
    checked(codes, sizes, hits_before, trials_before, hits, trials)
    for part, whole in ((hits_before, trials_before), (hits, trials)):
        if bool((part < 0.0).any()) or bool((part > whole).any()):
            raise ValueError("hits must lie between 0 and their trials")
    past = float(trials_before.sum())
    if not float(trials.sum()) or not past or not sizes:
        return ()
    overall = float(hits_before.sum()) / past
    rates = (hits_before + PRIOR_TRIALS * overall) / (trials_before + PRIOR_TRIALS)
    expected = rates * trials
    net = float(hits.sum() - expected.sum())
    change = _Change(
        codes=codes,
        expected=expected,
        observed=hits,
        trials=trials,
        doubt=expected * trials / (trials_before + PRIOR_TRIALS),
        rose=net >= 0.0,
        gap=abs(net),
    )
    found = _explained(change, cuboids(codes, sizes, DEEPEST), limit)
    return without_children(_by_size(found)[:limit])


def localise_counts(
    codes: Codes,
    sizes: Sequence[int],
    expected: Numbers,
    observed: Numbers,
    *,
    jitter: float = 0.0,
    habit: float = 1.0,
    limit: int = 5,
) -> tuple[Located, ...]:
    """Return the elements whose counts moved, in both directions.

    Args:
        codes: (leaves, dimensions) integers, each below its dimension's size; one row per combination of values.
        sizes: number of values of each dimension.
        expected: rows that each leaf should hold; above 0 also for a leaf that was never seen.
        observed: rows that each leaf holds.
        jitter: standard deviation of healthy counts beyond chance, as a share of their size; 0 is pure chance.
        habit: by how many times healthy windows exceed the evidence that a name needs, at least 1.
        limit: the most elements returned.

    Returns:
        What moved most first, none inside another; nothing when chance gives as much.

    Raises:
        ValueError: shapes differ, a code is not below its size, a number is not finite or is below 0.
    """
    checked(codes, sizes, expected, observed)
    if bool((expected < 0.0).any()) or bool((observed < 0.0).any()):
        raise ValueError("counts must not be below 0")
    if not len(codes) or not sizes:
        return ()
    above = cuboids(codes, sizes, DEEPEST)
    found: list[Located] = []
    for rose in (True, False):
        change = _Change(
            codes=codes,
            expected=expected,
            observed=observed,
            trials=None,
            doubt=None,
            rose=rose,
            gap=0.0,
            jitter=jitter,
            habit=habit,
        )
        gross = float(np.maximum(change.moved(expected, observed), 0.0).sum())
        found += _explained(replace(change, gap=gross), above, limit)
    return without_children(_by_size(found))[:limit]


def _by_size(found: Sequence[Located]) -> tuple[Located, ...]:
    return tuple(sorted(found, key=lambda place: (-place.moved, place.element)))


def _explained(change: _Change, above: Sequence[Cuboid], limit: int) -> list[Located]:
    """Return elements of the best answer, then of the best answer for the rest, while much of the change is left."""
    found: list[Located] = []
    whole = change.gap
    while len(found) < limit and change.gap > (1.0 - EXPLAINED) * whole:
        answer = _simplest(_answers(change, above))
        if answer is None:
            break
        for element, score in zip(answer.elements, answer.scores, strict=True):
            inside = members(element, change.codes)
            before = float(change.expected[inside].sum())
            now = float(change.observed[inside].sum())
            found.append(Located(element=element, score=score, expected=before, observed=now))
            change = change.without(inside)
    return found


def _simplest(answers: Sequence[_Answer]) -> _Answer | None:
    """Return the simplest of the answers that say nearly as much as the best one; None when there are none."""
    if not answers:
        return None
    enough = NEARLY * max(answer.weight for answer in answers)
    good = [answer for answer in answers if answer.weight >= enough]
    return min(good, key=lambda answer: (answer.conditions, -answer.weight, answer.elements))


def _answers(change: _Change, above: Sequence[Cuboid]) -> list[_Answer]:
    found: list[_Answer] = []
    for cuboid in above:
        found += _of_cuboid(change, cuboid)
    return found


def _of_cuboid(change: _Change, cuboid: Cuboid) -> list[_Answer]:
    """Return the cuboid's best element and its two most telling ones together, as far as they are worth a name."""
    expected: Numbers = np.bincount(cuboid.ids, change.expected, cuboid.size).astype(np.float64)
    observed: Numbers = np.bincount(cuboid.ids, change.observed, cuboid.size).astype(np.float64)
    says = _evidence(change, cuboid, expected, observed) / change.dispersion(cuboid, expected)
    # cut before it is divided: a tiny gap beside a large move would overflow, and more than all of it says no more
    shares = np.clip(change.moved(expected, observed), 0.0, change.gap) / change.gap
    named = np.flatnonzero(says - cuboid.cost > WORTH)
    if not len(named):
        return []
    alone = named[int(np.argmax(says[named] * shares[named] ** CARRIES))]
    pair = named[np.argsort(-says[named], kind="stable")[:2]]
    answers = [_answer(change, cuboid, says, shares, (int(alone),))]
    if len(pair) == 2:  # noqa: PLR2004 - a pair
        answers.append(_answer(change, cuboid, says, shares, tuple(pair.tolist())))
    return answers


def _answer(
    change: _Change, cuboid: Cuboid, says: Numbers, shares: Numbers, ids: tuple[int, ...]
) -> _Answer:
    together = list(ids)
    carried = min(1.0, float(shares[together].sum()))
    weight = float(says[together].sum()) * carried**CARRIES / SECOND ** (len(ids) - 1)
    leaves = [int(np.argmax(cuboid.ids == i)) for i in ids]
    return _Answer(
        weight=weight,
        elements=tuple(element_at(cuboid.dimensions, change.codes, leaf) for leaf in leaves),
        scores=tuple(float(says[i]) - cuboid.cost for i in ids),
    )


def _evidence(change: _Change, cuboid: Cuboid, expected: Numbers, observed: Numbers) -> Numbers:
    """Return each element's log-likelihood ratio in nats: its own level against the expected one.

    Binomial where trials are known, Poisson otherwise; 0 for an element that went the other way.
    """
    floor = np.maximum(expected, SMALLEST)
    says = xlogy(observed, np.maximum(observed, SMALLEST) / floor)
    if change.trials is None:
        says = says - (observed - expected)
    else:
        trials = np.bincount(cuboid.ids, change.trials, cuboid.size)
        missed, should = np.maximum(trials - observed, 0.0), np.maximum(trials - expected, SMALLEST)
        says = says + xlogy(missed, np.maximum(missed, SMALLEST) / should)
    right: Numbers = np.where(change.moved(expected, observed) > 0.0, says, 0.0)
    return right
