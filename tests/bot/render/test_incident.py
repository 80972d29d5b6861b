"""What a card says and offers, in pairs: this incident, and its nearest neighbour that must read differently."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.records import (
    DeadlineState,
    IncidentState,
    IncidentView,
    PageState,
    PersonsAnswer,
    Verdict,
)
from bot.render import plain
from bot.render.incident import card, changed_note, details, paged_note, undelivered_note
from bot.render.message import Buttons, ButtonStyle
from bot.render.words import AMBER, BLUE, GREEN, GREY, RED
from rca.case import AnomalyType
from rca.diagnosis import Band, BlindSpot, Diagnosis, Escalation, Guidance, Urgency
from rca.evidence import Cause, SignalCode
from tests.golden.scenes import (
    ACKNOWLEDGED,
    ACT,
    AUTH_DEADLINE,
    HOLE,
    INVESTIGATE,
    MATRIX_DEADLINE,
    NAMES,
    NO_SIGNAL,
    NOBODY_LOOKED,
    NOW,
    RESOLVED,
    SCENES,
    STALE,
    deadline,
    diagnosis,
    page,
    view,
)


def words(shown: IncidentView) -> str:
    return plain.text(card(shown, NAMES, NOW))


def buttons(shown: IncidentView) -> list[str]:
    foot = card(shown, NAMES, NOW).foot
    return [button.action_id for part in foot if isinstance(part, Buttons) for button in part.items]


MARKS = ("incident_right", "incident_wrong")


@pytest.mark.parametrize(
    ("shown", "color", "loud"),
    [
        (view(), RED, False),
        (view(**ACKNOWLEDGED), AMBER, False),
        (view(state=IncidentState.MONITORING), BLUE, False),
        (view(snoozed_until=NOW + timedelta(seconds=1)), GREY, False),
        (view(snoozed_until=NOW), RED, False),
        (view(**RESOLVED), GREEN, False),
        (view(pages=(page(state=PageState.UNDELIVERED),)), RED, True),
        (view(pages=(page(state=PageState.UNDELIVERED),), **ACKNOWLEDGED), RED, True),
        (view(pages=(page(state=PageState.UNDELIVERED),), **RESOLVED), GREEN, False),
        (view(pages=(page(),)), RED, False),
    ],
)
def test_the_color_is_the_state(shown: IncidentView, color: str, loud: bool) -> None:  # noqa: FBT001 - a column of the table
    """Each state has its colour; a page that reached nobody makes an open incident red and says so in the title."""
    message = card(shown, NAMES, NOW)
    assert message.color == color
    assert ("PAGE NOT DELIVERED" in plain.text(message).splitlines()[0]) is loud
    assert ("PAGE NOT DELIVERED" in message.fallback) is loud


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (view(), ["incident_ack", "incident_escalate:infra", "incident_resolve", *MARKS]),
        (view(**ACKNOWLEDGED), ["incident_escalate:infra", "incident_resolve", *MARKS]),
        (view(pages=(page(),)), ["incident_ack", "incident_resolve", *MARKS]),
        (
            view(pages=(page(state=PageState.REQUESTED),)),
            ["incident_ack", "incident_resolve", *MARKS],
        ),
        (view(NO_SIGNAL), ["incident_ack", "incident_escalate:data_eng_lead", "incident_resolve"]),
        (view(None), ["incident_ack", "incident_resolve"]),
        (view(**RESOLVED), [*MARKS]),
    ],
)
def test_buttons_follow_the_state(shown: IncidentView, expected: list[str]) -> None:
    """Only what can still be done is offered; a cause that was named can be marked whatever the state."""
    assert buttons(shown) == expected


def test_paging_asks_first() -> None:
    """The button that wakes somebody is dangerous and says whom it wakes, and how."""
    foot = card(view(), NAMES, NOW).foot
    found = [
        b
        for part in foot
        if isinstance(part, Buttons)
        for b in part.items
        if b.style is ButtonStyle.DANGER
    ]
    assert [(b.text, b.confirm.text) for b in found if b.confirm] == [
        ("Escalate to Infra", "Page Infra through PagerDuty now?")
    ]


def test_the_confidence_is_said_once_and_with_its_cause() -> None:
    """A card names the top confidence in one place, beside the cause; without a cause there is none."""
    assert words(view()).count("93 %") == 1
    assert "Ingestion failure (sync failure), 93 % sure: act on it." in words(view())
    assert "%" not in words(view(NO_SIGNAL))


def test_a_symptom_is_called_one() -> None:
    """A hypothesis that another explains is named as its symptom; one that stands for itself has its confidence."""
    assert "Also seen: upstream data shift, a symptom of ingestion failure." in words(view())
    assert "2. Transformation regression (dbt model failure), 55 %." in words(view(INVESTIGATE))


def blind_to(*reasons: tuple[str, str], checked: tuple[SignalCode, ...]) -> Diagnosis:
    """A diagnosis without a cause, whose detectors could not look for these reasons."""
    spots = tuple(BlindSpot(detector=detector, reason=reason) for detector, reason in reasons)
    return HOLE.model_copy(
        update={"hypotheses": (), "top_confidence": 0.0, "checked": checked, "blind_spots": spots}
    )


@pytest.mark.parametrize(
    ("checked", "rest", "said"),
    [
        ((), (), "sync_failure, dbt_model_failure: orders is not in the catalog"),
        (
            (SignalCode.COLUMN_REMOVED,),
            (),
            "sync_failure, dbt_model_failure: ingestion jobs, dbt runs: orders is not in the catalog",
        ),
        (
            (),
            (("column_removed", "column snapshots: the token has expired"),),
            "column_removed: column snapshots: the token has expired",
        ),
    ],
)
def test_one_reason_for_several_kinds_of_facts_is_said_once(
    checked: tuple[SignalCode, ...], rest: tuple[tuple[str, str], ...], said: str
) -> None:
    """What keeps every check from looking needs no list of facts; where some could look, the facts are named."""
    shown = blind_to(
        ("sync_failure", "ingestion jobs: orders is not in the catalog"),
        ("dbt_model_failure", "dbt runs: orders is not in the catalog"),
        *rest,
        checked=checked,
    )
    told = words(view(shown)).replace("`", "")
    assert said in told
    assert told.count("orders is not in the catalog") == 1


def test_found_nothing_and_could_not_look_stay_apart() -> None:
    """Zero hypotheses after a full look, and zero because nobody could look, are different answers."""
    looked, blind = words(view(NO_SIGNAL)), words(view(NOBODY_LOOKED))
    assert "Looked and found nothing: sync_failure" in looked
    assert "Could not be checked" not in looked
    assert "No check could look, so this says nothing about the data." in blind
    assert "no facts are known of this dataset" in blind
    assert "found nothing" not in blind


def test_one_reason_is_said_once() -> None:
    """Detectors that the same hole blinded share a line."""
    assert words(view(HOLE)).count(STALE) == 1
    assert f"dbt_model_failure, pass_to_fail, execution_time_regression: {STALE}" in words(
        view(HOLE)
    )


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            view(INVESTIGATE, deadlines=(MATRIX_DEADLINE,)),
            "Investigate top 2 hypotheses; if not resolved by 2026-03-02 07:36 UTC Analytics Eng is paged.",
        ),
        (
            view(INVESTIGATE, deadlines=(replace(MATRIX_DEADLINE, due_at=NOW),)),
            "Investigate top 2 hypotheses; Analytics Eng is being paged now.",
        ),
        (
            view(INVESTIGATE, deadlines=(replace(MATRIX_DEADLINE, state=DeadlineState.CANCELLED),)),
            "Investigate top 2 hypotheses.",
        ),
        (
            view(),
            "Act on the top hypothesis immediately; escalate to Infra only if the action fails.",
        ),
        (view(pages=(page(),)), "Act on the top hypothesis immediately."),
        (
            view(deadlines=(AUTH_DEADLINE,)),
            "At 2026-03-02 07:30 UTC Infra is paged: auth errors persisting > 1 hour",
        ),
        (view(**ACKNOWLEDGED), "Nobody is paged by time while somebody has this."),
        (
            view(deadlines=(replace(AUTH_DEADLINE, team="deployer", person="dana@acme.example"),)),
            "At 2026-03-02 07:30 UTC Deployer (@U0DANA) is paged: auth errors persisting > 1 hour",
        ),
    ],
)
def test_who_is_next_and_when(shown: IncidentView, expected: str) -> None:
    """The response of the band, and the absolute time at which somebody is paged by itself."""
    assert expected in words(shown).splitlines()


def test_nobody_is_announced_twice() -> None:
    """A deadline for a team that already has a page announces nothing: one incident pages a team once."""
    paged = view(deadlines=(AUTH_DEADLINE,), pages=(page(),))
    assert "07:30 UTC Infra is paged" not in words(paged)
    assert "07:30 UTC Infra is paged" in words(view(deadlines=(AUTH_DEADLINE,)))


def test_a_resolved_card_asks_for_nothing() -> None:
    """Once it is over, the card tells what it was and who was paged, and nothing to do or to wait for."""
    over = words(view(deadlines=(AUTH_DEADLINE,), pages=(page(),), **RESOLVED))
    assert "Ingestion failure (sync failure), 93 % sure." in over
    assert "Paged Infra by @U0ALICE 2026-03-02 07:09 UTC" in over
    for order in ("act on it", "First:", "Next:", "is paged", "only if", "This is for"):
        assert order not in over
    assert "A person has to look" not in words(view(NO_SIGNAL, **RESOLVED))


@pytest.mark.parametrize(
    ("state", "accepted", "said", "unsaid"),
    [
        (PageState.REQUESTED, False, "Paging Infra, asked for by", "Paged"),
        (PageState.ACCEPTED, True, "Paged Infra by @U0ALICE", "NOT DELIVERED"),
        (PageState.UNDELIVERED, False, "PAGE NOT DELIVERED: Infra was not reached", "Paged"),
        (PageState.RESOLVED, True, "Paged Infra by @U0ALICE", "dropped"),
        (PageState.RESOLVED, False, "the page was dropped undelivered", "Paged"),
    ],
)
def test_paged_is_said_only_of_what_was_taken(
    state: PageState,
    accepted: bool,  # noqa: FBT001 - a column of the table
    said: str,
    unsaid: str,
) -> None:
    """Only a page that the provider took is called paged, in the card and in the note."""
    one = page(state=state, accepted_at=NOW if accepted else None)
    for shown in (words(view(pages=(one,))), plain.text(paged_note(one, NAMES))):
        assert said in shown
        assert unsaid not in shown


def test_an_undelivered_page_calls_the_user_group() -> None:
    """The note mentions the team's own group and names who is tried instead; without a group it names the team."""
    lost = page(state=PageState.UNDELIVERED, error="timeout")
    note = plain.text(undelivered_note(lost, NAMES, "platform"))
    assert note.startswith(
        "@Infra PAGE NOT DELIVERED: the pager did not take it (timeout). Paging Platform instead."
    )
    assert plain.text(undelivered_note(replace(lost, team="data_eng"), NAMES)).startswith(
        "Data eng PAGE"
    )


