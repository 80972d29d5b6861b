"""execution_time_regression: a model against its own pace."""

from __future__ import annotations

import pytest

from rca.detection import Signal

MODEL = "model.shop.orders"


@pytest.mark.parametrize(
    ("seconds", "fires"), [(600.0, True), (200.0, True), (90.0, False), (61.0, False)]
)
def test_it_fires_far_above_the_baseline(pipeline, seconds, fires):
    """Sixty seconds are usual, give or take a tenth."""
    answer = pipeline.node(MODEL, 1, execution_time_s=seconds).ask("execution_time_regression")
    assert isinstance(answer, Signal) is fires
    if fires:
        assert answer.strength > 0.8
        assert answer.evidence.model == MODEL
        assert answer.evidence.ratio == pytest.approx(
            seconds / answer.evidence.baseline_s, rel=0.01
        )


def test_a_slow_model_elsewhere_does_not(pipeline):
    """It does not feed the dataset."""
    assert (
        pipeline.node("model.other.thing", 1, execution_time_s=900.0).ask(
            "execution_time_regression"
        )
        is None
    )


def test_more_rows_take_longer(pipeline):
    """Ten times the rows in ten times the time is no regression."""
    pipeline.node(MODEL, 7, rows_affected=1000).node(
        MODEL, 1, rows_affected=10_000, execution_time_s=600.0
    )
    assert pipeline.ask("execution_time_regression") is None


def test_a_few_seconds_more_delay_nothing(pipeline):
    """Two seconds that became six hardly matter, whatever the ratio."""
    pipeline.node(MODEL, 7, execution_time_s=2.0).node(MODEL, 1, execution_time_s=6.0)
    answer = pipeline.ask("execution_time_regression")
    assert answer.strength < 0.9


def test_a_failed_run_is_not_slow(pipeline):
    """A model that failed has a signal of its own."""
    pipeline.node(MODEL, 1, execution_time_s=600.0, status="error")
    assert pipeline.ask("execution_time_regression") is None
