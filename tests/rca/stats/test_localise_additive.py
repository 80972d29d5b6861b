"""The search for where an additive measure changed: known answers, what it must not say and must not notice."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rca.stats.localise_additive import MOST_ELEMENTS, localise_additive
from rca.stats.localise_cube import MOST_CUBOIDS, Located, cuboids, members, without_children
from rca.stats.localise_noise import readings

SIZES = (6, 5, 8)


def cube(sizes=SIZES, noise=0.02, seed=7):
    """Every combination with its expected count, and what it really holds on a healthy day."""
    rng = np.random.default_rng(seed)
    codes = np.array(list(itertools.product(*map(range, sizes))), dtype=np.intp)
    expected = 50.0 + 1_000.0 * rng.weibull(0.8, len(codes))
    return codes, expected, expected * np.exp(rng.normal(0.0, noise, len(codes)))


def struck(codes, observed, *elements):
    """*observed* after each of the ``(element, ratio kept)`` pairs."""
    after = observed.copy()
    for element, kept in elements:
        after[members(element, codes)] *= kept
    return after


def said(places):
    return {place.element for place in places}


@pytest.mark.parametrize(
    "truth",
    [
        [(((0, 2),), 0.4)],
        [(((2, 0),), 0.0)],
        [(((0, 1), (2, 3)), 0.5)],
        [(((0, 1), (1, 1), (2, 1)), 0.1)],
        [(((0, 2),), 0.4), (((1, 0), (2, 5)), 0.7)],
        [(((0, 2), (1, 0)), 0.4), (((0, 4), (2, 5)), 0.2)],
        [(((1, 3),), 1.8)],
        [(((0, 0), (1, 3)), 2.5), (((2, 7),), 1.4)],
    ],
    ids=["value", "vanished", "pair", "leaf", "two layers", "two pairs", "rose", "two rose"],
)
def test_injected_elements_are_found_and_nothing_else(truth):
    """One value, a combination, a single leaf, two at once, losses and gains: the answer is exactly what was made."""
    codes, expected, healthy = cube()
    places = localise_additive(codes, SIZES, expected, struck(codes, healthy, *truth))
    assert said(places) == {element for element, _ in truth}


def test_nothing_is_said_when_only_noise_moved():
    """The nearest thing that must not fire: the same cube, every leaf off by its usual noise."""
    codes, expected, healthy = cube(noise=0.1)
    assert localise_additive(codes, SIZES, expected, healthy) == ()


def test_nothing_is_said_when_everything_moved_alike():
    """Half of every leaf is gone: no segment stands out, so no value is blamed for it."""
    codes, expected, healthy = cube()
    names = said(localise_additive(codes, SIZES, expected, healthy * 0.5))
    assert all(len(element) == 1 for element in names)
    assert names in (
        set(),
        {((d, v),) for d in (0, 1, 2) for v in range(SIZES[d]) if ((d, v),) in names},
    )


def test_what_moved_most_comes_first_with_its_numbers():
    """People read from the top; expected and observed are those of all leaves of the element."""
    codes, expected, healthy = cube()
    small, large = ((0, 2), (1, 0)), ((2, 5),)
    after = struck(codes, healthy, (small, 0.3), (large, 0.5))
    first, second = localise_additive(codes, SIZES, expected, after)
    assert (first.element, second.element) == (large, small)
    inside = members(large, codes)
    assert first.expected == pytest.approx(expected[inside].sum())
    assert first.observed == pytest.approx(after[inside].sum())
    assert first.moved > second.moved > 0.0


def test_two_children_of_one_parent_are_not_taken_for_the_parent():
    """Two of eight combinations moved: the parent holds all of it, and yet most of it is untouched."""
    codes, expected, healthy = cube()
    truth = [(((0, 2), (2, 1)), 0.3), (((0, 2), (2, 6)), 0.3)]
    places = localise_additive(codes, SIZES, expected, struck(codes, healthy, *truth))
    assert said(places) == {element for element, _ in truth}


def test_the_limit_is_kept():
    """A reader asks for one element and gets the one that moved most."""
    codes, expected, healthy = cube()
    after = struck(codes, healthy, (((0, 1),), 0.2), (((0, 4), (2, 5)), 0.2))
    assert said(localise_additive(codes, SIZES, expected, after, limit=1)) == {((0, 1),)}
    assert localise_additive(codes, SIZES, expected, after, limit=0) == ()


@pytest.mark.parametrize(
    ("codes", "sizes", "expected", "observed"),
    [
        (np.zeros((0, 2), dtype=np.intp), (3, 3), [], []),
        (np.zeros((2, 0), dtype=np.intp), (), [1.0, 2.0], [2.0, 1.0]),
        (np.zeros((1, 1), dtype=np.intp), (1,), [0.0], [0.0]),
        (np.zeros((2, 1), dtype=np.intp), (1,), [-5.0, 0.0], [0.0, -5.0]),
    ],
    ids=["no leaves", "no dimensions", "only zeros", "below zero"],
)
def test_nothing_to_look_at_gives_nothing(codes, sizes, expected, observed):
    """Empty is an answer and not an error."""
    assert localise_additive(codes, sizes, np.array(expected), np.array(observed)) == ()


def test_one_leaf_explains_itself():
    """A single combination that lost nine tenths is the only thing to name."""
    codes = np.zeros((1, 2), dtype=np.intp)
    (place,) = localise_additive(codes, (1, 1), np.array([100.0]), np.array([10.0]))
    assert place.element == ((0, 0),)


@pytest.mark.parametrize(
    ("codes", "sizes", "numbers", "problem"),
    [
        (np.zeros(3, dtype=np.intp), (3,), [1.0, 1.0, 1.0], "one row per leaf"),
        (np.zeros((3, 2), dtype=np.intp), (3,), [1.0, 1.0, 1.0], "one row per leaf"),
        (np.zeros((3, 1), dtype=np.intp), (3,), [1.0, 1.0], "one number per leaf"),
        (np.full((2, 1), 3, dtype=np.intp), (3,), [1.0, 1.0], "not below the size"),
        (np.full((2, 1), -1, dtype=np.intp), (3,), [1.0, 1.0], "not below the size"),
        (np.zeros((2, 1), dtype=np.intp), (3,), [1.0, math.nan], "finite"),
    ],
)
def test_leaves_that_contradict_themselves_are_refused(codes, sizes, numbers, problem):
    """The error says what is wrong with the table."""
    column = np.array(numbers)
    with pytest.raises(ValueError, match=problem):
        localise_additive(codes, sizes, column, column)


@st.composite
def changed_cubes(draw):
    """A cube with one or two elements that lost a share."""
    seed, noise = draw(st.integers(0, 10_000)), draw(st.sampled_from([0.005, 0.05, 0.15]))
    codes, expected, healthy = cube(noise=noise, seed=seed)
    count = draw(st.integers(0, 2))
    pairs = []
    for _ in range(count):
        dimensions = draw(st.sets(st.integers(0, 2), min_size=1, max_size=3))
        element = tuple((d, draw(st.integers(0, SIZES[d] - 1))) for d in sorted(dimensions))
        pairs.append((element, draw(st.sampled_from([0.0, 0.3, 0.6]))))
    return codes, expected, struck(codes, healthy, *pairs)


@settings(max_examples=40, deadline=None)
@given(changed_cubes(), st.integers(0, 1_000))
def test_the_order_of_rows_does_not_matter(question, seed):
    """A warehouse returns groups in any order."""
    codes, expected, observed = question
    order = np.random.default_rng(seed).permutation(len(codes))
    mixed = localise_additive(codes[order], SIZES, expected[order], observed[order])
    assert said(mixed) == said(localise_additive(codes, SIZES, expected, observed))


@settings(max_examples=40, deadline=None)
@given(changed_cubes(), st.integers(0, 1_000))
def test_the_names_of_values_do_not_matter(question, seed):
    """Codes are given by order of appearance, so another numbering gives the same answer under its own numbers."""
    codes, expected, observed = question
    rng = np.random.default_rng(seed)
    renamed = [rng.permutation(size) for size in SIZES]
    other = np.stack([renamed[d][codes[:, d]] for d in range(len(SIZES))], axis=1)
    wanted = {
        tuple((d, int(renamed[d][value])) for d, value in element)
        for element in said(localise_additive(codes, SIZES, expected, observed))
    }
    assert said(localise_additive(other, SIZES, expected, observed)) == wanted


@settings(max_examples=40, deadline=None)
@given(changed_cubes(), st.sampled_from([2.0**-40, 0.001, 7.0, 1e9]))
def test_the_unit_of_the_measure_does_not_matter(question, factor):
    """Rows, thousands of rows, cents or euros: the same segments."""
    codes, expected, observed = question
    scaled = localise_additive(codes, SIZES, expected * factor, observed * factor)
    assert said(scaled) == said(localise_additive(codes, SIZES, expected, observed))


@pytest.mark.parametrize("factor", [0.001, 1 / 3, 7.0, 1e9 + 1])
def test_the_unit_does_not_decide_between_a_loss_and_a_gain_alike(factor):
    """One value lost what another gained: they say the same, and the same one is told in every unit."""
    codes = np.array([(a, b) for a in range(6) for b in range(40)], dtype=np.intp)
    expected, observed = np.full(len(codes), 10.0), np.full(len(codes), 10.0)
    expected[codes[:, 0] == 1] = 30.0
    observed[codes[:, 0] == 4] = 30.0
    plain = localise_additive(codes, (6, 40), expected, observed)
    assert said(plain) == {((0, 1),)}
    assert said(localise_additive(codes, (6, 40), expected * factor, observed * factor)) == {
        ((0, 1),)
    }


def whole_cube(seed):
    """A cube of whole numbers, in which elements often speak equally clearly; up to three of them moved."""
    rng = np.random.default_rng(seed)
    sizes = tuple(int(size) for size in rng.integers(1, 7, rng.integers(1, 5)))
    codes = np.array(list(itertools.product(*map(range, sizes))), dtype=np.intp)
    expected = rng.integers(0, rng.choice([3, 20, 300]), len(codes)).astype(np.float64)
    stray = rng.integers(-2, 3, len(codes)) * rng.integers(0, 2)
    observed = np.maximum(0.0, expected + stray)
    for _ in range(rng.integers(0, 4)):
        chosen = rng.choice(len(sizes), rng.integers(1, len(sizes) + 1), replace=False)
        element = tuple((int(d), int(rng.integers(sizes[d]))) for d in sorted(chosen))
        observed[members(element, codes)] *= rng.choice([0.0, 0.1, 0.3, 0.5, 0.6, 0.9, 2.0])
    return codes, sizes, expected, observed


@settings(max_examples=200, deadline=None)
@example(83, 1.0)
@example(336, 7.0)
@example(466, 0.001)
@given(st.integers(0, 10**6), st.floats(0.001, 20.0))
def test_equal_evidence_is_chosen_by_its_name_and_not_by_rounding(seed, factor):
    """Ties are common among small whole numbers; neither another order nor another unit may turn them."""
    codes, sizes, expected, observed = whole_cube(seed)
    order = np.random.default_rng(seed).permutation(len(codes))
    other = localise_additive(
        codes[order], sizes, expected[order] * factor, observed[order] * factor
    )
    assert said(other) == said(localise_additive(codes, sizes, expected, observed))


def test_a_condition_that_sets_nothing_apart_is_not_named():
    """Two of six countries lost their rows; that all of them pay in one currency goes without saying."""
    codes = np.array([(0, country) for country in range(6)], dtype=np.intp)
    expected = np.array([131.0, 17.0, 276.0, 168.0, 22.0, 45.0])
    observed = np.where(np.isin(codes[:, 1], (1, 5)), 0.1, 1.0) * expected
    assert said(localise_additive(codes, (1, 6), expected, observed)) == {((1, 1),), ((1, 5),)}


numbers = st.one_of(st.just(0.0), st.floats(0.0, 1e12), st.floats(-5.0, 5.0))


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(0, 30))
def test_any_leaves_give_a_bounded_answer(data, dimensions, leaves):
    """Zeros, ties, doubled combinations, huge and tiny numbers: no exception, at most the limit, no children."""
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=dimensions, max_size=dimensions))
    codes = np.array(
        [[data.draw(st.integers(0, size - 1)) for size in sizes] for _ in range(leaves)],
        dtype=np.intp,
    ).reshape(leaves, dimensions)
    columns = [
        np.array(data.draw(st.lists(numbers, min_size=leaves, max_size=leaves)), dtype=float)
        for _ in range(2)
    ]
    places = localise_additive(codes, sizes, *columns)
    assert len(places) <= MOST_ELEMENTS
    assert without_children(places) == places
    assert len(said(places)) == len(places)
    assert all(place.score > 0.0 and math.isfinite(place.moved) for place in places)


def test_a_child_of_a_listed_parent_is_left_out():
    """The parent says it already; a sibling of the child stays."""
    places = [
        Located(element=element, score=5.0, expected=9.0, observed=1.0)
        for element in [((0, 1), (1, 2)), ((0, 1),), ((0, 2), (1, 2)), ((0, 1), (1, 2), (2, 0))]
    ]
    assert [p.element for p in without_children(places)] == [((0, 1),), ((0, 2), (1, 2))]


def test_a_cuboid_of_millions_of_empty_elements_stays_small():
    """Two identifiers with a million values each: memory follows the leaves, and leaves keep apart."""
    codes = np.array([[0, 999_999], [999_999, 0], [0, 999_999]], dtype=np.intp)
    pair = cuboids(codes, (1_000_000, 1_000_000))[-1]
    assert pair.size == 2
    assert pair.ids[0] == pair.ids[2] != pair.ids[1]


@pytest.mark.parametrize(
    ("dimensions", "deepest", "count"),
    [
        (1, None, 1),
        (3, None, 7),
        (3, 1, 3),
        (3, 2, 6),
        (7, None, 127),
        (8, None, 92),
        (200, None, 200),
    ],
)
def test_upper_layers_are_kept_when_there_are_too_many_cuboids(dimensions, deepest, count):
    """Whole layers only, and the first always; names cost more where there are more to choose from."""
    above = cuboids(np.zeros((5, dimensions), dtype=np.intp), [2] * dimensions, deepest)
    assert len(above) == count
    assert count <= max(MOST_CUBOIDS, dimensions)
    assert [len(c.dimensions) for c in above] == sorted(len(c.dimensions) for c in above)
    assert all(later.cost >= above[0].cost for later in above)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 0.05, 0.2]), st.sampled_from([20, 400]))
def test_a_larger_loss_never_speaks_less_for_a_fault(seed, noise, leaves):
    """Every leaf's best evidence rises with what it lost, whatever the noise."""
    rng = np.random.default_rng(seed)
    expected = np.full(2 * leaves, 100.0)
    observed = 100.0 * np.exp(rng.normal(0.0, noise, 2 * leaves))
    observed[:leaves] = np.linspace(100.0, 0.0, leaves)
    best = readings(expected, observed).best[:leaves]
    assert best[-1] > 0.0 > best[0]
    assert np.isfinite(best).all()
    assert (np.diff(best[int(leaves * 5 * noise) : int(leaves * 0.9)]) > -1.0).all()
