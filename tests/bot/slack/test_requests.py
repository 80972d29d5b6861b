"""Slack's bodies become values that cannot be wrong, or a sentence for the person who typed them."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.requests import (
    MAX_NAME,
    MAX_SNOOZE,
    MAX_WORDS,
    UsageError,
    read_anomaly_type,
    read_click,
    read_command,
    read_mention,
    read_message,
    read_span,
)
from rca.case import AnomalyType

COMMAND = {
    "user_id": "U1",
    "team_id": "T1",
    "channel_id": "C1",
    "trigger_id": "1.2.3",
    "text": "shopify_orders volume",
}
MENTION = {"user": "U1", "team": "T1", "channel": "C1", "ts": "1.0", "text": "<@U0RCA> list"}
CLICK = {
    "user": {"id": "U1", "team_id": "T1"},
    "team": {"id": "T1"},
    "channel": {"id": "C1"},
    "container": {"message_ts": "1.0", "thread_ts": "0.9"},
    "trigger_id": "1.2.3",
    "actions": [{"action_id": "incident_escalate:night:watch", "value": "i-1", "action_ts": "5"}],
}
ALERT = {"channel": "C1", "ts": "1.0", "text": "[FIRING]", "bot_id": "B1"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def spoilt(whole: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Payloads like *whole* in which anything may be missing or something else."""
    return st.fixed_dictionaries(
        {}, optional={key: st.just(value) | JSON for key, value in whole.items()}
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  shopify_orders   volume ", ("shopify_orders", "volume")),
        ("`shopify_orders`", ("shopify_orders",)),
        ("a &amp; b &lt;c&gt;", ("a", "&", "b", "<c>")),
        ("&amp;lt;", ("&lt;",)),
        ("<http://raw.orders|raw.orders>", ("raw.orders",)),
        ("<https://raw.orders>", ("https://raw.orders",)),
        ("<#C0ALERTS|data-alerts>", ("data-alerts",)),
        ("x" * 1_000, ("x" * MAX_NAME,)),
        ("a\n\tb", ("a", "b")),
    ],
)
def test_words_read_as_they_were_typed(text: str, words: tuple[str, ...]) -> None:
    """Slack escapes three signs and makes links of what looks like an address; both are undone."""
    assert read_command({**COMMAND, "text": text}).words == words


@pytest.mark.parametrize("count", [MAX_WORDS, MAX_WORDS + 1])
def test_more_words_than_any_command_has(count: int) -> None:
    """Twenty words are read, twenty-one are refused."""
    command = {**COMMAND, "text": "x " * count}
    if count > MAX_WORDS:
        with pytest.raises(UsageError, match="more than I can take"):
            read_command(command)
    else:
        assert len(read_command(command).words) == count


