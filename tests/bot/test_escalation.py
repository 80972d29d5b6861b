"""Who is paged by itself and when; when a refused page is tried again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.directory import Directory
from bot.escalation import (
    PAGING_LIMIT,
    GiveUp,
    Retry,
    Target,
    next_attempt,
    plan,
    resolve_targets,
    target_of,
)
from bot.records import Incident, IncidentState
from rca.case import AnomalyType, Dataset
from rca.diagnosis import (
    Diagnosis,
    Escalation,
    Guidance,
    Hypothesis,
    Urgency,
    band_of,
)
from rca.evidence import Cause, MissingSyncEvidence

OPENED = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
NOW = OPENED + timedelta(seconds=10)
MINUTE = timedelta(minutes=1)

INCIDENT = Incident(
    incident_id="inc-1",
    tenant_id="acme",
    dataset="shopify_orders",
    anomaly_type=AnomalyType.VOLUME,
    state=IncidentState.OPEN,
    severity=None,
    opened_at=OPENED,
    detected_at=OPENED,
    correlation_id=None,
    place=None,
)


def rule(
    name: str = "ingestion.auth_persisting",
    team: str = "infra",
    urgency: Urgency = Urgency.NOW,
    due_at: datetime | None = None,
    person: str | None = None,
) -> Escalation:
    return Escalation(
        rule=name, team=team, urgency=urgency, reason="because", due_at=due_at, person=person
    )


def hypothesis(
    rank: int, cause: Cause, *escalations: Escalation, symptom_of: Cause | None = None
) -> Hypothesis:
    return Hypothesis(
        rank=rank,
        cause_type=cause,
        confidence=0.7,
        evidence=MissingSyncEvidence(expected_by=OPENED, overdue_s=1),
        signals=(),
        because="it shows",
        symptom_of=symptom_of,
        escalations=escalations,
    )


def diagnosis(
    *hypotheses: Hypothesis,
    confidence: float = 0.7,
    after_s: int | None = None,
    to: str | None = None,
    escalations: tuple[Escalation, ...] = (),
) -> Diagnosis:
    return Diagnosis(
        signal_id="s",
        case_id="c",
        tenant_id="acme",
        dataset="shopify_orders",
        anomaly_type=AnomalyType.VOLUME,
        detected_at=OPENED,
        as_of=NOW,
        top_confidence=confidence,
        band=band_of(confidence),
        hypotheses=hypotheses,
        guidance=Guidance(
            response="r", escalate_after_s=after_s, escalate_to=to, escalations=escalations
        ),
    )


# ── the matrix ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("confidence", "after_s", "due_at"),
    [
        (0.93, None, None),
        (0.70, 1800, OPENED + 30 * MINUTE),
        (0.50, 3600, OPENED + 60 * MINUTE),
        (0.10, 0, NOW),
    ],
)
def test_the_matrix_counts_from_the_opening(confidence, after_s, due_at):
    """The words "if not resolved in 30 min" are 30 minutes from the opening; 0 is now; none is never."""
    planned = plan(INCIDENT, diagnosis(confidence=confidence, after_s=after_s, to="infra"), NOW)
    assert [one.due_at for one in planned] == ([due_at] if due_at else [])
    assert {one.rule for one in planned} <= {"matrix"}


def test_a_deadline_that_has_passed_is_due_now():
    """An incident whose second diagnosis comes after 40 minutes pages at once, not in the past."""
    late = OPENED + 40 * MINUTE
    (one,) = plan(INCIDENT, diagnosis(after_s=1800, to="infra"), late)
    assert one.due_at == late


def test_the_reason_says_how_long_and_how_sure():
    """Whoever is paged reads why."""
    (one,) = plan(INCIDENT, diagnosis(after_s=1800, to="infra"), NOW)
    assert one.reason == "not resolved in 30 min (confidence 0.60 to 0.85)"
    (low,) = plan(INCIDENT, diagnosis(confidence=0.1, after_s=0, to="data_eng_lead"), NOW)
    assert low.reason == "confidence below 0.40, or no cause found"


def test_no_guidance_or_no_team_is_no_deadline():
    """Without somebody to page nothing is planned."""
    bare = diagnosis().model_copy(update={"guidance": None})
    assert plan(INCIDENT, bare, NOW) == ()
    assert plan(INCIDENT, diagnosis(after_s=1800, to=None), NOW) == ()


# ── the rules ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_is_due_when_it_says():
    """A rule's own time counts; null is now."""
    later = OPENED + 45 * MINUTE
    top = hypothesis(
        1, Cause.INGESTION_FAILURE, rule(due_at=later), rule("ingestion.rate", "platform")
    )
    planned = plan(INCIDENT, diagnosis(top), NOW)
    assert [(one.rule, one.team, one.due_at) for one in planned] == [
        ("ingestion.rate", "platform", NOW),
        ("ingestion.auth_persisting", "infra", later),
    ]


