"""The front door of the search: the kind of leaves chooses it, and order, unit and names choose nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.stats.localise import MOST_SEGMENTS, localise
from rca.stats.localise_leaves import AdditiveLeaves, CountLeaves, RateLeaves, combined

COUNTRIES = ("US", "CA", "GB", "DE", "FR")
CHANNELS = ("web", "pos", "app", None)
PLANS = ("free", "plus", "team", "corp")
DIMENSIONS = {"country": COUNTRIES, "channel": CHANNELS, "plan": PLANS}
ROWS = tuple(itertools.product(*DIMENSIONS.values()))
FAULTS = (
    {},
    {"country": "GB"},
    {"channel": None},
    {"country": "US", "plan": "team"},
    {"country": "DE", "channel": "pos"},
)
KINDS = ("additive", "rate", "counts")


def inside(fault):
    """Which rows of the table lie in *fault*; none in an empty one."""
    wanted = [fault.get(name, ...) for name in DIMENSIONS]
    fits = [all(w in (..., v) for w, v in zip(wanted, row, strict=True)) for row in ROWS]
    return np.array(fits) & bool(fault)


def numbers(kind, fault, *, seed=0, noise=0.0):
    """The columns of one table: a fault takes most of a sum or of a count, and spoils most tries of a rate."""
    rng = np.random.default_rng(seed)
    level = np.round(rng.uniform(800.0, 1_600.0, len(ROWS)))
    stray = rng.normal(1.0, noise, (4, len(ROWS))) if noise else np.ones((4, len(ROWS)))
    hit = inside(fault)
    if kind == "rate":
        now = np.where(hit, 0.4, 0.05) * level
        return (now * stray[0], level, 0.2 * level * stray[1], 4.0 * level)
    if kind == "additive":
        return (level, np.where(hit, 0.3, 1.0) * level * stray[0])
    return (np.where(hit, 0.3, 1.0) * level * stray[0], *(level * each for each in stray[1:]))


def leaves(kind, columns, rows=ROWS, dimensions=tuple(DIMENSIONS)):
    """The table as leaves of its kind."""
    by_name = dict(zip(dimensions, zip(*rows, strict=True), strict=True))
    names, sums = combined(by_name, columns)
    match kind:
        case "additive":
            return AdditiveLeaves(names=names, expected=sums[0], observed=sums[1])
        case "rate":
            hits, trials, past_hits, past_trials = sums
            return RateLeaves(
                names=names,
                hits=hits,
                trials=trials,
                past_hits=past_hits,
                past_trials=past_trials,
            )
        case _:
            return CountLeaves(names=names, current=sums[0], baseline=np.stack(sums[1:]))


def named(places):
    """What is said, in words."""
    return [dict(place.elements) for place in places]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "+".join(fault) or "nothing")
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_answered_by_its_own_search_in_one_shape(kind, fault):
    """The fault alone is named with its own sums, most of the change is in it; and nothing is named without one."""
    columns = numbers(kind, fault, noise=0.01)
    places = localise(leaves(kind, columns))
    assert named(places) == ([fault] if fault else [])
    for place in places:
        now = {"additive": 1, "rate": 0, "counts": 0}[kind]
        assert place.observed == pytest.approx(columns[now][inside(fault)].sum())
        assert (place.observed > place.expected) is (kind == "rate")
        assert 0.75 < place.explained_share <= 1.0
        assert (place.trials is None) is (kind != "rate")
        if place.trials is not None:
            assert place.trials == pytest.approx(columns[1][inside(fault)].sum())


def test_the_same_numbers_are_another_question_when_they_are_another_measure():
    """All hits and all trials of one value fell by half: sums that fell, and a rate that stayed."""
    level = numbers("additive", {})[0]
    half = np.where(inside({"country": "GB"}), 0.5, 1.0)
    as_sums = localise(leaves("additive", (0.1 * level, 0.1 * level * half)))
    as_rate = localise(leaves("rate", (0.1 * level * half, level * half, 0.4 * level, 4.0 * level)))
    assert (named(as_sums), as_rate) == ([{"country": "GB"}], ())


cases = st.tuples(st.sampled_from(KINDS), st.sampled_from(FAULTS), st.integers(0, 10_000))


@settings(max_examples=60, deadline=None)
@given(cases, st.integers(0, 10_000))
def test_the_order_of_rows_and_of_doubled_rows_leaves_no_trace(case, shuffle):
    """Rows in another order, some of them cut in two: the very same numbers come back."""
    kind, fault, seed = case
    columns = np.stack(numbers(kind, fault, seed=seed, noise=0.05))
    rng = np.random.default_rng(shuffle)
    cut = rng.uniform(0.0, 1.0, len(ROWS)) < 0.2
    parts = np.concatenate((np.where(cut, columns / 2.0, columns), columns[:, cut] / 2.0), axis=1)
    rows = [*ROWS, *(row for row, doubled in zip(ROWS, cut, strict=True) if doubled)]
    order = rng.permutation(len(rows))
    mixed = leaves(kind, tuple(parts[:, order]), [rows[place] for place in order])
    assert localise(mixed) == localise(leaves(kind, tuple(columns)))


@settings(max_examples=60, deadline=None)
@given(cases, st.integers(0, 10_000))
def test_the_names_of_values_choose_nothing(case, shuffle):
    """Values under other names: the same places under those, as long as no two of them say exactly the same."""
    kind, fault, seed = case
    columns = numbers(kind, fault, seed=seed, noise=0.05)
    rng = np.random.default_rng(shuffle)
    new = [
        dict(zip(values, rng.permutation([f"v{n}" for n in range(len(values))]), strict=True))
        for values in DIMENSIONS.values()
    ]
    rows = [tuple(str(n[v]) for n, v in zip(new, row, strict=True)) for row in ROWS]
    index = {name: place for place, name in enumerate(DIMENSIONS)}
    wanted = [
        {name: new[index[name]][value] for name, value in place.items()}
        for place in named(localise(leaves(kind, columns)))
    ]
    assert named(localise(leaves(kind, columns, rows))) == wanted


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FAULTS), st.integers(0, 10_000), st.floats(1e-6, 1e9))
def test_the_unit_of_a_sum_chooses_nothing(fault, seed, factor):
    """Cents, euros or millions: an additive measure knows no smallest part."""
    columns = numbers("additive", fault, seed=seed, noise=0.05)
    scaled = tuple(column * factor for column in columns)
    assert named(localise(leaves("additive", scaled))) == named(
        localise(leaves("additive", columns))
    )


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["rate", "counts"]),
    st.sampled_from(FAULTS),
    st.integers(0, 10_000),
    st.floats(1.0, 1_000.0),
)
def test_more_rows_of_the_same_kind_say_the_same(kind, fault, seed, factor):
    """A row is evidence, so more rows say more; where nothing but the fault differs, they say no other thing."""
    columns = numbers(kind, fault, seed=seed)
    scaled = tuple(column * factor for column in columns)
    assert named(localise(leaves(kind, columns))) == ([fault] if fault else [])
    assert named(localise(leaves(kind, scaled))) == ([fault] if fault else [])


def test_fewer_rows_say_less():
    """The same shares in a thousandth of the rows are chance."""
    columns = numbers("rate", {"country": "DE", "channel": "pos"})
    assert localise(leaves("rate", tuple(column / 1_000.0 for column in columns))) == ()


cells = st.one_of(st.just(0.0), st.integers(0, 60).map(float), st.floats(0.0, 1e9))
values = st.sampled_from(["a", "b", "c", "", None])


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 7))
def test_any_table_gives_a_short_list_of_one_shape(data, kind, width, limit):
    """Empty and doubled rows, zeros, no dimension: at most five, nobody's child, finite, shares in [0, 1]."""
    rows = data.draw(st.lists(st.tuples(*[values] * width), max_size=20))
    columns = [
        np.array(data.draw(st.lists(cells, min_size=len(rows), max_size=len(rows))), dtype=float)
        for _ in range(4)
    ]
    if kind == "rate":
        a, b, c, d = columns
        columns = [np.minimum(a, b), np.maximum(a, b), np.minimum(c, d), np.maximum(c, d)]
    by_place = list(zip(*rows, strict=True)) or [()] * width
    names, sums = combined({str(n): column for n, column in enumerate(by_place)}, columns)
    asked = {
        "additive": AdditiveLeaves(names=names, expected=sums[0], observed=sums[1]),
        "rate": RateLeaves(
            names=names, hits=sums[0], trials=sums[1], past_hits=sums[2], past_trials=sums[3]
        ),
        "counts": CountLeaves(names=names, current=sums[0], baseline=np.stack(sums[1:])),
    }[kind]
    assert len(localise(asked)) <= MOST_SEGMENTS
    places = localise(asked, limit=limit)
    assert len(places) <= limit
    for place in places:
        assert place.elements
        assert np.isfinite((place.expected, place.observed)).all()
        assert 0.0 <= place.explained_share <= 1.0
        assert not any(other.elements.items() < place.elements.items() for other in places)