@pytest.mark.parametrize(("at_once", "expected"), [(True, True), (False, False)])
def test_the_team_is_named_at_once_above_its_floor(at_once: bool, expected: bool) -> None:  # noqa: FBT001 - columns
    """The quick reference's floor decides whether the card names the team beside the verdict."""
    guidance = Guidance(response="r", escalate_to="infra", name_team_at_once=at_once)
    shown = view(ACT.model_copy(update={"guidance": guidance}))
    assert ("This is for Infra." in words(shown)) is expected


def test_at_most_five_teams_can_be_paged() -> None:
    """Each target has one button, nearest deadline first, and a redirect has none."""
    rules = tuple(
        Escalation(rule=f"r{n}", team=f"team_{n % 7}", urgency=Urgency.NOW, reason="because")
        for n in range(14)
    )
    elsewhere = Escalation(
        rule="r", team="elsewhere", urgency=Urgency.REDIRECT, reason="look upstream"
    )
    guidance = Guidance(response="r", escalations=(elsewhere, *rules))
    shown = view(
        ACT.model_copy(update={"guidance": guidance}),
        deadlines=(deadline("r6", "team_6", 5, "because"),),
    )
    escalate = [b.removeprefix("incident_escalate:") for b in buttons(shown) if "escalate" in b]
    assert escalate == ["team_6", "team_0", "team_1", "team_2", "team_3"]


