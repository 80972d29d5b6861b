"""When the rows of a window come: with the syncs that end in it, or with the first one after it.

Where rows are counted by when they arrived, a sync belongs to the window it ends in. Where they are counted by their
own time (an order's, an event's), the sync that starts after a window's end still brings its last rows, and its
failure empties a window that was over before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from rca.stats.robust import median, quantile
from rca.stats.volume import Window
from rca.view.ingestion import Arrivals, JobsView

MIN_WINDOWS: Final = 6  # windows that both readings tell; fewer agree with either by chance
NEWEST: Final = 30  # windows looked at
CLEARER: Final = 0.5  # of the other reading's misfit; the contract's reading holds unless the other is plainly better
MOST: Final = 0.75  # share of the windows; the rest may be outages and storms
SMALLEST: Final = 0.01  # of the logarithm; both readings fit, and nobody can say

Floats = npt.NDArray[np.float64]


def loads_late(history: Sequence[Window], jobs: JobsView) -> bool:
    """Return whether the rows of *history* are those of the syncs that started after them.

    Args:
        history: windows before the judged one, ascending, none overlapping another.
        jobs: the syncs; each good one with a row count is taken to bring what came to be since the one before started.

    Returns:
        True only where the counts of the windows follow such syncs at least twice as closely as those that ended in
        them; False where either may be true, or the windows and syncs are too few to tell.
    """
    good = jobs.arrivals
    if len(good.jobs) <= MIN_WINDOWS:
        return False
    first_s, last_s = good.started_s[0], good.started_s[-1]
    told = [w for w in history[-NEWEST:] if w.start_s > first_s and w.end_s < last_s]
    if len(told) < MIN_WINDOWS:
        return False
    starts_s, ends_s, held = np.array(told).T
    late = _misfit(held, _evenly(good, ends_s) - _evenly(good, starts_s))
    at_once = _misfit(held, _at_once(good, ends_s) - _at_once(good, starts_s))
    return SMALLEST < at_once * CLEARER >= late


def _at_once(good: Arrivals, by_s: Floats) -> Floats:
    """Return how many rows had come by each instant, when all of a sync come at its end."""
    order = np.argsort(good.finished_s)
    reached = np.searchsorted(good.finished_s[order], by_s, side="right")
    whole: Floats = np.concatenate(([0.0], np.cumsum(good.rows[order])))[reached]
    return whole


def _evenly(good: Arrivals, by_s: Floats) -> Floats:
    """Return how many rows had come by each instant, when those of a sync come evenly since the one before."""
    evenly: Floats = np.interp(by_s, good.started_s, np.cumsum(good.rows))
    return evenly


def _misfit(held: Floats, told: Floats) -> float:
    """Return how far most windows stray at the most from *told* at one common ratio, in e-folds."""
    folds: list[float] = (np.log1p(held) - np.log1p(np.maximum(told, 0.0))).tolist()
    common = median(folds)
    return quantile([abs(fold - common) for fold in folds], MOST)
