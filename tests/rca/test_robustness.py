"""Any valid case gets a diagnosis: whatever is missing, doubled, out of order, shifted or odd."""

from __future__ import annotations

import copy
import gzip
import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rca.case import (
    Anomaly,
    Case,
    CaseError,
    Column,
    ColumnSnapshot,
    Dataset,
    DbtResult,
    DbtRun,
    DimensionProfile,
    Hole,
    IngestionJob,
    Lineage,
    Metric,
    VolumeWindow,
    parse_case,
)
from rca.diagnosis import Diagnosis
from rca.engine import diagnose
from rca.evidence import SignalCode

CASES = Path(__file__).parent / "cases"
FACTS = (
    "ingestion_jobs", "column_snapshots", "dbt_runs", "lineage", "dq_results", "volume_history",
    "dimension_profiles", "segment_profiles", "peer_errors", "dataset",
)  # fmt: skip


def documents():
    with gzip.open(CASES / "sample.cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines][::4]


@pytest.fixture(scope="module")
def samples():
    return documents()


def well_formed(diagnosis: Diagnosis) -> Diagnosis:
    """Every diagnosis keeps the contract: ranks, bands, and each detector either looked or said why not."""
    assert not any("the detector failed" in spot.reason for spot in diagnosis.blind_spots)
    looked = {code.value for code in diagnosis.checked}
    blind = {spot.detector for spot in diagnosis.blind_spots}
    assert looked | blind == {code.value for code in SignalCode}
    assert not looked & blind
    assert [h.rank for h in diagnosis.hypotheses] == list(range(1, diagnosis.hypothesis_count + 1))
    assert Diagnosis.model_validate_json(diagnosis.to_json()) == diagnosis
    return diagnosis


def with_times(value, change):
    """Change every time of a document."""
    if isinstance(value, dict):
        return {k: with_times(v, change) if k != "counts" else v for k, v in value.items()}
    if isinstance(value, list):
        return [with_times(v, change) for v in value]
    if isinstance(value, str) and len(value) > 18 and value[4:5] == "-" and value[10:11] == "T":
        return change(datetime.fromisoformat(value)).isoformat()
    return value


def shifted(value, by):
    """Move every time of a document."""
    return with_times(value, lambda time: time + by)


@pytest.mark.parametrize("fact", FACTS)
def test_any_fact_may_be_missing_or_empty(samples, fact):
    """Deleted, null and empty are all answered."""
    for document in samples:
        cut = {k: v for k, v in document.items() if k != fact}
        assert well_formed(diagnose(parse_case(cut)[0])).case_id == document["case_id"]
        if fact not in ("lineage", "dataset"):
            emptied = well_formed(diagnose(parse_case(document | {fact: []})[0]))
            assert emptied.case_id == document["case_id"]


def test_doubled_and_shuffled_facts_change_nothing(samples):
    """Order and repetition carry no meaning."""
    for document in samples:
        mixed = copy.deepcopy(document)
        for fact in (
            "ingestion_jobs",
            "column_snapshots",
            "dbt_runs",
            "volume_history",
            "dimension_profiles",
        ):
            if mixed.get(fact):
                mixed[fact] = mixed[fact] + mixed[fact][:3]
                random.Random(5).shuffle(mixed[fact])  # noqa: S311 - a fixed shuffle
        usual, other = (
            diagnose(parse_case(document)[0]),
            well_formed(diagnose(parse_case(mixed)[0])),
        )
        assert other.top_cause_type == usual.top_cause_type


@pytest.mark.parametrize("weeks", [1, 52])
def test_another_week_is_the_same_incident(samples, weeks):
    """Moving everything by whole weeks changes no cause and hardly a confidence."""
    for document in samples:
        usual = diagnose(parse_case(document)[0])
        later = well_formed(diagnose(parse_case(shifted(document, timedelta(weeks=weeks)))[0]))
        assert later.top_cause_type == usual.top_cause_type
        assert later.top_confidence == pytest.approx(usual.top_confidence, abs=1e-6)


@pytest.mark.parametrize("hours", [-10, 0, 5.5])
def test_another_offset_is_the_same_instant(samples, hours):
    """How a sender writes a time changes no word of the answer; only its id is made of what was written."""
    zone = timezone(timedelta(hours=hours))
    for document in samples:
        usual = diagnose(parse_case(document)[0])
        other = diagnose(parse_case(with_times(document, lambda t: t.astimezone(zone)))[0])
        assert other.model_copy(update={"signal_id": usual.signal_id}) == usual


@pytest.mark.parametrize("hours", [-400, -30, -5, 5, 400])
def test_an_alert_at_another_time_is_answered(samples, hours):
    """The facts may all lie after the alert, or long before it."""
    for document in samples:
        moved = copy.deepcopy(document)
        for place, key in ((moved["anomaly"], "detected_at"), (moved, "as_of")):
            place[key] = shifted(place[key], timedelta(hours=hours))
        assert well_formed(diagnose(parse_case(moved)[0])).case_id == document["case_id"]


def test_names_mean_nothing(samples):
    """Other tenants, ids and words of errors give the same causes."""
    for document in samples:
        text = json.dumps(document)
        for name, other in (
            ("shop.", "warenhaus."),
            ("acme", "zeta"),
            ("US", "X1"),
        ):
            text = text.replace(name, other)
        usual, renamed = (
            diagnose(parse_case(document)[0]),
            well_formed(diagnose(parse_case(text)[0])),
        )
        assert renamed.top_cause_type == usual.top_cause_type


# within a month of each other, or at the ends of the calendar, from where no span can be counted on
MOMENT = st.datetimes(datetime(2026, 1, 1), datetime(2026, 2, 1)).map(lambda t: t.isoformat() + "Z")  # noqa: DTZ001 - made aware by the Z
MOMENT |= st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
    ]
)
NAME = st.sampled_from(
    ["a", "b", "c", "model.p.a", "model.p.b", "source.p.s.t", "test.p.x_a.1", "Ünï\u202e 💥", "0"]
)
COUNT = st.integers(0, 10**12) | st.just(2**63 - 1)
SECONDS = st.floats(0, 1e9) | st.sampled_from([5e-324, 1e308])