def test_nobody_is_paged_for_a_symptom() -> None:
    """Rules of a symptom give no button and no line, but where to look first is said."""
    notify = Escalation(rule="s", team="source_owner", urgency=Urgency.NOTIFY, reason="JSD > 0.5")
    redirect = Escalation(
        rule="i", team="infra", urgency=Urgency.REDIRECT, reason="ingestion is unhealthy"
    )
    top, symptom = ACT.hypotheses
    found = diagnosis(
        top, symptom.model_copy(update={"escalations": (notify, redirect)}), guidance=ACT.guidance
    )
    assert "Look elsewhere first: ingestion is unhealthy" in words(view(found))
    assert "JSD" not in words(view(found))
    alone = symptom.model_copy(update={"escalations": (notify,), "symptom_of": None})
    assert "Tell Source owner: JSD > 0.5" in words(view(diagnosis(top, alone)))


def test_the_first_words_are_dataset_cause_and_confidence() -> None:
    """A notification shows what matters before it is cut, in plain words."""
    assert card(view(), NAMES, NOW).fallback == (
        "shopify_orders: volume anomaly, likely ingestion failure (93 % sure)"
    )
    assert (
        card(view(NO_SIGNAL), NAMES, NOW).fallback
        == "shopify_orders: volume anomaly, no signal detected"
    )
    assert (
        card(view(None), NAMES, NOW).fallback == "shopify_orders: volume anomaly, not diagnosed yet"
    )


