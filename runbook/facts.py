"""What a condition may look at beside the evidence, declared: the diagnosis, the hypothesis and the incident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from pydantic import AwareDatetime, BaseModel

from rca.case import AnomalyType, Document
from rca.diagnosis import Band, Confidence, Diagnosis, Hypothesis
from rca.evidence import Cause, Evidence, SignalCode
from runbook.shape import World, shape_of

EVIDENCE_OF: Final[Mapping[SignalCode, type[BaseModel]]] = {
    model.model_fields["signal"].default: model for model in get_args(get_args(Evidence)[0])
}
"""The model that declares each signal's evidence."""


class DiagnosisFacts(Document):
    """``diagnosis`` in a condition: the whole of it, without its hypotheses."""

    tenant_id: str
    dataset: str
    anomaly_type: AnomalyType
    detected_at: AwareDatetime
    is_active: bool
    top_cause_type: Cause | None
    top_confidence: Confidence
    hypothesis_count: int
    band: Band
    checked: tuple[SignalCode, ...]
    blind: tuple[str, ...]


class HypothesisFacts(Document):
    """``hypothesis`` in a condition: the one whose evidence is looked at."""

    rank: int
    cause_type: Cause
    confidence: Confidence
    symptom_of: Cause | None
    signals: tuple[SignalCode, ...]


class Deployment(Document):
    """The last deployment of dbt code before things failed; ``recent`` as in ``context.RECENT_DEPLOYMENT``."""

    at: AwareDatetime
    by: str | None
    git_sha: str | None
    recent: bool


class ColumnUse(Document):
    """A critical model that a changed column reaches, directly or through other models."""

    column: str
    change: str
    model: str


class IncidentContext(Document):
    """``incident`` in a condition: what the diagnosis alone does not say. Null means not known.

    Attributes:
        opened_at: when the incident was opened; ``age_s`` counts from here.
        age_s: seconds since then.
        tenants_affected: with the same sync error, our own included; the others are never named.
        exposures_hit: names of the exposures downstream of the dataset.
        merchant_facing: whether the dataset, or an exposure downstream, is seen by merchants.
        columns_changed: the distinct columns over all schema signals.
        critical_column_uses: critical models that a changed column reaches.
        compile_errors: models that fail with words about types since the schema changed.
        last_deployment: before things failed.
        failing_model: name of the first model to look at.
        sync_error: what a failed sync says, its message or else its code.
        sync_recovered_at: when the connector worked again after the failed sync.
        manual_review_done: whether a person went through the runs and results by hand.
    """

    opened_at: AwareDatetime
    age_s: float
    tenants_affected: int = 1
    exposures_hit: tuple[str, ...] | None = None
    merchant_facing: bool | None = None
    columns_changed: tuple[str, ...] = ()
    critical_column_uses: tuple[ColumnUse, ...] | None = None
    compile_errors: tuple[str, ...] = ()
    last_deployment: Deployment | None = None
    failing_model: str | None = None
    sync_error: str | None = None
    sync_recovered_at: AwareDatetime | None = None
    manual_review_done: bool = False


INCIDENT_WORLD: Final[World] = {
    "diagnosis": shape_of(DiagnosisFacts),
    "incident": shape_of(IncidentContext),
}
"""What a rule about the whole incident, or a step's command, may name."""


def world_of(signal: SignalCode) -> World:
    """Return what a rule evaluated on *signal* may name."""
    return {
        **INCIDENT_WORLD,
        "evidence": shape_of(EVIDENCE_OF[signal]),
        "hypothesis": shape_of(HypothesisFacts),
    }


def diagnosis_facts(diagnosis: Diagnosis) -> DiagnosisFacts:
    """Return what conditions may ask of *diagnosis*."""
    return DiagnosisFacts(
        tenant_id=diagnosis.tenant_id,
        dataset=diagnosis.dataset,
        anomaly_type=diagnosis.anomaly_type,
        detected_at=diagnosis.detected_at,
        is_active=diagnosis.is_active,
        top_cause_type=diagnosis.top_cause_type,
        top_confidence=diagnosis.top_confidence,
        hypothesis_count=len(diagnosis.hypotheses),
        band=diagnosis.band,
        checked=diagnosis.checked,
        blind=tuple(spot.detector for spot in diagnosis.blind_spots),
    )


def hypothesis_facts(hypothesis: Hypothesis) -> HypothesisFacts:
    """Return what conditions may ask of *hypothesis*."""
    return HypothesisFacts(
        rank=hypothesis.rank,
        cause_type=hypothesis.cause_type,
        confidence=hypothesis.confidence,
        symptom_of=hypothesis.symptom_of,
        signals=tuple(reading.signal for reading in hypothesis.signals),
    )
