"""Days on which business rests in much of the world, so that few rows are no surprise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final

from rca.stats.volume import DAY_S
from rca.view.instants import moved

_FIXED: Final[Mapping[tuple[int, int], str]] = MappingProxyType(
    {
        (1, 1): "New Year's Day",
        (5, 1): "Labour Day",
        (12, 24): "Christmas Eve",
        (12, 25): "Christmas Day",
        (12, 26): "the day after Christmas",
        (12, 31): "New Year's Eve",
    }
)
"""By month and day; only days that many countries share, because nobody says which country a dataset is of."""

_AROUND_EASTER: Final = ((-2, "Good Friday"), (0, "Easter Sunday"), (1, "Easter Monday"))
THURSDAY: Final = 3  # as ``date.weekday`` counts
MOST_DAYS: Final = 31  # days; a longer window feels no single day


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Days of rest in a window: the name of the first, and the share of the window's days that rest, in (0, 1]."""

    name: str
    share: float


def rest_in(start: datetime, end: datetime) -> Rest | None:
    """Return the days of rest that a window has, by its own clock, or None.

    Args:
        start: the window's first instant; aware.
        end: the instant after its last.

    Returns:
        Of a window of up to a day and a half the one day that its middle lies on; of one of up to ``MOST_DAYS`` days
        each of them; of a longer one nothing.
    """
    days = max(1, round((end - start).total_seconds() / DAY_S))
    if days > MOST_DAYS:
        return None
    step_s = (end - start).total_seconds() / days
    middles = (moved(start, step_s * (day + 0.5)).date() for day in range(days))
    names = [name for middle in middles if (name := _name_of(middle)) is not None]
    return Rest(name=names[0], share=len(names) / days) if names else None


def _name_of(day: date) -> str | None:
    return _FIXED.get((day.month, day.day)) or _movable(day.year).get(day)


@cache  # one entry a year
def _movable(year: int) -> Mapping[date, str]:
    """Return the days of rest of *year* that have another date each year."""
    easter = _easter(year)
    found = {easter + timedelta(days=days): name for days, name in _AROUND_EASTER}
    first = date(year, 11, 1)
    found[first + timedelta(days=(THURSDAY - first.weekday()) % 7 + 21)] = "Thanksgiving"
    return found


def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar.

    Source: the anonymous algorithm in J. Meeus, Astronomical Algorithms, chapter 8.
    """
    golden = year % 19
    century, of_century = divmod(year, 100)
    leaps, cycle = divmod(century, 4)
    drift = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - leaps - drift + 15) % 30
    sunday = (32 + 2 * cycle + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)
