"""Incidents with anything in them: what the senders of alerts, warehouses and dbt may write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from bot.records import Deadline, Incident, IncidentState, IncidentView, Page, PageState
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
    Cause,
    ColumnRemovedEvidence,
    DbtModelFailureEvidence,
    DistributionDriftEvidence,
    ExecutionTimeRegressionEvidence,
    FailingModel,
    MissingSyncEvidence,
    MovedDimension,
    Mover,
    NewValue,
    NewValuesEvidence,
    PartialSyncEvidence,
    PassToFailEvidence,
    SignalCode,
    SyncFailureEvidence,
)

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
MARK = "<!channel> <@U0ALICE> <#C0X> & `code` *bold* ```"

NASTY = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="<>&`*_~!@#|\n\t\x00\u202e é漢\U0001f600", max_size=60),
    st.just(MARK),
    st.sampled_from(["<!channel>", "\U0001f600", "&", "`", "x\n"]).map(
        lambda piece: piece * 20_000
    ),
)
NAME = NASTY.map(lambda text: text[:900] or "x")
MAYBE = st.none() | NASTY
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is added
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SHARES = st.floats(0, 1)


def many(item: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """A few items, or one of them two thousand times."""
    few = st.lists(item, max_size=4).map(tuple)
    return few | item.map(lambda one: (one,) * 2_000)


def columns() -> st.SearchStrategy[tuple[object, ...]]:
    return many(st.builds(Column, name=NAME, type=MAYBE))


CHANGES = many(st.fixed_dictionaries({"column": NASTY, "change": st.sampled_from(["removed", "added", "type_changed"]), "from": MAYBE, "to": MAYBE}))  # fmt: skip  # noqa: E501 - one record
MOVERS = st.builds(Mover, value=NASTY, baseline_share=SHARES, current_share=SHARES, delta=FLOATS)
TRANSITIONS = many(st.fixed_dictionaries({"unique_id": NASTY, "from": NASTY, "to": NASTY}))

EVIDENCE = st.one_of(
    st.builds(
        SyncFailureEvidence,
        error_code=st.none() | st.sampled_from(ErrorCode),
        error_message=MAYBE,
        job_id=NASTY,
        failed_since=TIMES,
        consecutive_failures=st.integers(),
        failure_origin=MAYBE,
    ),
    st.builds(
        PartialSyncEvidence,
        job_id=MAYBE,
        rows_synced=st.integers(),
        expected_rows=FLOATS,
        drop_pct=FLOATS,
        error_message=MAYBE,
    ),
    st.builds(MissingSyncEvidence, last_sync_at=st.none() | TIMES, expected_by=TIMES, overdue_s=FLOATS),
    st.builds(
        lambda changes, **more: ColumnRemovedEvidence.model_validate({"column_changes": changes, **more}),
        changes=CHANGES,
        current_columns=columns(),
        baseline_columns=columns(),
        correlated_dbt_failures=many(NASTY),
    ),
    st.builds(
        DbtModelFailureEvidence,
        failing_models=many(st.builds(FailingModel, unique_id=NASTY, message=MAYBE, depth=st.integers())),
        dbt_generated_at=TIMES,
        code_changed=st.none() | st.booleans(),
    ),
    st.builds(
        lambda transitions, at: PassToFailEvidence.model_validate({"transitions": transitions, "dbt_generated_at": at}),
        TRANSITIONS,
        TIMES,
    ),
    st.builds(
        ExecutionTimeRegressionEvidence,
        model=NASTY,
        execution_time_s=FLOATS,
        baseline_s=FLOATS,
        ratio=FLOATS,
        dbt_generated_at=TIMES,
    ),
    st.builds(
        DistributionDriftEvidence,
        dimension=NASTY,
        jsd=SHARES,
        top_movers=many(MOVERS),
        also_moved=many(st.builds(MovedDimension, dimension=NASTY, jsd=SHARES, top_movers=many(MOVERS))),
        ingestion_healthy=st.none() | st.booleans(),
    ),
    st.builds(
        NewValuesEvidence,
        new_values=many(st.builds(NewValue, dimension=NASTY, value=NASTY, count=st.integers(), share=SHARES)),
        dimensions_affected=many(NASTY),
    ),
)  # fmt: skip

ESCALATIONS = st.lists(
    st.builds(
        Escalation,
        rule=NASTY,
        team=NASTY,
        person=MAYBE,
        urgency=st.sampled_from(Urgency),
        reason=NASTY,
        due_at=st.none() | TIMES,
    ),
    max_size=8,
).map(tuple)


@st.composite
def hypotheses(draw: st.DrawFn) -> tuple[Hypothesis, ...]:
    """Up to six, each with up to four signals."""
    found = []
    for rank in range(1, draw(st.integers(0, 6)) + 1):
        evidence = draw(EVIDENCE)
        reading = SignalReading(signal=evidence.signal, strength=draw(SHARES), evidence=evidence)
        found.append(
            Hypothesis(
                rank=rank,
                cause_type=CAUSE_OF[evidence.signal],
                confidence=draw(SHARES),
                evidence=evidence,
                signals=(reading,) * draw(st.integers(0, 4)),
                because=draw(NASTY),
                symptom_of=draw(st.none() | st.sampled_from(Cause)),
                first_action=draw(MAYBE),
                escalations=draw(ESCALATIONS),
                factors=tuple(
                    draw(
                        st.lists(
                            st.builds(Factor, name=NASTY, value=FLOATS, text=MAYBE), max_size=3
                        )
                    )
                ),
            )
        )
    return tuple(found)


@st.composite
def diagnoses(draw: st.DrawFn) -> Diagnosis:
    """A diagnosis, advised or not."""
    found = draw(hypotheses())
    steps = st.builds(
        GuidanceStep, title=NASTY, sql=MAYBE, command=MAYBE, changes_things=st.booleans()
    )
    guidance = st.builds(
        Guidance,
        response=NASTY,
        escalate_after_s=st.none() | st.integers(0, 10_000),
        escalate_to=MAYBE,
        steps=st.lists(steps, max_size=14).map(tuple),
        escalations=ESCALATIONS,
        name_team_at_once=st.booleans(),
    )
    blind = st.builds(BlindSpot, detector=NASTY, reason=NASTY)
    return Diagnosis(
        signal_id=draw(NASTY),
        case_id=draw(NASTY),
        tenant_id="acme",
        dataset=draw(NAME),
        anomaly_type=draw(st.sampled_from(AnomalyType)),
        detected_at=NOW,
        as_of=NOW,
        top_cause_type=found[0].cause_type if found else None,
        top_confidence=found[0].confidence if found else 0.0,
        hypothesis_count=len(found),
        band=band_of(found[0].confidence if found else None),
        hypotheses=found,
        checked=tuple(draw(st.lists(st.sampled_from(SignalCode), max_size=13))),
        blind_spots=tuple(draw(st.lists(blind, max_size=15))),
        guidance=draw(st.none() | guidance),
    )


@st.composite
def views(draw: st.DrawFn) -> IncidentView:
    """An incident in any state, with anything written into it."""
    incident = Incident(
        incident_id="i1",
        tenant_id="acme",
        dataset=draw(NAME),
        anomaly_type=draw(st.sampled_from(AnomalyType)),
        state=draw(st.sampled_from(IncidentState)),
        severity=draw(st.none() | st.sampled_from(Severity)),
        opened_at=NOW,
        detected_at=NOW,
        correlation_id=None,
        place=None,
        alert_count=draw(st.integers(0, 10**6)),
        acknowledged_by=draw(MAYBE),
        acknowledged_at=draw(st.none() | TIMES),
        resolved_by=draw(MAYBE),
        resolved_at=draw(st.none() | TIMES),
        snoozed_until=draw(st.none() | TIMES),
        title=draw(MAYBE),
        alert_url=draw(st.none() | NASTY | NASTY.map(lambda text: "https://a.example/" + text)),
    )
    return IncidentView(
        incident=incident,
        diagnosis=draw(st.none() | diagnoses()),
        deadlines=tuple(draw(st.lists(deadlines(), max_size=8))),
        pages=tuple(draw(st.lists(pages(), max_size=8))),
    )


def deadlines() -> st.SearchStrategy[Deadline]:
    return st.builds(
        Deadline,
        deadline_id=st.just("d1"),
        incident_id=st.just("i1"),
        rule=NASTY | st.just("matrix"),
        team=NASTY | st.just("infra"),
        reason=NASTY,
        due_at=TIMES | st.just(NOW + timedelta(minutes=30)),
        person=MAYBE,
    )


def pages() -> st.SearchStrategy[Page]:
    return st.builds(
        Page,
        page_id=st.just("p1"),
        incident_id=st.just("i1"),
        team=NASTY | st.just("infra"),
        dedup_key=st.just("k"),
        reason=NASTY,
        requested_by=NASTY,
        requested_at=TIMES,
        state=st.sampled_from(PageState),
        person=MAYBE,
        pager=MAYBE,
        accepted_at=st.none() | TIMES,
        url=MAYBE,
        error=MAYBE,
        fallback_of=MAYBE,
    )


NAMES = Names(
    teams={"infra": TeamName(name="Infra", usergroup="S0INFRA", pager="PagerDuty")},
    people={"dana@acme.example": "U0DANA"},
)