@pytest.mark.parametrize("key", ["user_id", "channel_id", "trigger_id"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_command_needs_its_asker_and_place(key: str, value: object) -> None:
    """Without one of them two askers would be one, so it is refused."""
    with pytest.raises(UsageError):
        read_command({**COMMAND, key: value})


def test_a_mention_belongs_into_its_thread() -> None:
    """Its own message opens one; a reply stays in the thread it is in. Other people's names are no words."""
    assert read_mention(MENTION).thread_ts == "1.0"
    reply = read_mention({**MENTION, "thread_ts": "0.5", "text": "hi <@U0RCA> ack <@U0BOB>"})
    assert (reply.thread_ts, reply.words) == ("0.5", ("hi", "ack"))
    assert reply.trigger_id == "C1:1.0"


@pytest.mark.parametrize(
    ("fields", "team_id"),
    [
        ({}, "T1"),
        ({"user_team": "T2"}, "T2"),
        ({"team": None}, None),
        ({"source_team": "T3"}, "T3"),
    ],
)
def test_whose_workspace_somebody_belongs_to(fields: dict[str, Any], team_id: str | None) -> None:
    """In a shared channel the person's own workspace counts, not the one that the event is sent to."""
    assert read_mention({**MENTION, **fields}).team_id == team_id


def test_a_click() -> None:
    """The team is everything after the first colon, and the person's own workspace is kept."""
    click = read_click(CLICK)
    assert (click.action, click.team, click.incident_id) == (
        "incident_escalate",
        "night:watch",
        "i-1",
    )
    assert (click.thread_ts, click.message_ts, click.team_id) == ("0.9", "1.0", "T1")
    assert read_click({**CLICK, "user": {"id": "U1", "team_id": "T9"}}).team_id == "T9"
    assert read_click({**CLICK, "user": {"id": "U1"}}).team_id == "T1"


def test_two_clicks_are_two() -> None:
    """Without a trigger, time, person and button together tell presses apart."""
    body = {key: value for key, value in CLICK.items() if key != "trigger_id"}
    one, other = read_click(body), read_click({**body, "user": {"id": "U2"}})
    assert one.sender_id != other.sender_id
    assert one.sender_id == read_click(body).sender_id


def edit(text: str = "[RESOLVED]", edited: str | None = "2.0", **fields: Any) -> dict[str, Any]:
    """An edit of ALERT, as Slack tells of it."""
    message = {**ALERT, "text": text, "edited": {"user": "B1", "ts": edited} if edited else None}
    return {
        "subtype": "message_changed",
        "channel": "C1",
        "ts": "2.5",
        "message": message,
        "previous_message": ALERT,
        **fields,
    }


def test_an_edit_is_heard_as_it_reads_now() -> None:
    """Alertmanager edits its own message: the new wording is one more delivery, under its own name."""
    heard = read_message(edit())
    assert heard is not None
    assert heard.message["text"] == "[RESOLVED]"
    assert heard.sender_id == "C1:1.0:2.0"
    first = read_message(ALERT)
    assert first is not None
    assert first.sender_id == "C1:1.0"
    unnamed = read_message(edit(edited=None))
    assert unnamed is not None
    assert unnamed.sender_id == "C1:1.0:2.5"


@pytest.mark.parametrize(
    "event",
    [
        edit(text=ALERT["text"], edited=None),
        edit(message="gone"),
        edit(message={**ALERT, "subtype": "tombstone"}),
        {**ALERT, "subtype": "channel_join"},
        {**ALERT, "subtype": "message_deleted"},
        {**ALERT, "ts": None},
        {**ALERT, "channel": 7},
        {},
    ],
    ids=["unfurled", "no message", "tombstone", "join", "deleted", "no ts", "odd channel", "empty"],
)
def test_what_says_nothing_new(event: dict[str, Any]) -> None:
    """A link was unfolded, somebody joined, a message went away: nothing to read."""
    assert read_message(event) is None


@pytest.mark.parametrize("subtype", [None, "bot_message", "thread_broadcast", "file_share"])
def test_what_bots_say_in(subtype: str | None) -> None:
    """Plain, in the old form, sent to the channel from a thread, or with a picture: all are read."""
    assert read_message({**ALERT, "subtype": subtype}) is not None


@given(body=spoilt(CLICK))
def test_any_click(body: dict[str, Any]) -> None:
    """Whatever the payload holds, it is a click or a UsageError."""
    with contextlib.suppress(UsageError):
        assert read_click(body).user_id


@given(command=spoilt(COMMAND), event=spoilt(MENTION))
def test_any_words(command: dict[str, Any], event: dict[str, Any]) -> None:
    """Whatever the payload holds, it is words or a UsageError."""
    for read, payload in ((read_command, command), (read_mention, event)):
        with contextlib.suppress(UsageError):
            assert len(read(payload).words) <= MAX_WORDS


@given(event=spoilt({**edit(), **ALERT}))
def test_any_message(event: dict[str, Any]) -> None:
    """Whatever the event holds, it is heard by its channel and time, or not at all."""
    heard = read_message(event)
    assert heard is None or heard.sender_id.startswith(f"{heard.channel_id}:")


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("volume", AnomalyType.VOLUME),
        ("VOLUME_ANOMALY", AnomalyType.VOLUME),
        ("quality", AnomalyType.QUALITY_CHECK),
        ("other", AnomalyType.OTHER),
    ],
)
def test_anomaly_types_by_their_first_word(word: str, kind: AnomalyType) -> None:
    """The first word is enough, in any case."""
    assert read_anomaly_type(word) is kind


def test_no_such_anomaly_type() -> None:
    """Anything else is answered with those there are."""
    with pytest.raises(UsageError, match="freshness_anomaly"):
        read_anomaly_type("anomaly")


@pytest.mark.parametrize(
    ("word", "span"),
    [("30m", timedelta(minutes=30)), ("2H", timedelta(hours=2)), ("14d", MAX_SNOOZE)],
)
def test_spans(word: str, span: timedelta) -> None:
    """Minutes, hours and days, up to fourteen days."""
    assert read_span(word) == span


@pytest.mark.parametrize(
    "word", ["0m", "15d", "337h", "99999m", "2", "h", "-2h", "2 h", "2h30m", "²h", ""]
)
def test_no_spans(word: str) -> None:
    """Nothing, too much, or no length of time at all."""
    with pytest.raises(UsageError, match="no length of time"):
        read_span(word)
