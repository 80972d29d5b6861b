"""Whether a combination moved or its values: the rest tells."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.stats.aside import Cube, change, combinations, whole

DIMENSIONS = ("country", "channel", "plan")
VALUES = (("DE", "FR", None), ("web", "pos", "app"), ("s", "m", "l"))


def cube(factors, *, width=2, rows=200, windows=8, seed=1):
    """Return a cube of equal cells with chance; *factors* maps some elements to what happens to them now."""
    keys = tuple(itertools.product(*VALUES[:width]))
    numbers = np.random.default_rng(seed)
    level = np.full(len(keys), float(rows))
    for elements, factor in factors:
        places = [(DIMENSIONS.index(name), value) for name, value in elements.items()]
        level[[all(key[p] == v for p, v in places) for key in keys]] *= factor
    before = numbers.poisson(rows, size=(windows, len(keys))).astype(float)
    now = numbers.poisson(level).astype(float)
    return Cube(dimensions=DIMENSIONS[:width], keys=keys, before=before, now=now)


CELL = {"country": "DE", "channel": "web"}
OTHER = {"country": "FR", "channel": "pos"}


@pytest.mark.parametrize("factor", [0.0, 0.3, 4.0])
def test_a_combination_that_moved_alone_is_found(factor):
    """It vanished, fell or swelled, and the rest of its values stayed."""
    assert combinations(cube([(CELL, factor)])) == (CELL,)


@pytest.mark.parametrize("factor", [0.0, 0.3, 4.0])
def test_a_value_that_moved_as_a_whole_is_no_combination(factor):
    """What is left of the value moved, too, or nothing is left of it to see."""
    assert combinations(cube([({"country": "DE"}, factor)])) == ()


def test_two_combinations_without_a_value_in_common_are_both_found():
    """Each is set aside while the rest of the other's values is looked at."""
    found = combinations(cube([(CELL, 0.0), (OTHER, 0.0)]))
    assert {tuple(e.values()) for e in found} == {("DE", "web"), ("FR", "pos")}


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"country": "DE", "channel": "web", "plan": "s"}, 3),
        ({"country": "DE", "channel": "web"}, 2),
    ],
)
def test_as_many_dimensions_are_named_as_it_takes(elements, expected):
    """A pair that moved in all plans is a pair; one that moved in a single plan is a combination of three."""
    assert combinations(cube([(elements, 5.0)], width=3)) == (elements,)
    assert len(elements) == expected


def test_a_combination_with_a_missing_value_is_found():
    """The rows without a country are a value as any other."""
    cell = {"country": None, "channel": "app"}
    assert combinations(cube([(cell, 5.0)])) == (cell,)


@given(st.integers(0, 200))
def test_chance_alone_moves_no_combination(seed):
    """Cells that are only drawn anew name nothing."""
    assert combinations(cube([], seed=seed)) == ()


@pytest.mark.parametrize(
    ("rows", "windows"),
    [(200, 1), (0, 8), (1, 8)],
)
def test_too_little_to_know_what_is_usual_names_nothing(rows, windows):
    """One window, no rows at all, or about one row in each cell."""
    assert combinations(cube([(CELL, 0.0)], rows=rows, windows=windows)) == ()


def test_parts_of_a_value_that_moved_alike_are_the_value():
    """Two children are named, and the third moved with them."""
    moved = cube([({"country": "DE"}, 4.0)])
    parts = [{"country": "DE", "channel": c} for c in ("web", "pos")]
    assert whole(moved, parts) == {"country": "DE"}


def test_all_parts_of_a_value_are_the_value():
    """Nothing is left of it, so one name says as much as three."""
    moved = cube([({"country": "DE"}, 0.0)])
    parts = [{"country": "DE", "channel": c} for c in ("web", "pos", "app")]
    assert whole(moved, parts) == {"country": "DE"}


def test_a_part_whose_value_stayed_is_no_mere_part():
    """The rest of both of its values is as usual."""
    assert whole(cube([(CELL, 4.0)]), [CELL]) is None


def test_where_everything_is_in_one_value_there_is_nothing_beside_it():
    """A value that holds all rows cannot have moved beside others."""
    keys = (("DE", "web"), ("DE", "pos"))
    one = Cube(
        dimensions=DIMENSIONS[:2],
        keys=keys,
        before=np.full((4, 2), 100.0),
        now=np.array([0.0, 100.0]),
    )
    assert whole(one, [{"country": "DE", "channel": "web"}]) is None


@given(st.floats(0.2, 5.0), st.permutations(range(9)))
def test_a_change_does_not_depend_on_the_level_or_the_order(scale, order):
    """Twice the rows everywhere is no change, and the order of the combinations means nothing."""
    made = cube([(CELL, 3.0)], rows=5_000)
    part = made.inside(CELL)
    first = change(made, part, ~part)
    shuffled = Cube(
        dimensions=made.dimensions,
        keys=tuple(made.keys[k] for k in order),
        before=made.before[:, order],
        now=np.round(made.now[order] * scale),
    )
    again = shuffled.inside(CELL)
    assert change(shuffled, again, ~again).ln == pytest.approx(first.ln, abs=0.01)
