"""How many rows a window should hold, from its own history: level, weekday, day-to-day noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from rca.stats.noise import LEAST, Noise, Strays
from rca.stats.robust import median

DAY_S: Final = 86_400.0
WEEK_DAYS: Final = 7
SHRINK: Final = 0.5  # half an imaginary ordinary day is added to each weekday, so that two observations do not decide
RECENT: Final = 28  # windows; they tell level and noise, older ones only what a weekday is like
UNSEEN_WEEKDAY: Final = 0.12  # of the logarithm; how far a weekday that was never seen may lie off
MIN_ROWS: Final = 1.0  # an empty window is an outage or a day off, not an observation of the level


class Window(NamedTuple):
    """Rows that arrived in one window; times in seconds since 1970, UTC. A tuple, because a case brings hundreds."""

    start_s: float
    end_s: float
    rows: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the judged window should have held, and how far it strayed from it.

    ``lowest`` is the smallest of the ``history`` comparable windows that held any rows; ``weekday`` is 0 for Thursday,
    None for other than days; ``unseen`` says that no window with rows is known of the same weekday, and ``empty`` which
    share of that weekday's windows held none. What the ``strays`` say of the noise is worked out when it is asked for:
    most windows lack nothing, and nobody asks.
    """

    expected: float
    observed: float
    history: int
    lowest: float
    weekday: int | None
    unseen: bool
    empty: float
    strays: Strays = field(repr=False)

    @property
    def z(self) -> float:
        """How far the rows lie from the expected ones, in units of ``noise``; negative for missing rows."""
        return (math.log(max(self.observed, 0.5)) - math.log(self.expected)) / self.noise

    @property
    def p_low(self) -> float:
        """Probability in (0, 1) that a healthy window holds this few rows."""
        filled = self._noise().at_most(self.observed, math.log(self.expected))
        return min(self.empty + (1.0 - self.empty) * filled, 1.0 - LEAST)

    @property
    def noise(self) -> float:
        """The standard deviation of the logarithm that is to be expected."""
        return self._noise().usual()

    @property
    def drop(self) -> float:
        """Share of the expected rows that is missing, in [0, 1]."""
        return max(0.0, 1.0 - self.observed / self.expected) if self.expected > 0.0 else 0.0

    def _noise(self) -> Noise:
        unseen = UNSEEN_WEEKDAY if self.unseen else 0.0
        return self.strays.noise().widened(1.0 + 1.0 / len(self.strays.rows), unseen)


def weekday_of(start_s: float) -> int:
    """Return the day of the week, 0 for Thursday (1970 began on one)."""
    return int(start_s // DAY_S) % WEEK_DAYS


def forecast(history: Sequence[Window], judged: Window) -> Forecast | None:
    """Return what *judged* should have held given *history* (ascending, without the judged window).

    Weekdays are shrunk towards the level, which is that of the newest RECENT windows of the same phase of the day.
    The noise is weighed by what those windows stray from a forecast made without them.

    Returns:
        None when fewer than three comparable windows are known.
    """
    length = judged.end_s - judged.start_s
    comparable = _alike(history, judged, length)
    alike = [window for window in comparable if window.rows >= MIN_ROWS]
    if len(alike) < 3:  # noqa: PLR2004 - with two values there is no spread
        return None
    logs = [math.log(w.rows) for w in alike]
    days = [weekday_of(w.start_s + length / 2.0) for w in alike]
    base = median(logs)
    residuals = [value - base for value in logs]
    week = _week(days, residuals)
    recent = [week[day] for day in days[-RECENT:]]
    level = base + median(
        [value - day.offset for value, day in zip(residuals[-RECENT:], recent, strict=True)]
    )
    today = weekday_of(judged.start_s + length / 2.0)
    own_day = week.get(today)
    return Forecast(
        expected=math.exp(level + (own_day.offset if own_day is not None else 0.0)),
        observed=judged.rows,
        history=len(alike),
        lowest=min(window.rows for window in alike),
        weekday=today if _is_day(length) else None,
        unseen=own_day is None,
        empty=_usually_empty(comparable, judged) if len(alike) < len(comparable) else 0.0,
        strays=Strays(
            rows=tuple([w.rows for w in alike[-RECENT:]]),
            log_means=tuple([level + d.offset for d in recent]),
            factors=tuple([d.left_out for d in recent]),
        ),
    )


def _alike(history: Sequence[Window], judged: Window, length: float) -> list[Window]:
    """Return the windows that are as long as *judged* and lie at the same time of the day."""
    slack_s = 0.1 * max(length, 1.0)
    near_s = max(1_800.0, 0.1 * min(length, DAY_S))
    return [
        w
        for w in history
        if abs(w.end_s - w.start_s - length) < slack_s
        and not near_s < abs(w.start_s - judged.start_s) % DAY_S < DAY_S - near_s
    ]


class _Weekday(NamedTuple):
    """What a weekday usually adds to the level; ``left_out`` makes a stray what it were, had it not been counted in."""

    offset: float
    left_out: float


def _week(days: Sequence[int], residuals: Sequence[float]) -> dict[int, _Weekday]:
    """Return the shrunken median offset of each weekday seen; the week-end or a quiet Monday shows here."""
    grouped: dict[int, list[float]] = {}
    for day, value in zip(days, residuals, strict=True):
        grouped.setdefault(day, []).append(value)
    return {day: _weekday(own) for day, own in grouped.items()}


def _weekday(residuals: Sequence[float]) -> _Weekday:
    held = len(residuals) + SHRINK
    return _Weekday(offset=median(residuals) * len(residuals) / held, left_out=held / (held - 1.0))


def _usually_empty(comparable: Sequence[Window], judged: Window) -> float:
    """Return the share of the same weekday's windows that held no rows; 0 for a single one, which is an outage."""
    day = weekday_of((judged.start_s + judged.end_s) / 2.0)
    rows = [w.rows for w in comparable if weekday_of((w.start_s + w.end_s) / 2.0) == day]
    empty = sum(value < MIN_ROWS for value in rows)
    return empty / len(rows) if empty > 1 else 0.0


def _is_day(length_s: float) -> bool:
    return abs(length_s - DAY_S) <= 0.1 * DAY_S
