"""Where raw counts moved when windows of the past show what is normal: today's level, and how much windows stray."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.special import xlogy  # type: ignore[import-untyped]  # scipy ships no types

from rca.stats.localise_cube import Codes, Located, Numbers, checked
from rca.stats.localise_rate import above_of, both_ways
from rca.stats.localise_scan import WORTH, Above, Change

HALF_A_ROW: Final = 0.5  # expected of a combination that no window of the baseline holds
NAME_PER_FOLD: Final = 0.1  # e-folds off the usual level that are as odd as one exception
LEVELS: Final = 32  # ratios tried as the common one
TINY: Final = 1e-12  # rows; keeps the logarithm of nothing finite
NOTHING: Final = 1e-100  # rows per pooled row; a ratio to less than this overflows
ENOUGH_ROWS: Final = 1.0  # expected; rarer leaves do not show how steady the windows are


def localise_windows(
    codes: Codes,
    sizes: Sequence[int],
    *,
    current: Numbers,
    baseline: Numbers,
    limit: int = 5,
) -> tuple[tuple[Located, ...], Numbers]:
    """Return the elements whose counts moved, in both directions, and what each leaf should have held.

    Args:
        codes: (leaves, dimensions) integers, each below its dimension's size; one row per combination of values.
        sizes: number of values of each dimension.
        current: rows per leaf in the window judged; some.
        baseline: rows per leaf (columns) in each window that shows what is normal (rows); each holds some.
        limit: the most elements returned.

    Returns:
        What moved most first, none inside another; and the rows expected of each leaf at today's level.

    Raises:
        ValueError: shapes differ, a code is not below its size, a number is not finite or is below 0.
    """
    checked(codes, sizes, current, baseline)
    if bool((current < 0.0).any()) or bool((baseline < 0.0).any()):
        raise ValueError("counts must not be below 0")
    jitter = _jitter(baseline)
    pooled = baseline.sum(axis=0)
    expected = np.maximum(pooled, HALF_A_ROW) * _scale(current, baseline, jitter)
    if not len(codes) or not sizes:
        return (), expected
    above = above_of(codes, sizes)
    change = Change(
        codes=codes,
        expected=expected,
        observed=current,
        trials=None,
        doubt=None,
        rose=True,
        gap=0.0,
        jitter=jitter,
        habit=_habit(above, baseline, jitter),
    )
    return both_ways(change, above, limit), expected


def _scale(current: Numbers, baseline: Numbers, jitter: float) -> float:
    """Return today's rows per pooled row at which the fewest combinations moved.

    A quiet day or a lost segment changes the shares of all others; their counts keep one common ratio. Each level
    tried is charged for every combination what is less: its misfit, or the name it would need as an exception; and one
    name for every tenth by which it leaves both today's total and the usual number of rows, because a level between
    the two needs a reason of its own.
    """
    pooled = baseline.sum(axis=0)
    held = pooled > 0.0
    before, now = np.maximum(pooled[held], TINY), current[held]
    total, usual = float(now.sum() / before.sum()), 1.0 / len(baseline)
    if total < NOTHING:
        return usual
    tried = np.append(_levels(before, now), (total, usual))
    expected = np.maximum(before * tried[:, np.newaxis], TINY)
    misfit = _misfit(now, expected, jitter)
    named = WORTH + math.log(len(before))
    away = np.minimum(np.abs(np.log(tried / total)), np.abs(np.log(tried / usual)))
    charge = np.minimum(misfit, named).sum(axis=1) + named * away / NAME_PER_FOLD
    return float(tried[int(np.argmin(charge))])


def _levels(before: Numbers, now: Numbers) -> Numbers:
    """Return up to LEVELS ratios of combinations, spread over the rows they stand for: ascending, none of them 0."""
    ratios = now / before
    order = np.argsort(ratios, kind="stable")
    reached = np.cumsum(before[order])
    wanted = (np.arange(LEVELS) + 0.5) / LEVELS * reached[-1]
    levels: Numbers = ratios[order][np.searchsorted(reached, wanted)]
    return levels[levels > np.append(0.0, levels[:-1])]


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


def _habit(above: Above, windows: Numbers, jitter: float) -> float:
    """Return by how many times the oddest element of a healthy window exceeds the name it would need; 1 or more."""
    if len(windows) > 2:  # noqa: PLR2004 - two are left when the newest is spared, because a shift may begin in it
        windows = windows[:-1]
    if len(windows) < 2:  # noqa: PLR2004 - one window has no others
        return 1.0
    rows = windows.sum(axis=1, keepdims=True)
    level = rows / np.maximum(rows.sum() - rows, TINY)
    habit = 1.0
    for cuboid in above.cuboids:  # one by one, because all of them in every window may be many
        sums = [np.bincount(cuboid.ids, window, cuboid.size) for window in windows]
        counts = np.array(sums, dtype=np.float64)
        by_the_others = np.maximum(counts.sum(axis=0) - counts, HALF_A_ROW) * level
        odd = float(_misfit(counts, by_the_others, jitter).max())
        habit = max(habit, odd / (WORTH + cuboid.cost))
    return habit


def _misfit(observed: Numbers, expected: Numbers, jitter: float) -> Numbers:
    """Return the evidence in nats that each count is not a draw from what was expected."""
    floor = np.maximum(expected, TINY)
    says: Numbers = xlogy(observed, np.maximum(observed, TINY) / floor) - (observed - expected)
    return says / (1.0 + jitter**2 * expected)
