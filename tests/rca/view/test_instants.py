"""Times at the edge of the calendar."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rca.view.instants import epoch_s, epochs_s, moved

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
FIRST = datetime(1, 1, 1, 6, tzinfo=timezone(timedelta(hours=14)))
LAST = datetime(9999, 12, 31, 18, tzinfo=UTC)
OFFSETS = st.one_of(
    st.just(UTC),
    st.sampled_from(
        [ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Pacific/Apia")]
    ),
    st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@pytest.mark.parametrize(
    ("instant", "seconds", "expected"),
    [
        (NOON, -86_400.0, NOON - timedelta(days=1)),
        (NOON, 0.5, NOON + timedelta(seconds=0.5)),
        (FIRST, -21_600.0, FIRST.replace(hour=0)),
        (FIRST, -21_601.0, FIRST.replace(hour=0)),  # a second too far
        (LAST, 1e308, LAST.replace(hour=23, minute=59, second=59, microsecond=999_999)),
        (NOON, -1e308, datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_span_stops_at_the_calendars_ends(instant, seconds, expected):
    """Moved exactly where the calendar allows it, else to its first or last instant in the same offset."""
    assert moved(instant, seconds) == expected
    assert moved(instant, seconds).utcoffset() == instant.utcoffset()


@given(st.lists(st.datetimes(timezones=OFFSETS), max_size=20))
@example([datetime(1969, 12, 31, 23, 59, 58, 999_996, tzinfo=UTC)])
def test_many_times_are_the_same_numbers_as_one_by_one(instants):
    """To the last bit since 1970, in any offset and with microseconds; before, to a millionth of a microsecond."""
    for many, one in zip(epochs_s(instants), map(epoch_s, instants), strict=True):
        assert many == (one if one >= 0.0 else pytest.approx(one, rel=1e-15, abs=1e-12))


def test_what_has_not_come_yet_lies_beyond_every_instant():
    """None becomes infinity, wherever it stands."""
    assert epochs_s([None, NOON, None]) == [math.inf, epoch_s(NOON), math.inf]
    assert epochs_s([]) == []
