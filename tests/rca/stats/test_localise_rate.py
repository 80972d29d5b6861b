"""The search on rates and small counts: whole elements are weighed, chance and mix are not blamed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.stats.localise_cube import members, without_children
from rca.stats.localise_rate import localise_counts, localise_rate

SIZES = (4, 3, 5)
CODES = np.array(list(itertools.product(*map(range, SIZES))), dtype=np.intp)
BASE = 0.03


def trials(each=60.0, seed=3):
    """Trials per leaf, from a handful to hundreds."""
    return np.floor(1.0 + each * np.random.default_rng(seed).weibull(0.7, len(CODES)))


def rate_answer(*changes, each=60.0, seed=3, limit=2):
    """What is said when each ``(element, rate)`` of *changes* replaced the usual rate in today's trials."""
    rng = np.random.default_rng(seed)
    before, now = 4.0 * trials(each, seed), trials(each, seed + 1)
    rates = np.full(len(CODES), BASE)
    for element, rate in changes:
        rates[members(element, CODES)] = rate
    return localise_rate(
        CODES,
        SIZES,
        hits_before=rng.binomial(before.astype(int), BASE).astype(float),
        trials_before=before,
        hits=rng.binomial(now.astype(int), rates).astype(float),
        trials=now,
        limit=limit,
    )


def said(places):
    return {place.element for place in places}


@pytest.mark.parametrize(
    "truth",
    [
        [(((0, 2),), 0.2)],
        [(((0, 1), (2, 3)), 0.4)],
        [(((0, 1), (1, 0), (2, 3)), 0.9)],
        [(((2, 0),), 0.3), (((2, 4),), 0.25)],
    ],
    ids=["value", "pair", "leaf", "two values"],
)
def test_the_element_whose_rate_rose_is_found(truth):
    """Leaves of some dozen trials say nothing alone; their element does, and nothing else is named."""
    assert said(rate_answer(*truth)) == {element for element, _ in truth}


def test_a_rate_that_fell_is_found_too():
    """The direction is that of the whole."""
    usual = np.full(len(CODES), 0.5)
    now = usual.copy()
    now[CODES[:, 1] == 2] = 0.1
    each = np.full(len(CODES), 40.0)
    (place,) = localise_rate(
        CODES, SIZES, hits_before=40 * usual, trials_before=each, hits=40 * now, trials=each
    )
    assert place.element == ((1, 2),)
    assert place.observed == pytest.approx(40 * 0.1 * 20)
    assert place.expected == pytest.approx(40 * 0.5 * 20, rel=0.05)


@pytest.mark.parametrize("seed", range(8))
def test_chance_is_not_blamed(seed):
    """The nearest thing that must not fire: the same rate, drawn again."""
    assert rate_answer(seed=seed) == ()


def test_a_change_of_mix_is_not_blamed():
    """More trials where the rate was always worst raise the overall rate, and nothing is wrong anywhere."""
    usual = np.where(CODES[:, 0] == 3, 0.4, 0.02)
    before, now = np.full(len(CODES), 400.0), np.where(CODES[:, 0] == 3, 1_000.0, 100.0)
    places = localise_rate(
        CODES, SIZES, hits_before=usual * before, trials_before=before, hits=usual * now, trials=now
    )
    assert places == ()


def test_a_parent_is_named_when_all_of_its_parts_moved():
    """One part moved more than the others; naming only that part would leave half of the change unexplained."""
    base, each = np.full(len(CODES), 6.0), np.full(len(CODES), 300.0)
    hits = base.copy()
    hits[CODES[:, 1] == 1] = 45.0
    hits[(CODES[:, 1] == 1) & (CODES[:, 0] == 2)] = 90.0
    places = localise_rate(
        CODES, SIZES, hits_before=base, trials_before=each, hits=hits, trials=each
    )
    assert said(places) == {((1, 1),)}


@pytest.mark.parametrize(
    ("hits", "trials_now", "problem"),
    [
        ([2.0], [1.0], "between 0 and their trials"),
        ([-1.0], [1.0], "between 0 and their trials"),
        ([math.inf], [1.0], "finite"),
        ([1.0, 1.0], [1.0, 1.0], "one number per leaf"),
    ],
)
def test_rates_that_cannot_be_are_refused(hits, trials_now, problem):
    """More hits than trials is a mistake of the caller and not a rate of two."""
    ones = np.ones(1)
    with pytest.raises(ValueError, match=problem):
        localise_rate(
            np.zeros((1, 1), dtype=np.intp),
            (1,),
            hits_before=ones,
            trials_before=ones,
            hits=np.array(hits),
            trials=np.array(trials_now),
        )


@pytest.mark.parametrize("leaves", [0, 1])
def test_no_trials_give_nothing(leaves):
    """No leaves, and a leaf that nobody tried: empty is an answer."""
    none = np.zeros(leaves)
    codes = np.zeros((leaves, 1), dtype=np.intp)
    assert not localise_rate(
        codes, (1,), hits_before=none, trials_before=none, hits=none, trials=none
    )


def counts_answer(*changes, level=40.0, seed=5, **options):
    """What is said when each ``(element, factor)`` of *changes* was applied to today's small counts."""
    expected = 1.0 + level * np.random.default_rng(seed).weibull(0.8, len(CODES))
    today = expected.copy()
    for element, factor in changes:
        today[members(element, CODES)] *= factor
    observed = np.random.default_rng(seed + 1).poisson(today).astype(float)
    return localise_counts(CODES, SIZES, expected, observed, **options)


