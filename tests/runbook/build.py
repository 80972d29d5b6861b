"""Small cases and diagnoses for the runbook's tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rca.case import Case
from rca.diagnosis import Diagnosis, Escalation, Hypothesis, SignalReading, band_of
from rca.evidence import (
    CAUSE_OF,
    CardinalityExplosionEvidence,
    ColumnChange,
    ColumnRemovedEvidence,
    ColumnTypeChangedEvidence,
    DbtModelFailureEvidence,
    DistributionDriftEvidence,
    Evidence,
    ExecutionTimeRegressionEvidence,
    FailingModel,
    LongRunningSyncEvidence,
    MissingSyncEvidence,
    NewValuesEvidence,
    PartialSyncEvidence,
    PassToFailEvidence,
    SyncFailureEvidence,
    Transition,
    UnexpectedColumnEvidence,
)
from runbook.advice import advise
from runbook.context import context_of
from runbook.load import Runbook

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SOURCE = "source.shop.shopify.orders"


def case(**facts: Any) -> Case:
    """A case about shopify_orders at NOW, with *facts* in place of nothing known."""
    document = {
        "case_id": "case-1",
        "as_of": NOW,
        "anomaly": {
            "tenant_id": "acme",
            "dataset": "shopify_orders",
            "anomaly_type": "volume_anomaly",
            "detected_at": NOW - 5 * MINUTE,
        },
        "dataset": {
            "name": "shopify_orders",
            "relation": "raw.shopify.orders",
            "dbt_node": SOURCE,
            "connector_id": "conn-1",
            "merchant_facing": False,
        },
        **facts,
    }
    return Case.model_validate(document)


def hypothesis(*evidence: Evidence, rank: int = 1, confidence: float = 0.9) -> Hypothesis:
    """A hypothesis with one reading per evidence, the first the strongest."""
    return Hypothesis(
        rank=rank,
        cause_type=CAUSE_OF[evidence[0].signal],
        confidence=confidence,
        evidence=evidence[0],
        signals=tuple(SignalReading(signal=e.signal, strength=0.9, evidence=e) for e in evidence),
        because="for the test",
    )


def diagnosis(*hypotheses: Hypothesis, **changes: Any) -> Diagnosis:
    """A diagnosis of ``case()`` with these hypotheses."""
    top = hypotheses[0] if hypotheses else None
    fields: dict[str, Any] = {
        "signal_id": "signal-1",
        "case_id": "case-1",
        "tenant_id": "acme",
        "dataset": "shopify_orders",
        "anomaly_type": "volume_anomaly",
        "detected_at": NOW - 5 * MINUTE,
        "as_of": NOW,
        "top_cause_type": top and top.cause_type,
        "top_confidence": top.confidence if top else 0.0,
        "hypothesis_count": len(hypotheses),
        "band": band_of(top.confidence if top else None),
        "hypotheses": hypotheses,
        **changes,
    }
    return Diagnosis(**fields)


def advised(
    book: Runbook,
    found: Diagnosis,
    facts: Case | None = None,
    *,
    now: datetime = NOW,
    opened_at: datetime = NOW,
    manual_review_done: bool = False,
) -> Diagnosis:
    """The completed diagnosis."""
    facts = facts or case()
    incident = context_of(
        facts, found, opened_at=opened_at, now=now, manual_review_done=manual_review_done
    )
    return advise(found, facts, incident, book, now)


def escalations(
    book: Runbook, evidence: Evidence | Sequence[Evidence], facts: Case | None = None
) -> dict[str, Escalation]:
    """The escalations of one hypothesis with *evidence*, by rule."""
    readings = evidence if isinstance(evidence, Sequence) else (evidence,)
    done = advised(book, diagnosis(hypothesis(*readings)), facts)
    assert done.guidance is not None
    assert done.guidance.notes == ()
    return {escalation.rule: escalation for escalation in done.hypotheses[0].escalations}


def sync_failure(**fields: Any) -> SyncFailureEvidence:
    """A failed sync."""
    usual = {"job_id": "8812", "failed_since": NOW - 2 * HOUR, "consecutive_failures": 3}
    return SyncFailureEvidence(**{**usual, **fields})


def partial_sync(message: str | None) -> PartialSyncEvidence:
    """A sync that brought too few rows."""
    return PartialSyncEvidence(
        rows_synced=10, expected_rows=100.0, drop_pct=90.0, error_message=message
    )


def change(column: str, kind: str) -> ColumnChange:
    """One column's change."""
    return ColumnChange.model_validate({"column": column, "change": kind})