def test_a_rule_due_in_the_past_is_due_now():
    """No deadline is planned before the present."""
    top = hypothesis(1, Cause.INGESTION_FAILURE, rule(due_at=OPENED - MINUTE))
    assert [one.due_at for one in plan(INCIDENT, diagnosis(top), NOW)] == [NOW]


@pytest.mark.parametrize("urgency", [Urgency.NOTIFY, Urgency.REDIRECT])
def test_what_wakes_nobody_is_no_deadline(urgency):
    """A notice or a redirect is read in the thread; nobody is paged."""
    top = hypothesis(1, Cause.INGESTION_FAILURE, rule(urgency=urgency))
    assert plan(INCIDENT, diagnosis(top, escalations=(rule(urgency=urgency),)), NOW) == ()


def test_only_the_top_hypothesis_pages():
    """The second hypothesis and a symptom page nobody, though their rules fired."""
    top = hypothesis(1, Cause.INGESTION_FAILURE)
    symptom = hypothesis(2, Cause.UPSTREAM_DATA_SHIFT, rule(), symptom_of=Cause.INGESTION_FAILURE)
    second = hypothesis(3, Cause.SCHEMA_DRIFT, rule("schema.columns", "data_eng_lead"))
    assert plan(INCIDENT, diagnosis(top, symptom, second), NOW) == ()


def test_a_symptom_at_the_top_does_not_page_either():
    """The first hypothesis that nothing explains is the one that pages."""
    symptom = hypothesis(
        1, Cause.UPSTREAM_DATA_SHIFT, rule("shift", "data_eng"), symptom_of=Cause.SCHEMA_DRIFT
    )
    cause = hypothesis(2, Cause.SCHEMA_DRIFT, rule("schema", "analytics_eng"))
    assert [one.rule for one in plan(INCIDENT, diagnosis(symptom, cause), NOW)] == ["schema"]


def test_the_incidents_own_rules_page_without_any_hypothesis():
    """A merchant-facing dashboard is escalated regardless of diagnostics."""
    planned = plan(INCIDENT, diagnosis(confidence=0.0, escalations=(rule("merchant_facing"),)), NOW)
    assert [(one.rule, one.due_at) for one in planned] == [("merchant_facing", NOW)]


def test_one_per_rule_and_team_and_the_earlier_wins():
    """The same rule for the same team twice is one deadline; for two teams it is two."""
    top = hypothesis(
        1,
        Cause.INGESTION_FAILURE,
        rule(due_at=OPENED + 9 * MINUTE),
        rule(due_at=OPENED + 5 * MINUTE),
        rule(team="platform", due_at=OPENED + 9 * MINUTE),
    )
    planned = plan(INCIDENT, diagnosis(top), NOW)
    assert [(one.team, one.due_at - OPENED) for one in planned] == [
        ("infra", 5 * MINUTE),
        ("platform", 9 * MINUTE),
    ]


