"""The reading of shares that several detectors need: how far they moved, and how far they usually move."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from rca.stats.divergence import (
    Counts,
    expected_jsd_bits,
    jsd_bits,
    left_without_largest_loss,
)
from rca.stats.robust import median
from rca.stats.straying import strays
from rca.view.dimensions import DimensionView

SMALLEST_NOISE_BITS: Final = 0.0004  # shares are never steadier than this from day to day
HALF_WAY: Final = 1.3  # times the largest usual shift; beyond, it is more likely real than not
EACH_FOLD: Final = 2.3  # ln units for each e-fold by which the shift exceeds the largest usual one
SMALL: Final = 0.006  # bits beyond chance; a tenth of the rows that halves gives as much (B.2: 5 % gives 0.003)
EACH_SMALLER: Final = 2.0  # ln units for each e-fold below; what is that small is rarely a fault
CAP: Final = 5.0  # ln units
FEW: Final = 3.0  # windows; the largest of a few is little to go by, so it is widened by this over their number
FULL: Final = 0.1  # of the judged window's rows; the shares of fewer say nothing of what is usual on a full day
FEWEST: Final = 2  # full windows; with fewer all windows count


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One dimension's divergence from its pooled baseline in bits; ``beyond`` is what chance does not give."""

    dimension: DimensionView
    pooled: Counts
    bits: float
    chance: float

    @property
    def beyond(self) -> float:
        """The divergence that sampling does not explain, in bits; below 0 when the windows are unusually alike."""
        return self.bits - self.chance

    def fold(self) -> float:
        """Return by how many times the shift exceeds the largest usual one; below 1 it is an everyday one.

        HALF_WAY is reached where so few windows as there are leave the next one room to stray by itself.
        Looks at every window of the baseline: ask only when ``beyond`` is worth it.
        """
        own = strays(_full(self.dimension.baseline, self.dimension.rows))
        largest = own.largest() * (1.0 + FEW / len(own.beyond))
        return self.beyond / max(largest, own.limit(self.chance) / HALF_WAY, SMALLEST_NOISE_BITS)

    def left(self) -> float | None:
        """Return which part of the divergence is left when the value that lost most is set aside; None when unclear."""
        return left_without_largest_loss(self.pooled, self.dimension.current)

    def lost(self) -> float:
        """Return the share of the usual rows that is missing from the window, in [0, 1]."""
        usual = median(self.dimension.history.sum(axis=1).tolist())
        return max(0.0, 1.0 - self.dimension.rows / usual) if usual > 0.0 else 0.0


def read_shift(dimension: DimensionView) -> Shift:
    """Return how far the current window of *dimension* lies from its baseline, and how far chance would put it."""
    pooled = dimension.baseline.sum(axis=0)
    return Shift(
        dimension=dimension,
        pooled=pooled,
        bits=jsd_bits(pooled, dimension.current),
        chance=expected_jsd_bits(pooled + dimension.current, float(pooled.sum()), dimension.rows),
    )


def weight_of(beyond: float, fold: float, *, asked: bool = False) -> float:
    """Return the weight of a shift in ln units: above 0 more likely a fault than an everyday move, at most CAP.

    Args:
        beyond: the divergence that sampling does not explain, in bits.
        fold: by how many times that exceeds the largest usual one.
        asked: the alert is about this dimension; then somebody's check found it large enough.
    """
    if beyond < SMALLEST_NOISE_BITS:
        return -math.inf
    smaller = 0.0 if asked else EACH_SMALLER * max(0.0, math.log(SMALL / beyond))
    return min(CAP, EACH_FOLD * math.log(fold / HALF_WAY)) - smaller


def _full(baseline: Counts, rows: float) -> Counts:
    """Return the windows of *baseline* that are about as full as one of *rows*: closed days are no yardstick."""
    full = baseline.sum(axis=1) >= FULL * rows
    return baseline[full] if FEWEST <= int(full.sum()) < len(full) else baseline
