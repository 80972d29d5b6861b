"""Airbyte's jobs become syncs, from either API, whole or spoilt."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.payloads.airbyte_jobs import NOT_TOLD, as_known, config_jobs, public_jobs
from rca.case import ErrorCode, IngestionJob, JobStatus

SAMPLES = Path(__file__).parents[2] / "samples/airbyte"
CONNECTION = "aa941643-07ea-48a2-9035-024575491720"


def sample(name: str) -> Any:
    """One answer."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def syncs(document: Any) -> dict[str, IngestionJob]:
    """The syncs of a Config API answer, by id, none of them unread."""
    jobs = config_jobs(document)
    assert jobs is not None
    assert jobs.unread == 0
    return {sync.id: sync for sync in jobs.syncs}


@pytest.mark.parametrize(
    ("job_id", "status", "code", "origin", "rows"),
    [
        ("20441150", JobStatus.RUNNING, None, None, 0),
        ("20441149", JobStatus.FAILED, ErrorCode.AUTH_ERROR, "source", 0),
        ("20441148", JobStatus.FAILED, ErrorCode.AUTH_ERROR, "source", 0),
        ("20441147", JobStatus.INCOMPLETE, ErrorCode.RATE_LIMIT, "source", 3_010),
        ("20441146", JobStatus.SUCCEEDED, None, None, 1_605),
        ("20441145", JobStatus.FAILED, ErrorCode.SOURCE_TIMEOUT, "source", 0),
        ("20441144", JobStatus.FAILED, ErrorCode.OTHER, "destination", 0),
        ("20441143", JobStatus.CANCELLED, None, "unknown", 0),
        ("20441142", JobStatus.SUCCEEDED, None, None, 6_228),
    ],
)
def test_what_the_config_api_tells(
    job_id: str, status: JobStatus, code: ErrorCode | None, origin: str | None, rows: int
) -> None:
    """Each sync has its state, the reason of its failure, where that arose, and what arrived."""
    sync = syncs(sample("config_jobs.json"))[job_id]
    assert (sync.status, sync.error_code, sync.failure_origin, sync.rows_synced) == (
        status,
        code,
        origin,
        rows,
    )
    assert sync.connector_id == CONNECTION


def test_the_whole_of_one_failed_sync() -> None:
    """Seconds become instants, and the message is the one that says something."""
    assert syncs(sample("config_jobs.json"))["20441149"] == IngestionJob(
        id="20441149",
        connector_id=CONNECTION,
        status=JobStatus.FAILED,
        error_code=ErrorCode.AUTH_ERROR,
        error_message=(
            "HTTP Status Code: 401. Error: Unauthorized. Please ensure you are authenticated correctly. (stream orders)"
        ),
        failure_origin="source",
        failure_type="config_error",
        attempts=1,
        started_at=datetime(2026, 11, 21, 2, 0, 5, tzinfo=UTC),
        finished_at=datetime(2026, 11, 21, 2, 3, 12, tzinfo=UTC),
        rows_synced=0,
        bytes_synced=0,
    )


def test_a_sync_that_succeeded_after_failed_attempts_says_nothing_wrong() -> None:
    """Its earlier attempts' failures would make it look partial."""
    document = sample("config_jobs.json")
    entry = next(e for e in document["jobs"] if e["job"]["id"] == 20441149)
    entry["job"]["status"] = "succeeded"
    sync = syncs(document)["20441149"]
    assert (sync.status, sync.error_code, sync.error_message) == (JobStatus.SUCCEEDED, None, None)


@pytest.mark.parametrize(
    ("failure_type", "status"),
    [("manual_cancellation", JobStatus.CANCELLED), ("system_error", JobStatus.FAILED)],
)
def test_a_failed_sync_that_somebody_stopped_was_cancelled(
    failure_type: str, status: JobStatus
) -> None:
    """Airbyte may count it as failed; the type of its failure says who ended it."""
    document = sample("config_jobs.json")
    entry = next(e for e in document["jobs"] if e["job"]["id"] == 20441143)
    entry["job"]["status"] = "failed"
    entry["attempts"][0]["failureSummary"]["failures"][0]["failureType"] = failure_type
    assert syncs(document)["20441143"].status is status


def test_an_older_airbyte_tells_less() -> None:
    """Without aggregated stats the attempts are added up; a start that is not said is the creation."""
    found = syncs(sample("config_older.json"))
    assert found["13"].rows_synced == 1_276
    assert found["13"].bytes_synced == 85_607
    assert found["13"].started_at == datetime(2022, 6, 16, 15, 38, 34, tzinfo=UTC)
    assert found["13"].finished_at == datetime(2022, 6, 16, 15, 40, 54, tzinfo=UTC)
    assert (found["14"].status, found["14"].finished_at) == (JobStatus.RUNNING, None)


