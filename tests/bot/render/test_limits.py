"""Our validator knows Slack's limits at both sides of each edge, and takes anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ContextBlock,
    HeaderBlock,
    SectionBlock,
)
from slack_sdk.models.blocks.basic_components import ConfirmObject

from bot.render import limits

Json = dict[str, Any]


def words(length: int, kind: str = "mrkdwn") -> Json:
    return {"type": kind, "text": "x" * length}


def button(**more: object) -> Json:
    return {"type": "button", "action_id": "a", "text": words(3, "plain_text"), **more}


def confirm(**more: int) -> Json:
    lengths = {"title": 10, "text": 10, "confirm": 3, "deny": 3} | more
    return {key: words(length, "plain_text") for key, length in lengths.items()}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def select(options: int, text: int = 3, value: int = 3) -> Json:
    option = {"text": words(text, "plain_text"), "value": "v" * value}
    return {"type": "static_select", "action_id": "a", "options": [option] * options}


EDGES = [
    ({"type": "section", "text": words(3000)}, {"type": "section", "text": words(3001)}),
    ({"type": "section", "text": words(1)}, {"type": "section", "text": words(0)}),
    ({"type": "section", "fields": [words(2000)]}, {"type": "section", "fields": [words(2001)]}),
    (
        {"type": "section", "fields": [words(1)] * 10},
        {"type": "section", "fields": [words(1)] * 11},
    ),
    ({"type": "section", "text": words(1)}, {"type": "section"}),
    (
        {"type": "header", "text": words(150, "plain_text")},
        {"type": "header", "text": words(151, "plain_text")},
    ),
    (
        {"type": "header", "text": words(1, "plain_text")},
        {"type": "header", "text": words(1, "mrkdwn")},
    ),
    (
        {"type": "context", "elements": [words(1)] * 10},
        {"type": "context", "elements": [words(1)] * 11},
    ),
    ({"type": "context", "elements": [words(1)]}, {"type": "context", "elements": []}),
    (
        actions(*(button(action_id=f"a{n}") for n in range(25))),
        actions(*(button(action_id=f"a{n}") for n in range(26))),
    ),
    (actions(button(), button(action_id="b")), actions(button(), button())),
    (actions(button(text=words(75, "plain_text"))), actions(button(text=words(76, "plain_text")))),
    (actions(button(value="v" * 2000)), actions(button(value="v" * 2001))),
    (actions(button(url="u" * 3000)), actions(button(url="u" * 3001))),
    (actions(button(style="danger")), actions(button(style="loud"))),
    (actions(button(action_id="a" * 255)), actions(button(action_id="a" * 256))),
    (actions(button(confirm=confirm(title=100))), actions(button(confirm=confirm(title=101)))),
    (actions(button(confirm=confirm(text=300))), actions(button(confirm=confirm(text=301)))),
    (actions(button(confirm=confirm(confirm=30))), actions(button(confirm=confirm(deny=31)))),
    (actions(select(100)), actions(select(101))),
    (actions(select(1, text=75)), actions(select(1, text=76))),
    (actions(select(1, value=150)), actions(select(1, value=151))),
    ({"type": "divider", "block_id": "b" * 255}, {"type": "divider", "block_id": "b" * 256}),
    ({"type": "markdown", "text": "x" * 12_000}, {"type": "markdown", "text": "x" * 12_001}),
    (
        {"type": "table", "rows": [[words(1)] * 20] * 100},
        {"type": "table", "rows": [[words(1)] * 21]},
    ),
    ({"type": "table", "rows": [[words(1)]]}, {"type": "table", "rows": [[words(1)]] * 101}),
    ({"type": "divider"}, {"type": "dividend"}),
    ({"type": "image", "alt_text": "a", "image_url": "u"}, {"type": "image", "alt_text": "a"}),
    (
        {"type": "section", "text": words(1), "accessory": button()},
        {"type": "section", "text": words(1), "accessory": {}},
    ),
]


@pytest.mark.parametrize(("legal", "refused"), EDGES)
def test_each_limit_has_two_sides(legal: Json, refused: Json) -> None:
    """What is just within a limit passes; its nearest neighbour is named with its path."""
    assert limits.validate([legal]) == ()
    problems = limits.validate([refused])
    assert problems
    assert problems[0].startswith("blocks[0]")


@pytest.mark.parametrize(
    ("count", "most", "legal"),
    [(50, 50, True), (51, 50, False), (100, 100, True), (101, 100, False)],
)
def test_number_of_blocks(count: int, most: int, legal: bool) -> None:  # noqa: FBT001 - a column of the table
    """A message takes 50 blocks, a view 100."""
    assert (limits.validate([{"type": "divider"}] * count, most=most) == ()) is legal


def test_a_block_id_is_used_once() -> None:
    """Two blocks with one id are refused; two ids pass."""
    assert limits.validate([{"type": "divider", "block_id": n} for n in "ab"]) == ()
    assert limits.validate([{"type": "divider", "block_id": n} for n in "aa"]) == (
        "blocks[1].block_id: used twice",
    )


def test_attachments_are_looked_into() -> None:
    """Blocks inside an attachment have the same limits; a legacy attachment without blocks has none."""
    assert limits.validate_attachments([{"color": "#fff", "text": "x" * 9999}]) == ()
    assert limits.validate_attachments([{"blocks": [{"type": "section"}]}]) == (
        "attachments[0].blocks[0]: needs text or fields",
    )
    assert limits.validate_attachments("no") == ("attachments: must be a list",)
    assert limits.validate_attachments(["no"]) == ("attachments[0].must be an object",)


@pytest.mark.parametrize(("size", "refused"), [(13_199, False), (13_200, True)])
def test_all_text_together_has_a_limit(size: int, refused: bool) -> None:  # noqa: FBT001 - a column of the table
    """Legal blocks may hold too much text together, wherever it stands."""
    sections = [{"type": "section", "text": words(3000)} for _ in range(4)]
    rest = [{"blocks": [{"type": "section", "text": words(size - 12_000)}]}]
    assert limits.too_long(sections, rest) is refused


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["section", "actions", "button"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["type", "text", "fields", "elements", "confirm", "options", "style", "accessory", "block_id",
                         "rows", "label", "element", "action_id", "value"]),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip
BLOCK = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["section", "actions", "context", "header", "input", "image", "table", "markdown"]
        )
    },
    optional=dict.fromkeys(
        ("text", "fields", "elements", "rows", "label", "element", "accessory"), JSON_VALUES
    ),
)


@given(JSON_VALUES | st.lists(BLOCK, max_size=4))
def test_anything_can_be_validated(value: object) -> None:
    """Whatever JSON arrives, the answer is a tuple of sentences and never an exception."""
    assert all(isinstance(problem, str) for problem in limits.validate(value))
    assert limits.text_size(value) >= 0
    limits.validate_attachments(value)


def test_deep_nesting_is_no_danger() -> None:
    """Text is counted at a depth where recursion would end."""
    value: object = "x"
    for _ in range(100_000):
        value = [value]
    assert limits.text_size(value) == 0


def accepted_by_sdk(block: Any) -> bool:
    try:
        block.validate_json()
    except SlackObjectFormationError:
        return False
    return True


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"type": "section", "text": words(n)}, SectionBlock(text="x" * n)) for n in (3000, 3001)
    ]
    + [({"type": "header", "text": words(n, "plain_text")}, HeaderBlock(text="x" * n)) for n in (150, 151)]
    + [
        (
            {"type": "context", "elements": [words(1)] * n},
            ContextBlock(elements=[{"type": "mrkdwn", "text": "x"}] * n),
        )
        for n in (10, 11)
    ]
    + [
        (
            actions(*(button(action_id=str(i)) for i in range(n))),
            ActionsBlock(elements=[ButtonElement(text="abc", action_id=str(i)) for i in range(n)]),
        )
        for n in (25, 26)
    ]
    + [
        (actions(button(confirm=confirm(title=n))),
         ConfirmObject(title="x" * n, text="x", confirm="x", deny="x"))
        for n in (100, 101)
    ],
)  # fmt: skip
def test_agrees_with_the_sdk(ours: Json, theirs: Any) -> None:
    """Where slack_sdk's own models check a limit, ours says the same."""
    assert (limits.validate([ours]) == ()) is accepted_by_sdk(theirs)
