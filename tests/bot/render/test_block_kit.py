"""Whatever an incident holds, its messages are within Slack's limits and hold no token that data wrote."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import ActionsBlock, ContextBlock, HeaderBlock, SectionBlock

from bot.records import IncidentView
from bot.render import block_kit, limits, plain
from bot.render.incident import card, details
from bot.render.message import (
    Button,
    Buttons,
    ButtonStyle,
    Code,
    Confirm,
    Context,
    Divider,
    Fact,
    Facts,
    Group,
    Instant,
    Line,
    Link,
    Message,
    Part,
    Person,
    Step,
    Steps,
    Strong,
    Table,
    Text,
    Title,
)
from bot.render.names import Names
from tests.bot.render.strategies import NAMES, NASTY, NOW, TIMES, views

OUR_TOKEN = re.compile(
    r"<!date\^-?\d+\^\{date_short_pretty\} \{time\}\|[0-9:\- ]+UTC>"
    r"|<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>|<https?://[^<>|]+\|[^<>|]*>",
    re.IGNORECASE,
)
KNOWN = {
    "section": SectionBlock,
    "header": HeaderBlock,
    "context": ContextBlock,
    "actions": ActionsBlock,
}
Draw = Callable[[IncidentView, Names, datetime], Message]

SPANS = st.one_of(
    NASTY,
    st.builds(Code, text=NASTY),
    st.builds(Strong, text=NASTY),
    st.builds(Instant, at=TIMES),
    st.builds(Link, url=NASTY, label=NASTY),
    st.builds(Person, slack_id=NASTY),
    st.builds(Group, usergroup_id=NASTY, name=NASTY),
)
LINES: st.SearchStrategy[Line] = st.lists(SPANS, max_size=5).map(tuple)
BUTTON = st.builds(
    Button,
    action_id=st.text("abc:", min_size=1, max_size=300),
    text=NASTY,
    value=NASTY.map(lambda text: text or "x"),
    style=st.sampled_from(ButtonStyle),
    confirm=st.none() | st.builds(Confirm, title=NASTY, text=NASTY, yes=NASTY, no=NASTY),
)
STEP = st.builds(Step, line=LINES, code=st.none() | NASTY, warning=st.none() | NASTY)
CELLS = st.lists(NASTY, min_size=1, max_size=8).map(tuple)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Title, text=NASTY),
    st.builds(Text, lines=st.lists(LINES, max_size=20).map(tuple)),
    st.builds(Context, lines=st.lists(LINES, max_size=5).map(tuple)),
    st.builds(Facts, items=st.lists(st.builds(Fact, label=NASTY, value=LINES), max_size=25).map(tuple)),
    st.builds(
        Steps,
        title=NASTY,
        items=st.lists(STEP, max_size=9).map(tuple),
    ),
    st.builds(Table, header=CELLS, rows=st.lists(CELLS, max_size=30).map(tuple), caption=NASTY, more=st.just(9)),
    st.just(Divider()),
    st.builds(
        Buttons, items=st.lists(BUTTON, max_size=30, unique_by=lambda button: button.action_id).map(tuple)
    ),
)  # fmt: skip
MESSAGES = st.builds(
    Message,
    parts=st.lists(PARTS, max_size=60).map(tuple),
    fallback=NASTY,
    color=st.none() | st.just("#a30200"),
    foot=st.lists(PARTS, max_size=10).map(tuple),
)
FEW = settings(
    max_examples=30,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # shrinking texts of 100,000 characters takes minutes
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)


def assert_within_limits(rendered: block_kit.RenderedMessage) -> None:
    """Our validator, the SDK's, the total budget, and no token but ours in any markup."""
    inner = [block for bar in rendered.attachments for block in bar["blocks"]]
    every = [*rendered.blocks, *inner]
    assert limits.validate(every) == ()
    assert limits.validate_attachments(rendered.attachments) == ()
    assert limits.text_size(every) <= limits.TEXT_BUDGET
    assert len(rendered.text) <= block_kit.FALLBACK_MAX
    for block in every:
        if block["type"] in KNOWN:
            KNOWN[block["type"]](**{k: v for k, v in block.items() if k != "type"}).validate_json()
    for markup in [rendered.text, *mrkdwn_of(every)]:
        left = OUR_TOKEN.sub("", markup)
        assert "<" not in left
        assert ">" not in left
        markup.encode()  # raises for what cannot be sent


def mrkdwn_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "mrkdwn" else []
        return own + [text for inner in value.values() for text in mrkdwn_of(inner)]
    return (
        [text for inner in value for text in mrkdwn_of(inner)]
        if isinstance(value, list | tuple)
        else []
    )