def test_every_band_says_what_to_do() -> None:
    """The words beside the confidence change with the band, and only the highest drops the caveat."""
    said = {}
    for band in Band:
        shown = words(view(ACT.model_copy(update={"band": band})))
        said[band] = next(line for line in shown.splitlines() if "93 % sure" in line)
    assert len(set(said.values())) == len(Band)
    assert [band for band in Band if "Most likely" not in said[band]] == [Band.ACT]


def test_a_changed_diagnosis_names_both() -> None:
    """The note about a new diagnosis says what it was and what it is."""
    assert plain.text(changed_note(NO_SIGNAL, ACT)) == (
        "The diagnosis has changed: before no signal detected, now likely ingestion failure (93 % sure)."
    )


def test_details_name_what_changes_things() -> None:
    """A command that changes something says so; a query does not."""
    lines = plain.text(details(view(), NAMES, NOW)).splitlines()
    assert "  2. Run the failed model again (changes things, run it yourself)" in lines
    assert "  1. Query recent ingestion jobs" in lines


def test_details_hold_every_hypothesis_with_its_evidence() -> None:
    """Each hypothesis is there with its signals under the runbook's keys, symptoms marked."""
    shown = plain.text(details(view(), NAMES, NOW))
    for expected in ("1. Ingestion failure, 93 % sure.", "a symptom of ingestion failure", "consecutive_failures: 3",
                     "ingestion_healthy: false", "jsd: 0.31 bits", "US     53 %            12 %"):  # fmt: skip
        assert expected in shown
    assert plain.text(details(view(None), NAMES, NOW)) == "No diagnosis yet."


def test_every_cause_has_its_words() -> None:
    """A cause is shown in words, never as a code, in the verdict."""
    for cause in Cause:
        top = ACT.hypotheses[0].model_copy(update={"cause_type": cause})
        verdict = next(
            line for line in words(view(diagnosis(top))).splitlines() if "% sure" in line
        )
        assert "_" not in verdict


@pytest.mark.parametrize("name", SCENES)
def test_messages_keep_their_manners(name: str) -> None:
    """No exclamation mark, and one emoji at most: the state's own circle."""
    shown = words(SCENES[name])
    assert "!" not in shown
    assert sum(character > "\uffff" or character == "⚪" for character in shown) == 1


@pytest.mark.parametrize(
    ("confidence", "said"), [(1.0, ">99 % sure"), (0.996, ">99 % sure"), (0.93, "93 % sure")]
)
def test_nothing_is_certain(confidence: float, said: str) -> None:
    """A confidence that was rounded up to 1 is not told as certainty."""
    top = ACT.hypotheses[0].model_copy(update={"confidence": confidence})
    assert said in words(view(diagnosis(top)))


def test_another_kind_of_anomaly_is_just_an_anomaly() -> None:
    """The kind "other" says nothing, so it is not said."""
    assert "shopify_orders: anomaly" in words(view(anomaly_type=AnomalyType.OTHER)).splitlines()[0]


def detailed(shown: IncidentView) -> str:
    return plain.text(details(shown, NAMES, NOW))


