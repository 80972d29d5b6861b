"""Days on which business rests: by the window's middle, by its own clock."""

from __future__ import annotations

from datetime import datetime

import pytest

from rca.view.calendar import rest_day
from rca.view.instants import moved


@pytest.mark.parametrize(
    ("start", "named"),
    [
        ("2025-12-25T00:00:00+00:00", "Christmas Day"),
        ("2025-12-24T18:00:00-08:00", "Christmas Day"),
        ("2026-01-01T00:00:00+13:00", "New Year's Day"),
        ("2026-01-02T00:00:00+13:00", None),
        ("2026-03-04T00:00:00+00:00", None),
        ("9999-12-31T00:00:00+00:00", "New Year's Eve"),
    ],
)
def test_a_day_of_rest_has_a_name(start, named):
    """The clock of the window's own zone decides, not that of Greenwich."""
    begun = datetime.fromisoformat(start)
    assert rest_day(begun, moved(begun, 86_400.0)) == named
