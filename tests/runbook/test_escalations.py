"""Every escalation rule of the runbook, at both sides of its edge."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rca.diagnosis import Urgency
from rca.evidence import Evidence
from runbook.context import PEER_ERROR_AGE, RECENT_DEPLOYMENT
from runbook.load import Runbook
from tests.runbook.build import (
    HOUR,
    MINUTE,
    NOW,
    SOURCE,
    added,
    advised,
    cardinality,
    case,
    diagnosis,
    drift,
    escalations,
    hypothesis,
    model_failure,
    new_values,
    partial_sync,
    pass_to_fail,
    removed,
    slow_model,
    sync_failure,
    type_changed,
)

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("rule", "evidence", "fires"),
    [
        ("ingestion.partial_without_message", partial_sync(None), True),
        ("ingestion.partial_without_message", partial_sync(" \n"), True),
        ("ingestion.partial_without_message", partial_sync("stream orders timed out"), False),
        ("ingestion.auth_persisting", sync_failure(error_code="auth_error"), True),
        ("ingestion.auth_persisting", sync_failure(error_code="rate_limit"), False),
        ("ingestion.auth_persisting", sync_failure(error_code=None), False),
        ("schema.several_columns_changed", removed("a", "b"), True),
        ("schema.several_columns_changed", removed("a"), False),
        ("schema.several_columns_changed", type_changed("a", "b"), True),
        ("schema.several_columns_changed", added("a", "b"), True),
        ("schema.several_columns_changed", added("a"), False),
        ("transformation.execution_time", slow_model(10.0), False),
        ("transformation.execution_time", slow_model(10.01), True),
        ("transformation.execution_time", slow_model(9.99), False),
        (
            "transformation.pass_to_fail_without_change",
            pass_to_fail(code_changed=False),
            True,
        ),
        (
            "transformation.pass_to_fail_without_change",
            pass_to_fail(code_changed=True),
            False,
        ),
        (
            "transformation.pass_to_fail_without_change",
            pass_to_fail(code_changed=None),
            False,
        ),
        ("shift.major_drift", drift(0.5, healthy=True), False),
        ("shift.major_drift", drift(0.501, healthy=True), True),
        ("shift.major_drift", drift(0.499, healthy=True), False),
        ("shift.major_drift", drift(0.9, healthy=False), False),
        ("shift.major_drift", drift(0.9, healthy=None), False),
        ("shift.cardinality", cardinality(200.0), False),
        ("shift.cardinality", cardinality(200.1), True),
        ("shift.cardinality", cardinality(199.9), False),
        ("shift.new_values_in_several_dimensions", new_values("country"), False),
        ("shift.new_values_in_several_dimensions", new_values("country", "channel"), True),
        ("shift.ingestion_unhealthy", drift(0.9, healthy=False), True),
        ("shift.ingestion_unhealthy", drift(0.9, healthy=True), False),
        ("shift.ingestion_unhealthy", drift(0.9, healthy=None), False),
        ("shift.ingestion_unhealthy", cardinality(300.0, healthy=False), True),
        ("shift.ingestion_unhealthy", new_values("country", healthy=False), True),
    ],
)
def test_rule_on_its_evidence(book: Runbook, rule: str, evidence: Evidence, fires) -> None:
    """A rule that looks at the evidence alone fires beyond its edge and not on it."""
    assert (rule in escalations(book, evidence)) is fires


@pytest.mark.parametrize(
    ("rule", "evidence", "team", "urgency"),
    [
        ("ingestion.auth_persisting", sync_failure(error_code="auth_error"), "infra", "now"),
        ("ingestion.partial_without_message", partial_sync(None), "data_eng", "now"),
        ("schema.several_columns_changed", removed("a", "b"), "data_eng_lead", "now"),
        ("transformation.execution_time", slow_model(11.0), "data_eng", "now"),
        (
            "transformation.pass_to_fail_without_change",
            pass_to_fail(code_changed=False),
            "data_eng",
            "redirect",
        ),
        ("shift.major_drift", drift(0.9, healthy=True), "source_owner", "notify"),
        ("shift.cardinality", cardinality(300.0), "data_eng", "now"),
        (
            "shift.new_values_in_several_dimensions",
            new_values("country", "channel"),
            "source_owner",
            "notify",
        ),
        ("shift.ingestion_unhealthy", drift(0.9, healthy=False), "infra", "redirect"),
    ],
)
def test_rule_names_team_with_urgency(
    book: Runbook, rule: str, evidence: Evidence, team: str, urgency: str
) -> None:
    """Each rule goes to the team and with the urgency that the runbook says."""
    found = escalations(book, evidence)[rule]
    assert (found.team, found.urgency) == (team, Urgency(urgency))


@pytest.mark.parametrize(
    ("failed_for", "due_in"),
    [(59 * MINUTE, MINUTE), (HOUR, timedelta(0)), (61 * MINUTE, -MINUTE)],
)
def test_auth_error_is_due_one_hour_after_the_first_failure(
    book: Runbook, failed_for: timedelta, due_in: timedelta
) -> None:
    """The deadline is one hour after failed_since: ahead before, reached at, and past after the hour."""
    evidence = sync_failure(error_code="auth_error", failed_since=NOW - failed_for)
    assert escalations(book, evidence)["ingestion.auth_persisting"].due_at == NOW + due_in


def test_clock_that_runs_ahead_cannot_postpone_the_page(book: Runbook) -> None:
    """A failure from the future counts from now."""
    evidence = sync_failure(error_code="auth_error", failed_since=NOW + 10 * HOUR)
    assert escalations(book, evidence)["ingestion.auth_persisting"].due_at == NOW + HOUR


def _job(job_id: str, status: str, started_at: datetime, ended_at: datetime) -> dict[str, Any]:
    return {"id": job_id, "status": status, "started_at": started_at, "finished_at": ended_at}


@pytest.mark.parametrize(
    ("later", "fires"),
    [
        (_job("8813", "succeeded", NOW - HOUR, NOW - 50 * MINUTE), False),
        (_job("8813", "failed", NOW - HOUR, NOW - 50 * MINUTE), True),
        (_job("8811", "succeeded", NOW - 3 * HOUR, NOW - 170 * MINUTE), True),
        (_job("8813", "succeeded", NOW - MINUTE, NOW + MINUTE), True),
    ],
)
def test_auth_error_that_recovered_does_not_persist(
    book: Runbook, later: dict[str, Any], fires
) -> None:
    """A sync that succeeded after the failure, and is over, ends it; an earlier or unfinished one does not."""
    failed = _job("8812", "failed", NOW - 2 * HOUR, NOW - 110 * MINUTE)
    found = escalations(
        book, sync_failure(error_code="auth_error"), case(ingestion_jobs=[failed, later])
    )
    assert ("ingestion.auth_persisting" in found) is fires


@pytest.mark.parametrize(
    ("peers", "affected"),
    [
        ([], 1),
        ([("globex", "rate_limit", timedelta(0))], 2),
        ([("globex", "rate_limit", PEER_ERROR_AGE)], 2),
        ([("globex", "rate_limit", PEER_ERROR_AGE + SECOND)], 1),
        ([("globex", "auth_error", timedelta(0))], 1),
        ([("acme", "rate_limit", timedelta(0))], 1),
        ([("globex", "rate_limit", HOUR), ("globex", "rate_limit", HOUR)], 2),
        ([("globex", "rate_limit", HOUR), ("initech", "rate_limit", HOUR)], 3),
    ],
)
def test_rate_limit_counts_other_tenants_with_the_same_error(
    book: Runbook, peers: list[tuple[str, str, timedelta]], affected: int
) -> None:
    """Only recent errors of the same code at other tenants make it platform's; the reason has no tenant's name."""
    rows = [{"tenant_id": t, "error_code": code, "last_at": NOW - age} for t, code, age in peers]
    found = escalations(book, sync_failure(error_code="rate_limit"), case(peer_errors=rows))
    escalation = found.get("ingestion.rate_limit_across_tenants")
    assert (escalation is not None) is (affected > 1)
    if escalation is not None:
        assert escalation.team == "platform"
        assert f"across {affected} tenants" in escalation.reason
        assert "globex" not in escalation.reason


LINEAGE: dict[str, Any] = {
    "parents": {
        "model.shop.stg_orders": [SOURCE],
        "model.shop.orders": ["model.shop.stg_orders"],
    },
    "columns_used": {"model.shop.stg_orders": [f"{SOURCE}.total_price"]},
    "critical_models": ["model.shop.orders"],
}


@pytest.mark.parametrize(
    ("evidence", "lineage", "fires"),
    [
        (removed("total_price"), {}, True),
        (removed("TOTAL_PRICE"), {}, True),
        (removed("note"), {}, False),
        (type_changed("total_price"), {}, False),
        (removed("total_price"), {"critical_models": ["model.shop.stg_orders"]}, True),
        (removed("total_price"), {"critical_models": ["model.shop.refunds"]}, False),
        (removed("total_price"), {"critical_models": []}, False),
        (removed("total_price"), {"critical_models": None}, False),
        (removed("total_price"), {"columns_used": None}, False),
        (
            removed("total_price"),
            {"columns_used": {"model.shop.stg_orders": ["raw.shopify.orders.total_price"]}},
            True,
        ),
        (
            removed("total_price"),
            {"columns_used": {"model.shop.stg_orders": ["source.x.total_price"]}},
            False,
        ),
    ],
)
def test_removed_column_in_a_critical_model(
    book: Runbook, evidence: Evidence, lineage: dict[str, Any], fires
) -> None:
    """A removed column that reaches a critical model, at any distance, is analytics engineering's at once."""
    found = escalations(book, evidence, case(lineage={**LINEAGE, **lineage}))
    escalation = found.get("schema.removed_column_in_critical_model")
    assert (escalation is not None) is fires
    if escalation is not None:
        assert (escalation.team, escalation.urgency) == ("analytics_eng", Urgency.NOW)
        assert escalation.due_at is None


