"""How far the shares of a dimension stray from window to window, and how far the next window may by chance alone.

A window's divergence from all others is a sum of squares: a gamma variable with as many degrees of freedom as values
move by themselves. Of few degrees it is often near nothing and now and then several times its mean, so that the
largest of a handful of windows is no limit for the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import fdtri  # type: ignore[import-untyped]  # scipy ships no types

from rca.stats.divergence import SMALLEST, Counts, expected_jsd_rows, jsd_rows

STORM_EACH: Final = 13  # windows; one in so many may be a storm, by which nothing usual is measured
STORM_FROM: Final = 2.0  # times the largest shift of the other windows
NOTHING: Final = 1e-9  # of shares, squared; what rounding leaves of windows that are all alike
LEAST_DEGREES: Final = 1.0  # of freedom; two values have one share between them
LEAST_DRAWN: Final = 0.5  # of what chance gives; flights by destination show .3, by carrier .5
FALSE_ALARMS: Final = 0.006  # share of healthy windows that may lie above the limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Strays:
    """The divergence, beyond chance, of each window from all others in bits, ascending; at least one.

    ``degrees`` of freedom: how many values move by themselves. ``drawn`` is which part of what chance gives the next
    window shows at least, from LEAST_DRAWN to 1: rows of a timetable stray by less than rows that just come.
    """

    beyond: Counts
    degrees: float
    drawn: float = 1.0

    def largest(self) -> float:
        """Return the largest stray, at least 0, but of a storm no more than twice the largest without storms."""
        calm = self.beyond[_calm(len(self.beyond))]
        return max(0.0, min(float(self.beyond[-1]), STORM_FROM * float(calm[-1])))

    def limit(self, chance: float) -> float:
        """Return the divergence beyond *chance* that FALSE_ALARMS of healthy windows exceed, in bits.

        Args:
            chance: the divergence that sampling alone gives the next window, in bits.

        Source: the analysis of variance. Of n windows n - 1 are free; a ratio of two means of squares is Fisher's F;
        the next window lies 1 - 1/n^2 times as far from all of them as each of them from the others.
        """
        windows = len(self.beyond)
        usual = np.maximum(np.minimum(self.beyond, self.largest()) + chance, 0.0)
        mean = max(self.drawn * chance, float(usual.sum()) / windows * (1.0 - 1.0 / windows**2))
        free = max(1, windows - 1) * self.degrees
        return float(fdtri(self.degrees, free, 1.0 - FALSE_ALARMS)) * mean - chance


def strays(windows: Counts) -> Strays:
    """Return how *windows*, a row of counts each, stray; a single one has no others, and strays by nothing."""
    pooled = windows.sum(axis=0)
    if len(windows) < 2:  # noqa: PLR2004 - one window has no others
        return Strays(beyond=np.zeros(1), degrees=_degrees(np.zeros_like(windows), pooled))
    rest, rows = pooled - windows, windows.sum(axis=1)
    others = rest.sum(axis=1)
    chance = expected_jsd_rows(pooled, others, rows)
    apart = jsd_rows(rest, windows)
    beyond = apart - chance
    order = np.argsort(beyond)
    shift = (
        windows / np.maximum(rows, 1.0)[:, np.newaxis]
        - rest / np.maximum(others, 1.0)[:, np.newaxis]
    )
    return Strays(
        beyond=beyond[order],
        degrees=_degrees(shift[order[_calm(len(windows))]], pooled),
        drawn=min(1.0, max(LEAST_DRAWN, float(apart.sum()) / max(float(chance.sum()), SMALLEST))),
    )


def _calm(windows: int) -> slice:
    """Return which of so many windows, the calmest first, are no storms."""
    return slice(windows - windows // STORM_EACH)


def _degrees(shift: Counts, pooled: Counts) -> float:
    """Return how many values move by themselves, from the *shift* of each share in each window.

    Source: Satterthwaite (1946) for a weighted sum of squares; the squares of weights that are measured by n windows
    are too large by 2/n, and one value is not free, because shares add up to 1.
    """
    parts = np.einsum("ij,ij->j", shift, shift) / np.maximum(pooled, SMALLEST)
    held = float(np.count_nonzero(pooled))
    whole = float(parts.sum())
    if whole * float(pooled.sum()) <= NOTHING:
        return max(LEAST_DEGREES, held - 1.0)
    measured = whole**2 / float(parts.dot(parts)) * (1.0 + 2.0 / len(shift))
    return max(LEAST_DEGREES, min(measured * (held - 1.0) / held, held - 1.0))
