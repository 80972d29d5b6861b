"""Location, spread and tails that a few bad days in the history cannot move far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy.special import stdtr  # type: ignore[import-untyped]  # scipy ships no types

MAD_TO_SIGMA: Final = (
    1.4826  # makes the median absolute deviation of a normal sample its standard deviation
)
OUTER: Final = 0.8  # share of the sizes that the outer reading of a spread leaves below it
NORMAL_OUTER: Final = (
    1.2  # standard normal; where that falls in four weeks of days, whose 22nd size is meant
)
TAIL_DOF: Final = (
    5.0  # Student tails for logs of counts and seconds; heavier than normal, lighter than Cauchy
)
LOG_HALF: Final = math.log(0.5)
USUAL_LOOKS: Final = (
    4.0  # dimensions of a usual case; the weights of the detectors are meant for so many
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Where a history lies and how far it strays; both in the unit of its values."""

    centre: float
    sigma: float
    count: int


def median(values: Sequence[float]) -> float:
    """Return the middle value of *values* in any order; the mean of the two middle ones for an even count.

    Raises:
        ValueError: *values* is empty.
    """
    if not values:
        raise ValueError("the median of nothing is not defined")
    ordered = sorted(values)
    half = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[half])
    return (ordered[half - 1] + ordered[half]) / 2.0


def quantile(values: Sequence[float], share: float) -> float:
    """Return what *share* (in [0, 1]) of *values*, in any order, lie below; straight between two neighbours.

    Raises:
        ValueError: *values* is empty.
    """
    if not values:
        raise ValueError("a quantile of nothing is not defined")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = ordered[math.floor(place)]
    return below + (ordered[math.ceil(place)] - below) * (place % 1.0)


def level(values: Sequence[float], *, floor: float) -> Level:
    """Return median and MAD of *values*, the spread never below *floor*.

    A short history is given a wider spread: with n values the MAD is itself uncertain by about 1/sqrt(n).

    Args:
        values: at least one observation.
        floor: smallest spread that is believed, in the unit of the values.
    """
    centre = median(values)
    mad = median([abs(value - centre) for value in values]) * MAD_TO_SIGMA
    widened = max(mad, floor) * (1.0 + 1.0 / max(1, len(values)))
    return Level(centre=centre, sigma=widened, count=len(values))


def spread(strays: Sequence[float]) -> float:
    """Return the robust standard deviation of *strays* around 0: by their median size, or by an outer one.

    The larger of both counts: half of a history of small counts may repeat one number, and then its MAD is 0.

    Raises:
        ValueError: *strays* is empty.
    """
    sizes = sorted(map(abs, strays))
    by_median = MAD_TO_SIGMA * median(sizes)
    return max(by_median, sizes[int(OUTER * (len(sizes) - 1))] / NORMAL_OUTER)


def upper_tail(z: float, *, dof: float = TAIL_DOF) -> float:
    """Return the probability in (0, 1) that a Student variable exceeds *z* standard units."""
    return max(1e-12, float(stdtr(dof, -z)))


def price_of_looking(looked: int) -> float:
    """Return what the best of *looked* readings costs, in natural-log units: one of many strays far by chance alone.

    0 up to USUAL_LOOKS readings; beyond, each is given its share of the odds, so that the number of false alarms of
    a case stays that of USUAL_LOOKS readings however many are looked at (Bonferroni).
    """
    return math.log(max(1.0, looked / USUAL_LOOKS))


def weight_of_tail(p: float, *, cap: float) -> float:
    """Return the most that a tail probability may weigh for a fault against chance, in natural-log units.

    The Vovk-Sellke bound: no alternative makes a p-value more than ``1 / (-e p ln p)`` times as likely as chance does.
    Above ``1/e`` the reading speaks for chance, and the weight falls linearly to ``ln(1 - p)`` scale.

    Args:
        p: tail probability in (0, 1].
        cap: largest weight that is given.

    Source: Sellke, Bayarri, Berger (2001), Calibration of p values.
    """
    if p >= math.exp(-1.0):
        return max(-3.0, math.log(max(1.0 - p, 0.05)))
    return min(cap, -math.log(-math.e * p * math.log(p)))