def maybe(strategy):
    return st.none() | strategy


def document_of(model, **fields):
    return st.fixed_dictionaries(fields).map(model.model_validate)


COLUMN = document_of(
    Column, name=NAME, type=maybe(st.sampled_from(["text", "TEXT", "int", "numeric(3,1)", "?", ""]))
)
JOB = document_of(
    IngestionJob, id=NAME, connector_id=maybe(NAME), started_at=MOMENT, finished_at=maybe(MOMENT),
    rows_synced=maybe(COUNT),
    status=st.sampled_from(["succeeded", "failed", "incomplete", "cancelled", "running", "pending"]),
    error_code=maybe(st.sampled_from(["auth_error", "other"])), error_message=maybe(NAME),
)  # fmt: skip
RESULT = document_of(
    DbtResult, unique_id=NAME, resource_type=maybe(st.sampled_from(["model", "test", "seed"])), checksum=maybe(NAME),
    status=st.sampled_from(["success", "error", "skipped", "pass", "fail", "warn", "no-op", "partial success", "??"]),
    message=maybe(NAME), execution_time_s=maybe(SECONDS), rows_affected=maybe(st.integers(-1, 10**9)),
)  # fmt: skip
RUN = document_of(
    DbtRun, dbt_generated_at=MOMENT, git_sha=maybe(NAME), results=st.lists(RESULT, max_size=6)
)
PROFILE = document_of(
    DimensionProfile, dimension=NAME, window_start=MOMENT, window_end=MOMENT, truncated=st.booleans(),
    counts=st.dictionaries(NAME, COUNT, max_size=6),
)  # fmt: skip
KIND = st.sampled_from(
    [
        "volume_anomaly",
        "freshness_anomaly",
        "schema_anomaly",
        "distribution_anomaly",
        "quality_check_failure",
        "other",
    ]
)
NUMBER = maybe(st.floats(-1e9, 1e9))
SNAPSHOT = document_of(ColumnSnapshot, captured_at=MOMENT, columns=st.lists(COLUMN, max_size=4))
WINDOW = document_of(VolumeWindow, window_start=MOMENT, window_end=MOMENT, rows=COUNT)
CASE = document_of(
    Case, case_id=NAME, as_of=MOMENT,
    anomaly=document_of(
        Anomaly, tenant_id=NAME, dataset=NAME, detected_at=MOMENT, column=maybe(NAME), check_id=maybe(NAME),
        anomaly_type=KIND,
        metric=maybe(document_of(Metric, observed=NUMBER, expected=NUMBER)),
    ),
    dataset=maybe(document_of(
        Dataset, name=NAME, connector_id=maybe(NAME), dbt_node=maybe(NAME), expected_sync_interval_s=maybe(SECONDS),
        sync_grace_s=maybe(SECONDS),
    )),
    ingestion_jobs=maybe(st.lists(JOB, max_size=12)),
    column_snapshots=maybe(st.lists(SNAPSHOT, max_size=5)),
    dbt_runs=maybe(st.lists(RUN, max_size=6)),
    lineage=maybe(document_of(
        Lineage, parents=st.dictionaries(NAME, st.lists(NAME, max_size=3), max_size=5),
        columns_used=maybe(st.dictionaries(NAME, st.lists(NAME, max_size=3), max_size=3)),
    )),
    volume_history=maybe(st.lists(WINDOW, max_size=10)),
    dimension_profiles=maybe(st.lists(PROFILE, max_size=12)),
    holes=st.lists(document_of(Hole, fact=st.sampled_from([*FACTS, "weather"]), reason=NAME), max_size=3),
)  # fmt: skip


def with_rows(document, fact, rows):
    changed = copy.deepcopy(document)
    newest = changed[fact][-1]
    match fact:
        case "volume_history":
            newest["rows"] = rows
        case "ingestion_jobs":
            newest["rows_synced"] = rows
        case _:
            newest["counts"]["v"] = rows
    return changed


@pytest.mark.parametrize("fact", ["volume_history", "ingestion_jobs", "dimension_profiles"])
def test_rows_beyond_any_warehouse_are_refused_by_name(samples, fact):
    """The largest number a table can count is diagnosed; one more is a typing error, told with its place."""
    document = next(d for d in samples if all(d.get(f) for f in ("volume_history", fact)))
    well_formed(diagnose(parse_case(with_rows(document, fact, 2**63 - 1))[0]))
    with pytest.raises(CaseError, match=rf"{fact}\[\d+\]"):
        parse_case(with_rows(document, fact, 2**63))


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(CASE)
def test_any_valid_case_gets_a_diagnosis(case):
    """Windows that end before they begin, cycles, numbers of any size, the year 1: no crash, no broken contract."""
    first = well_formed(diagnose(case))
    assert diagnose(case) == first
