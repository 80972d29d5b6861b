"""Soda Core's results as they were recorded, in both of their shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.intake.format import IntakeError
from bot.intake.registry import read_pushed, read_webhook
from rca.case import DqResult

SAMPLES = Path(__file__).parent / "samples/soda_core"
SHAPES = ("webhook_scan_results.json", "webhook_verification_result.json")
LATER = datetime(2026, 12, 1, tzinfo=UTC)


def body(name: str) -> dict[str, Any]:
    """A recorded result."""
    document: dict[str, Any] = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    return document


def results(document: dict[str, Any]) -> dict[str, DqResult]:
    """Its checks by their path; all are of one dataset."""
    (one,) = read_pushed("soda_core", document, LATER)
    assert one.dataset_hints == ("shop.main.raw_orders", "raw_orders")
    found = one.found["dq_results"]
    assert isinstance(found, tuple)
    return {result.check_id: result for result in found}


@pytest.mark.parametrize("name", SHAPES)
def test_both_shapes_tell_the_same_outcomes(name: str) -> None:
    """Passed, warned and failed are told apart, and what was not evaluated is unknown."""
    found = {check: result.status for check, result in results(body(name)).items()}
    assert found == {
        "columns.id.checks.missing": "passed",
        "columns.id.checks.duplicate": "passed",
        "columns.customer_id.checks.missing": "passed",
        "columns.status.checks.invalid": "warning",
        "checks.schema": "unknown",
        "checks.row_count": "failed",
    }


def test_counts_are_kept_and_severities_are_the_contracts() -> None:
    """The row count that was seen, and the attribute ``severity`` of a check."""
    found = results(body("webhook_scan_results.json"))
    counted = found["checks.row_count"].context_metadata
    assert counted is not None
    assert counted["value"] == 4.0
    assert counted["datasetRowsTested"] == 4.0
    assert found["columns.customer_id.checks.missing"].severity == "critical"


@pytest.mark.parametrize("name", SHAPES)
def test_what_was_not_evaluated_alerts_nobody(name: str) -> None:
    """The failed row count is an alert; the schema check that saw no column is not one."""
    alerts = read_webhook("soda_core", body(name))
    firing = {alert.check_id for alert in alerts if alert.status == "firing"}
    assert "checks.row_count" in firing
    assert "checks.schema" not in {alert.check_id for alert in alerts}


@pytest.mark.parametrize("name", SHAPES)
def test_the_alert_and_the_results_share_an_id(name: str) -> None:
    """The runbook's chain leads from the alert's diagnosis to the checks of the same run."""
    ids = {result.correlation_id for result in results(body(name)).values()}
    assert len(ids) == 1
    assert {alert.correlation_id for alert in read_webhook("soda_core", body(name))} == ids


def test_a_result_without_checks_is_refused() -> None:
    """There is nothing to keep, and the sender hears it."""
    document = body("webhook_scan_results.json") | {"checks": []}
    with pytest.raises(IntakeError, match=r"^checks: "):
        read_webhook("soda_core", document)