def test_columns_changed_are_counted_over_all_schema_signals(book: Runbook) -> None:
    """One removed and one retyped column are two columns; one column seen by two signals is one."""
    both = escalations(book, (removed("a"), type_changed("b")))
    same = escalations(book, (removed("a"), type_changed("a")))
    assert "schema.several_columns_changed" in both
    assert "schema.several_columns_changed" not in same


def _run(at: datetime, **fields: Any) -> dict[str, Any]:
    return {"dbt_generated_at": at, **fields}


def _result(status: str, message: str | None = None) -> dict[str, Any]:
    return {"unique_id": "model.shop.orders", "status": status, "message": message}


@pytest.mark.parametrize(
    ("message", "fires"),
    [
        ("Compilation Error in model orders", True),
        ("Database Error in model orders\n  operator does not exist: text > integer", True),
        ("Database Error in model orders\n  Numeric value 'x' is not recognized", True),
        ('Database Error\n  invalid input syntax for type numeric: "12,50"', True),
        (None, True),
        ("Database Error in model orders\n  division by zero", False),
        ("Database Error\n  could not extend file: No space left on device", False),
    ],
)
def test_type_change_with_compilation_errors(book: Runbook, message: str | None, fires) -> None:
    """A correlated failure escalates a type change unless its message is about something else."""
    facts = case(dbt_runs=[_run(NOW - MINUTE, results=[_result("error", message)])])
    found = escalations(book, type_changed("a", failures=("model.shop.orders",)), facts)
    assert ("schema.type_change_breaks_compilation" in found) is fires


