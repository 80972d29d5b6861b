"""Conditions are refused when the pages are read, not when they matter, and never raise anything but Unanswerable."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.case import Document
from rca.evidence import SignalCode
from runbook.conditions import (
    MAX_LENGTH,
    Condition,
    ConditionError,
    UnanswerableError,
    Variables,
    Yields,
    compile_condition,
    holds,
    instant,
    text,
)
from runbook.facts import EVIDENCE_OF, INCIDENT_WORLD, world_of
from tests.runbook.build import (
    NOW,
    drift,
    new_values,
    partial_sync,
    pass_to_fail,
    removed,
    sync_failure,
)


def _compiled(
    source: str,
    *signals: SignalCode,
    yields: Yields = Yields.YES_OR_NO,
) -> Condition:
    return compile_condition(
        source, [world_of(signal) for signal in signals] or [INCIDENT_WORLD], yields
    )


@pytest.mark.parametrize(
    ("source", "evidence", "answer"),
    [
        ("evidence.jsd > 0.5", drift(0.51, healthy=None), True),
        ("evidence.jsd > 0.5", drift(0.5, healthy=None), False),
        ("evidence.jsd > 0", drift(0.5, healthy=None), True),
        ("evidence.ingestion_healthy == true", drift(0.5, healthy=None), False),
        ("evidence.ingestion_healthy != false", drift(0.5, healthy=None), True),
        ('evidence.error_code == "auth_error"', sync_failure(error_code="auth_error"), True),
        ('evidence.error_code in ["auth_error"]', sync_failure(error_code=None), False),
        ("size(evidence.dimensions_affected) > 1", new_values("a", "b"), True),
        ("evidence.dimensions_affected.exists(d, d == 'a')", new_values("a"), True),
        (
            "size(evidence.dimensions_affected) > 0 && evidence.dimensions_affected[0] == 'b'",
            new_values("a"),
            False,
        ),
        ("evidence.column_changes.exists(c, c.change == 'removed')", removed("a"), True),
        ("evidence.column_changes.all(c, c.from == null)", removed("a"), True),
        ("size(evidence.column_changes.filter(c, c.column == 'a')) == 1", removed("a"), True),
        ("evidence['drop_pct'] >= 90.0", partial_sync(None), True),
        ("evidence.transitions.exists(t, t.from == 'pass')", pass_to_fail(code_changed=None), True),
        ("has(evidence.error_message) && evidence.error_message == null", partial_sync(None), True),
        ("evidence.signal == 'distribution_drift' // the only one", drift(0.1, healthy=None), True),
        (
            "evidence.error_message == null ? true : size(evidence.error_message) > 3",
            partial_sync("a"),
            False,
        ),
    ],
)
def test_condition_on_evidence(source: str, evidence: Document, answer: bool) -> None:  # noqa: FBT001 - a column of the table
    """Conditions read the runbook's own keys; what is not known equals null and nothing else."""
    condition = _compiled(source, SignalCode(str(evidence.model_dump()["signal"])))
    assert holds(condition, Variables({"evidence": evidence})) is answer


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "evidence.nope > 0.5",
            "evidence.nope is not declared; evidence has also_moved, dimension",
        ),
        ("false && evidence.nope > 0.5", "evidence.nope is not declared"),
        ("evidence.jsd.deeper == 1", "evidence.jsd has no keys"),
        ("evidence['nope'] == 1", "evidence.nope is not declared"),
        (
            "evidence.top_movers.exists(m, m.nope == 1)",
            "evidence.top_movers[].nope is not declared",
        ),
        ("evidence.top_movers[0].nope == 1", "evidence.top_movers[].nope is not declared"),
        ("evidence.jsd.exists(m, true)", "evidence.jsd is not a list"),
        ("proof.jsd > 0.5", "proof is not declared; known are diagnosis, evidence"),
        ("m.value == 'a' || evidence.top_movers.exists(m, true)", "m is not declared"),
        ("incident.opened > 1", "incident.opened is not declared"),
        ("incident.last_deployment.who == 'x'", "incident.last_deployment.who is not declared"),
        ("incident.last_deployment.recent", "when incident.last_deployment is null"),
        ("hypothesis.evidence == 1", "hypothesis.evidence is not declared"),
        ("evidence.ingestion_healthy", "when evidence.ingestion_healthy is null"),
        ("!evidence.ingestion_healthy", "when evidence.ingestion_healthy is null"),
        ("evidence.jsd", "gives float instead of true or false"),
        ("evidence.jsd > 0.5 ? true : 'x'", "gives str instead of true or false"),
        ("evidence.jsd > 'high'", "No such overload"),
        ("evidence.jsd > 0.5 && evidence.dimension > 3", "No such overload"),
        ("evidence.top_movers[0].delta > 0.0", "out of bounds"),
        ("size(evidence.top_movers) > 1 && evidence.top_movers[1].delta > 'a'", "No such overload"),
        ("evidence.dimension.matches('[')", "not a valid regex"),
        ("now() > evidence.jsd", "function now() is not offered"),
        ("evidence.dimension.shout() == 'X'", "method .shout() is not offered"),
        ("{'a': 1}.a == 1", "literals are not used"),
        ("evidence.jsd >", "Syntax error"),
        ("", "Syntax error"),
        ("true " * MAX_LENGTH, "longer than"),
        (
            "evidence.top_movers.all(a, evidence.top_movers.all(b, evidence.top_movers.all(c, true)))",
            "nested list macros",
        ),
    ],
)
def test_wrong_condition_is_refused(source: str, says: str) -> None:
    """Whatever could fail at night is refused with the key or the reason, hidden branches included."""
    with pytest.raises(ConditionError) as caught:
        _compiled(source, SignalCode.DISTRIBUTION_DRIFT)
    assert says in str(caught.value)


