"""The engine: pure, deterministic, honest about what it could not see, and never stopped by one detector."""

from __future__ import annotations

import dataclasses
import json
from types import MappingProxyType

import pytest

from rca.diagnosis import Band, Diagnosis
from rca.engine import diagnose
from rca.evidence import CAUSE_OF, Cause, SignalCode
from rca.registry import DETECTORS

STAGING, MODEL, TEST = "model.shop.stg_orders", "model.shop.orders", "test.shop.unique_orders_id.1"


def test_a_healthy_pipeline_has_no_hypothesis_and_no_blind_spot(pipeline):
    """Looked and found nothing: all thirteen looked."""
    diagnosis = diagnose(pipeline.case())
    assert diagnosis.hypotheses == ()
    assert diagnosis.blind_spots == ()
    assert set(diagnosis.checked) == set(SignalCode)
    assert (diagnosis.top_cause_type, diagnosis.top_confidence, diagnosis.band) == (
        None,
        0.0,
        Band.MANUAL,
    )


def test_an_empty_case_has_only_blind_spots(pipeline):
    """Could not look: nothing is checked, every detector says why."""
    for fact in list(pipeline.document):
        if fact not in ("format", "case_id", "as_of", "anomaly"):
            del pipeline.document[fact]
    diagnosis = diagnose(pipeline.case())
    assert diagnosis.hypotheses == ()
    assert diagnosis.checked == ()
    assert {spot.detector for spot in diagnosis.blind_spots} == {code.value for code in SignalCode}
    assert all(spot.reason for spot in diagnosis.blind_spots)


@pytest.mark.parametrize(
    ("fact", "cause"),
    [
        ("ingestion_jobs", Cause.INGESTION_FAILURE),
        ("column_snapshots", Cause.SCHEMA_DRIFT),
        ("dbt_runs", Cause.TRANSFORMATION_REGRESSION),
        ("dimension_profiles", Cause.UPSTREAM_DATA_SHIFT),
    ],
)
def test_each_missing_fact_blinds_its_detectors(pipeline, fact, cause):
    """Announced with its reason, or silent: the detectors concerned are blind, the others are not."""
    silent = diagnose(pipeline.without(fact).case())
    announced = diagnose(pipeline.hole(fact, "the API answered 502").case())
    own = {code.value for code in SignalCode if CAUSE_OF[code] is cause}
    assert {spot.detector for spot in silent.blind_spots} == own
    assert {spot.detector for spot in announced.blind_spots} == own
    assert all("no " in spot.reason and "known" in spot.reason for spot in silent.blind_spots)
    assert all("502" in spot.reason for spot in announced.blind_spots)


def test_a_fact_with_a_hole_counts_when_it_speaks_and_not_when_it_is_silent(pipeline):
    """A stale artifact may still show a failure, but its silence proves nothing."""
    pipeline.document["holes"] = [{"fact": "dbt_runs", "reason": "the artifact is old"}]
    diagnosis = diagnose(pipeline.node(MODEL, 1, status="error", message="boom").case())
    assert SignalCode.DBT_MODEL_FAILURE in diagnosis.checked
    blind = {spot.detector for spot in diagnosis.blind_spots}
    assert blind == {"pass_to_fail", "execution_time_regression"}


def test_an_empty_list_is_knowledge(pipeline):
    """Looked, found none: no blind spot for the syncs that can be judged without any."""
    pipeline.document["dbt_runs"] = []
    assert diagnose(pipeline.case()).blind_spots == ()


def test_facts_later_than_as_of_are_ignored(pipeline):
    """A diagnosis can be repeated as it was."""
    before = diagnose(pipeline.case())
    late = {
        "id": "later",
        "connector_id": "conn-1",
        "status": "failed",
        "started_at": "2026-03-05T01:00:00Z",
    }
    pipeline.document["ingestion_jobs"].append(late)
    pipeline.document["dbt_runs"].append(
        {
            "dbt_generated_at": "2026-03-05T01:00:00Z",
            "results": [{"unique_id": MODEL, "status": "error"}],
        }
    )
    pipeline.document["column_snapshots"].append(
        {"captured_at": "2026-03-05T01:00:00Z", "columns": []}
    )
    assert diagnose(pipeline.case()) == before