@pytest.mark.parametrize(
    "truth",
    [
        [(((0, 2),), 0.2)],
        [(((0, 1), (2, 3)), 3.0)],
        [(((0, 1),), 0.3), (((2, 3),), 2.0)],
    ],
    ids=["fell", "rose", "both"],
)
def test_counts_that_moved_are_found_in_both_directions(truth):
    """One segment fell and another rose: a swap has two names."""
    assert said(counts_answer(*truth)) == {element for element, _ in truth}


@pytest.mark.parametrize("seed", range(8))
def test_counts_that_only_chance_moved_are_not_blamed(seed):
    """The same expectation, drawn again."""
    assert counts_answer(seed=seed) == ()


def test_a_dataset_that_always_strays_is_believed_less():
    """The same fall is named where windows are steady, and not where they stray by half or oddities are a habit."""
    change = (((0, 2),), 0.6)
    assert said(counts_answer(change)) == {((0, 2),)}
    assert counts_answer(change, jitter=0.5) == ()
    assert counts_answer(change, habit=20.0) == ()


def test_counts_below_zero_are_refused():
    """A count is a number of rows."""
    column, codes = np.array([-1.0]), np.zeros((1, 1), dtype=np.intp)
    with pytest.raises(ValueError, match="below 0"):
        localise_counts(codes, (1,), np.ones(1), column)
    with pytest.raises(ValueError, match="below 0"):
        localise_counts(codes, (1,), column, np.ones(1))


rows = st.one_of(st.just(0.0), st.integers(0, 50).map(float), st.floats(0.0, 1e9))


@st.composite
def any_leaves(draw, columns):
    """Leaves with doubled combinations and empty values, and columns of counts."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    leaves = draw(st.integers(0, 20))
    codes = np.array(
        [[draw(st.integers(0, size - 1)) for size in sizes] for _ in range(leaves)], dtype=np.intp
    ).reshape(leaves, len(sizes))
    numbers = [
        np.array(draw(st.lists(rows, min_size=leaves, max_size=leaves)), dtype=float)
        for _ in range(columns)
    ]
    return codes, sizes, numbers


def _are_sound(places):
    return all(place.score > 0.0 and math.isfinite(place.moved) for place in places)


@settings(max_examples=80, deadline=None)
@given(any_leaves(4), st.integers(0, 4))
def test_any_rates_give_a_bounded_answer(leaves, limit):
    """Zeros, new leaves, doubled combinations: no exception, at most the limit, no child of another."""
    codes, sizes, (a, b, c, d) = leaves
    places = localise_rate(
        codes,
        sizes,
        hits_before=np.minimum(a, b),
        trials_before=np.maximum(a, b),
        hits=np.minimum(c, d),
        trials=np.maximum(c, d),
        limit=limit,
    )
    assert len(places) <= limit
    assert without_children(places) == places
    assert _are_sound(places)


@settings(max_examples=80, deadline=None)
@given(any_leaves(2), st.integers(0, 5), st.floats(0.0, 2.0), st.floats(1.0, 50.0))
def test_any_counts_give_a_bounded_answer(leaves, limit, jitter, habit):
    """The same for plain counts, however noisy the dataset is."""
    codes, sizes, (expected, observed) = leaves
    places = localise_counts(
        codes, sizes, expected, observed, jitter=jitter, habit=habit, limit=limit
    )
    assert len(places) <= limit
    assert without_children(places) == places
    assert _are_sound(places)


def test_a_tiny_change_beside_a_large_one_the_other_way_is_no_overflow():
    """A gain of 1e-310 rows is divided by nothing larger than itself."""
    codes = np.array([[0], [1]], dtype=np.intp)
    (place,) = localise_counts(codes, (2,), np.array([0.0, 1e9]), np.array([1e-310, 0.0]))
    assert place.element == ((0, 1),)
    ones = np.array([1e9, 1e9])
    rates = localise_rate(
        codes,
        (2,),
        hits_before=np.array([0.0, 1e-310]),
        trials_before=ones,
        hits=np.array([0.0, 1e-300]),
        trials=ones,
    )
    assert rates == ()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 500), st.integers(0, 500))
def test_neither_order_nor_names_matter_to_a_rate(seed, shuffle):
    """Rows in another order under other codes: the same elements under their new codes."""
    rng = np.random.default_rng(seed)
    before, now = trials(seed=seed), trials(seed=seed + 1)
    rate = np.where(CODES[:, 0] == seed % SIZES[0], 0.3, BASE)
    past = rng.binomial(before.astype(int), BASE).astype(float)
    hits = rng.binomial(now.astype(int), rate).astype(float)
    mixer = np.random.default_rng(shuffle)
    order = mixer.permutation(len(CODES))
    names = [mixer.permutation(size) for size in SIZES]
    renamed = np.stack([names[d][CODES[:, d]] for d in range(len(SIZES))], axis=1)[order]
    plain = localise_rate(
        CODES, SIZES, hits_before=past, trials_before=before, hits=hits, trials=now
    )
    mixed = localise_rate(
        renamed,
        SIZES,
        hits_before=past[order],
        trials_before=before[order],
        hits=hits[order],
        trials=now[order],
    )
    wanted = {tuple((d, int(names[d][v])) for d, v in element) for element in said(plain)}
    assert said(mixed) == wanted
