"""The reading of shares that several detectors need: how far they moved, and how far they usually move."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from rca.stats.divergence import Counts, expected_jsd_bits, jsd_bits, left_without_largest_loss
from rca.stats.divergence import jsd_rows as _jsd_rows
from rca.view.dimensions import DimensionView

SMALLEST_NOISE_BITS: Final = 0.0004  # shares are never steadier than this from day to day
SIGMAS: Final = 2.0  # standard deviations of sampling that count as usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One dimension's divergence from its pooled baseline, all in bits.

    ``beyond`` is what chance does not give, ``usual`` the largest of that kind among the healthy windows.
    """

    dimension: DimensionView
    pooled: Counts
    bits: float
    chance: float
    beyond: float
    usual: float

    @property
    def fold(self) -> float:
        """By how many times the shift exceeds the largest usual one; below 1 it is an everyday one."""
        return self.beyond / self.usual

    @property
    def left(self) -> float | None:
        """Which part of the divergence is left when the value that lost most is set aside; None when that says nothing."""
        return left_without_largest_loss(self.pooled, self.dimension.current)

    @property
    def lost(self) -> float:
        """Share of the usual rows that is missing from the window, in [0, 1]."""
        usual = float(np.median(self.dimension.history.sum(axis=1)))
        return max(0.0, 1.0 - self.dimension.rows / usual) if usual > 0.0 else 0.0


def read_shift(dimension: DimensionView) -> Shift:
    """Return how far the current window of *dimension* lies from its baseline, beyond chance and habit."""
    baseline = dimension.baseline
    pooled = baseline.sum(axis=0)
    chance = expected_jsd_bits(pooled + dimension.current, float(pooled.sum()), dimension.rows)
    bits = jsd_bits(pooled, dimension.current)
    effective = max(1.0, float((pooled > 0.0).sum()) - 1.0)
    sampling = SIGMAS * chance * math.sqrt(2.0 / effective)
    habit = _largest_stray(baseline, pooled) * (1.0 + 1.0 / len(baseline))
    return Shift(
        dimension=dimension,
        pooled=pooled,
        bits=bits,
        chance=chance,
        beyond=bits - chance,
        usual=max(habit, sampling, SMALLEST_NOISE_BITS),
    )


def _largest_stray(baseline: Counts, pooled: Counts) -> float:
    """Return the largest divergence, beyond chance, of one healthy window from all others."""
    if len(baseline) < 2:  # noqa: PLR2004 - one window has no others
        return 0.0
    rest = pooled - baseline
    strays = _jsd_rows(rest, baseline)
    rows, others = baseline.sum(axis=1), rest.sum(axis=1)
    chances = [
        expected_jsd_bits(pooled, float(o), float(r)) for o, r in zip(others, rows, strict=True)
    ]
    return max(0.0, float((strays - np.array(chances)).max()))
