"""What Airbyte's webhook tells beside an alert: the sync itself; and that a cancelled sync is no alert."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.intake.format import IntakeError
from bot.intake.registry import read_pushed, read_webhook, recognise_slack
from rca.case import ErrorCode, IngestionJob, JobStatus

SAMPLES = Path(__file__).parent / "samples/airbyte"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CANCEL = "This attempt was cancelled"


def body(
    said: dict[str, Any] | None = None, name: str = "webhook_sync_failure.json"
) -> dict[str, Any]:
    """One notification, its sync changed."""
    document: dict[str, Any] = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    document["data"] |= said or {}
    return document


def job(document: dict[str, Any]) -> IngestionJob:
    """The one sync that it carries."""
    (one,) = read_pushed("airbyte", document, NOON)
    syncs = one.found["ingestion_jobs"]
    assert isinstance(syncs, tuple)
    (sync,) = syncs
    assert isinstance(sync, IngestionJob)
    assert one.dataset_hints == (sync.connector_id,)
    return sync


def test_a_failed_sync_is_a_fact() -> None:
    """The connection's id says whose it is, and the error has the code that the API's would have."""
    assert job(body()) == IngestionJob(
        id="20441150",
        connector_id="aa941643-07ea-48a2-9035-024575491720",
        status=JobStatus.FAILED,
        error_code=ErrorCode.AUTH_ERROR,
        error_message="HTTP Status Code: 401. Error: Unauthorized. Please ensure you are authenticated correctly.",
        failure_origin="source",
        failure_type="config_error",
        started_at=datetime(2026, 11, 22, 2, tzinfo=UTC),
        finished_at=datetime(2026, 11, 22, 2, 3, 12, tzinfo=UTC),
        rows_synced=0,
        bytes_synced=0,
    )


def test_a_good_sync_is_a_fact() -> None:
    """It has its rows and nothing wrong."""
    sync = job(body(name="webhook_sync_success.json"))
    assert (sync.status, sync.error_code, sync.error_message) == (JobStatus.SUCCEEDED, None, None)
    assert (sync.rows_synced, sync.bytes_synced) == (1_400, 288_179)


@pytest.mark.parametrize(
    ("said", "status", "code", "alerts"),
    [
        ({"errorType": "manual_cancellation", "errorMessage": CANCEL}, JobStatus.CANCELLED, None, 0),
        ({"errorType": None, "errorMessage": CANCEL}, JobStatus.CANCELLED, None, 0),
        ({"errorType": "system_error", "errorMessage": "stopped"}, JobStatus.FAILED, ErrorCode.OTHER, 1),
        ({"errorType": None, "errorMessage": None}, JobStatus.FAILED, None, 1),
        ({"errorMessage": "Exceeded rate limits", "errorOrigin": "destination"}, JobStatus.FAILED, ErrorCode.OTHER, 1),
        ({"errorMessage": "Exceeded rate limits"}, JobStatus.FAILED, ErrorCode.RATE_LIMIT, 1),
    ],
)  # fmt: skip
def test_what_went_wrong(
    said: dict[str, Any], status: JobStatus, code: ErrorCode | None, alerts: int
) -> None:
    """A cancelled sync is a fact and no alert; every other failure is both."""
    document = body(said)
    sync = job(document)
    assert (sync.status, sync.error_code) == (status, code)
    assert len(read_webhook("airbyte", document)) == alerts


@pytest.mark.parametrize(
    ("reason", "alerts"), [("[manual_cancellation] cancelled", 0), ("[config_error] no", 1)]
)
def test_a_cancelled_sync_in_slack_is_no_alert(reason: str, alerts: int) -> None:
    """It is Airbyte's message, and says nothing to act on."""
    first = "Sync failure occurred: <https://x.example/connections/c1|X>"
    texts = (first, f"*Failure reason:*\n\n```\n{reason}\n```\n")
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts]
    recognised = recognise_slack({"blocks": blocks})
    assert recognised is not None
    assert (recognised.format, len(recognised.alerts)) == ("airbyte", alerts)


@pytest.mark.parametrize(
    ("said", "started", "finished"),
    [
        (
            {"startedAt": 1_795_312_800, "finishedAt": 1_795_312_992_000},
            NOON - timedelta(hours=10),
            timedelta(seconds=192),
        ),
        ({"finishedAt": None}, NOON - timedelta(hours=10), timedelta(hours=10)),
        ({"startedAt": None}, NOON - timedelta(hours=10) + timedelta(seconds=192), timedelta()),
        ({"finishedAt": "2026-11-22T01:00:00Z"}, NOON - timedelta(hours=10), timedelta()),
    ],
)
def test_its_times(said: dict[str, Any], started: datetime, finished: timedelta) -> None:
    """Seconds, milliseconds and text are told apart; an end that is not said was by when it came."""
    sync = job(body(said))
    assert sync.started_at == started
    assert sync.finished_at == started + finished


@pytest.mark.parametrize(
    "said", [{"jobId": None}, {"jobId": ""}, {"startedAt": None, "finishedAt": "soon"}]
)
def test_a_sync_that_cannot_be_named_is_no_fact(said: dict[str, Any]) -> None:
    """Without an id or a time it could not be told from another; it is still an alert."""
    assert read_pushed("airbyte", body(said), NOON) == ()
    assert len(read_webhook("airbyte", body(said))) == 1


def test_other_triggers_carry_no_fact() -> None:
    """A schema change is an alert and nothing more."""
    document = json.loads((SAMPLES / "webhook_schema_change.json").read_text(encoding="utf-8"))
    assert read_pushed("airbyte", document, NOON) == ()
    assert read_webhook("airbyte", document)


def test_a_spoilt_sync_is_refused() -> None:
    """The error names the field."""
    with pytest.raises(IntakeError, match=r"data\.success"):
        read_pushed("airbyte", body({"success": "perhaps"}), NOON)


@pytest.mark.parametrize("rows", [-1, 1e300, 2.0**63])
def test_impossible_counts_are_not_known(rows: float) -> None:
    """A count that no table holds is left out, and the sync stays."""
    assert job(body({"recordsCommitted": rows})).rows_synced is None