def test_type_change_without_failures_stays_with_data_engineering(book: Runbook) -> None:
    """A type change that breaks no model escalates nothing, and neither does a removed column's failure."""
    rule = "schema.type_change_breaks_compilation"
    assert rule not in escalations(book, type_changed("a"))
    assert rule not in escalations(book, removed("a", failures=("model.shop.orders",)))


@pytest.mark.parametrize(
    ("before", "fires"),
    [
        (timedelta(0), True),
        (HOUR, True),
        (RECENT_DEPLOYMENT, True),
        (RECENT_DEPLOYMENT + SECOND, False),
        (-SECOND, False),
    ],
)
def test_model_failure_after_a_recent_deployment(book: Runbook, before: timedelta, fires) -> None:
    """A deployment up to a day before the failing run calls its engineer; an older or a later one does not."""
    run = _run(NOW, deployed_at=NOW - before, deployed_by="dana@acme.example", git_sha="b")
    found = escalations(book, model_failure(), case(dbt_runs=[run]))
    escalation = found.get("transformation.failure_after_deployment")
    assert (escalation is not None) is fires
    if escalation is not None:
        assert (escalation.team, escalation.person) == ("deployer", "dana@acme.example")
        assert "dana@acme.example" in escalation.reason


@pytest.mark.parametrize(
    ("code_changed", "before", "fires"),
    [
        (True, HOUR, True),
        (True, RECENT_DEPLOYMENT + SECOND, False),
        (False, HOUR, False),
        (None, HOUR, False),
    ],
)
def test_failing_test_of_changed_code_is_the_deployers(
    book: Runbook, code_changed, before: timedelta, fires
) -> None:
    """A test that fails after its model was changed and deployed calls the engineer; without a change it does not."""
    run = _run(NOW, deployed_at=NOW - before, deployed_by="dana@acme.example")
    found = escalations(book, pass_to_fail(code_changed=code_changed), case(dbt_runs=[run]))
    assert ("transformation.failure_after_deployment" in found) is fires