def test_same_in_same_out(pipeline):
    """No clock, no chance: two diagnoses of one case are equal to the byte, and the id names case and instant."""
    pipeline.failed(range(57, 60)).rows(0.3)
    first, second = diagnose(pipeline.case()), diagnose(pipeline.case())
    assert first.to_json() == second.to_json()
    pipeline.document["as_of"] = "2026-03-04T07:20:00Z"
    assert diagnose(pipeline.case()).signal_id != first.signal_id


def test_the_document_survives_json(pipeline):
    """What is stored is what was said, under the runbook's own keys."""
    pipeline.node(TEST, 1, status="fail").columns(1, lambda columns: columns[:1]).counts(
        "country", US=10
    )
    diagnosis = diagnose(pipeline.case())
    text = diagnosis.to_json()
    assert Diagnosis.model_validate_json(text) == diagnosis
    for hypothesis in json.loads(text)["hypotheses"]:
        assert hypothesis["evidence"]["signal"] == hypothesis["signals"][0]["signal"]


def test_what_belongs_to_the_runbook_stays_empty(pipeline):
    """First actions, escalations and guidance are not the engine's to give."""
    diagnosis = diagnose(pipeline.failed(range(57, 60)).case())
    assert diagnosis.guidance is None
    assert all(h.first_action is None and h.escalations == () for h in diagnosis.hypotheses)


def test_a_detector_that_crashes_is_a_blind_spot(pipeline):
    """It says that it failed, and the others are as they were."""

    def crash(_view):
        raise ZeroDivisionError

    broken = dict(DETECTORS)
    broken[SignalCode.PARTIAL_SYNC] = DETECTORS[SignalCode.PARTIAL_SYNC].__class__(
        code=SignalCode.PARTIAL_SYNC, reads=(), detect=crash
    )
    pipeline.failed(range(57, 60)).rows(0.3)
    diagnosis = diagnose(pipeline.case(), detectors=MappingProxyType(broken))
    assert [spot.detector for spot in diagnosis.blind_spots] == ["partial_sync"]
    assert "ZeroDivisionError" in diagnosis.blind_spots[0].reason
    assert diagnosis.top_cause_type is Cause.INGESTION_FAILURE


def test_a_hole_is_told_also_where_the_look_at_the_rest_crashes(pipeline):
    """The fact's own reason comes first, then that the detector failed."""

    def crash(_view):
        raise ZeroDivisionError

    drift = DETECTORS[SignalCode.DISTRIBUTION_DRIFT]
    broken = dict(DETECTORS) | {drift.code: dataclasses.replace(drift, glimpse=crash)}
    case = pipeline.failed(range(57, 60)).rows(0.3).without("dimension_profiles").case()
    diagnosis = diagnose(case, detectors=MappingProxyType(broken))
    reasons = {spot.detector: spot.reason for spot in diagnosis.blind_spots}
    assert reasons["distribution_drift"].startswith("no dimension profiles known; ")
    assert "ZeroDivisionError" in reasons["distribution_drift"]
    assert diagnosis.top_cause_type is Cause.INGESTION_FAILURE


BREAKS = {
    "sync_failure": lambda p: p.failed(range(57, 60)).rows(0.3),
    "missing_sync": lambda p: p.alert(anomaly_type="freshness_anomaly").drop_jobs(range(58, 60)),
    "column_removed": lambda p: p.alert(anomaly_type="schema_anomaly").columns(
        1, lambda c: c[:1] + c[2:]
    ),
    "dbt_model_failure": lambda p: p.node(MODEL, 1, status="error"),
    "distribution_drift": lambda p: p.alert(anomaly_type="distribution_anomaly").counts(
        "country", US=10
    ),
}


@pytest.mark.parametrize("signal", BREAKS)
def test_each_family_is_found(pipeline, signal):
    """One thing is broken, and it is named first with confidence above 0.85."""
    diagnosis = diagnose(BREAKS[signal](pipeline).case())
    assert diagnosis.top.cause_type is CAUSE_OF[SignalCode(signal)]
    assert diagnosis.top.evidence.signal == signal
    assert diagnosis.band is Band.ACT
    assert diagnosis.hypothesis_count == len(diagnosis.hypotheses)
