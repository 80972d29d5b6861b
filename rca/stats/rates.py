"""New values and distinct counts, judged against how many a larger or smaller sample would show anyway."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]

SMALLEST_RATE: Final = 1e-12


def unseen_share(counts: Counts) -> float:
    """Return the share of the next rows that will hold values never seen so far, in (0, 1].

    Good-Turing: the share of rows whose value was seen exactly once, never below one half row of the history.

    Source: Good (1953), The population frequencies of species.
    """
    rows = float(counts.sum())
    if rows <= 0.0:
        return 1.0
    return min(1.0, max(float((counts == 1.0).sum()), 0.5) / rows)


def poisson_excess(observed: float, expected: float) -> float:
    """Return ln P(X >= observed) for a Poisson count with mean *expected*, by Chernoff's bound; 0 when not above it."""
    if observed <= expected:
        return 0.0
    rate = max(expected, SMALLEST_RATE)
    return -(observed * math.log(observed / rate) - observed + rate)


def expected_distinct(counts: Counts, rows: float) -> float:
    """Return how many distinct values a sample of *rows* rows from the same shares would show.

    Args:
        counts: rows per value of the history.
        rows: size of the sample to expect.

    Source: rarefaction under multinomial sampling: ``sum(1 - (1 - p_i) ** rows)``.
    """
    total = float(counts.sum())
    if total <= 0.0 or rows <= 0.0:
        return 0.0
    share = np.minimum(counts / total, 1.0 - 1e-12)
    return float(-np.expm1(rows * np.log1p(-share)).sum())
