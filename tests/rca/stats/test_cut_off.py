"""Counts of which only the largest were told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rca.stats.cut_off import ceilings, least_surprising


@st.composite
def cut_off(draw):
    """Windows of counts, each of which lists its largest values only."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 8)))
    counts = draw(hnp.arrays(np.float64, shape, elements=st.integers(0, 1000)))
    kept = draw(st.lists(st.integers(1, shape[1]), min_size=shape[0], max_size=shape[0]))
    rank = np.argsort(np.argsort(-counts, axis=1, kind="stable"), axis=1)
    listed = rank < np.array(kept)[:, np.newaxis]
    return counts, np.where(listed, counts, 0.0), listed


@given(cut_off())
def test_what_is_listed_stays_and_the_rest_lies_below_the_smallest_of_it(windows):
    """As the true counts do."""
    counts, told, listed = windows
    most = ceilings(told, listed)[:, np.newaxis]
    filled = least_surprising(told, listed)
    assert np.array_equal(filled[listed], told[listed])
    assert np.all(filled >= 0.0)
    assert np.all((filled <= most)[~listed])
    lists = (told > 0.0).any(axis=1)
    assert np.all((counts <= most)[lists[:, np.newaxis] & ~listed])


@given(cut_off())
def test_whole_windows_are_left_as_they_are(windows):
    """Without a cut there is nothing to guess."""
    counts, _, listed = windows
    everything = np.ones_like(listed)
    assert np.array_equal(least_surprising(counts, everything), counts)
    assert not ceilings(counts, everything).any()


@given(cut_off(), st.randoms(use_true_random=False))
def test_the_order_of_windows_and_values_does_not_matter(windows, random):
    """A permutation of either gives the same permutation of the answer."""
    _, told, listed = windows
    by_window, by_value = (random.sample(range(n), n) for n in told.shape)
    moved = least_surprising(told[by_window][:, by_value], listed[by_window][:, by_value])
    assert moved == pytest.approx(least_surprising(told, listed)[by_window][:, by_value])


@given(cut_off(), st.integers(2, 1000))
def test_more_rows_of_the_same_shares_give_the_same_shares(windows, factor):
    """Counting a thousandfold multiplies every answer."""
    _, told, listed = windows
    scaled = least_surprising(told * factor, listed)
    assert scaled == pytest.approx(least_surprising(told, listed) * factor)


def test_a_value_that_always_lies_below_the_edge_keeps_its_share():
    """Listed once with a tenth of the rows, it has a tenth where it is not listed, or the edge if that is less."""
    told = np.array([[80.0, 10.0, 10.0], [160.0, 40.0, 0.0], [97.0, 3.0, 0.0]])
    listed = np.array([[True, True, True], [True, True, False], [True, True, False]])
    assert least_surprising(told, listed)[:, 2].tolist() == [10.0, 20.0, 3.0]
