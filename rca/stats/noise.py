"""How far a count strays from its forecast when nothing is wrong: a noise nobody knows, weighed by earlier counts.

Counts are whole: where a handful is usual, one row fewer is a large part of them, and a history that repeats one number
says of its noise only that it is too small to be seen. So each count speaks with the probability of its own whole
number, whatever its size, and every noise that could have told them keeps its share in the answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr  # type: ignore[import-untyped]  # scipy ships no types

from rca.stats.robust import TAIL_DOF

Floats = npt.NDArray[np.float64]

STEADIEST: Final = (
    0.09  # of the logarithm; the smallest hundredth that kept 1 % on one half of the real series
)
STEP: Final = 1.5  # times the noise before; finer steps changed nothing
NOISES: Final = STEADIEST * STEP ** np.arange(7)  # of the logarithm; the last is a threefold day
"""The noises that are thought possible, each as likely as the next before anything was counted."""
HALF_ROW: Final = 0.5  # rows; a whole number stands for what rounds to it
FINEST: Final = 1e-4  # of the rows; a count is believed to no more than four digits
LEAST: Final = 1e-12  # probability; one absurd count cannot rule a noise out


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Standard deviations of the logarithm, ascending, and how likely each is; the likelihoods add up to 1."""

    sigmas: Floats
    weights: Floats

    def usual(self) -> float:
        """Return the noise to be expected."""
        return float(self.weights @ self.sigmas)

    def widened(self, factor: float, beside: float = 0.0) -> Noise:
        """Return the noise *factor* times as wide, and another one of *beside* added to it."""
        return Noise(sigmas=np.hypot(self.sigmas * factor, beside), weights=self.weights)

    def at_most(self, rows: float, log_mean: float) -> float:
        """Return the probability in (0, 1) of *rows* (0 and more) or fewer where exp(*log_mean*) are usual."""
        tails = stdtr(TAIL_DOF, (math.log(rows + HALF_ROW) - log_mean) / self.sigmas)
        return min(max(float(self.weights @ tails), LEAST), 1.0 - LEAST)


def noise_of(rows: Sequence[float], log_means: Sequence[float], factors: Sequence[float]) -> Noise:
    """Return how likely each of NOISES is after *rows* were counted where exp(*log_means*) were forecast.

    Args:
        rows: at least 1 each; in any order.
        log_means: logarithm of the forecast of each.
        factors: how much further each would have strayed, had its forecast not known it; 1 and more.
    """
    counted, expected = np.array(rows), np.array(log_means)
    half = np.maximum(HALF_ROW, FINEST * counted)
    edges = np.log(np.array((counted - half, counted + half))) - expected
    below = student_5((edges * np.array(factors))[:, None, :] / NOISES[:, None])
    told = np.log(np.maximum(below[1] - below[0], LEAST)).sum(axis=1)
    weights = np.exp(told - told.max())
    return Noise(sigmas=NOISES, weights=weights / weights.sum())


def student_5(z: Floats) -> Floats:
    """Return the probability of *z* or less for a Student variable with TAIL_DOF = 5 degrees of freedom.

    Exact to 1e-15, not in relative terms far out; a fifth of the time of the general formula.

    Source: the closed form for odd degrees of freedom, Abramowitz and Stegun, 26.7.3.
    """
    tangent = z / math.sqrt(5.0)
    cosine_2 = 1.0 / (1.0 + tangent * tangent)
    below: Floats = (
        0.5 + (np.arctan(tangent) + tangent * cosine_2 * (1.0 + cosine_2 / 1.5)) / math.pi
    )
    return below
