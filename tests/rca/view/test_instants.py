"""Times at the edge of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rca.view.instants import moved

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
FIRST = datetime(1, 1, 1, 6, tzinfo=timezone(timedelta(hours=14)))
LAST = datetime(9999, 12, 31, 18, tzinfo=UTC)


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
