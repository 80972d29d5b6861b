"""Quartz cron expressions: how long a schedule usually leaves between two firings. Pure.

Quartz writes seconds first and an optional year last, counts weekdays from Sunday as 1, and knows ``?``, ``L``, ``W``
and ``#``. Only gaps are wanted, so days are counted on the calendar: a shift of the clocks changes one gap by an hour.

Source: the Quartz scheduler's CronExpression, as Airbyte uses it for a connection's schedule.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

MAX_LENGTH: Final = 200  # characters; a longer one is no schedule
FIELDS: Final = (6, 7)
LOOK: Final = 800  # days; over two years show what happens once a year, and every length of a month
DAY_S: Final = 86_400
MINUTE_S: Final = 60
FIRST_YEAR: Final = 1970  # Quartz's own bounds
LAST_YEAR: Final = 2_099

_MONTHS: Final = {name.upper(): n for n, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS: Final = {
    name: n for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)
}
_ANY: Final = frozenset({"*", "?"})
_NEAREST: Final = re.compile(r"^(?P<day>\d{1,2}|L)W$")
_LAST: Final = re.compile(r"^L(?:-(?P<before>\d{1,2}))?$")
_NTH: Final = re.compile(r"^(?P<weekday>\w{1,3})#(?P<nth>[1-5])$")
_LAST_WEEKDAY: Final = re.compile(r"^(?P<weekday>[A-Z]{3}|[1-7])L$")

Matches = Callable[[date], bool]


class _NoScheduleError(ValueError):
    """The text is no Quartz expression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """The bounds of one field, and the names that it knows for numbers."""

    low: int
    high: int
    names: dict[str, int]


_SECOND: Final = _Field(low=0, high=59, names={})
_MINUTE: Final = _Field(low=0, high=59, names={})
_HOUR: Final = _Field(low=0, high=23, names={})
_DAY: Final = _Field(low=1, high=31, names={})
_MONTH: Final = _Field(low=1, high=12, names=_MONTHS)
_WEEKDAY: Final = _Field(low=1, high=7, names=_WEEKDAYS)
_YEAR: Final = _Field(low=FIRST_YEAR, high=LAST_YEAR, names={})


def longest_gap_s(expression: str, today: date) -> float | None:
    """Return the longest usual time between two firings from *today* on, in seconds, to the minute.

    None for what is no Quartz expression, and for what does not fire twice within two years.
    """
    parts = expression.strip().upper().split() if len(expression) <= MAX_LENGTH else []
    try:
        if len(parts) not in FIELDS:
            return None
        _values(parts[0], _SECOND)
        starts_s = _starts_s(parts[1], parts[2])
        matches = _days(parts[3], parts[4], parts[5], parts[6] if len(parts) > 6 else "*")  # noqa: PLR2004 - the year
    except _NoScheduleError:
        return None
    days = [d for d in range(LOOK) if matches(today + timedelta(days=d))]
    return _longest(days, starts_s)


def _longest(days: list[int], starts_s: list[int]) -> float | None:
    """The longest time between two of the starts of these days, the night from one day to the next included."""
    if len(days) < 2:  # noqa: PLR2004 - a gap has two ends
        return None
    inside = max((b - a for a, b in pairwise(starts_s)), default=0)
    overnight = DAY_S - starts_s[-1] + starts_s[0]
    between = max((b - a - 1) * DAY_S + overnight for a, b in pairwise(days))
    return float(max(inside, between))


def _starts_s(minutes: str, hours: str) -> list[int]:
    every_minute = _values(minutes, _MINUTE)
    return [(hour * 60 + minute) * MINUTE_S for hour in _values(hours, _HOUR) for minute in every_minute]  # fmt: skip


def _days(days: str, months: str, weekdays: str, years: str) -> Matches:
    in_month, in_year = set(_values(months, _MONTH)), set(_values(years, _YEAR))
    by_day, by_weekday = _day_of_month(days), _day_of_week(weekdays)
    return lambda day: (
        day.month in in_month and day.year in in_year and by_day(day) and by_weekday(day)
    )


def _day_of_month(text: str) -> Matches:
    if text in _ANY:
        return lambda _day: True
    if nearest := _NEAREST.match(text):
        return lambda day: day.day == _nearest_workday(day, nearest["day"])
    if last := _LAST.match(text):
        before = int(last["before"] or 0)
        return lambda day: day.day == _month_end(day) - before
    wanted = set(_values(text, _DAY))
    return lambda day: day.day in wanted


def _day_of_week(text: str) -> Matches:
    if text in _ANY:
        return lambda _day: True
    if nth := _NTH.match(text):
        weekday, number = _number(nth["weekday"], _WEEKDAY), int(nth["nth"])
        return lambda day: _weekday(day) == weekday and (day.day - 1) // 7 + 1 == number
    if last := _LAST_WEEKDAY.match(text):
        weekday = _number(last["weekday"], _WEEKDAY)
        return lambda day: _weekday(day) == weekday and day.day > _month_end(day) - 7
    wanted = set(_values("7" if text == "L" else text, _WEEKDAY))
    return lambda day: _weekday(day) in wanted


def _weekday(day: date) -> int:
    """Sunday is 1, Saturday 7."""
    return day.isoweekday() % 7 + 1


def _month_end(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_workday(day: date, wanted: str) -> int:
    """The workday nearest to a day of this month, never in another month; 0 when the month has no such day."""
    end = _month_end(day)
    target = end if wanted == "L" else int(wanted)
    if not 1 <= target <= end:
        return 0
    weekday = day.replace(day=target).isoweekday()
    if weekday == calendar.SATURDAY + 1:
        return target - 1 if target > 1 else target + 2
    if weekday == calendar.SUNDAY + 1:
        return target + 1 if target < end else target - 2
    return target


def _values(text: str, field: _Field) -> list[int]:
    """Every value that a list such as ``0/15``, ``9-17``, ``22-2`` or ``MON-FRI`` means, in order."""
    found = {value for part in text.split(",") for value in _part(part, field)}
    return sorted(found)


def _part(text: str, field: _Field) -> Iterator[int]:
    span, slash, step_text = text.partition("/")
    step = _step(step_text, field) if slash else 1
    first_text, dash, last_text = span.partition("-")
    if span in _ANY or (slash and not span):
        first, last = field.low, field.high
    else:
        first = _number(first_text, field)
        last = _number(last_text, field) if dash else field.high if slash else first
    if last < first:  # over midnight, or over the end of the week
        last += field.high - field.low + 1
    for value in range(first, last + 1, step):
        yield (value - field.low) % (field.high - field.low + 1) + field.low


def _step(text: str, field: _Field) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= field.high:
        raise _NoScheduleError(text)
    return int(text)


def _number(text: str, field: _Field) -> int:
    if text in field.names:
        return field.names[text]
    if not text.isascii() or not text.isdigit() or not field.low <= int(text) <= field.high:
        raise _NoScheduleError(text)
    return int(text)
