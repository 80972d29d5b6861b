"""How right the shipped model is on cases with known truth; docs/accuracy.md holds the full measurement."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rca.case import parse_case
from rca.diagnosis import ACT_ABOVE
from rca.engine import diagnose
from rca.evaluation import evaluate, read_truths

CASES = Path(__file__).parent / "cases"


def scores_of(name):
    truths = read_truths((CASES / f"{name}.truth.jsonl").read_text(encoding="utf-8").splitlines())
    with gzip.open(CASES / f"{name}.cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        diagnoses = [diagnose(parse_case(line)[0]) for line in lines]
    return truths, diagnoses, evaluate(diagnoses, truths).summary


@pytest.mark.parametrize("name", ["examples", "sample"])
def test_it_holds_its_bars(name):
    """Right first, silent without a cause, no symptom first, never sure and wrong where the truth could be seen."""
    truths, diagnoses, summary = scores_of(name)
    assert summary.top1_diagnosable >= 0.95
    assert summary.signal_accuracy >= 0.93
    assert summary.negatives_quiet == 1.0
    assert summary.holes_reported in (None, 1.0)
    by_case = {d.case_id: d for d in diagnoses}
    for truth in truths:
        top = by_case[truth.case_id].top
        if truth.diagnosable and top is not None and top.confidence > ACT_ABOVE:
            assert top.cause_type in truth.causes, truth.case_id