def test_planning_twice_gives_the_same_rows():
    """Ids follow from incident, rule and team, so a retry keeps one row."""
    given_ = diagnosis(after_s=1800, to="infra")
    first = plan(INCIDENT, given_, NOW)
    again = plan(INCIDENT, given_, NOW + MINUTE)
    assert first == again
    other = plan(replace(INCIDENT, incident_id="inc-2"), given_, NOW)
    assert other[0].deadline_id != first[0].deadline_id


# ── the incident's state ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "count"),
    [
        (IncidentState.OPEN, 1),
        (IncidentState.MONITORING, 1),
        (IncidentState.ACKNOWLEDGED, 0),
        (IncidentState.RESOLVED, 0),
    ],
)
def test_somebody_on_it_stops_the_clock(state, count):
    """Acknowledged and resolved plan nothing; a monitored incident keeps its deadlines for a relapse."""
    incident = replace(INCIDENT, state=state)
    assert len(plan(incident, diagnosis(after_s=1800, to="infra"), NOW)) == count


@pytest.mark.parametrize(
    ("snoozed_until", "due_at"),
    [
        (OPENED + 31 * MINUTE, OPENED + 31 * MINUTE),
        (OPENED + 30 * MINUTE, OPENED + 30 * MINUTE),
        (OPENED + 29 * MINUTE, OPENED + 30 * MINUTE),
    ],
)
def test_nobody_is_paged_before_a_snooze_ends(snoozed_until, due_at):
    """A deadline within the snooze moves to its end; a later one stays."""
    incident = replace(INCIDENT, snoozed_until=snoozed_until)
    (one,) = plan(incident, diagnosis(after_s=1800, to="infra"), NOW)
    assert one.due_at == due_at


@given(
    st.integers(0, 7200) | st.none(),
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(-99, 99))),
    st.integers(0, 300),
)
def test_no_deadline_is_before_now_and_none_is_double(after_s, rules, minutes):
    """Whatever the guidance says, each rule and team is there once, in order, and not in the past."""
    now = OPENED + minutes * MINUTE
    escalations = tuple(
        rule(name, team, due_at=OPENED + offset * MINUTE) for name, team, offset in rules
    )
    planned = plan(INCIDENT, diagnosis(after_s=after_s, to="infra", escalations=escalations), now)
    pairs = [(one.rule, one.team) for one in planned]
    assert len(pairs) == len(set(pairs))
    assert all(one.due_at >= now for one in planned)
    assert [one.due_at for one in planned] == sorted(one.due_at for one in planned)


# ── targets ───────────────────────────────────────────────────────────────────────────────────────────────

DIRECTORY = Directory.model_validate(
    {
        "teams": {
            team_id: {"id": team_id, "name": name, "pager": "log"}
            for team_id, name in [
                ("infra", "Infra"),
                ("data_eng", "Data Engineering"),
                ("analytics_eng", "Analytics Engineering"),
                ("storefront", "Storefront Platform"),
            ]
        }
    }
)


def owned_by(owner: str | None) -> Dataset:
    return Dataset(name="shopify_orders", source_owner=owner)


@pytest.mark.parametrize(
    ("team", "person", "dataset", "expected"),
    [
        ("infra", None, None, Target(team="infra")),
        ("infra", "dana@acme.example", None, Target(team="infra", person="dana@acme.example")),
        ("source_owner", None, owned_by("storefront"), Target(team="storefront")),
        ("source_owner", None, owned_by("storefront-platform"), Target(team="storefront")),
        ("source_owner", None, owned_by("Storefront Platform"), Target(team="storefront")),
        (
            "source_owner",
            None,
            owned_by("eve@acme.example"),
            Target(team="data_eng", person="eve@acme.example"),
        ),
        ("source_owner", None, owned_by(None), Target(team="data_eng")),
        ("source_owner", None, None, Target(team="data_eng")),
        (
            "deployer",
            "dana@acme.example",
            None,
            Target(team="analytics_eng", person="dana@acme.example"),
        ),
        ("deployer", None, None, Target(team="analytics_eng")),
        ("no_such_team", None, None, Target(team="no_such_team")),
    ],
)
def test_roles_become_teams(team, person, dataset, expected):
    """A role is paged through the team that owns it, or through the one that stands in."""
    assert target_of(team, person, dataset, DIRECTORY) == expected


