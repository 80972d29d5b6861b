"""A validation result of Great Expectations is also the outcome of every expectation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.intake.registry import read_pushed, read_webhook
from rca.case import DqResult

SAMPLE = Path(__file__).parent / "samples/great_expectations/webhook_validation_result.json"
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def body() -> dict[str, Any]:
    """A real run's result."""
    document: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return document


def results(document: dict[str, Any]) -> tuple[DqResult, ...]:
    """What it says of its one asset."""
    (one,) = read_pushed("great_expectations", document, LATER)
    assert one.dataset_hints == ("shopify_orders",)
    found = one.found["dq_results"]
    assert isinstance(found, tuple)
    return found


def test_every_expectation_is_a_result() -> None:
    """Each has its column in its name, its severity and its counts, and no value of the data."""
    first, second, third, fourth = results(body())
    assert first.check_id == "expect_column_values_to_not_be_null.customer_id"
    assert [r.status for r in (first, second, third, fourth)] == ["failed"] * 4
    assert [r.severity for r in (first, second)] == ["critical", "warning"]
    assert third.context_metadata == {
        "tool": "great_expectations",
        "suite": "orders_suite",
        "observed_value": 4,
    }
    assert "refunded" not in second.model_dump_json()


def test_met_and_broken_expectations_are_told_apart() -> None:
    """One that was met passed; one that could not be evaluated is an error, neither passed nor failed."""
    document = body()
    document["results"][0]["success"] = True
    document["results"][1]["exception_info"]["raised_exception"] = True
    document["results"][1]["exception_info"]["exception_message"] = "no such column"
    passed, broken, *_ = results(document)
    assert (passed.status, broken.status) == ("passed", "error")
    assert "no such column" in str(broken.context_metadata)


def test_the_alert_and_the_results_share_an_id() -> None:
    """The runbook's chain leads from the alert's diagnosis to the checks of the same run, and to no other run's."""
    ids = {result.correlation_id for result in results(body())}
    assert {alert.correlation_id for alert in read_webhook("great_expectations", body())} == ids
    other = body()
    other["meta"]["validation_time"] = "2026-11-23T09:00:00+00:00"
    assert {result.correlation_id for result in results(other)}.isdisjoint(ids)


def test_a_run_without_a_time_is_as_old_as_its_delivery() -> None:
    """Nothing links it to an alert then, and two deliveries are two runs."""
    document = body()
    document["meta"]["validation_time"] = None
    document["meta"]["run_id"] = {}
    assert {(r.executed_at, r.correlation_id) for r in results(document)} == {(LATER, None)}
