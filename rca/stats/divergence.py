"""How far two sets of counts lie apart, and how far chance alone would put them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy  # type: ignore[import-untyped]  # scipy ships no types

Counts = npt.NDArray[np.float64]

SMALLEST: Final = 1e-300  # keeps the logarithm of 0 finite; 0 times it is 0
LN2: Final = math.log(2.0)
EXPECTED: Final = np.array(
    [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 9, 15, 25, 50]
)  # rows of a value: of all of both windows, times the share of either in all rows
ONE_LARGE: Final = np.array(
    [0, 0.103, 0.238, 0.426, 0.708, 0.906, 1.048, 1.151, 1.278, 1.355, 1.354, 1.305, 1.206, 1.141, 1.08, 1.048, 1.027,
     1.016, 1]
)  # fmt: skip
"""What a value of EXPECTED rows adds to the divergence by chance, in parts of what a common one adds.

One window is known exactly, the other is a Poisson draw; summed over its outcomes.
"""
BOTH_ALIKE: Final = np.array(
    [0, 0.111, 0.277, 0.555, 1.109, 1.386, 1.386, 1.386, 1.313, 1.216, 1.124, 1.082, 1.048, 1.034, 1.022, 1.014, 1.009,
     1.005, 1]
)  # fmt: skip
"""The same where both windows are as large as each other: a binomial draw of the rows of both."""


def shares(counts: Counts) -> Counts:
    """Return *counts* as shares that add up to 1; all zero when there is nothing to share."""
    total = float(counts.sum())
    return counts / total if total > 0.0 else np.zeros_like(counts)


def jsd_terms(baseline: Counts, current: Counts) -> Counts:
    """Return each value's part of the Jensen-Shannon divergence of two count vectors, in bits, none below 0."""
    p, q = shares(baseline), shares(current)
    middle = (p + q) / 2.0
    terms = (xlogy(p, p) + xlogy(q, q)) / 2.0 - xlogy(middle, middle)
    return np.maximum(np.asarray(terms, dtype=np.float64) / LN2, 0.0)


def jsd_bits(baseline: Counts, current: Counts) -> float:
    """Return the Jensen-Shannon divergence of two count vectors over the same values.

    Returns:
        The divergence (not its square root) in bits: 0 for equal shares, 1 for nothing in common.
        0 when either side is empty, because then there is nothing to compare.

    Source: Lin (1991), Divergence measures based on the Shannon entropy.
    """
    before, now = float(baseline.sum()), float(current.sum())
    if before <= 0.0 or now <= 0.0:
        return 0.0
    p, q = baseline / before, current / now
    apart = _information(p) + _information(q) - _information(p + q)
    return min(1.0, max(0.0, apart / (2.0 * LN2) + 1.0))


def _information(weights: Counts) -> float:
    """Return the sum of ``w ln w``, 0 for a weight of 0."""
    return float(weights.dot(np.log(np.maximum(weights, SMALLEST))))


def jsd_rows(baselines: Counts, currents: Counts) -> Counts:
    """Return ``jsd_bits`` of each row of *baselines* against the same row of *currents*; 0 where either is empty."""
    before, now = baselines.sum(axis=1, keepdims=True), currents.sum(axis=1, keepdims=True)
    p = baselines / np.maximum(before, SMALLEST)
    q = currents / np.maximum(now, SMALLEST)
    apart = _information_rows(p) + _information_rows(q) - _information_rows(p + q)
    both = (before[:, 0] > 0.0) & (now[:, 0] > 0.0)
    clipped: Counts = np.where(both, np.clip(apart / (2.0 * LN2) + 1.0, 0.0, 1.0), 0.0)
    return clipped


def _information_rows(weights: Counts) -> Counts:
    """Return ``_information`` of each row."""
    found: Counts = np.einsum("ij,ij->i", weights, np.log(np.maximum(weights, SMALLEST)))
    return found


def expected_jsd_rows(pooled: Counts, rows_before: Counts, rows_now: Counts) -> Counts:
    """Return ``expected_jsd_bits`` for each pair of window sizes, none of them 0, over the same pooled shares.

    The pairs are taken to be about as uneven as each other, as the windows of one history are.
    """
    before, now = np.maximum(rows_before, 1.0), np.maximum(rows_now, 1.0)
    rows = before * now / (before + now)
    uneven = float((rows / (before + now)).mean())
    effective = _effective(shares(pooled) * rows[:, np.newaxis], uneven)
    expected: Counts = np.minimum(1.0, np.maximum(effective - 1.0, 0.0) / (8.0 * LN2) / rows)
    return expected


def _effective(expected: Counts, both: float) -> Counts:
    """Return how many common values add by chance as much as the values of *expected* rows, over the last axis.

    *both* is the product of the two windows' shares of all rows, at most 1/4.
    """
    if expected.size and expected.min() >= EXPECTED[-1]:
        return np.full(expected.shape[:-1], float(expected.shape[-1]))
    parts = ONE_LARGE + 4.0 * both * (BOTH_ALIKE - ONE_LARGE)
    found: Counts = np.interp(expected, EXPECTED, parts).sum(axis=-1)
    return found


def left_without_largest_loss(baseline: Counts, current: Counts) -> float | None:
    """Return which part of the divergence remains once the value that lost most rows is set aside, 0 or more.

    Near 0 when one value alone tells the story: it vanished, and all others kept their proportions.
    About 1 or more when rows went missing everywhere at once.
    None when fewer than three values or no divergence leave nothing to tell the two apart.
    """
    held = int(((baseline > 0.0) | (current > 0.0)).sum())
    whole = jsd_bits(baseline, current)
    if held < 3 or whole <= 0.0:  # noqa: PLR2004 - of two values, one left over always keeps its proportion
        return None
    rest = np.ones(len(baseline), dtype=np.bool_)
    rest[int(np.argmax(shares(baseline) - shares(current)))] = False
    return jsd_bits(baseline[rest], current[rest]) / whole


def expected_jsd_bits(pooled: Counts, rows_before: float, rows_now: float) -> float:
    """Return the divergence that sampling alone gives two windows drawn from the same shares.

    Args:
        pooled: counts of both windows together.
        rows_before: rows of the one window.
        rows_now: rows of the other.

    Returns:
        In bits, at most 1: effective values less one, over ``8 ln 2``, for both sizes.

    Source: the chi-squared limit of the divergence; of values of few rows, the sum over what a draw may bring.
    """
    if rows_before <= 0.0 or rows_now <= 0.0:
        return 0.0
    both = rows_before + rows_now
    rows = rows_before * rows_now / both
    effective = float(_effective(shares(pooled) * rows, rows / both))
    return min(1.0, max(0.0, effective - 1.0) / (8.0 * LN2) / rows)