def test_a_team_called_like_a_role_is_a_team():
    """A directory may define source_owner itself; then that team is paged."""
    own = Directory.model_validate(
        {"teams": {"source_owner": {"id": "source_owner", "name": "Owners", "pager": "log"}}}
    )
    found = target_of("source_owner", None, owned_by("storefront"), own)
    assert found == Target(team="source_owner")


def test_resolved_deadlines_are_still_one_per_rule_and_team():
    """A role and a team that turn out to be the same are one deadline, at the earlier time."""
    top = hypothesis(
        1,
        Cause.UPSTREAM_DATA_SHIFT,
        rule("shift.jsd", "source_owner", due_at=OPENED + 5 * MINUTE),
        rule("shift.jsd", "storefront", due_at=OPENED + 3 * MINUTE),
        rule("shift.jsd", "infra", due_at=OPENED + 4 * MINUTE),
    )
    planned = plan(INCIDENT, diagnosis(top), NOW)
    resolved = resolve_targets(planned, owned_by("storefront"), DIRECTORY)
    assert [(one.team, one.due_at - OPENED) for one in resolved] == [
        ("storefront", 3 * MINUTE),
        ("infra", 4 * MINUTE),
    ]
    assert resolve_targets(resolved, owned_by("storefront"), DIRECTORY) == resolved


# ── tries ─────────────────────────────────────────────────────────────────────────────────────────────────

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("attempts", "at_s", "retry_after_s", "next_s"),
    [
        (1, 0, 0, 2),
        (2, 2, 0, 6),
        (3, 6, 0, 14),
        (4, 14, 0, 30),
        (5, 30, 0, None),  # 32 s more would be 62
        (5, 28, 0, 60),
        (1, 0, 2, 2),
        (1, 0, 9, 9),
        (1, 0, 60, 60),
        (1, 0, 61, None),
        (1, 59, 0, None),
        (0, 0, 0, 2),
        (1, 3600, 0, None),
        (10_000_000, 0, 0, None),
    ],
)
def test_the_pauses_double_within_a_minute(attempts, at_s, retry_after_s, next_s):
    """2, 4, 8, 16 s or what the provider asks for; a try after 60 s is not made, the exact 60th second is."""
    now = OPENED + at_s * SECOND
    step = next_attempt(attempts, OPENED, now, retry_after_s * SECOND)
    if next_s is None:
        assert step == GiveUp(reason="not delivered within 60 s")
    else:
        assert step == Retry(at=OPENED + next_s * SECOND)


def test_what_is_useless_is_not_tried_again():
    """A refusal for good ends it at the first try."""
    assert next_attempt(1, OPENED, OPENED, None) == GiveUp(reason="the provider will not take it")


@given(st.lists(st.integers(0, 90), max_size=20), st.integers(0, 9))
def test_every_chain_of_tries_ends_within_a_minute(pauses, slow_s):
    """Whatever the provider asks for and however slowly it answers, the tries end, at most six of them."""
    now, attempts = OPENED, 1
    for pause in [*pauses, *([0] * 20)]:
        step = next_attempt(attempts, OPENED, now, pause * SECOND)
        if isinstance(step, GiveUp):
            break
        assert now < step.at <= OPENED + PAGING_LIMIT
        now, attempts = step.at + slow_s * SECOND, attempts + 1
    else:
        raise AssertionError("the tries never ended")
    assert attempts <= 6
