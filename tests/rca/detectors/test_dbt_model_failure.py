"""dbt_model_failure: a model in the dataset's own line is broken."""

from __future__ import annotations

import pytest

from rca.detection import Signal

STAGING, MODEL = "model.shop.stg_orders", "model.shop.orders"


@pytest.mark.parametrize(("node", "depth"), [(MODEL, 0), (STAGING, 1)])
def test_a_failing_model_upstream_fires(pipeline, node, depth):
    """The dataset's own model, or one above it."""
    answer = pipeline.node(node, 1, status="error", message="boom").ask("dbt_model_failure")
    assert isinstance(answer, Signal)
    assert answer.strength > 0.95
    assert [(m.unique_id, m.depth, m.message) for m in answer.evidence.failing_models] == [
        (node, depth, "boom")
    ]


@pytest.mark.parametrize("node", ["model.shop.report", "model.other.thing"])
def test_a_failing_model_downstream_or_aside_does_not(pipeline, node):
    """It cannot reach the dataset."""
    assert pipeline.node(node, 1, status="error").ask("dbt_model_failure") is None


def test_a_failure_that_the_next_run_repaired_does_not(pipeline):
    """The last result before the alert counts."""
    pipeline.node(MODEL, 2, status="error").node(MODEL, 1, status="success")
    assert pipeline.ask("dbt_model_failure") is None


def test_a_skipped_model_is_a_symptom(pipeline):
    """It did not run because something above it failed."""
    assert pipeline.node(MODEL, 1, status="skipped").ask("dbt_model_failure") is None


def test_a_failure_after_the_alert_does_not(pipeline):
    """A cause comes before its effect."""
    pipeline.node(MODEL, 1, status="error").document["dbt_runs"][-1]["dbt_generated_at"] = (
        "2026-03-04T07:08:00Z"
    )
    assert pipeline.ask("dbt_model_failure") is None


def test_a_model_that_has_always_failed_weighs_little(pipeline):
    """What broke weeks ago did not break the dataset today."""
    assert pipeline.node(MODEL, 7, status="error").ask("dbt_model_failure").strength < 0.7


def test_new_code_is_told(pipeline):
    """The failure came with another checksum."""
    answer = pipeline.node(MODEL, 1, status="error", checksum="sha256:new").ask("dbt_model_failure")
    assert answer.evidence.code_changed is True
    unchanged = pipeline.node(MODEL, 1, checksum="sha256:1").ask("dbt_model_failure")
    assert unchanged.evidence.code_changed is False


def test_without_lineage_a_failure_elsewhere_counts_little(pipeline):
    """It may feed the dataset or not; the sentence says so."""
    answer = (
        pipeline.node("model.other.thing", 1, status="error")
        .without("lineage")
        .ask("dbt_model_failure")
    )
    assert answer.strength < 0.3
    assert "lineage is not known" in answer.because


def test_without_lineage_a_skipped_dataset_points_at_the_failure(pipeline):
    """Dbt skips what stands behind a failure: something above the dataset broke in that run."""
    pipeline.node("model.other.thing", 1, status="error").without("lineage")
    aside = pipeline.ask("dbt_model_failure")
    behind = pipeline.node(MODEL, 1, status="skipped").ask("dbt_model_failure")
    assert aside.strength < 0.3
    assert behind.strength > 0.9
