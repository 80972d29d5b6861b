"""Days on which business rests, by the window's own clock."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.view.calendar import rest_in
from rca.view.instants import moved

DAY_S = 86_400.0


def name_of(start, days=1.0):
    begun = datetime.fromisoformat(start)
    rest = rest_in(begun, moved(begun, days * DAY_S))
    return rest.name if rest is not None else None


@pytest.mark.parametrize(
    ("start", "named"),
    [
        ("2025-12-25T00:00:00+00:00", "Christmas Day"),
        ("2025-12-24T18:00:00-08:00", "Christmas Day"),
        ("2026-01-01T00:00:00+13:00", "New Year's Day"),
        ("2026-01-02T00:00:00+13:00", None),
        ("2026-03-04T00:00:00+00:00", None),
        ("9999-12-31T00:00:00+00:00", "New Year's Eve"),
        ("0001-01-01T00:00:00+00:00", "New Year's Day"),
        ("2024-03-29T00:00:00+00:00", "Good Friday"),
        ("2025-04-20T00:00:00+00:00", "Easter Sunday"),
        ("2026-04-06T00:00:00+00:00", "Easter Monday"),
        ("2026-04-07T00:00:00+00:00", None),
        ("2025-11-27T00:00:00-05:00", "Thanksgiving"),
        ("2026-11-26T00:00:00-05:00", "Thanksgiving"),
        ("2026-11-19T00:00:00-05:00", None),
    ],
)
def test_a_day_of_rest_has_a_name(start, named):
    """The clock of the window's own zone decides, not that of Greenwich."""
    assert name_of(start) == named


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(1961, 4, 2), (2000, 4, 23), (2008, 3, 23), (2019, 4, 21), (2038, 4, 25), (2285, 3, 22)],
)
def test_easter_is_where_the_almanac_has_it(year, month, day):
    """Among them the latest and an early one; the Monday after a Sunday of 25 April, too."""
    assert name_of(f"{date(year, month, day)}T00:00:00+00:00") == "Easter Sunday"


@given(st.integers(1583, 9998))
def test_every_year_has_one_easter_sunday(year):
    """Between 22 March and 25 April, on a Sunday."""
    days = [
        day
        for day in (date(year, 3, 22).toordinal() + i for i in range(35))
        if name_of(f"{date.fromordinal(day)}T00:00:00+00:00") == "Easter Sunday"
    ]
    assert len(days) == 1
    assert date.fromordinal(days[0]).weekday() == 6


@pytest.mark.parametrize(
    ("start", "days", "share"),
    [
        ("2025-12-22T00:00:00+00:00", 7, 3 / 7),
        ("2025-12-25T06:00:00+00:00", 0.25, 1.0),
        ("2026-03-01T00:00:00+00:00", 7, None),
        ("2025-12-01T00:00:00+00:00", 31, 4 / 31),
        ("2025-01-01T00:00:00+00:00", 365, None),
        ("2026-03-04T00:00:00+00:00", 0.0, None),
    ],
)
def test_a_longer_window_rests_for_the_days_that_do(start, days, share):
    """A week around Christmas lacks three of its seven days; a year feels none."""
    begun = datetime.fromisoformat(start)
    rest = rest_in(begun, moved(begun, days * DAY_S))
    assert (rest.share if rest is not None else None) == (pytest.approx(share) if share else None)
