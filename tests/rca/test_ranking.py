"""Ranking: causes before symptoms, holes never make surer, and every confidence can say why."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.calibration import strength_of, weight_of
from rca.case import Anomaly
from rca.causal import CONTEXT, PRIOR, PRIOR_NONE, SENSITIVITY, SHIPPED, SYMPTOMS, Model
from rca.detection import Skipped
from rca.engine import diagnose
from rca.evidence import CAUSE_OF, Cause, SignalCode
from rca.posterior import weigh

STAGING, MODEL, TEST = "model.shop.stg_orders", "model.shop.orders", "test.shop.unique_orders_id.1"


def test_the_tables_are_probabilities():
    """Priors add up to about one, contexts to one, everything else lies in [0, 1]."""
    assert sum(PRIOR.values()) + PRIOR_NONE == pytest.approx(1.0, abs=0.1)
    for row in CONTEXT.values():
        assert sum(row) == pytest.approx(1.0, abs=0.03)
    assert all(0.0 < value < 1.0 for value in SENSITIVITY.values())
    for code, row in SYMPTOMS.items():
        assert len(row) == len(SignalCode)
        assert all(0.0 <= value < 1.0 for value in row)
        assert row[list(SignalCode).index(code)] == 0.0


def test_a_failing_test_under_a_dead_connector_is_a_symptom(pipeline):
    """The outage explains it: it stays visible, marked, and below."""
    pipeline.failed(range(57, 60), error_code="auth_error").rows(0.3).node(TEST, 1, status="fail")
    hypotheses = diagnose(pipeline.case()).hypotheses
    assert [h.cause_type for h in hypotheses] == [
        Cause.INGESTION_FAILURE,
        Cause.TRANSFORMATION_REGRESSION,
    ]
    assert hypotheses[1].symptom_of is Cause.INGESTION_FAILURE
    assert hypotheses[0].symptom_of is None


def test_a_model_that_failed_over_a_dropped_column_is_a_symptom(pipeline):
    """Lineage and the error's own words tie the failure to the column."""
    pipeline.alert(anomaly_type="schema_anomaly").columns(1, lambda c: c[:1] + c[2:])
    pipeline.node(MODEL, 1, status="error", message='column "total" does not exist')
    hypotheses = diagnose(pipeline.case()).hypotheses
    assert hypotheses[0].cause_type is Cause.SCHEMA_DRIFT
    assert (hypotheses[1].cause_type, hypotheses[1].symptom_of) == (
        Cause.TRANSFORMATION_REGRESSION,
        Cause.SCHEMA_DRIFT,
    )


def test_the_same_code_seldom_moves_shares(pipeline):
    """A test fails and shares moved: new code explains the shift, code as it was leaves it to the source."""
    pipeline.alert(anomaly_type="quality_check_failure", check_id=TEST).counts("country", US=350)
    same = diagnose(pipeline.node(TEST, 1, status="fail").case()).hypotheses
    new = diagnose(pipeline.node(MODEL, 1, checksum="sha256:new").case()).hypotheses
    assert same[0].cause_type is Cause.UPSTREAM_DATA_SHIFT
    assert same[0].confidence > 2 * same[1].confidence
    assert new[0].cause_type is Cause.TRANSFORMATION_REGRESSION


def test_a_shift_under_an_unhealthy_ingestion_is_a_symptom(pipeline):
    """Runbook, step 4: investigate ingestion first."""
    pipeline.failed(range(57, 60), error_code="rate_limit").rows(0.3).counts("country", US=10)
    hypotheses = diagnose(pipeline.case()).hypotheses
    assert hypotheses[0].cause_type is Cause.INGESTION_FAILURE
    assert hypotheses[1].symptom_of is Cause.INGESTION_FAILURE


def test_two_independent_faults_are_both_told(pipeline):
    """Neither explains the other: both keep a confidence of their own."""
    pipeline.failed(range(57, 60), error_code="auth_error").rows(0.3).node(MODEL, 1, status="error")
    found = {h.cause_type: h.confidence for h in diagnose(pipeline.case()).hypotheses}
    assert found[Cause.INGESTION_FAILURE] > 0.4
    assert found[Cause.TRANSFORMATION_REGRESSION] > 0.4


