"""How many rows a window should hold, from its own history: level, weekday, day-to-day noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rca.stats.robust import Level, level, median, upper_tail

DAY_S: Final = 86_400.0
WEEK_DAYS: Final = 7
SHRINK: Final = 0.5  # half an imaginary ordinary day is added to each weekday, so that two observations do not decide
LOG_NOISE_FLOOR: Final = (
    0.05  # a business varies by a twentieth from day to day even when nothing happens
)
MIN_ROWS: Final = 1.0  # an empty window is an outage, not an observation of the level


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Rows that arrived in one window; times in seconds since 1970, UTC."""

    start_s: float
    end_s: float
    rows: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the judged window should have held, and how far it strayed from it.

    ``z`` is in robust standard deviations of the logarithm, negative for missing rows.
    """

    expected: float
    observed: float
    z: float
    noise: float
    history: int

    @property
    def drop(self) -> float:
        """Share of the expected rows that is missing, in [0, 1]."""
        return max(0.0, 1.0 - self.observed / self.expected) if self.expected > 0.0 else 0.0

    @property
    def p_low(self) -> float:
        """Probability that a healthy window holds this few rows."""
        return upper_tail(-self.z)


def weekday_of(start_s: float) -> int:
    """Return the day of the week, 0 for Thursday (1970 began on one)."""
    return int(start_s // DAY_S) % WEEK_DAYS


def forecast(history: Sequence[Window], judged: Window) -> Forecast | None:
    """Return what *judged* should have held given *history* (ascending, without the judged window).

    Level is the median of the same phase of the day, weekdays are shrunk towards it, the noise is the robust spread
    of what is left plus the counting noise of the rows themselves.

    Returns:
        None when fewer than three comparable windows are known.
    """
    length = judged.end_s - judged.start_s
    alike = [w for w in history if w.rows >= MIN_ROWS and _comparable(w, judged, length)]
    if len(alike) < 3:  # noqa: PLR2004 - with two values there is no spread
        return None
    logs = [math.log(w.rows) for w in alike]
    days = [weekday_of(w.start_s + length / 2.0) for w in alike]
    base = median(logs)
    offsets = _weekday_offsets(days, [value - base for value in logs])
    left = [value - base - offsets[day] for day, value in zip(days, logs, strict=True)]
    noise = level(left, floor=LOG_NOISE_FLOOR)
    own_day = offsets.get(weekday_of(judged.start_s + length / 2.0), 0.0)
    return _against(noise, base + own_day + noise.centre, judged, len(alike))


def _comparable(window: Window, judged: Window, length: float) -> bool:
    if abs((window.end_s - window.start_s) - length) >= 0.1 * max(length, 1.0):
        return False
    apart = abs(window.start_s - judged.start_s) % DAY_S
    return min(apart, DAY_S - apart) <= max(1_800.0, 0.1 * min(length, DAY_S))


def _weekday_offsets(days: Sequence[int], residuals: Sequence[float]) -> dict[int, float]:
    """Return the shrunken median offset of each weekday seen; the week-end or a quiet Monday shows here."""
    grouped: dict[int, list[float]] = {}
    for day, value in zip(days, residuals, strict=True):
        grouped.setdefault(day, []).append(value)
    return {day: median(own) * len(own) / (len(own) + SHRINK) for day, own in grouped.items()}


def _against(noise: Level, mean: float, judged: Window, count: int) -> Forecast:
    expected = math.exp(mean)
    counting = 1.0 / math.sqrt(max(expected, 1.0))
    sigma = math.hypot(noise.sigma, counting)
    z = (math.log(max(judged.rows, 0.5)) - mean) / sigma
    return Forecast(expected=expected, observed=judged.rows, z=z, noise=sigma, history=count)