@FEW
@given(MESSAGES)
def test_any_message_fits(message: Message) -> None:
    """Sixty parts of a hundred thousand characters each still make one message that Slack takes."""
    assert_within_limits(block_kit.blocks(message))


@FEW
@given(MESSAGES)
def test_any_message_is_a_text_too(message: Message) -> None:
    """The same message as one text keeps its limit and holds no token but ours; plain text has no markup to hold."""
    markup = block_kit.mrkdwn(message)
    assert len(markup) <= limits.SECTION_TEXT
    assert "<" not in OUR_TOKEN.sub("", markup)
    plain.text(message).encode()  # raises for what cannot be sent


@FEW
@given(views(), st.sampled_from([card, details]))
def test_any_incident_fits(view: IncidentView, draw: Draw) -> None:
    """Card and details of any incident are within the limits, with thousands of columns as with none."""
    assert_within_limits(block_kit.blocks(draw(view, NAMES, NOW)))


@FEW
@given(views())
def test_a_card_is_never_cut_to_fit(view: IncidentView) -> None:
    """A card bounds each of its texts, so none of its parts is ever left out."""
    rendered = block_kit.blocks(card(view, NAMES, NOW))
    assert not any(
        "Not shown here" in text for text in limits.texts([rendered.blocks, rendered.attachments])
    )


@FEW
@given(views())
def test_buttons_carry_ids_only(view: IncidentView) -> None:
    """A button's value is the incident's id, never state; at most five teams can be paged from a card."""
    found = [
        b for part in card(view, NAMES, NOW).foot if isinstance(part, Buttons) for b in part.items
    ]
    assert {button.value for button in found} <= {"i1"}
    assert sum(button.style is ButtonStyle.DANGER for button in found) <= 5
    assert len({button.action_id for button in found}) == len(found)


def test_what_does_not_fit_is_counted() -> None:
    """Text beyond the budget is left out from the end, and a line says how much; a short message has no such line."""
    long = Message(parts=tuple(Text(lines=(("x" * 2_900,),)) for _ in range(6)), fallback="f")
    shown = block_kit.blocks(long).blocks
    assert shown[-1]["elements"][0]["text"] == "Not shown here: 5,800 more characters."
    short = Message(parts=long.parts[:4], fallback="f")
    assert len(block_kit.blocks(short).blocks) == 4


def test_buttons_survive_any_amount_of_text() -> None:
    """However long the rest is, the buttons are there."""
    buttons = Buttons(items=(Button(action_id="a", text="A", value="i1"),))
    message = Message(
        parts=(Text(lines=(("x" * 3_000,),)),) * 70, fallback="f", color="#a30200", foot=(buttons,)
    )
    assert block_kit.blocks(message).attachments[0]["blocks"][-1]["elements"][0]["action_id"] == "a"


def test_each_rendering_has_new_block_ids() -> None:
    """Ids come from the content, or from the revision that the caller names; the same content has the same ids."""
    first, second = (
        Message(parts=(Text(lines=((word,),)),), fallback="f") for word in ("one", "two")
    )
    ids = [block_kit.blocks(message).blocks[0]["block_id"] for message in (first, second, first)]
    assert ids[0] == ids[2] != ids[1]
    assert block_kit.blocks(first, revision="7").blocks[0]["block_id"] == "7.0"


def test_an_update_leaves_nothing_behind() -> None:
    """All three of text, blocks and attachments are sent each time, also when there is no foot any more."""
    payload = block_kit.blocks(
        Message(parts=(Divider(),), fallback="a < b"), revision="1"
    ).payload()
    assert payload["text"] == "a &lt; b"
    assert payload["attachments"] == []
    assert payload["unfurl_links"] is False


def test_slack_reads_our_tokens_only() -> None:
    """Every markup text is verbatim, so words like @here or #general in data stay words."""
    message = Message(
        parts=(Text(lines=(("@here",),)), Context(lines=(("#general",),))), fallback="f"
    )
    section, context = block_kit.blocks(message).blocks
    assert section["text"]["verbatim"] is True
    assert context["elements"][0]["verbatim"] is True


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (("a < b\nc",), "a &lt; b c"),
        ((Code(text="a`b"),), "`a'b`"),
        ((Strong(text="a*b"),), "*a·b*"),
        ((Instant(at=NOW),), "<!date^1772435400^{date_short_pretty} {time}|2026-03-02 07:10 UTC>"),
        ((Person(slack_id="U0ALICE"), " ", Group(usergroup_id="S0I", name="Infra")), "<@U0ALICE> <!subteam^S0I>"),
    ],
)  # fmt: skip
def test_spans_in_slack(line: Line, expected: str) -> None:
    """Each kind of span has its markup; a line break inside one begins no new line."""
    assert block_kit.line(line) == expected
