"""A new model replaces the old one only where it is better on incidents it never saw."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.case import Case, parse_case
from rca.causal import SHIPPED, Model
from rca.engine import diagnose
from rca.evidence import Cause
from rca.held_out import FEWEST, Comparison, Labelled, answers_of, compare, split, why_not
from rca.model_file import HeldOut

HEALTHY = Path(__file__).parent / "cases" / "healthy.json"
CASE: Case = parse_case(HEALTHY.read_text("utf-8"))[0]
GOOD = HeldOut(n=50, ece=0.05, brier=0.05, top1=0.9, log_loss=0.3)


def labelled(incident: str, hours: int, *right: Cause) -> Labelled:
    """A case some hours later than the first, with these causes."""
    moved = CASE.model_copy(update={"as_of": CASE.as_of + timedelta(hours=hours)})
    return Labelled(incident=incident, case=moved, right=frozenset(right), wrong=frozenset())


def comparison(incidents: int = 50, by_chance: float = 0.04, **after: float) -> Comparison:
    """A model in use that is good, and one that does as told."""
    return Comparison(
        before=GOOD,
        after=GOOD.model_copy(update=after),
        incidents=incidents,
        by_chance=by_chance,
    )


@pytest.mark.parametrize(
    ("found", "refused"),
    [
        (comparison(log_loss=0.29), None),
        (comparison(log_loss=0.3), "no better"),
        (comparison(log_loss=0.2, incidents=FEWEST), None),
        (comparison(log_loss=0.2, incidents=FEWEST - 1), "7 incidents were held out; 8 are needed"),
        (comparison(log_loss=0.2, ece=0.061), "ECE"),
        (comparison(log_loss=0.2, ece=0.06), None),
        (comparison(log_loss=0.2, brier=0.056), "Brier"),
        (comparison(log_loss=0.2, brier=0.055), None),
        (comparison(log_loss=0.2, top1=0.89), "right cause first"),
        (comparison(log_loss=0.2, by_chance=0.05), None),
        (comparison(log_loss=0.2, by_chance=0.051), "may be chance"),
    ],
)
def test_what_keeps_a_model_out(found: Comparison, refused: str | None) -> None:
    """Explaining the answers better is not enough when confidences or the right cause suffer, or when it is chance."""
    why = why_not(found)
    assert (why is None) if refused is None else (why is not None and refused in why)


def failing() -> list[Case]:
    """The sample's cases in which we name a cause."""
    with gzip.open(HEALTHY.parent / "sample.cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        every = [parse_case(line)[0] for line in lines]
    return [case for case in every if diagnose(case).top is not None]


MEEK = Model(sharpness=0.8)  # the same causes, said less surely


def test_two_models_are_compared_on_the_same_answers() -> None:
    """Somebody who always agrees is surprised less by the surer model, surely so; the other way round it is none."""
    agreed = [_agreeing(number, case) for number, case in enumerate(failing())]
    found = compare(agreed, MEEK, SHIPPED)
    assert found.before.n == found.after.n <= len(agreed)
    assert found.incidents == found.before.n
    assert found.after.log_loss < found.before.log_loss
    assert found.by_chance < 0.01
    back = compare(agreed, SHIPPED, MEEK)
    assert (back.before, back.after) == (found.after, found.before)
    assert back.by_chance > 0.5


def test_many_people_at_one_incident_are_one() -> None:
    """Ten people who agree about one incident prove no more than one of them."""
    case = failing()[0]
    found = compare([_agreeing(0, case)] * 10, MEEK, SHIPPED)
    assert (found.before.n, found.incidents) == (10, 1)
    assert found.by_chance == 0.5
    nobody = compare([], MEEK, SHIPPED)
    assert nobody.before == HeldOut(n=0, ece=None, brier=None, top1=None, log_loss=0.0)
    assert nobody.by_chance == compare([_agreeing(0, case)], MEEK, MEEK).by_chance == 1.0


def test_nobody_spoke_of_the_first_hypothesis() -> None:
    """Where one of the models puts a cause first that nobody judged, the case says nothing of either."""
    case = failing()[0]
    top = diagnose(case).top
    assert top is not None
    other = next(cause for cause in Cause if cause != top.cause_type)
    silent = Labelled(incident="i", case=case, right=frozenset(), wrong=frozenset({other}))
    assert compare([silent], MEEK, SHIPPED).incidents == 0


def _agreeing(number: int, case: Case) -> Labelled:
    top = diagnose(case).top
    assert top is not None
    right = frozenset({Cause(top.cause_type)})
    return Labelled(incident=str(number), case=case, right=right, wrong=frozenset())


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1_000)), min_size=1, max_size=60))
def test_an_incident_is_never_on_both_sides(rows: list[tuple[int, int]]) -> None:
    """Whole incidents are held out, the newest; every answer is on one side."""
    every = [labelled(str(incident), hours) for incident, hours in rows]
    learnt, kept = split(every)
    assert len(learnt) + len(kept) == len(every)
    assert not {one.incident for one in learnt} & {one.incident for one in kept}
    newest = {one.incident: 0.0 for one in every}
    for one in every:
        newest[one.incident] = max(newest[one.incident], one.case.as_of.timestamp())
    if learnt and kept:
        assert max(newest[one.incident] for one in learnt) <= min(
            newest[one.incident] for one in kept
        )


@pytest.mark.parametrize(
    ("right", "wrong", "hits"),
    [
        ({Cause.SCHEMA_DRIFT}, set(), {Cause.SCHEMA_DRIFT: True, Cause.INGESTION_FAILURE: False}),
        (set(), {Cause.SCHEMA_DRIFT}, {Cause.SCHEMA_DRIFT: False, Cause.INGESTION_FAILURE: None}),
        (set(), set(), {Cause.SCHEMA_DRIFT: None}),
    ],
)
def test_what_an_answer_says_of_other_causes(
    right: set[Cause], wrong: set[Cause], hits: dict[Cause, bool | None]
) -> None:
    """Naming the cause says that others were not it; saying that one was wrong says nothing of the rest."""
    one = replace(labelled("i", 0), right=frozenset(right), wrong=frozenset(wrong))
    assert {cause: one.hit(cause) for cause in hits} == hits


def test_a_cause_that_was_named_where_none_was_found() -> None:
    """A healthy case without any hypothesis still teaches, when somebody knows what it was."""
    (answer,) = answers_of(labelled("i", 0, Cause.UPSTREAM_DATA_SHIFT))
    assert (answer.cause, answer.right) == (Cause.UPSTREAM_DATA_SHIFT, True)
    assert list(answers_of(labelled("i", 0))) == []
