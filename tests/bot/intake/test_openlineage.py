"""Which of OpenLineage's events are alerts, which are all-clears, and what is kept of each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.intake.format import IntakeError
from bot.intake.registry import read_pushed, read_webhook

SAMPLES = Path(__file__).parent / "samples/openlineage"
RECORDED = Path(__file__).parents[1] / "payloads/openlineage/dbt_build.json"
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def assertion(name: str, *outcomes: bool) -> dict[str, Any]:
    """The end of a job that checked one table; how each of its assertions came out."""
    said = [{"assertion": f"a{n}", "success": fine} for n, fine in enumerate(outcomes)]
    table = {"namespace": "n", "name": "shop.orders"}
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-22T12:00:00Z",
        "run": {"runId": "r-1"},
        "job": {"namespace": "n", "name": name},
        "inputs": [table | {"inputFacets": {"dataQualityAssertions": {"assertions": said}}}],
    }


def run(kind: str, **changed: Any) -> dict[str, Any]:
    """One event of a job that writes a table."""
    made: dict[str, Any] = {
        "eventType": kind,
        "eventTime": "2026-11-22T12:00:00Z",
        "run": {"runId": "r-1", "facets": {"errorMessage": {"message": "disk full"}}},
        "job": {"namespace": "airflow", "name": "shop.load"},
        "inputs": [{"namespace": "n", "name": "shop.raw"}],
        "outputs": [{"namespace": "n", "name": "shop.orders"}],
    }
    return made | changed


def test_of_a_real_build_only_the_failed_test_is_an_alert() -> None:
    """A test that passed is no all-clear: another one of the same table failed."""
    events = json.loads(RECORDED.read_text(encoding="utf-8"))
    told = [alert for event in events for alert in read_webhook("openlineage", event)]
    assert [(alert.status, alert.dataset_hints[0]) for alert in told] == [
        ("firing", "postgres.public.customers")
    ]


@pytest.mark.parametrize(
    ("outcomes", "statuses"),
    [((True, True), ["resolved"]), ((True, False), ["firing"]), ((), [])],
)
def test_an_event_with_all_checks_of_a_table(
    outcomes: tuple[bool, ...], statuses: list[str]
) -> None:
    """All passed is an all-clear, one that failed an alert, and none says nothing."""
    found = read_webhook("openlineage", assertion("nightly checks", *outcomes))
    assert [alert.status for alert in found] == statuses


@pytest.mark.parametrize("kind", ["START", "RUNNING", "COMPLETE", "ABORT", "OTHER"])
def test_a_run_that_did_not_fail_is_no_alert(kind: str) -> None:
    """Neither is one that somebody stopped."""
    assert read_webhook("openlineage", run(kind)) == ()


def test_a_failed_run_is_an_alert_for_what_it_writes() -> None:
    """It says why, and has the run's id."""
    (alert,) = read_webhook("openlineage", run("FAIL"))
    assert alert.dataset_hints[0] == "shop.orders"
    assert (alert.title, alert.message) == ("shop.load failed", "disk full")
    assert alert.correlation_id == "r-1"


@pytest.mark.parametrize(
    ("name", "hints"),
    [
        ("model.shop.orders", ["model.shop.orders"]),
        ("model.shop.orders.v2", ["model.shop.orders.v2"]),
        ("model.shop.orders.sql.2", []),
        ("dbt-run-shop", []),
    ],
)
def test_a_failed_run_that_names_no_table(name: str, hints: list[str]) -> None:
    """Dbt's own node stands for its table; a statement of it, and the whole run, name nobody's dataset."""
    found = read_webhook(
        "openlineage", run("FAIL", outputs=[], job={"namespace": "n", "name": name})
    )
    assert [alert.dataset_hints[0] for alert in found] == hints


def test_both_ends_of_an_edge_get_it() -> None:
    """What is read and what is written each learn what is made of what."""
    found = read_pushed("openlineage", run("COMPLETE"), LATER)
    assert [one.dataset_hints[0] for one in found] == ["shop.raw", "shop.orders"]
    assert all(set(one.found) == {"lineage"} for one in found)
    assert read_pushed("openlineage", run("START"), LATER) == ()


def test_columns_are_of_what_was_written() -> None:
    """A run that failed may not have written them."""
    schema = {"schema": {"fields": [{"name": "id", "type": "INTEGER"}]}}
    outputs = [{"namespace": "n", "name": "shop.orders", "facets": schema}]
    kept = {
        one.dataset_hints[0]: one.found
        for one in read_pushed("openlineage", run("COMPLETE", outputs=outputs), LATER)
    }
    assert "column_snapshots" in kept["shop.orders"]
    assert "column_snapshots" not in kept["shop.raw"]
    failed = read_pushed("openlineage", run("FAIL", outputs=outputs), LATER)
    assert all("column_snapshots" not in one.found for one in failed)


def test_events_without_a_run_are_read() -> None:
    """A job tells what it makes of what, a dataset its columns; neither is an alert."""
    job = {k: v for k, v in run("").items() if k not in ("run", "eventType")}
    assert read_webhook("openlineage", job) == ()
    assert len(read_pushed("openlineage", job, LATER)) == 2
    schema = {"schema": {"fields": [{"name": "id", "type": "INTEGER"}]}}
    alone = {
        "eventTime": "2026-11-22T12:00:00Z",
        "dataset": {"namespace": "n", "name": "shop.orders", "facets": schema},
    }
    assert read_webhook("openlineage", alone) == ()
    (one,) = read_pushed("openlineage", alone, LATER)
    assert set(one.found) == {"column_snapshots"}


def test_the_alert_and_the_result_share_an_id() -> None:
    """The runbook's chain leads from the alert's diagnosis to the check; dbt's invocation is that id for dbt."""
    body = json.loads((SAMPLES / "webhook_dbt_test_failed.json").read_text(encoding="utf-8"))
    (alert,) = read_webhook("openlineage", body)
    (one,) = read_pushed("openlineage", body, LATER)
    found = one.found["dq_results"]
    assert isinstance(found, tuple)
    (result,) = found
    assert result.correlation_id == alert.correlation_id
    assert result.correlation_id == body["run"]["facets"]["dbt_run"]["invocation_id"]


def test_neither_job_nor_dataset_is_refused() -> None:
    """The sender hears which field is missing."""
    with pytest.raises(IntakeError, match=r"^job: "):
        read_webhook("openlineage", {"eventTime": "2026-11-22T12:00:00Z"})
