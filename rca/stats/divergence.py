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
    """Return ``expected_jsd_bits`` for each pair of window sizes, none of them 0, over the same pooled shares."""
    smaller = np.minimum(rows_before, rows_now)
    effective = np.minimum(1.0, shares(pooled) * smaller[:, np.newaxis]).sum(axis=1) - 1.0
    sizes = 1.0 / np.maximum(rows_before, 1.0) + 1.0 / np.maximum(rows_now, 1.0)
    expected: Counts = np.minimum(1.0, np.maximum(effective, 0.0) / (8.0 * LN2) * sizes)
    return expected


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
        In bits, at most 1: ``sum(min(1, expected count)) - 1`` effective values, over ``8 ln 2``, for both sizes.

    Source: the chi-squared limit of the divergence; values rarer than one row are counted by their chance of showing.
    """
    if rows_before <= 0.0 or rows_now <= 0.0:
        return 0.0
    smaller = min(rows_before, rows_now)
    effective = float(np.minimum(1.0, shares(pooled) * smaller).sum()) - 1.0
    return min(1.0, max(0.0, effective) / (8.0 * LN2) * (1.0 / rows_before + 1.0 / rows_now))
