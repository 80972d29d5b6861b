"""Incidents about where a change of shares sits: valid cases, true truths, and a fair rule for what can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.strangers.blocks import Arrive, Move, Push, applied, drawn, joint
from benchmarks.strangers.command import main
from benchmarks.strangers.places import places
from benchmarks.strangers.upheavals import PLANS
from benchmarks.strangers.where import visible
from rca.case import parse_case
from rca.evaluation import Truth

NUMBER = 60


@pytest.fixture(scope="module")
def made():
    return list(places(5, NUMBER))


def test_every_case_keeps_to_the_contract(made):
    """Each document is a case without an unknown key, and its truth names the first of its places."""
    for case, told in made:
        parsed, unknown = parse_case(case)
        truth = Truth.model_validate(told)
        assert unknown == ()
        assert parsed.case_id == truth.case_id
        first = told["places"][0]
        if truth.segment is not None:
            assert [list(truth.segment.dimensions), list(truth.segment.values)] == [
                first["dimensions"],
                first["values"],
            ]
        else:
            assert [truth.top_mover.dimension] == first["dimensions"]
            assert [truth.top_mover.value] == first["values"]


def test_every_profile_tells_of_the_same_rows(made):
    """In a window all profiles that are not cut off add up to the rows of the volume history."""
    for case, _ in made:
        rows = {w["window_start"]: w["rows"] for w in case["volume_history"]}
        for p in case["dimension_profiles"]:
            total = sum(p["counts"].values())
            assert total <= rows[p["window_start"]]
            assert p["truncated"] or total == rows[p["window_start"]]
        for p in case["segment_profiles"]:
            assert sum(n for _, n in p["rows"]) == rows[p["window_start"]]


def test_the_same_seed_gives_the_same_incidents(made):
    """The first incidents of a seed do not depend on how many are asked for; another seed has others."""
    assert list(places(5, 4)) == made[:4]
    assert list(places(6, 4)) != made[:4]


def test_every_kind_is_drawn():
    """A few hundred incidents hold every kind of change."""
    kinds = {truth["tags"][0].removeprefix("kind:") for _, truth in places(9, 120)}
    assert kinds == set(PLANS)


def test_a_combination_is_only_true_where_one_is_counted(made):
    """A truth with a combination stands beside a segment profile that has its dimensions."""
    for case, truth in made:
        if "segment" in truth:
            assert set(truth["segment"]["dimensions"]) <= set(
                case["segment_profiles"][-1]["dimensions"]
            )


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        (Push(cell=(0, None), factor=0.0), 0.5),
        (Push(cell=(0, 1), factor=3.0), 1.5),
        (Move(axis=1, source=0, target=1, part=0.4), 1.0),
        (Arrive(axis=0, target=1, share=0.25), 1.25),
    ],
)
def test_a_change_keeps_or_changes_the_rows_as_it_says(change, rows):
    """Of four equal cells: what vanishes is gone, what is moved stays, what arrives comes on top."""
    assert applied(np.full((2, 2), 0.25), [change]).sum() == pytest.approx(rows)


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=6), st.floats(0.0, 1.0))
def test_usual_cells_are_shares(weights, dependence):
    """However the axes depend on each other, the cells sum to one and the first axis keeps its shares."""
    shares = [w / sum(weights) for w in weights]
    cells = joint(np.random.default_rng(1), [shares, shares], dependence)
    assert cells.sum() == pytest.approx(1.0)
    assert cells.sum(axis=1) == pytest.approx(shares)


@given(st.integers(0, 10_000))
def test_no_row_is_lost(rows):
    """As many rows fall over the cells as there are."""
    assert drawn(np.random.default_rng(2), np.array([[0.1, 0.2], [0.3, 0.4]]), rows).sum() == rows


def _case(*now_and_before: int, truncated: bool = False, windows: int = 8):
    """Return a case in which value A has so many of 1000 rows now, and so many before."""
    now, before = now_and_before
    counts = [before] * windows + [now]
    profiles = [
        {
            "dimension": "d",
            "window_start": f"2026-01-{day + 1:02d}T00:00:00+00:00",
            "counts": {k: n for k, n in (("A", a), ("B", 1000 - a)) if n},
            "truncated": truncated,
        }
        for day, a in enumerate(counts)
    ]
    return {"dimension_profiles": profiles, "segment_profiles": []}


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        (_case(0, 200), True),
        (_case(200, 200), False),
        (_case(215, 200), False),  # about one standard deviation of 1,000 rows
        (_case(300, 200), True),
        (_case(6, 0), False),  # fewer than one in a hundred
        (_case(40, 0), True),
        (_case(0, 200, windows=2), False),  # nobody knows yet what is usual
    ],
)
def test_what_stands_out_of_its_history_is_visible(case, seen):
    """A change is visible when it is large and beyond chance, in a history long enough to know."""
    assert visible(case, {"dimensions": ["d"], "values": ["A"]}) is seen


def test_a_combination_nobody_counts_is_not_visible():
    """Without a segment profile no expert could name the combination."""
    assert not visible(_case(0, 200), {"dimensions": ["d", "e"], "values": ["A", "x"]})


def test_the_report_counts_what_is_not_visible_apart(capsys):
    """The command prints one row for all, and one for each kind."""
    assert main(["--places", "--seed", "3", "--number", "12", "--errors", "3"]) == 0
    told = capsys.readouterr().out
    assert "not visible" in told
    assert "| all | 12 |" in told
    assert "| kind:" in told