@pytest.mark.parametrize(
    ("failure", "fires"),
    [
        (sync_failure(error_code="auth_error"), False),
        (sync_failure(error_message="HTTP Status Code: 401"), False),
        (sync_failure(error_message=" "), True),
        (sync_failure(), True),
    ],
)
def test_partial_sync_explained_by_a_failed_one_is_not_data_engineerings(
    book: Runbook, failure: Evidence, fires
) -> None:
    """Where a failed sync beside the partial one says why, data engineering sleeps on."""
    found = escalations(book, (failure, partial_sync(None)))
    assert ("ingestion.partial_without_message" in found) is fires


def test_unknown_deployer_is_analytics_engineering(book: Runbook) -> None:
    """Where nobody knows who deployed, a team is called instead of nobody."""
    found = escalations(book, model_failure(), case(dbt_runs=[_run(NOW, deployed_at=NOW - HOUR)]))
    escalation = found["transformation.failure_after_deployment"]
    assert (escalation.team, escalation.person) == ("analytics_eng", None)


def test_failure_older_than_the_deployment_is_not_its_work(book: Runbook) -> None:
    """A model that failed already before the deployment does not call the engineer who deployed."""
    deployed = {"deployed_at": NOW - HOUR, "deployed_by": "dana@acme.example"}
    runs = [
        _run(NOW - 2 * HOUR, results=[_result("error")]),
        _run(NOW, results=[_result("error")], **deployed),
    ]
    healthy = [_run(NOW - 2 * HOUR, results=[_result("success")]), runs[1]]
    rule = "transformation.failure_after_deployment"
    assert rule not in escalations(book, model_failure(), case(dbt_runs=runs))
    assert rule in escalations(book, model_failure(), case(dbt_runs=healthy))


def test_failure_seen_again_days_later_still_belongs_to_its_deployment(book: Runbook) -> None:
    """What counts is the first failing run of the series, not the last."""
    deployed = {"deployed_at": NOW - 60 * HOUR, "deployed_by": "dana@acme.example"}
    runs = [
        _run(NOW - 59 * HOUR, results=[_result("error")], **deployed),
        _run(NOW - 30 * HOUR, results=[], **deployed),
        _run(NOW, results=[_result("error")], **deployed),
    ]
    found = escalations(book, model_failure(), case(dbt_runs=runs))
    assert "transformation.failure_after_deployment" in found


