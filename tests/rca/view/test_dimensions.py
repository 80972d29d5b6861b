"""Counts per value as vectors, whatever values each window holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.case import DimensionProfile
from rca.view.dimensions import read_dimensions

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def profile(back, counts, dimension="country", **changes):
    end = NOW - timedelta(days=back)
    return DimensionProfile(
        dimension=dimension,
        window_start=end - timedelta(days=1),
        window_end=end,
        counts=counts,
        **changes,
    )


@pytest.mark.parametrize(
    ("older", "newer", "values"),
    [
        ({"US": 5, "CA": 3}, {"US": 4, "CA": 2}, ("US", "CA")),
        ({"US": 5, "CA": 3}, {"CA": 2, "US": 4}, ("US", "CA")),  # the same in another order
        ({"US": 5, "CA": 3}, {"CA": 2}, ("US", "CA")),
        ({"US": 5}, {"DE": 1, "US": 4}, ("US", "DE")),
        ({"US": 5}, {}, ("US",)),
    ],
)
def test_each_count_stands_under_its_own_value(older, newer, values):
    """In the order of first appearance, 0 where a window does not hold the value."""
    (view,) = read_dimensions([profile(1, older), profile(0, newer)], NOW, NOW)
    assert view.values == values
    assert view.history.tolist() == [[older.get(value, 0) for value in values]]
    assert view.current.tolist() == [newer.get(value, 0) for value in values]


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcde"), st.integers(0, 9), max_size=5),
        min_size=2,
        max_size=6,
    )
)
def test_no_row_is_lost_or_moved(windows):
    """Every window's counts can be read back from the vectors, but for windows of the past without rows."""
    profiles = [profile(len(windows) - i, counts) for i, counts in enumerate(windows)]
    past = [counts for counts in windows[:-1] if any(counts.values())]
    views = read_dimensions(profiles, NOW, NOW)
    assert len(views) == bool(past)
    for view in views:
        rows = [*view.history.tolist(), view.current.tolist()]
        read = [dict(zip(view.values, row, strict=True)) for row in rows]
        for counts, found in zip([*past, windows[-1]], read, strict=True):
            assert found == dict.fromkeys(view.values, 0) | counts


def test_of_two_readings_of_one_window_the_later_counts():
    """And a window that begins after the alert is none of its windows."""
    profiles = [
        profile(1, {"a": 1}),
        profile(0, {"a": 2}),
        profile(0, {"a": 3}),
        profile(-2, {"a": 9}),
    ]
    (view,) = read_dimensions(profiles, NOW, NOW)
    assert view.current.tolist() == [3.0]
    assert view.history.tolist() == [[1.0]]


def test_what_a_cut_off_window_does_not_list_is_read_as_what_surprises_least():
    """FR lay just below the edge of yesterday's list of two, so it did not vanish; DE cannot have kept its 50."""
    older, newer = {"US": 50, "DE": 50, "FR": 9}, {"US": 60, "CA": 20}
    (view,) = read_dimensions([profile(1, older), profile(0, newer, truncated=True)], NOW, NOW)
    assert view.values == ("US", "DE", "FR", "CA")
    assert view.history.tolist() == [[50, 50, 9, 0]]
    assert view.current == pytest.approx([60, 20, 9 / 109 * 80, 20])
    assert view.told is not None
    assert view.told.counts.tolist() == [[50, 50, 9, 0], [60, 0, 0, 20]]
    assert view.told.cut == (False, True)
    assert (view.told.hidden(1), view.told.hidden(2)) == (0.0, 0.25)


def test_a_value_listed_with_no_rows_has_none():
    """Only what is not listed is unknown."""
    older, newer = {"US": 50, "DE": 50}, {"US": 60, "CA": 20, "DE": 0}
    (view,) = read_dimensions([profile(1, older), profile(0, newer, truncated=True)], NOW, NOW)
    assert view.current.tolist() == [60, 0, 20]
