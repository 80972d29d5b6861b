"""How far a count strays from its forecast when nothing is wrong: a noise nobody knows, weighed by earlier counts.

Counts are whole: where a handful is usual, one row fewer is a large part of them, and a history that repeats one number
says of its noise only that it is too small to be seen. So each count speaks with the probability of its own whole
number, whatever its size, and every noise that could have told them keeps its share in the answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr  # type: ignore[import-untyped]  # scipy ships no types

Floats = npt.NDArray[np.float64]

DOF: Final = 4.0  # heavier tails than the normal's, by a formula that needs no arctangent
STEADIEST: Final = 0.08  # of the logarithm; with it, one half of the real series kept its 1 %
NOISES: Final[Floats] = STEADIEST * 1.5 ** np.arange(7.0)
"""Standard deviations of the logarithm that are thought possible, each as likely as the next before any count.

The last is a day of two and a half times the rows, or two fifths; finer steps change nothing.
"""
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
        tails = stdtr(DOF, (math.log(rows + HALF_ROW) - log_mean) / self.sigmas)
        return min(max(float(self.weights @ tails), LEAST), 1.0 - LEAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strays:
    """What was counted beside what had been forecast; an entry for each window, in any order.

    ``rows`` are at least 1 each, where exp(``log_means``) were forecast; ``factors``, 1 and more, how much further each
    would have strayed, had its forecast not known it.
    """

    rows: tuple[float, ...]
    log_means: tuple[float, ...]
    factors: tuple[float, ...]

    def noise(self) -> Noise:
        """Return how likely each of NOISES is after these."""
        edges: tuple[list[float], list[float]] = ([], [])
        for counted, expected, factor in zip(self.rows, self.log_means, self.factors, strict=True):
            half = max(HALF_ROW, FINEST * counted)
            edges[0].append((math.log(counted - half) - expected) * factor)
            edges[1].append((math.log(counted + half) - expected) * factor)
        below = student_4(np.array(edges)[:, None] / NOISES[:, None])
        told = np.log(np.maximum(below[1] - below[0], LEAST)).sum(axis=1)
        weights = np.exp(told - told.max())
        return Noise(sigmas=NOISES, weights=weights / weights.sum())


def student_4(z: Floats) -> Floats:
    """Return the probability of *z* or less for a Student variable with four degrees of freedom.

    Exact to 1e-15, not in relative terms far out; a tenth of the time of the general formula.

    Source: the closed form for even degrees of freedom, Abramowitz and Stegun, 26.7.4.
    """
    sine = z / np.sqrt(z * z + DOF)
    below: Floats = 0.5 + sine * (0.75 - 0.25 * sine * sine)
    return below
