"""Where the change of a rate or of raw counts sits: what each leaf should hold, and then the scan of all elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from rca.stats.localise_cube import Codes, Located, Numbers, checked, cuboids, without_children
from rca.stats.localise_scan import Above, Change, explained

DEEPEST: Final = 3  # dimensions; a deeper element of small counts is a handful of rows
PRIOR_TRIALS: Final = 30.0  # trials at the overall rate that a leaf's own past is worth less than


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
    expected = past_rates(hits_before, trials_before) * trials
    net = float(hits.sum() - expected.sum())
    change = Change(
        codes=codes,
        expected=expected,
        observed=hits,
        trials=trials,
        doubt=expected * trials / (trials_before + PRIOR_TRIALS),
        rose=net >= 0.0,
        gap=abs(net),
    )
    found = explained(change, above_of(codes, sizes), limit)
    return without_children(_by_size(found)[:limit])


def past_rates(hits_before: Numbers, trials_before: Numbers) -> Numbers:
    """Return the rate of each leaf that its past speaks for: its own, drawn towards that of all where trials are few.

    Args:
        hits_before: per leaf, over the past windows; 0 to *trials_before*.
        trials_before: per leaf; not all of them 0.
    """
    overall = float(hits_before.sum()) / float(trials_before.sum())
    rates: Numbers = (hits_before + PRIOR_TRIALS * overall) / (trials_before + PRIOR_TRIALS)
    return rates


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
    change = Change(
        codes=codes,
        expected=expected,
        observed=observed,
        trials=None,
        doubt=None,
        rose=True,
        gap=0.0,
        jitter=jitter,
        habit=habit,
    )
    return both_ways(change, above_of(codes, sizes), limit)


def above_of(codes: Codes, sizes: Sequence[int]) -> Above:
    """Return all elements of up to DEEPEST dimensions above *codes*."""
    return Above.of(cuboids(codes, sizes, DEEPEST))


def both_ways(change: Change, above: Above, limit: int) -> tuple[Located, ...]:
    """Return the elements that rose and those that fell, as ``localise_counts``; whatever way *change* names."""
    found: list[Located] = []
    more = change.observed - change.expected
    for rose, moved in ((True, more), (False, -more)):
        gross = float(np.maximum(moved, 0.0).sum())
        found += explained(replace(change, rose=rose, gap=gross), above, limit)
    return without_children(_by_size(found))[:limit]


def _by_size(found: Sequence[Located]) -> tuple[Located, ...]:
    return tuple(sorted(found, key=lambda place: (-place.moved, place.element)))
