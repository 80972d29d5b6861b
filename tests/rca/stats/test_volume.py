"""Lost rows of small and of large loads, by their own history."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.stats.volume import DAY_S, Window, forecast

MONDAY_S = 1_767_571_200.0  # 2026-01-05


def judged(counts, rows):
    """Return the forecast for the day after *counts*, which held *rows*."""
    past = [
        Window(start_s=MONDAY_S + d * DAY_S, end_s=MONDAY_S + (d + 1) * DAY_S, rows=float(count))
        for d, count in enumerate(counts)
    ]
    end_s = past[-1].end_s
    return forecast(past, Window(start_s=end_s, end_s=end_s + DAY_S, rows=float(rows)))


@pytest.mark.parametrize(
    ("counts", "rows", "low"),
    [
        ([1] * 28, 0, True),
        ([1] * 28, 1, False),
        ([1, 0] * 28, 0, False),  # every second day is empty
        ([1, 1, 1, 1, 1, 0, 0] * 4 + [1, 1, 1, 1, 1], 0, False),  # Saturdays are
        ([1, 1, 1, 1, 1, 0, 0] * 4, 0, True),  # but not Mondays
        ([1] * 10 + [0] + [1] * 31, 0, True),  # one empty day was an outage
        ([1, 1, 1], 0, False),
        ([3, 3, 3, 3, 3, 2, 1] * 4, 1, True),  # the next day is a Monday
        ([3, 3, 3, 3, 3, 2, 1] * 4 + [3, 3, 3, 3, 3, 2], 1, False),  # and this one a Sunday
        ([3, 1, 4, 2, 6, 1, 3] * 4, 1, True),  # Mondays hold three, whatever the others do
        ([3, 1, 4, 2, 6, 1, 3, 5, 2] * 3, 1, False),  # no weekday is like itself
    ],
)
def test_a_handful_of_rows_has_its_own_days(counts, rows, low):
    """A load of one to six rows a day is told from its loss by what its days have held."""
    assert (judged(counts, rows).p_low < 0.01) is low


@settings(max_examples=60)
@given(st.lists(st.integers(10**6, 10**8), min_size=7, max_size=40), st.integers(10**5, 10**8))
def test_thousands_of_rows_are_judged_as_rows(counts, rows):
    """The unit of large counts does not matter: expectation, tail and deviation follow it."""
    one, thousand = judged(counts, rows), judged([1000 * c for c in counts], 1000 * rows)
    assert thousand.expected == pytest.approx(1000.0 * one.expected, rel=1e-9)
    assert thousand.p_low == pytest.approx(one.p_low, rel=1e-2)
    assert thousand.z == pytest.approx(one.z, rel=1e-2, abs=1e-3)


@given(st.lists(st.integers(1, 50), min_size=14, max_size=60))
def test_a_tail_and_a_deviation_point_the_same_way(counts):
    """An empty day lies below what is expected, ten times the largest above it."""
    empty, full = judged(counts, 0), judged(counts, 10 * max(counts))
    assert empty.z < 0.0 < full.z
    assert empty.p_low < 0.5 < full.p_low
    assert empty.noise == full.noise
