"""How far shares stray from window to window, and how far the next window may."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rca.stats.straying import FALSE_ALARMS, Strays, strays

WINDOWS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 8), st.integers(1, 6)),
    elements=st.integers(1, 2_000).map(float),
)
STEADY = hnp.arrays(np.float64, st.integers(2, 12), elements=st.floats(0.0, 0.5))
DRAWS = 10_000


@given(WINDOWS)
def test_any_windows_have_a_limit(windows):
    """It rises with what chance gives, from the half of it that is counted at least; no more values move than may."""
    own = strays(windows)
    assert 1.0 <= own.degrees <= max(1.0, windows.shape[1] - 1.0)
    assert len(own.beyond) == len(windows)
    assert np.all(np.diff(own.beyond) >= 0.0)
    assert 0.5 <= own.drawn <= 1.0
    assert own.limit(0.001) > -0.0005
    assert own.limit(0.01) + 0.01 >= own.limit(0.001) + 0.001


@given(WINDOWS, st.randoms(use_true_random=False))
def test_the_order_of_windows_and_values_does_not_matter(windows, random):
    """A permutation of either strays as far."""
    by_window, by_value = (random.sample(range(n), n) for n in windows.shape)
    own, moved = strays(windows), strays(windows[by_window][:, by_value])
    assert moved.beyond == pytest.approx(own.beyond, abs=1e-12)
    assert moved.largest() == pytest.approx(own.largest(), abs=1e-12)


@given(STEADY, st.floats(1.0, 50.0), st.floats(1e-4, 0.1))
def test_the_more_values_move_the_better_the_limit_is_known(beyond, degrees, chance):
    """A sum of many squares is near its mean, so that the same strays leave less room."""
    few = Strays(beyond=np.sort(beyond), degrees=degrees)
    many = Strays(beyond=np.sort(beyond), degrees=degrees * 2.0)
    assert many.limit(chance) <= few.limit(chance)


def test_planned_rows_stray_by_less_than_chance_gives():
    """The same counts every day leave half the room of counts that come as they like, and no less."""
    usual = np.array([400.0, 300.0, 200.0, 100.0])
    planned = strays(np.tile(usual, (20, 1)))
    drawn = strays(np.random.default_rng(5).poisson(usual, (20, 4)).astype(float))
    assert planned.drawn == 0.5
    assert drawn.drawn > 0.8
    assert planned.limit(0.002) < drawn.limit(0.002)


@pytest.mark.parametrize("windows", [3, 7, 12])
@pytest.mark.parametrize("degrees", [1, 2, 5, 20])
def test_as_many_healthy_windows_as_promised_lie_above_the_limit(degrees, windows):
    """Of sums of squares around one mean, however few they are and however uneven."""
    places = np.random.default_rng(11).normal(size=(DRAWS, windows + 1, degrees))
    before, now = places[:, :-1], places[:, -1]
    beside_others = (before - before.mean(axis=1, keepdims=True)) * windows / (windows - 1)
    beyond = np.sort((beside_others**2).sum(axis=2), axis=1)
    limits = [Strays(beyond=row, degrees=degrees).limit(0.0) for row in beyond]
    above = ((now - before.mean(axis=1)) ** 2).sum(axis=1) > limits
    assert float(above.mean()) == pytest.approx(FALSE_ALARMS, abs=0.002)


def test_two_values_have_one_share_between_them():
    """However many windows there are, one degree of freedom is all that they can show."""
    windows = np.random.default_rng(3).integers(100, 900, (20, 2)).astype(float)
    assert strays(windows).degrees == 1.0


@pytest.mark.parametrize(("unsteady", "low", "high"), [(1, 1.0, 3.0), (20, 8.0, 19.0)])
def test_only_values_that_move_are_degrees_of_freedom(unsteady, low, high):
    """One of twenty values that goes to and fro against all others is as few as two; all twenty are many."""
    draw = np.random.default_rng(4)
    windows = np.full((24, 20), 50_000.0)
    windows[:, :unsteady] *= np.exp(draw.normal(0.0, 0.3, (24, unsteady)))
    assert low <= strays(windows).degrees <= high


def test_a_single_window_strays_by_nothing():
    """It has no others, so that chance alone is the scale."""
    own = strays(np.array([[40.0, 30.0, 30.0]]))
    assert own.beyond.tolist() == [0.0]
    assert own.largest() == 0.0
    assert own.degrees == 2.0
