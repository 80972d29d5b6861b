"""Scores agree, to the last digit, with an independent scorer, and mean what they say at the edges."""

from __future__ import annotations

import dataclasses
import gzip
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.diagnosis import Diagnosis
from rca.evaluation import TruthError, calibration_error, evaluate, read_truths

CASES = Path(__file__).parent / "cases"
TRUTH = '{"case_id": "a", "causes": ["schema_drift"], "signal": ["column_removed"]}'


@pytest.fixture(scope="module")
def scored():
    truths = read_truths((CASES / "sample.truth.jsonl").read_text(encoding="utf-8").splitlines())
    with gzip.open(CASES / "sample.diagnoses.jsonl.gz", "rt", encoding="utf-8") as lines:
        diagnoses = [Diagnosis.model_validate_json(line) for line in lines]
    return truths, diagnoses


GOLDEN = json.loads((CASES / "sample.golden.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", [name for name, value in GOLDEN.items() if not isinstance(value, dict)]
)
def test_every_measure_agrees_with_the_independent_scorer(scored, name):
    """Right, wrong, missing and doubled diagnoses are counted alike."""
    truths, diagnoses = scored
    scores = evaluate(diagnoses, truths)
    ours = {**dataclasses.asdict(scores.summary), "unknown_cases": scores.unknown_cases}[name]
    assert ours == pytest.approx(GOLDEN[name], abs=5e-5)


@pytest.mark.parametrize("table", ["by_cause", "by_difficulty", "by_tag"])
def test_every_table_agrees_with_the_independent_scorer(scored, table):
    """The groups hold the same cases and the same shares."""
    truths, diagnoses = scored
    ours = getattr(evaluate(diagnoses, truths), table)
    assert {k: v.n for k, v in ours.items()} == {k: v["n"] for k, v in GOLDEN[table].items()}
    for group, value in GOLDEN[table].items():
        assert ours[group].top1 == pytest.approx(value["top1"], abs=5e-5)


def test_the_order_of_diagnoses_means_nothing(scored):
    """They are joined by case id."""
    truths, diagnoses = scored
    shuffled = random.Random(1).sample(diagnoses, len(diagnoses))  # noqa: S311 - a fixed shuffle
    assert evaluate(shuffled, truths) == evaluate(diagnoses, truths)


def test_no_cases_give_no_rates():
    """Nothing measured is None, not zero and not one."""
    summary = evaluate([], []).summary
    assert summary.n == 0
    assert summary.top1 is summary.ece is summary.holes_reported is None


def test_a_diagnosis_of_an_unknown_case_is_only_counted(scored):
    """It changes no measure."""
    truths, diagnoses = scored
    stranger = diagnoses[0].model_copy(update={"case_id": "stranger"})
    with_it = evaluate([*diagnoses, stranger], truths)
    assert with_it.unknown_cases == 1
    assert with_it.summary == evaluate(diagnoses, truths).summary


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["{"], ("line 1",)),
        (["", TRUTH.replace("schema_drift", "gremlins")], ("line 2", "causes[0]")),
        ([TRUTH, TRUTH], ("line 2", "second truth", "a")),
        (['{"causes": []}'], ("line 1", "case_id")),
    ],
)
def test_a_truth_that_cannot_be_used_is_refused_by_name(lines, words):
    """The text says which line and which field."""
    with pytest.raises(TruthError) as error:
        read_truths(lines)
    assert all(word in str(error.value) for word in words)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60))
def test_the_calibration_error_is_a_share(stated):
    """It lies in [0, 1]; None only for nothing; the order of the cases does not matter."""
    error = calibration_error(stated)
    assert (error is None) is (not stated)
    if error is not None:
        assert 0.0 <= error <= 1.0
        assert calibration_error(stated[::-1]) == pytest.approx(error)


@pytest.mark.parametrize(
    ("confidence", "hit", "error"), [(1.0, True, 0.0), (0.0, False, 0.0), (1.0, False, 1.0)]
)
def test_the_calibration_error_of_one_case(confidence, hit, error):
    """The distance between what was said and what was."""
    assert calibration_error([(confidence, hit)]) == pytest.approx(error)


def drift(dimension, *values):
    """A diagnosis whose second hypothesis says that *values* of *dimension* moved."""
    movers = [
        {"value": v, "baseline_share": 0.5, "current_share": 0.25, "delta": -0.25} for v in values
    ]
    with gzip.open(CASES / "sample.diagnoses.jsonl.gz", "rt", encoding="utf-8") as lines:
        made = next(d for line in lines if (d := json.loads(line))["hypotheses"])
    evidence = {"signal": "distribution_drift", "dimension": dimension, "jsd": 0.1}
    for hypothesis in made["hypotheses"]:
        hypothesis["signals"] = []
    made["hypotheses"][-1]["signals"] = [
        {
            "signal": "distribution_drift",
            "strength": 0.9,
            "evidence": evidence | {"top_movers": movers},
        }
    ]
    return Diagnosis.model_validate_json(json.dumps(made))


@pytest.mark.parametrize(
    ("truth", "found"),
    [
        ({"top_mover": {"dimension": "country", "value": "US"}, "diagnosable": False}, None),
        ({"segment": {"dimensions": ["country", "channel"], "values": ["US", "web"]}}, 1.0),
        ({"segment": {"dimensions": ["country", "channel"], "values": ["US", "pos"]}}, 0.0),
        ({"top_mover": {"dimension": "country", "value": "US"}}, 0.0),
        ({"top_mover": {"dimension": "country & channel", "value": None}}, None),
        ({}, None),
    ],
    ids=["not diagnosable", "named", "another", "a part of it", "no single value", "nothing moved"],
)
def test_a_place_counts_where_evidence_names_exactly_it(truth, found):
    """A combination is not found by one of its values, and what could not be seen is not asked for."""
    diagnosis = drift("country & channel", "CA & web", "US & web")
    facts = {"case_id": diagnosis.case_id, "causes": ["upstream_data_shift"]}
    summary = evaluate([diagnosis], read_truths([json.dumps(facts | truth)])).summary
    assert summary.places_found == found
    assert summary.places == (found is not None)