def test_the_public_api_tells_no_reason_and_says_so() -> None:
    """A failed sync has a message that tells why there is none; a good one has no message."""
    jobs = public_jobs(sample("public_jobs.json"))
    assert jobs is not None
    failed, good = jobs.syncs
    assert (failed.status, failed.error_code, failed.error_message) == (
        JobStatus.FAILED,
        None,
        NOT_TOLD,
    )
    assert (good.error_message, good.rows_synced) == (None, 6_228)
    assert good.finished_at == datetime(2026, 11, 14, 2, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "took"),
    [
        ("PT8H6M12S", timedelta(hours=8, minutes=6, seconds=12)),
        ("PT3M12S", timedelta(minutes=3, seconds=12)),
        ("PT0.5S", timedelta(seconds=0.5)),
        ("8 hours", None),
        (None, None),
    ],
)
def test_a_public_sync_without_an_end(duration: str | None, took: timedelta | None) -> None:
    """It ended after its duration; without one its end is not known."""
    document = sample("public_jobs.json")
    document["data"][1] |= {"lastUpdatedAt": None, "duration": duration}
    jobs = public_jobs(document)
    assert jobs is not None
    good = jobs.syncs[1]
    assert good.finished_at == (good.started_at + took if took else None)


def test_nothing_ends_before_it_starts() -> None:
    """Two machines' clocks may differ: an end before the start is the start."""
    document = sample("config_jobs.json")
    document["jobs"][1]["job"]["startedAt"] = 1_795_300_000
    sync = syncs(document)["20441149"]
    assert sync.finished_at == sync.started_at


@pytest.mark.parametrize("config_type", ["reset_connection", "refresh", "clear", "discover_schema"])
def test_other_jobs_are_no_syncs(config_type: str) -> None:
    """Resets and the like move no rows from the source; they are neither syncs nor unread."""
    document = sample("config_jobs.json")
    document["jobs"][1]["job"]["configType"] = config_type
    assert "20441149" not in syncs(document)


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("status", "exploded", "jobs[1].job.status"),
        ("status", None, "jobs[1].job.status"),
        ("id", None, "jobs[1].job.id"),
        ("id", True, "jobs[1].job.id"),
        ("id", -1, "jobs[1].job.id"),
        ("configId", ["x"], "jobs[1].job.configId"),
        ("configId", "x" * 500, "jobs[1].job.configId"),
        ("createdAt", "soon", None),
    ],
)
def test_one_wrong_entry_leaves_the_others(field: str, value: object, path: str | None) -> None:
    """It is left out and named by its path; a field that has another of its meaning is not missed."""
    document = sample("config_jobs.json")
    document["jobs"][1]["job"][field] = value
    jobs = config_jobs(document)
    assert jobs is not None
    assert jobs.wrong == path
    assert (jobs.unread, len(jobs.syncs)) == ((1, 9) if path else (0, 10))


@pytest.mark.parametrize("document", [None, [], {}, {"jobs": {}}, {"jobs": None}, "jobs", 7])
def test_no_such_answer(document: object) -> None:
    """What is no list of jobs is none, and not an empty list: nobody looked."""
    assert config_jobs(document) is None
    assert public_jobs(document) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    position=st.integers(min_value=0, max_value=9),
    part=st.sampled_from(["job", "attempts"]),
    field=st.sampled_from(
        ["id", "status", "createdAt", "startedAt", "aggregatedStats", "updatedAt"]
    ),
    value=JSON,
)
def test_nothing_that_is_sent_raises(position: int, part: str, field: str, value: object) -> None:
    """Any value in any place gives syncs and a count of what could not be read."""
    document = copy.deepcopy(WHOLE)
    entry = document["jobs"][position]
    if part == "job":
        entry["job"][field] = value
    else:
        entry["attempts"] = [{field: value, "failureSummary": {"failures": [value]}}, value]
    jobs = config_jobs(document)
    assert jobs is not None
    assert len(jobs.syncs) + jobs.unread <= len(document["jobs"])


WHOLE = sample("config_jobs.json")
START = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
END = START + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("as_of", "status"),
    [
        (START - timedelta(seconds=1), None),
        (START, JobStatus.RUNNING),
        (END - timedelta(seconds=1), JobStatus.RUNNING),
        (END, JobStatus.FAILED),
    ],
)
def test_no_outcome_before_the_end(as_of: datetime, status: JobStatus | None) -> None:
    """A sync is unknown before it starts and running until it ends; its rows and reason come with the end."""
    job = IngestionJob(
        id="1",
        connector_id="c",
        status=JobStatus.FAILED,
        error_code=ErrorCode.OTHER,
        error_message="x",
        started_at=START,
        finished_at=END,
        rows_synced=7,
    )
    known = as_known(job, as_of)
    assert (known.status if known else None) is status
    if known is not None and status is JobStatus.RUNNING:
        assert (known.error_message, known.finished_at, known.rows_synced) == (None, None, None)