BREAKS = {
    "outage": lambda p: p.failed(range(57, 60)).rows(0.3),
    "partial": lambda p: p.jobs(range(56, 60), rows_synced=60).rows(0.25),
    "column": lambda p: p.columns(1, lambda c: c[:1] + c[2:]),
    "model": lambda p: p.node(MODEL, 1, status="error"),
    "test": lambda p: p.node(TEST, 1, status="fail"),
    "drift": lambda p: p.counts("country", US=10),
    "values": lambda p: p.counts("country", PL=60),
}
FACTS = {
    Cause.INGESTION_FAILURE: "ingestion_jobs",
    Cause.SCHEMA_DRIFT: "column_snapshots",
    Cause.TRANSFORMATION_REGRESSION: "dbt_runs",
    Cause.UPSTREAM_DATA_SHIFT: "dimension_profiles",
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_hole_where_nothing_showed_never_raises_a_confidence(pipeline, name):
    """Not having looked is weaker than having looked and found nothing."""
    top = diagnose(BREAKS[name](pipeline).case()).top
    for cause, fact in FACTS.items():
        if cause is top.cause_type or fact == "dimension_profiles":
            continue
        kept = pipeline.document.pop(fact)
        assert diagnose(pipeline.case()).top.confidence <= top.confidence + 1e-9, fact
        pipeline.document[fact] = kept


def test_a_tie_that_nobody_could_check_makes_no_cause_surer(pipeline):
    """A test fails and shares moved; whether new code made both is unknown: neither gains from not knowing."""
    pipeline.alert(anomaly_type="distribution_anomaly").counts("country", US=10)
    pipeline.node(TEST, 1, status="fail")
    unchanged = confidences(pipeline)
    pipeline.node(STAGING, 1, checksum="sha256:new")
    changed = confidences(pipeline)
    unknown = confidences(pipeline.without("lineage"))
    assert changed[Cause.TRANSFORMATION_REGRESSION] > unchanged[Cause.TRANSFORMATION_REGRESSION]
    for cause, confidence in unknown.items():
        assert confidence <= unchanged[cause] + 1e-9, cause
    shift = Cause.UPSTREAM_DATA_SHIFT
    assert unknown[shift] < unchanged[shift]


def confidences(pipeline):
    return {h.cause_type: h.confidence for h in diagnose(pipeline.case()).hypotheses}


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(BREAKS, 2)))
def test_factors_add_up_and_ranks_follow_confidence(pipeline, first, second):
    """Whatever is broken together: ranks count up, confidences go down, terms are named and finite."""
    hypotheses = diagnose(BREAKS[second](BREAKS[first](pipeline)).case()).hypotheses
    assert [h.rank for h in hypotheses] == list(range(1, len(hypotheses) + 1))
    confidences = [h.confidence for h in hypotheses]
    assert confidences == sorted(confidences, reverse=True)
    for hypothesis in hypotheses:
        assert len({factor.name for factor in hypothesis.factors}) == len(hypothesis.factors)
        assert hypothesis.because.endswith(".")
        assert hypothesis.evidence == hypothesis.signals[0].evidence


def _signals(pipeline):
    """Two real signals to weigh with other strengths."""
    pipeline.failed(range(57, 60)).rows(0.3).counts("country", US=10)
    failure, drift = pipeline.ask("sync_failure"), pipeline.ask("distribution_drift")
    return {failure.code: failure, drift.code: drift}


def test_a_stronger_signal_never_makes_its_own_fault_less_likely(pipeline):
    """Monotone in the strength."""
    signals = _signals(pipeline)
    anomaly = pipeline.case().anomaly
    found = []
    for strength in np.linspace(0.01, 0.99, 25):
        own = signals[SignalCode.SYNC_FAILURE]
        changed = signals | {
            own.code: type(own)(
                evidence=own.evidence, strength=strength, because="", onset=own.onset
            )
        }
        found.append(weigh(changed, {}, anomaly, SHIPPED).faults[0])
    assert all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(found))


@given(blind=st.sets(st.sampled_from(list(SignalCode))))
def test_states_are_a_distribution_whatever_is_blind(blind):
    """Probabilities add up to one, with any detectors missing and nothing shown."""
    anomaly = Anomaly(
        tenant_id="a", dataset="d", anomaly_type="other", detected_at="2026-03-02T07:00:00Z"
    )
    skipped = {code: Skipped(reason="x") for code in blind}
    posterior = weigh({}, skipped, anomaly, SHIPPED)
    assert posterior.states.sum() == pytest.approx(1.0)
    assert (posterior.faults >= 0.0).all()
    nothing_blind = weigh({}, {}, anomaly, SHIPPED)
    assert posterior.states[0] <= nothing_blind.states[0] + 1e-12


def test_weights_of_a_model_move_its_cause_only_up_or_down(pipeline):
    """The few fitted numbers do what their names say."""
    case = pipeline.counts("country", US=360).alert(anomaly_type="distribution_anomaly").case()
    usual = diagnose(case).top.confidence
    trusted = Model(weights={c: 1.4 if c is Cause.UPSTREAM_DATA_SHIFT else 1.0 for c in Cause})
    rare = Model(offsets={c: -1.0 if c is Cause.UPSTREAM_DATA_SHIFT else 0.0 for c in Cause})
    assert (
        diagnose(case, model=trusted).top.confidence
        >= usual
        >= diagnose(case, model=rare).top.confidence
    )


@given(st.floats(-6, 6))
def test_strength_and_weight_are_inverse(weight):
    """One currency, two spellings."""
    assert weight_of(strength_of(weight)) == pytest.approx(weight, abs=1e-6)


@given(st.floats(0, 1), st.floats(0, 1))
def test_weight_grows_with_strength(a, b):
    """And stays finite at both ends."""
    assert (weight_of(a) <= weight_of(b)) or a > b


def test_every_signal_has_a_cause():
    """The vocabulary is closed."""
    assert set(CAUSE_OF) == set(SignalCode)