def test_new_commit_stands_for_its_deployment(book: Runbook) -> None:
    """Without a deployment time the first run of another commit counts; the same commit does not."""
    rule = "transformation.failure_after_deployment"
    other = [_run(NOW - 48 * HOUR, git_sha="a"), _run(NOW, git_sha="b", deployed_by="dana")]
    same = [_run(NOW - 48 * HOUR, git_sha="a"), _run(NOW, git_sha="a", deployed_by="dana")]
    assert escalations(book, model_failure(), case(dbt_runs=other))[rule].person == "dana"
    assert rule not in escalations(book, model_failure(), case(dbt_runs=same))


@pytest.mark.parametrize(
    ("flag", "exposure_node", "exposure_flag", "fires"),
    [
        (True, None, None, True),
        (False, "model.shop.orders", True, True),
        (False, "model.shop.orders", False, False),
        (False, "model.shop.orders", None, False),
        (False, "model.shop.unrelated", True, False),
        (False, SOURCE, True, True),
        (None, "model.shop.orders", True, True),
        (None, None, None, False),
        (False, None, None, False),
    ],
)
@pytest.mark.parametrize("confidence", [0.99, 0.5, None])
def test_merchant_facing_escalates_regardless_of_confidence(
    book: Runbook,
    flag,
    exposure_node: str | None,
    exposure_flag,
    fires,
    confidence: float | None,
) -> None:
    """A merchant-facing dataset, or such a dashboard downstream, escalates at once, whatever was found."""
    exposure = {
        "unique_id": "exposure.shop.gmv",
        "depends_on": [exposure_node],
        "merchant_facing": exposure_flag,
    }
    facts = case(
        dataset={"name": "shopify_orders", "dbt_node": SOURCE, "merchant_facing": flag},
        lineage={**LINEAGE, "exposures": [exposure]} if exposure_node else None,
    )
    found = [] if confidence is None else [hypothesis(removed("a"), confidence=confidence)]
    done = advised(book, diagnosis(*found), facts)
    assert done.guidance is not None
    rules = [(e.rule, e.urgency, e.due_at) for e in done.guidance.escalations]
    assert rules == ([("incident.merchant_facing", Urgency.NOW, None)] if fires else [])


@pytest.mark.parametrize(
    ("found", "reviewed", "active", "fires"),
    [
        (0, True, True, True),
        (0, False, True, False),
        (0, True, False, False),
        (1, True, True, False),
    ],
)
def test_persistent_without_signal_after_manual_review(
    book: Runbook, found: int, reviewed, active, fires
) -> None:
    """The lead is called when a person looked, nothing was found, and it is still wrong; not on less."""
    hypotheses = [hypothesis(removed("a"))] * found
    done = advised(book, diagnosis(*hypotheses, is_active=active), manual_review_done=reviewed)
    assert done.guidance is not None
    called = {e.rule: e.team for e in done.guidance.escalations}
    assert called == ({"incident.persistent_without_signal": "data_eng_lead"} if fires else {})


def test_rule_is_asked_of_every_reading_not_only_the_strongest(book: Runbook) -> None:
    """The second signal of a hypothesis escalates as well, and a rule that fires twice escalates once."""
    found = escalations(
        book, (drift(0.6, healthy=True), drift(0.9, healthy=True), cardinality(300.0))
    )
    assert sorted(found) == ["shift.cardinality", "shift.major_drift"]


def test_every_rule_of_the_shipped_pages_has_a_test_here(book: Runbook) -> None:
    """No rule is shipped that this file does not name."""
    text = Path(__file__).read_text(encoding="utf-8")
    rules = [rule for page in (*book.pages.values(), book.no_signal) for rule in page.rules]
    assert len(rules) == 15
    assert [rule.rule_id for rule in rules if f'"{rule.rule_id}"' not in text] == []
