"""Answers to commands and clicks: complete, in Slack's markup, and with nothing in them that data wrote as markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.directory import Directory, Person, Team
from bot.ports import PageOrder
from bot.records import InboxItem, InboxKind, IncidentState, PageState, Refusal
from bot.render import answers
from bot.render.names import names_of
from rca.case import Severity
from tests.golden.scenes import (
    ACKNOWLEDGED,
    AUTH_DEADLINE,
    INCIDENT,
    NAMES,
    NOW,
    RESOLVED,
    page,
    view,
)

MARK = "<!channel> `x`"
WHEN = "<!date^1772435400^{date_short_pretty} {time}|2026-03-02 07:10 UTC>"


def alert(**payload: object) -> InboxItem:
    return InboxItem(
        inbox_id="b1",
        kind=InboxKind.SLACK_MESSAGE,
        sender_id="e1",
        tenant_id="acme",
        payload=payload,
        received_at=NOW,
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            answers.looking("shopify_orders"),
            "Looking into `shopify_orders`. The card appears here in a moment.",
        ),
        (
            answers.unknown_dataset("shopfy", ("shopify",)),
            "I do not know a dataset called `shopfy`. Did you mean `shopify`?",
        ),
        (
            answers.unknown_dataset("zzz", ()),
            "I do not know a dataset called `zzz`. `/rca help` shows what can be asked.",
        ),
        (
            answers.unknown_dataset("a", ("b", "c")),
            "I do not know a dataset called `a`. Did you mean `b`, `c`?",
        ),
        (answers.nothing_open(None, ()), "Nothing is open."),
        (answers.nothing_open("a", ("b",)), "Nothing is open for `a`. Did you mean `b`?"),
        (answers.list_open((), NOW), "Nothing is open."),
        (
            answers.acknowledged(INCIDENT, changed=True),
            "You have `shopify_orders`. Nobody is paged by time any more.",
        ),
        (
            answers.acknowledged(replace(INCIDENT, state=IncidentState.MONITORING), changed=False),
            "`shopify_orders` is monitoring already.",
        ),
        (
            answers.resolved(INCIDENT, changed=True),
            "`shopify_orders` is resolved. Its pages are closed too.",
        ),
        (
            answers.resolved(replace(INCIDENT, **RESOLVED), changed=False),
            f"`shopify_orders` was already resolved by <@U0ALICE> {WHEN}.",
        ),
        (
            answers.acknowledged(replace(INCIDENT, **RESOLVED), changed=False),
            f"`shopify_orders` was already resolved by <@U0ALICE> {WHEN}.",
        ),
        (
            answers.snoozed(replace(INCIDENT, snoozed_until=NOW)),
            f"Quiet about `shopify_orders` until {WHEN}. Its deadlines have moved there.",
        ),
        (
            answers.snoozed(replace(INCIDENT, **RESOLVED)),
            "`shopify_orders` is resolved; there is nothing to snooze.",
        ),
        (
            answers.paging(page(state=PageState.REQUESTED), NAMES, fresh=True),
            "Paging Infra through PagerDuty. The card says when it was taken.",
        ),
        (answers.usage([("/rca list", "open incidents")]), "`/rca list`  open incidents"),
        (answers.unrecognised(0, ()), "Every alert was recognised."),
    ],
)
def test_each_answer_says_its_thing(answer: str, expected: str) -> None:
    """One answer per question, with names as values and times in the reader's zone."""
    assert answer == expected


def test_a_second_click_is_told_who_was_first() -> None:
    """Acknowledging twice and paging twice name the person who did it, and when."""
    taken = answers.acknowledged(replace(INCIDENT, **ACKNOWLEDGED), changed=False)
    assert "was already acknowledged by <@U0ALICE> <!date^" in taken
    assert answers.paging(page(), NAMES, fresh=False).startswith(
        "Already asked for. Paged Infra by <@U0ALICE> <!date^"
    )


def test_a_list_has_one_line_per_incident() -> None:
    """Each open incident is a line with its state, since when, and who has it; a long list says what is missing."""
    mine = replace(INCIDENT, **ACKNOWLEDGED)
    lines = answers.list_open((INCIDENT, mine), NOW).splitlines()
    assert lines[0] == "*2 incidents open*"
    assert lines[1].startswith("\U0001f534 `shopify_orders` volume anomaly · open · since <!date^")
    assert lines[2].endswith("· <@U0ALICE> has it")
    assert answers.list_open((INCIDENT,) * 25, NOW).splitlines()[-1] == "and 5 more"
    assert answers.which_one((INCIDENT, mine)).startswith("Several are open. Say which dataset:\n")


def test_snoozed_is_said_only_until_its_end() -> None:
    """An incident is listed as snoozed until the very instant at which the snooze ends."""
    until = replace(INCIDENT, snoozed_until=NOW)
    assert "snoozed" in answers.list_open((until,), NOW - timedelta(seconds=1))
    assert "snoozed" not in answers.list_open((until,), NOW)