def test_combinations_come_once_in_order_with_their_sums():
    """Rows of one combination are added, none stands before all names, and the sizes are those of the values held."""
    names, (sums,) = combined(
        {"a": ("y", "x", None, "y"), "b": ("q", "q", "q", "q")}, [np.array([1.0, 2.0, 4.0, 8.0])]
    )
    assert names.values == ((None, "x", "y"), ("q",))
    assert names.sizes == (3, 1)
    assert names.codes.tolist() == [[0, 0], [1, 0], [2, 0]]
    assert sums.tolist() == [4.0, 2.0, 9.0]
    assert names.of(((0, 0), (1, 0))) == {"a": None, "b": "q"}


def test_more_combinations_than_an_integer_can_number_stay_apart():
    """Nine columns of two hundred values each are more combinations than 64 bits hold."""
    rng = np.random.default_rng(1)
    table = rng.permuted(np.tile(np.arange(200), (9, 1)), axis=1)
    columns = {str(n): [f"{value:03}" for value in row] for n, row in enumerate(table)}
    names, (ones,) = combined(columns, [np.ones(200)])
    assert ones.tolist() == [1.0] * 200
    assert {tuple(row) for row in names.codes.tolist()} == set(zip(*table.tolist(), strict=True))


@pytest.mark.parametrize("short", ["names", "numbers"])
def test_columns_of_different_length_are_refused(short):
    """A row without a number, or a number without a row, is a mistake of the caller."""
    column, sums = (["x"], np.ones(2)) if short == "names" else (["x", "y"], np.ones(1))
    with pytest.raises(ValueError, match="one entry per row"):
        combined({"a": column}, [sums])


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_that_cannot_be_are_refused(kind):
    """Infinite sums, more hits than trials, fewer rows than none."""
    columns = [column.copy() for column in numbers(kind, {})]
    columns[0][3] = {"additive": np.inf, "rate": 1e9, "counts": -1.0}[kind]
    with pytest.raises(ValueError, match=r"finite|between 0 and their trials|below 0"):
        localise(leaves(kind, columns))


@pytest.mark.parametrize(
    ("current", "past"),
    [([1e-313, 0.0], [1.0, 1.0]), ([1e9, 1.0], [1e-313, 0.0]), ([1e-313, 5.0], [5.0, 1e-313])],
)
def test_almost_nothing_is_no_overflow(current, past):
    """Parts of a row that no query returns are taken as nothing, and nobody divides by them."""
    names, sums = combined({"a": ["x", "y"]}, [np.array(current), np.array(past)])
    leaves_of_two = CountLeaves(names=names, current=sums[0], baseline=sums[1][np.newaxis])
    assert all(np.isfinite(place.expected) for place in localise(leaves_of_two))
