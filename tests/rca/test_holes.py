"""A fact that could not be read never makes anybody surer than the same fact without anything to tell."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from rca.case import FactKind, parse_case
from rca.engine import diagnose, readings
from rca.evidence import Cause, SignalCode

CASES = Path(__file__).parent / "cases"
ROUNDING = 5e-4  # confidences are told with four decimals


@pytest.fixture(scope="module")
def documents():
    found = []
    for name in ("examples", "sample"):
        with gzip.open(CASES / f"{name}.cases.jsonl.gz", "rt", encoding="utf-8") as lines:
            found += [json.loads(line) for line in lines]
    return found


def without(document, *facts):
    holes = [{"fact": fact.value, "reason": "the source did not answer"} for fact in facts]
    kept = {k: v for k, v in document.items() if k not in {fact.value for fact in facts}}
    return parse_case(kept | {"holes": [*(document.get("holes") or []), *holes]})[0]


def confidences(case):
    return {h.cause_type: h.confidence for h in diagnose(case).hypotheses}


def by_code(case):
    return {signal.code: signal for signal in readings(case)[0]}


@pytest.mark.parametrize("fact", list(FactKind))
def test_a_hole_raises_no_confidence(documents, fact):
    """Unless the lost fact itself spoke for another cause, or nobody knows any more what a failed model feeds."""
    for document in documents:
        full = parse_case(document)[0]
        if getattr(full, fact.value) is None:
            continue
        cut = without(document, fact)
        before, after = by_code(full), by_code(cut)
        spoke_for = {
            s.cause
            for code, s in before.items()
            if code not in after or after[code].strength < s.strength
        }
        if fact is FactKind.LINEAGE and SignalCode.DBT_MODEL_FAILURE in after.keys() - before:
            continue
        surer = confidences(full)
        for cause, confidence in confidences(cut).items():
            if not spoke_for - {cause}:
                assert confidence <= surer.get(cause, 0.0) + ROUNDING, (full.case_id, cause)


@pytest.mark.parametrize(
    "empty", [FactKind.INGESTION_JOBS, FactKind.DBT_RUNS, FactKind.DIMENSION_PROFILES]
)
def test_not_knowing_is_no_better_than_knowing_of_nothing(documents, empty):
    """A hole gives at most the confidence of a list that was read and is empty."""
    for document in documents:
        nothing = confidences(parse_case(document | {empty.value: []})[0])
        for cause, confidence in confidences(without(document, empty)).items():
            assert confidence <= nothing.get(cause, 0.0) + ROUNDING, (document["case_id"], cause)


def test_two_holes_are_no_better_than_one(documents):
    """Whatever else is dark, a further hole adds nothing to what the rest says."""
    facts = (FactKind.COLUMN_SNAPSHOTS, FactKind.DIMENSION_PROFILES)
    for document in documents:
        one = without(document, facts[1])
        if any(signal.cause is Cause.SCHEMA_DRIFT for signal in by_code(one).values()):
            continue
        surer = confidences(one)
        for cause, confidence in confidences(without(document, *facts)).items():
            assert confidence <= surer.get(cause, 0.0) + ROUNDING, document["case_id"]


def test_half_a_fact_makes_nobody_surer(pipeline):
    """The profiles are hidden, the combinations tell of a shift: the failed sync is no surer than if only they came."""
    pipeline.failed(range(58, 60), error_message="401 unauthorized")
    ends = [window["window_end"] for window in pipeline.document["volume_history"][-9:]]
    pipeline.document["segment_profiles"] = [
        {
            "dimensions": ["country", "channel"],
            "window_start": window["window_start"],
            "window_end": window["window_end"],
            "rows": [[["US", "web"], 20 if window["window_end"] == ends[-1] else 300 + k % 3],
                     [["US", "pos"], 200 + k % 2], [["CA", "web"], 400], [["CA", "pos"], 100]],
        }
        for k, window in enumerate(pipeline.document["volume_history"][-9:])
    ]  # fmt: skip
    alone = pipeline.document | {"dimension_profiles": []}
    told = diagnose(parse_case(alone)[0])
    assert "distribution_drift" in {h.evidence.signal for h in told.hypotheses}
    blind = diagnose(without(pipeline.document, FactKind.DIMENSION_PROFILES))
    assert "distribution_drift" not in {h.evidence.signal for h in blind.hypotheses}
    sure, surer = ({h.cause_type: h.confidence for h in d.hypotheses} for d in (blind, told))
    assert sure[Cause.INGESTION_FAILURE] <= surer[Cause.INGESTION_FAILURE] + ROUNDING
    pipeline.document.pop("segment_profiles")
    unsuspecting = confidences(without(pipeline.document, FactKind.DIMENSION_PROFILES))
    assert sure[Cause.INGESTION_FAILURE] < unsuspecting[Cause.INGESTION_FAILURE]