def test_a_status_says_who_is_next() -> None:
    """Status repeats the verdict, the first action and the deadline."""
    said = answers.status(view(deadlines=(AUTH_DEADLINE,)), NAMES, NOW)
    assert "Likely ingestion failure (93 % sure)." in said
    assert "First: Check Airbyte connection." in said
    assert "Infra is paged: auth errors persisting &gt; 1 hour" in said
    assert "Not diagnosed yet." in answers.status(view(None), NAMES, NOW)


def test_an_undelivered_page_mentions_the_group() -> None:
    """The team's user group is mentioned when the directory knows it; otherwise the team is named."""
    lost = page(state=PageState.UNDELIVERED, error="timeout")
    team = Team(id="infra", name="Infra", pager="pagerduty", usergroup="S0INFRA")
    assert answers.page_undelivered(lost, team).startswith(
        "<!subteam^S0INFRA> *PAGE NOT DELIVERED*: "
    )
    assert answers.page_undelivered(lost, None).startswith("Infra *PAGE NOT DELIVERED*: ")


@pytest.mark.parametrize(
    ("usergroup", "expected"), [("S0INFRA", "<!subteam^S0INFRA> "), ("<!here", "`&lt;!here` ")]
)
def test_a_page_by_mention_wakes_the_group_only(usergroup: str, expected: str) -> None:
    """The group is mentioned when its id is one; the summary stays text whatever it holds."""
    order = PageOrder(
        dedup_key="k", summary=MARK, severity=Severity.ERROR, source="s", timestamp=NOW, details={}
    )
    assert answers.paged_by_mention(usergroup, order) == f"{expected}&lt;!channel&gt; 'x'"


@pytest.mark.parametrize(
    "payload",
    [
        {"message": {"text": "row count low"}},
        {"message": {"text": " ", "attachments": [{"fallback": "row count low"}]}},
        {
            "message": {
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "row count low"}}]
            }
        },
    ],
)
def test_unknown_alerts_are_shown_by_their_first_words(payload: dict[str, object]) -> None:
    """Wherever the sender put its words, the newest alerts are recognisable; one without words is said to have none."""
    assert answers.unrecognised(1, [alert(**payload)]).endswith(" `row count low`")
    assert answers.unrecognised(2, [alert(message={})]).endswith(" `(no words)`")


REFUSED = Refusal(format_name="soda", count=2, last_at=NOW, problem="event: missing `<!here>`")


def test_refused_webhooks_are_shown_beside_unknown_messages() -> None:
    """By format, with count and first reason; alone they do not claim that every alert was recognised."""
    alone = answers.unrecognised(0, (), [REFUSED])
    assert alone.startswith("Webhook soda: 2 bodies refused, the last ")
    assert "event: missing" in alone
    assert "<!here>" not in alone
    both = answers.unrecognised(1, [alert(message={})], [REFUSED, replace(REFUSED, count=1)])
    assert both.splitlines()[0] == "1 alert was left alone because no format knew them."
    assert both.splitlines()[-1].startswith("Webhook soda: 1 body refused")


def test_no_answer_carries_markup_from_data() -> None:
    """Names, reasons and alerts that look like mentions stay text in every answer."""
    bad = replace(INCIDENT, dataset=MARK, acknowledged_by=MARK, resolved_by=MARK)
    said = [
        answers.looking(MARK),
        answers.unknown_dataset(MARK, (MARK,)),
        answers.which_one((bad,)),
        answers.list_open((bad,), NOW),
        answers.acknowledged(bad, changed=False),
        answers.resolved(bad, changed=False),
        answers.paging(
            page(reason=MARK, error=MARK, state=PageState.UNDELIVERED, requested_by=MARK),
            NAMES,
            fresh=False,
        ),
        answers.page_undelivered(page(error=MARK, reason=MARK), None),
        answers.unrecognised(1, [alert(message={"text": MARK})]),
    ]
    for answer in said:
        assert "<!channel" not in answer
        assert answer.count("`") % 2 == 0


def test_names_come_from_the_directory() -> None:
    """Teams are called by their names and pagers by the services' own; people are found by e-mail."""
    directory = Directory(
        teams={"infra": Team(id="infra", name="Infra", pager="pagerduty", usergroup="S0INFRA")},
        people={"dana@acme.example": Person(email="dana@acme.example", slack="U0DANA")},
    )
    names = names_of(directory.teams, directory.people)
    assert (names.team("infra"), names.pager("infra")) == ("Infra", "PagerDuty")
    assert (names.team("data_eng_lead"), names.pager("data_eng_lead")) == ("Data eng lead", None)
    assert names.people == {"dana@acme.example": "U0DANA"}
