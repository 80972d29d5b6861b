"""Incidents as somebody on call would meet them, built by plain constructors."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.records import (
    Deadline,
    DeadlineState,
    Incident,
    IncidentState,
    IncidentView,
    Page,
    PageState,
)
from bot.render.names import Names, TeamName
from rca.case import AnomalyType, Column, ErrorCode, Severity
from rca.diagnosis import (
    BlindSpot,
    Diagnosis,
    Escalation,
    Factor,
    Guidance,
    GuidanceStep,
    Hypothesis,
    SignalReading,
    Urgency,
    band_of,
)
from rca.evidence import (
    CAUSE_OF,
    ColumnRemovedEvidence,
    DbtModelFailureEvidence,
    DistributionDriftEvidence,
    Evidence,
    FailingModel,
    Mover,
    SignalCode,
    SyncFailureEvidence,
)

NOW: Final = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
ALICE: Final = "U0ALICE"

NAMES: Final = Names(
    teams={
        "infra": TeamName(name="Infra", usergroup="S0INFRA", pager="PagerDuty"),
        "platform": TeamName(name="Platform", pager="PagerDuty"),
        "analytics_eng": TeamName(name="Analytics Eng", usergroup="S0ANALYTICS"),
        "data_eng_lead": TeamName(name="Data Eng Lead"),
    },
    people={"dana@acme.example": "U0DANA"},
)

SYNC_FAILURE: Final = SyncFailureEvidence(
    error_code=ErrorCode.AUTH_ERROR,
    error_message="HTTP Status Code: 401. Error: the access token has expired",
    job_id="8812",
    failed_since=NOW - timedelta(hours=2),
    consecutive_failures=3,
    failure_origin="source",
)
DRIFT: Final = DistributionDriftEvidence(
    dimension="country",
    jsd=0.31,
    top_movers=(
        Mover(value="US", baseline_share=0.53, current_share=0.12, delta=-0.41),
        Mover(value="CA", baseline_share=0.1, current_share=0.4, delta=0.3),
    ),
    ingestion_healthy=False,
)
COLUMN_REMOVED: Final = ColumnRemovedEvidence.model_validate(
    {
        "column_changes": ({"column": "total_price", "change": "removed", "from": "numeric"},),
        "current_columns": (Column(name="id", type="bigint"),),
        "baseline_columns": (Column(name="id", type="bigint"), Column(name="total_price", type="numeric")),
        "correlated_dbt_failures": ("model.shop.stg_orders",),
    }
)  # fmt: skip
MODEL_FAILURE: Final = DbtModelFailureEvidence(
    failing_models=(
        FailingModel(unique_id="model.shop.stg_orders", message='column "total_price" does not exist', depth=1),
    ),
    dbt_generated_at=NOW - timedelta(minutes=40),
    code_changed=False,
)  # fmt: skip

STALE: Final = "dbt_runs: the artifact is from 2026-02-27, older than the last run"


def hypothesis(
    rank: int, confidence: float, evidence: Evidence, because: str, **more: object
) -> Hypothesis:
    """A hypothesis with one signal, which gives it its cause."""
    reading = SignalReading(signal=evidence.signal, strength=0.9, evidence=evidence)
    fields = {
        "rank": rank,
        "cause_type": CAUSE_OF[evidence.signal],
        "confidence": confidence,
        "evidence": evidence,
        "signals": (reading,),
        "because": because,
    }
    return Hypothesis.model_validate(fields | more)


def diagnosis(
    *hypotheses: Hypothesis, guidance: Guidance | None = None, blind: tuple[BlindSpot, ...] = ()
) -> Diagnosis:
    """A diagnosis of shopify_orders in which every detector looked that is not blind."""
    top = hypotheses[0] if hypotheses else None
    unseen = {spot.detector for spot in blind}
    return Diagnosis(
        signal_id="5b2f7c1e",
        case_id="i1:2026-03-02T07:10:00Z",
        tenant_id="acme",
        dataset="shopify_orders",
        anomaly_type=AnomalyType.VOLUME,
        detected_at=NOW - timedelta(minutes=5),
        as_of=NOW,
        top_cause_type=top.cause_type if top else None,
        top_confidence=top.confidence if top else 0.0,
        hypothesis_count=len(hypotheses),
        band=band_of(top.confidence if top else None),
        hypotheses=hypotheses,
        checked=tuple(code for code in SignalCode if code not in unseen),
        blind_spots=blind,
        guidance=guidance,
    )


AUTH_RULE: Final = Escalation(
    rule="ingestion.auth_persisting",
    team="infra",
    urgency=Urgency.NOW,
    reason="auth errors persisting > 1 hour",
    due_at=NOW + timedelta(minutes=20),
)
ACT: Final = diagnosis(
    hypothesis(
        1,
        0.93,
        SYNC_FAILURE,
        "Sync 8812 failed with auth_error, the third failure in a row since 05:10.",
        first_action="Check Airbyte connection",
        escalations=(AUTH_RULE,),
        factors=(Factor(name="prior", value=-1.51), Factor(name="sync_failure", value=4.1, text="sync failed first")),
    ),
    hypothesis(
        2,
        0.31,
        DRIFT,
        "The shares of country moved by 0.31 bits.",
        symptom_of="ingestion_failure",
    ),
    guidance=Guidance(
        response="Act on the top hypothesis immediately",
        escalate_to="infra",
        name_team_at_once=True,
        steps=(
            GuidanceStep(
                title="Query recent ingestion jobs",
                sql="SELECT id, status\nFROM ingestion_jobs\nWHERE tenant_id = :tenant_id\nLIMIT 5;",
            ),
            GuidanceStep(
                title="Run the failed model again",
                command="dbt run --select model_name --target prod",
                changes_things=True,
            ),
        ),
    ),
)  # fmt: skip
INVESTIGATE: Final = diagnosis(
    hypothesis(
        1,
        0.72,
        COLUMN_REMOVED,
        "total_price is gone since the snapshot of 06:30, and stg_orders uses it.",
        first_action="Compare column snapshots",
    ),
    hypothesis(2, 0.55, MODEL_FAILURE, "stg_orders failed 40 minutes before the alert."),
    guidance=Guidance(
        response="Investigate top 2 hypotheses",
        escalate_after_s=1800,
        escalate_to="analytics_eng",
        escalations=(
            Escalation(
                rule="exposure.merchant_facing",
                team="data_eng_lead",
                urgency=Urgency.NOTIFY,
                reason="GMV dashboard is merchant-facing",
            ),
        ),
    ),
)
NO_SIGNAL: Final = diagnosis(
    guidance=Guidance(
        response="Full manual investigation required",
        escalate_after_s=0,
        escalate_to="data_eng_lead",
        steps=(
            GuidanceStep(title="Check if the anomaly is still active (it may have self-resolved)"),
            GuidanceStep(title="Review recent sync runs, dbt runs, and DQ results manually"),
        ),
    )
)
HOLE: Final = diagnosis(
    *INVESTIGATE.hypotheses[:1],
    guidance=INVESTIGATE.guidance,
    blind=tuple(
        BlindSpot(detector=code, reason=STALE)
        for code in (SignalCode.DBT_MODEL_FAILURE, SignalCode.PASS_TO_FAIL, SignalCode.EXECUTION_TIME_REGRESSION)
    ),
)  # fmt: skip
NOBODY_LOOKED: Final = diagnosis(
    guidance=NO_SIGNAL.guidance,
    blind=tuple(
        BlindSpot(detector=code, reason="no facts are known of this dataset") for code in SignalCode
    ),
)

INCIDENT: Final = Incident(
    incident_id="i1",
    tenant_id="acme",
    dataset="shopify_orders",
    anomaly_type=AnomalyType.VOLUME,
    state=IncidentState.OPEN,
    severity=Severity.ERROR,
    opened_at=NOW - timedelta(minutes=4),
    detected_at=NOW - timedelta(minutes=5),
    correlation_id="c-81",
    place=None,
    title="row_count is 1,203, expected 9,100 to 10,500",
    alert_url="https://alerts.example/1?a=b&c=d",
)


def deadline(
    rule: str, team: str, minutes: int, reason: str, state: DeadlineState = DeadlineState.PENDING
) -> Deadline:
    """A deadline that many minutes from now."""
    return Deadline(
        deadline_id=f"i1:{rule}",
        incident_id="i1",
        rule=rule,
        team=team,
        reason=reason,
        due_at=NOW + timedelta(minutes=minutes),
        state=state,
    )


def page(team: str = "infra", state: PageState = PageState.ACCEPTED, **more: object) -> Page:
    """A page that Alice asked for two minutes ago."""
    asked = Page(
        page_id=f"p:{team}",
        incident_id="i1",
        team=team,
        dedup_key=f"rca:acme:i1:{team}",
        reason="auth errors persisting > 1 hour",
        requested_by=ALICE,
        requested_at=NOW - timedelta(minutes=2),
        state=state,
        pager="pagerduty" if state is PageState.ACCEPTED else None,
        accepted_at=NOW - timedelta(minutes=1) if state is PageState.ACCEPTED else None,
    )
    return replace(asked, **more)


def view(
    found: Diagnosis | None = ACT,
    *,
    deadlines: tuple[Deadline, ...] = (),
    pages: tuple[Page, ...] = (),
    **incident: object,
) -> IncidentView:
    """An incident with what is known of it; keyword arguments change the incident."""
    return IncidentView(
        incident=replace(INCIDENT, **incident), diagnosis=found, deadlines=deadlines, pages=pages
    )


AUTH_DEADLINE: Final = deadline("ingestion.auth_persisting", "infra", 20, AUTH_RULE.reason)
MATRIX_DEADLINE: Final = deadline("matrix", "analytics_eng", 26, "not resolved in 30 min")
ACKNOWLEDGED: Final = {
    "state": IncidentState.ACKNOWLEDGED,
    "acknowledged_by": ALICE,
    "acknowledged_at": NOW - timedelta(minutes=1),
}
RESOLVED: Final = {
    "state": IncidentState.RESOLVED,
    "resolved_by": ALICE,
    "resolved_at": NOW,
}

SCENES: Final = {
    "open_act": view(deadlines=(AUTH_DEADLINE,)),
    "investigate_with_deadline": view(INVESTIGATE, deadlines=(MATRIX_DEADLINE,)),
    "no_signal": view(NO_SIGNAL, deadlines=(deadline("matrix", "data_eng_lead", 0, "no signal"),)),
    "hole": view(HOLE, deadlines=(MATRIX_DEADLINE,)),
    "acknowledged": view(**ACKNOWLEDGED),
    "paged": view(pages=(page(),)),
    "page_undelivered": view(
        pages=(
            page(state=PageState.UNDELIVERED, error="503 Service Unavailable"),
            page("platform", fallback_of="infra"),
        )
    ),
    "snoozed": view(snoozed_until=NOW + timedelta(hours=2)),
    "monitoring": view(state=IncidentState.MONITORING),
    "resolved": view(pages=(page(state=PageState.RESOLVED, accepted_at=NOW - timedelta(minutes=1)),), **RESOLVED),
}  # fmt: skip
