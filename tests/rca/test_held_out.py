"""A new model replaces the old one only where it is better on incidents it never saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.case import Case, parse_case
from rca.evidence import Cause
from rca.held_out import FEWEST, Labelled, answers_of, split, why_not
from rca.model_file import HeldOut

HEALTHY = Path(__file__).parent / "cases" / "healthy.json"
CASE: Case = parse_case(HEALTHY.read_text("utf-8"))[0]
GOOD = HeldOut(n=50, ece=0.05, brier=0.05, top1=0.9, log_loss=0.3)


def labelled(incident: str, hours: int, *right: Cause) -> Labelled:
    """A case some hours later than the first, with these causes."""
    moved = CASE.model_copy(update={"as_of": CASE.as_of + timedelta(hours=hours)})
    return Labelled(incident=incident, case=moved, right=frozenset(right), wrong=frozenset())


@pytest.mark.parametrize(
    ("after", "refused"),
    [
        ({"log_loss": 0.29}, None),
        ({"log_loss": 0.3}, "no better"),
        ({"log_loss": 0.2, "n": FEWEST - 1}, "are needed"),
        ({"log_loss": 0.2, "ece": 0.061}, "ECE"),
        ({"log_loss": 0.2, "ece": 0.06}, None),
        ({"log_loss": 0.2, "brier": 0.056}, "Brier"),
        ({"log_loss": 0.2, "top1": 0.89}, "right cause first"),
    ],
)
def test_what_keeps_a_model_out(after: dict[str, float], refused: str | None) -> None:
    """Explaining the answers better is not enough when confidences or the right cause suffer."""
    why = why_not(GOOD, GOOD.model_copy(update=after))
    assert (why is None) if refused is None else (why is not None and refused in why)


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
