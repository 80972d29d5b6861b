"""How far shares usually move: by the history's own windows, of which a storm is not one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.shift_reading import SMALL, SMALLEST_NOISE_BITS, read_shift, weight_of
from rca.stats.straying import FALSE_ALARMS
from rca.view.dimensions import DimensionView

START = datetime(2026, 3, 4, tzinfo=UTC)
USUAL = np.array([400.0, 300.0, 200.0, 50.0, 50.0])
NULLS = 2_000
STORM = np.array([40.0, 300.0, 20.0, 50.0, 5.0])


def view(history, current):
    return DimensionView(
        dimension="d",
        values=tuple(map(str, range(len(current)))),
        current=np.array(current, dtype=float),
        history=np.array(history, dtype=float),
        window_start=START,
        window_end=START + timedelta(days=1),
    )


def days(number, storms=(), moved=0.0):
    """Return *number* usual days, disturbed a little, the days at *storms* worse, every one moved to and fro."""
    draw = np.random.default_rng(3)
    rows = []
    for day in range(number):
        shares = STORM if day in storms else USUAL * (1.0 + moved * (-1) ** day * np.arange(-2, 3))
        rows.append(draw.poisson(shares))
    return rows


def fold_without_a_value(history):
    return read_shift(view(history, [400, 300, 200, 0, 50])).fold()


@pytest.mark.parametrize("storms", [(9,), (4, 20)])
def test_a_storm_is_nothing_usual(storms):
    """In four weeks one or two storms hide no value that vanished."""
    assert fold_without_a_value(days(28, storms)) > 1.3
    assert fold_without_a_value(days(28)) > fold_without_a_value(days(28, storms))


@pytest.mark.parametrize("storms", [(4, 12, 20), (2, 5, 9, 14, 18, 22)])
def test_what_comes_every_week_is_usual(storms):
    """Three of them are this dimension's habit."""
    assert fold_without_a_value(days(28, storms)) < 1.0


def test_on_a_short_history_the_worst_window_counts():
    """Of twelve windows nobody can tell a storm from a habit."""
    assert fold_without_a_value(days(12, (5,))) < 1.0


def test_a_dimension_that_always_moves_says_less():
    """The same lost value is worth less where all shares go to and fro."""
    assert fold_without_a_value(days(28, moved=0.15)) < fold_without_a_value(days(28)) / 2


@given(st.lists(st.integers(0, 2_000), min_size=5, max_size=5), st.integers(1, 30))
def test_any_window_has_a_fold(current, number):
    """Finite, and below 0 only where the windows are more alike than chance makes them."""
    shift = read_shift(view(days(number), current))
    assert np.isfinite(shift.fold())
    assert (shift.fold() > 0.0) is (shift.beyond > 0.0)


def test_a_closed_day_is_no_yardstick():
    """Saturdays with five rows have any shares; those of the full days decide what is usual."""
    closed = [[0.0, 4.0, 0.0, 1.0, 0.0], [2.0, 0.0, 0.0, 0.0, 3.0]] * 4
    with_closed = [*days(20), *closed, *days(3)]
    assert fold_without_a_value(with_closed) > 1.3
    assert fold_without_a_value(with_closed) == pytest.approx(
        fold_without_a_value([*days(20), *days(3)]), rel=0.05
    )


def test_where_every_other_day_was_closed_all_windows_count():
    """One full window is no history; then the small ones are better than nothing."""
    closed = [[0.0, 4.0, 0.0, 1.0, 0.0], [2.0, 0.0, 0.0, 0.0, 3.0]] * 4
    assert fold_without_a_value([*days(1), *closed]) < 1.0


def unrest(number, values, loss=0.0):
    """Return in which share of many draws the window after *number* others is told, all shares straying by a fifth.

    Its largest value is without *loss* of its rows.
    """
    draw = np.random.default_rng(8)
    alarms = 0
    for _ in range(NULLS):
        shares = np.exp(draw.normal(0.0, 0.2, (number + 1, values))) / np.arange(1, values + 1)
        shares[-1, 0] *= 1.0 - loss
        windows = draw.poisson(30_000 * shares / shares.sum(axis=1, keepdims=True))
        shift = read_shift(view(windows[:-1], windows[-1]))
        alarms += weight_of(shift.beyond, shift.fold()) > 0.0
    return alarms / NULLS


@pytest.mark.parametrize("number", [3, 4, 8, 28])
@pytest.mark.parametrize("values", [2, 3, 5, 20])
def test_few_windows_of_few_values_raise_no_more_false_alarms(number, values):
    """Six in a thousand, and what so few draws leave open, however short either list is."""
    assert unrest(number, values) <= FALSE_ALARMS + 0.008


@pytest.mark.parametrize(("number", "values"), [(28, 2), (28, 5), (8, 5), (8, 20)])
def test_what_is_gone_is_seen_among_few_values(number, values):
    """The nearest thing that must not be lost for it: all rows of the largest value."""
    assert unrest(number, values, loss=1.0) > 0.95


@given(
    beyond=st.floats(-0.1, 1.0),
    larger=st.floats(1.0, 10.0),
    fold=st.floats(0.01, 1e4),
    asked=st.booleans(),
)
def test_the_weight_grows_with_the_shift_and_without_a_jump(beyond, larger, fold, asked):
    """A larger shift never weighs less, nor does one that somebody asked about; the smallest told weighs nothing."""
    weight = weight_of(beyond, fold, asked=asked)
    assert weight_of(beyond * larger, fold, asked=asked) >= weight or beyond < 0.0
    assert weight_of(beyond, fold * larger, asked=asked) >= weight
    assert weight_of(beyond, fold, asked=True) >= weight
    assert weight_of(max(beyond, SMALL), fold) == weight_of(max(beyond, SMALL), fold, asked=True)
    at_first = SMALLEST_NOISE_BITS * (1.0 + 1e-9)
    assert (
        weight_of(at_first, at_first / SMALLEST_NOISE_BITS) < 0.0
    )  # as large a fold as there may be of it