def test_rule_must_fit_every_signal_it_is_asked_of() -> None:
    """A key that only one of two signals declares is refused for both together."""
    both = (SignalCode.DISTRIBUTION_DRIFT, SignalCode.CARDINALITY_EXPLOSION)
    assert _compiled("evidence.ingestion_healthy == false", *both)
    with pytest.raises(ConditionError, match=r"evidence\.jsd is not declared"):
        _compiled("evidence.jsd > 0.5", *both)


def test_rule_about_the_incident_has_no_evidence() -> None:
    """A rule without signals may ask of the diagnosis and the incident only."""
    assert _compiled("diagnosis.hypothesis_count == 0 && diagnosis.band == 'manual'")
    for name in ("evidence", "hypothesis"):
        with pytest.raises(ConditionError, match=f"{name} is not declared"):
            _compiled(f"{name} == null")


def test_instant_and_text() -> None:
    """A deadline starts at a timestamp, a person is a text; both may be null."""
    variables = Variables({"evidence": sync_failure(failed_since=NOW, error_message=None)})
    since = _compiled("evidence.failed_since", SignalCode.SYNC_FAILURE, yields=Yields.INSTANT)
    who = _compiled("evidence.error_message", SignalCode.SYNC_FAILURE, yields=Yields.TEXT)
    assert instant(since, variables) == NOW
    assert text(who, variables) is None
    with pytest.raises(ConditionError, match="instead of a timestamp"):
        _compiled("evidence.job_id", SignalCode.SYNC_FAILURE, yields=Yields.INSTANT)


def test_every_signal_declares_its_evidence() -> None:
    """Each signal has one model to compile against, and that model says so itself."""
    assert set(EVIDENCE_OF) == set(SignalCode)
    for signal in SignalCode:
        assert _compiled(f"evidence.signal == '{signal}'", signal)


class _Odd(Document):
    value: object


@pytest.mark.parametrize("value", [object(), "\ud800", {1.5: "x"}, {"a"}, timedelta.max, 10**400])
def test_value_that_cel_cannot_hold(value: object) -> None:
    """A value from nowhere is unanswerable, or simply not equal; it is never another error."""
    condition = compile_condition("true", [INCIDENT_WORLD], Yields.YES_OR_NO)
    try:
        holds(condition, Variables({"odd": _Odd(value=value)}))
    except UnanswerableError as error:
        assert str(error)  # noqa: PT017 - both ways are right


@given(
    source=st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "evidence",
                ".",
                "jsd",
                "(",
                ")",
                "[",
                "]",
                "&&",
                ">",
                "0.5",
                "'a'",
                "x",
                ",",
                "exists",
                "!",
                "?",
                ":",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_any_text_compiles_or_is_refused(source: str) -> None:
    """Whatever stands in a page, reading it gives a condition or a ConditionError that says something."""
    try:
        condition = _compiled(source, SignalCode.DISTRIBUTION_DRIFT)
    except ConditionError as error:
        assert str(error)  # noqa: PT017 - both ways are right
    else:
        assert holds(condition, _variables()) in (True, False)


def _variables() -> Variables:
    return Variables({"evidence": drift(0.4, healthy=None)})
