"""Small cubes whose answer is known, and what holds for every cube."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.case import SegmentProfile
from rca.stats.localise import segments
from rca.stats.localise_additive import localise_additive
from rca.stats.localise_rate import localise_rate

SIZES = (4, 5, 6)
CODES = np.array(list(product(*(range(size) for size in SIZES))), dtype=np.intp)
NOON = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def expected_rows() -> np.ndarray:
    """Rows that differ from leaf to leaf, always the same."""
    return np.random.default_rng(7).uniform(200.0, 900.0, len(CODES))


def noisy(rows: np.ndarray, seed: int = 11) -> np.ndarray:
    """The rows with a hundredth of noise."""
    return rows * np.random.default_rng(seed).normal(1.0, 0.01, len(rows))


def inside(*pairs: tuple[int, int]) -> np.ndarray:
    """Which leaves have every given value, as (dimension, code)."""
    return np.logical_and.reduce([CODES[:, dimension] == code for dimension, code in pairs])


@pytest.mark.parametrize(
    "pairs", [((0, 2),), ((1, 3),), ((0, 1), (2, 4))], ids=["one", "another", "a combination"]
)
def test_the_element_that_lost_its_rows_is_named(pairs: tuple[tuple[int, int], ...]) -> None:
    """Six tenths of one element's rows are gone: it alone is the answer."""
    expected = expected_rows()
    observed = np.where(inside(*pairs), 0.4, 1.0) * noisy(expected)
    found = localise_additive(CODES, SIZES, expected, observed)
    assert [dict(one.element) for one in found] == [dict(pairs)]


def test_nothing_is_named_when_nothing_moved() -> None:
    """Noise alone explains itself."""
    expected = expected_rows()
    assert localise_additive(CODES, SIZES, expected, noisy(expected)) == ()


def test_an_empty_cube_has_no_answer() -> None:
    """No leaf, no element."""
    nothing = np.zeros(0)
    assert localise_additive(np.zeros((0, 3), dtype=np.intp), SIZES, nothing, nothing) == ()


def test_a_rate_that_fell_in_one_value_is_named() -> None:
    """Half of one value's tries fail where nearly all succeeded: it is the answer, whatever the mix does."""
    trials = np.full(len(CODES), 40.0)
    hits = np.where(inside((2, 3)), 18.0, 39.0)
    found = localise_rate(
        CODES, SIZES, hits_before=trials * 0.975, trials_before=trials, hits=hits, trials=trials
    )
    assert [dict(one.element) for one in found] == [{2: 3}]


def test_a_mere_change_of_mix_explains_no_rate() -> None:
    """Three times the tries of one value at the same rate: nothing failed."""
    trials = np.full(len(CODES), 40.0)
    now = np.where(inside((0, 1)), 120.0, 40.0)
    found = localise_rate(
        CODES, SIZES, hits_before=trials * 0.975, trials_before=trials, hits=now * 0.975, trials=now
    )
    assert found == ()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.5, 20.0))
def test_order_and_scale_change_nothing(seed: int, factor: float) -> None:
    """The same leaves in another order, or all counts times a factor: the same elements."""
    expected = expected_rows()
    observed = np.where(inside((1, 2)), 0.3, 1.0) * noisy(expected)
    order = np.random.default_rng(seed).permutation(len(CODES))
    plain = localise_additive(CODES, SIZES, expected, observed)
    shuffled = localise_additive(
        CODES[order], SIZES, expected[order] * factor, observed[order] * factor
    )
    assert [one.element for one in plain] == [one.element for one in shuffled]


def profile(end: datetime, lost: bool, seed: int) -> SegmentProfile:  # noqa: FBT001 - a flag of the test alone
    """One day's counts by country and channel; *lost*: the web orders of the US are nearly gone."""
    noise = np.random.default_rng(seed)
    rows = []
    for country, channel in product(("US", "CA", "DE"), ("web", "pos", "app")):
        mean = 40.0 if lost and (country, channel) == ("US", "web") else 1000.0
        rows.append(((country, channel), int(noise.poisson(mean))))
    return SegmentProfile(
        dimensions=("country", "channel"), window_start=end - DAY, window_end=end, rows=tuple(rows)
    )


def test_segments_name_the_combination_in_words() -> None:
    """Fourteen steady days, then one without the US web orders: that segment, first and alone."""
    past = [profile(NOON - n * DAY, lost=False, seed=n) for n in range(1, 15)]
    ends = [one.window_end for one in past]
    found = segments([*past, profile(NOON, lost=True, seed=99)], current=NOON, baseline=ends)
    assert [dict(one.elements) for one in found] == [{"country": "US", "channel": "web"}]
    assert 0.5 < found[0].explained_share <= 1.0
    quiet = segments([*past, profile(NOON, lost=False, seed=99)], current=NOON, baseline=ends)
    assert quiet == ()