def removed(*columns: str, failures: tuple[str, ...] = ()) -> ColumnRemovedEvidence:
    """Columns that are gone."""
    return ColumnRemovedEvidence(
        column_changes=tuple(change(column, "removed") for column in columns),
        current_columns=(),
        baseline_columns=(),
        correlated_dbt_failures=failures,
    )


def type_changed(*columns: str, failures: tuple[str, ...] = ()) -> ColumnTypeChangedEvidence:
    """Columns with another type."""
    return ColumnTypeChangedEvidence(
        column_changes=tuple(change(column, "type_changed") for column in columns),
        current_columns=(),
        baseline_columns=(),
        correlated_dbt_failures=failures,
    )


def added(*columns: str) -> UnexpectedColumnEvidence:
    """Columns that were not there."""
    return UnexpectedColumnEvidence(
        column_changes=tuple(change(column, "added") for column in columns),
        current_columns=(),
        baseline_columns=(),
    )


def model_failure(model: str = "model.shop.orders", at: datetime = NOW) -> DbtModelFailureEvidence:
    """A failed model."""
    return DbtModelFailureEvidence(
        failing_models=(FailingModel(unique_id=model, depth=0),), dbt_generated_at=at
    )


def pass_to_fail(*, code_changed: bool | None) -> PassToFailEvidence:
    """A test that passed and now fails."""
    transition = Transition.model_validate({"unique_id": "test.x", "from": "pass", "to": "fail"})
    return PassToFailEvidence(
        transitions=(transition,), dbt_generated_at=NOW, code_changed=code_changed
    )


def slow_model(ratio: float) -> ExecutionTimeRegressionEvidence:
    """A model that takes *ratio* times its baseline."""
    return ExecutionTimeRegressionEvidence(
        model="model.shop.orders",
        execution_time_s=ratio * 10.0,
        baseline_s=10.0,
        ratio=ratio,
        dbt_generated_at=NOW,
    )


def drift(jsd: float, *, healthy: bool | None) -> DistributionDriftEvidence:
    """A distribution that moved."""
    return DistributionDriftEvidence(
        dimension="country", jsd=jsd, top_movers=(), ingestion_healthy=healthy
    )


def cardinality(change_pct: float, *, healthy: bool | None = True) -> CardinalityExplosionEvidence:
    """A dimension with more values."""
    return CardinalityExplosionEvidence(
        dimension="order_id",
        baseline_cardinality=100.0,
        current_cardinality=int(100 + change_pct),
        cardinality_change_pct=change_pct,
        ingestion_healthy=healthy,
    )


def new_values(*dimensions: str, healthy: bool | None = True) -> NewValuesEvidence:
    """Values never seen before."""
    return NewValuesEvidence(
        new_values=(), dimensions_affected=dimensions, ingestion_healthy=healthy
    )


def one_of_each() -> tuple[Evidence, ...]:
    """One evidence per signal."""
    return (
        sync_failure(),
        partial_sync(None),
        LongRunningSyncEvidence(job_id="1", running_s=30.0, median_s=10.0, ratio=3.0),
        MissingSyncEvidence(expected_by=NOW - HOUR, overdue_s=3600.0),
        removed("a"),
        type_changed("a"),
        added("a"),
        model_failure(),
        pass_to_fail(code_changed=None),
        slow_model(11.0),
        drift(0.6, healthy=True),
        cardinality(300.0),
        new_values("country"),
    )
