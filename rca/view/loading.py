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

from rca.stats.volume import Window
from rca.view.ingestion import JobsView, brought_rows
from rca.view.instants import epoch_s

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
    good = [
        (epoch_s(job.started_at), ended_s, float(job.rows_synced or 0))
        for job, ended_s in zip(jobs.jobs, jobs.finished_s, strict=True)
        if job.rows_synced is not None and job.finished_at is not None and brought_rows(job)
    ]
    windows = list(history)[-NEWEST:]
    if len(good) <= MIN_WINDOWS or len(windows) < MIN_WINDOWS:
        return False
    started, ended, rows = np.array(good).T
    edges = np.array([[w.start_s, w.end_s] for w in windows])
    held = np.array([w.rows for w in windows])
    told = (edges[:, 0] > started[0]) & (edges[:, 1] < started[-1])
    if int(told.sum()) < MIN_WINDOWS:
        return False
    arrived = np.diff(_by(np.sort(ended), rows[np.argsort(ended)], edges[told], steps=True))[:, 0]
    came_to_be = np.diff(_by(started, rows, edges[told], steps=False))[:, 0]
    late = _misfit(held[told], came_to_be)
    return SMALLEST < _misfit(held[told], arrived) * CLEARER >= late


def _by(at_s: Floats, rows: Floats, edges: Floats, *, steps: bool) -> Floats:
    """Return how many rows had come by each edge: all of a sync at its instant, or evenly since the one before."""
    total = np.cumsum(rows)
    if not steps:
        evenly: Floats = np.interp(edges, at_s, total)
        return evenly
    reached = np.searchsorted(at_s, edges, side="right")
    whole: Floats = np.concatenate([[0.0], total])[reached]
    return whole


def _misfit(held: Floats, told: Floats) -> float:
    """Return how far most windows stray at the most from *told* at one common ratio, in e-folds."""
    folds = np.log1p(held) - np.log1p(np.maximum(told, 0.0))
    return float(np.quantile(np.abs(folds - np.median(folds)), MOST))