@pytest.mark.parametrize(
    ("shown", "said", "unsaid"),
    [
        (view(), "Page Infra from", "was paged"),
        (view(pages=(page(state=PageState.REQUESTED),)), "Page Infra from", "was paged"),
        (view(pages=(page(),)), "Infra was paged: auth errors", "Page Infra"),
        (view(pages=(page("platform"),)), "Page Infra from", "was paged"),
        (view(**ACKNOWLEDGED), "Page Infra from", "was paged"),
        (view(**RESOLVED), "What to do", "When to escalate"),
    ],
)
def test_details_ask_for_no_page_that_was_taken(
    shown: IncidentView, said: str, unsaid: str
) -> None:
    """A rule asks for its team until the provider has the page; when all is over, no rule asks for anybody."""
    assert said in detailed(shown)
    assert unsaid not in detailed(shown)


@pytest.mark.parametrize(
    ("shown", "said", "response"),
    [
        (INVESTIGATE, "investigate the top 2", "Investigate top 2 hypotheses"),
        (HOLE, "investigate it", "Investigate the one hypothesis"),
        (
            diagnosis(
                INVESTIGATE.hypotheses[0],
                INVESTIGATE.hypotheses[1].model_copy(update={"symptom_of": "schema_drift"}),
                guidance=INVESTIGATE.guidance,
            ),
            "investigate it",
            "Investigate the one hypothesis",
        ),
    ],
)
def test_one_cause_is_investigated_alone(shown: Diagnosis, said: str, response: str) -> None:
    """Two causes are looked into where there are two; what another one explains is none."""
    assert f"sure: {said}" in words(view(shown))
    assert f"\n{response}" in words(view(shown))


@pytest.mark.parametrize(
    ("reason", "said"),
    [("auth errors persisting > 1 hour", True), ("escalated by hand", False)],
)
def test_a_page_says_why(reason: str, said: bool) -> None:  # noqa: FBT001 - a column of the table
    """A rule's reason stands behind the page; that somebody pressed a button stands there already."""
    line = next(
        line
        for line in words(view(pages=(page(reason=reason),))).splitlines()
        if line.startswith("Paged")
    )
    assert (reason in line) is said


def test_a_team_is_announced_at_its_first_deadline() -> None:
    """A team is paged once per incident, so its later deadlines are not shown; another team's are."""
    shown = words(
        view(
            deadlines=(
                deadline("b", "infra", 30, "later"),
                deadline("a", "infra", 20, "sooner"),
                deadline("c", "platform", 40, "others"),
            )
        )
    )
    assert "Infra is paged: sooner" in shown
    assert "later" not in shown
    assert "Platform is paged: others" in shown


def marked(*words_of: tuple[str, str, str, Verdict]) -> str:
    """The card with answers: signal, cause, person and verdict, the oldest first."""
    answers = tuple(
        PersonsAnswer(
            incident_id="i1",
            signal_id=signal_id,
            tenant_id="acme",
            cause_type=cause,
            verdict=verdict,
            by=by,
            at=NOW + timedelta(seconds=number),
        )
        for number, (signal_id, cause, by, verdict) in enumerate(words_of)
    )
    return words(replace(view(), answers=answers))


def test_a_person_is_named_once() -> None:
    """What somebody said of an earlier diagnosis gives way to what they said of the later one."""
    right = Verdict.RIGHT
    shown = marked(
        ("s1", "ingestion_failure", "U0ALICE", right),
        ("s1", "ingestion_failure", "U0BOB", right),
        ("s2", "ingestion_failure", "U0ALICE", right),
    )
    assert "Ingestion failure marked right by @U0BOB, @U0ALICE." in shown


def test_what_was_wrong_and_what_it_was_stand_together() -> None:
    """Both words of one person about one diagnosis are shown; an earlier diagnosis's are not."""
    shown = marked(
        ("s1", "upstream_data_shift", "U0ALICE", Verdict.RIGHT),
        ("s2", "ingestion_failure", "U0ALICE", Verdict.WRONG),
        ("s2", "schema_drift", "U0ALICE", Verdict.RIGHT),
    )
    assert "Ingestion failure marked wrong by @U0ALICE." in shown
    assert "Schema drift marked right by @U0ALICE." in shown
    assert "Upstream data shift marked" not in shown
