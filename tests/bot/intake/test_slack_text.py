"""Facts about reading a Slack message's text: every kind of block, bounded, whatever is thrown at it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.intake.slack_text import MAX_CHARS, Link, code_of, plain, read_slack


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ({"text": "a\n\n b "}, ("a", "b")),
        ({"text": "a &lt;b&gt; &amp;amp; c"}, ("a <b> &amp; c",)),
        ({"text": "see <https://x.example/a|the report> now"}, ("see the report now",)),
        ({"text": "see <https://x.example/a>"}, ("see https://x.example/a",)),
        ({"text": "<@U1> <@U2|bo> <#C1|general> <!here>"}, ("@U1 @bo #general here",)),
        ({"text": "<!subteam^S1|@ops>"}, ("@ops",)),
        ({"text": "<!date^1^{date}|Monday>"}, ("Monday",)),
        ({"text": "unseen", "blocks": [section("seen")]}, ("seen",)),
        ({"text": "seen", "blocks": [{"type": "divider"}]}, ("seen",)),
        ({"text": "first", "attachments": [{"blocks": [section("second")]}]}, ("first", "second")),
        (
            {"attachments": [{"pretext": "p", "title": "t", "text": "x", "fallback": "unseen"}]},
            ("p", "t", "x"),
        ),
        ({"attachments": [{"fallback": "only this"}]}, ("only this",)),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "H"}}]}, ("H",)),
        ({"blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": "c"}]}]}, ("c",)),
        ({"blocks": [{"type": "markdown", "text": "**m**"}]}, ("**m**",)),
        ({"blocks": [{"type": "image", "alt_text": "a picture"}]}, ("a picture",)),
        (
            {
                "blocks": [
                    {"type": "actions", "elements": [{"type": "button", "text": {"text": "b"}}]}
                ]
            },
            (),
        ),
        (
            {
                "blocks": [
                    {
                        "type": "table",
                        "rows": [
                            [{"type": "raw_text", "text": "1"}, {"type": "raw_text", "text": "2"}]
                        ],
                    }
                ]
            },
            ("1 | 2",),
        ),
        ({}, ()),
    ],
)
def test_text_is_found_wherever_it_was_put(message: dict[str, Any], lines: tuple[str, ...]):
    """Each way to say something in Slack is read as people see it."""
    assert read_slack(message).lines == lines


def test_rich_text_is_read_with_its_lists_links_and_code():
    """Nested rich text gives lines, links and fenced code; its text has no escapes to undo."""
    parts = [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "Table: ", "style": {"bold": True}},
                {"type": "link", "url": "https://x.example/t", "text": "orders &lt;"},
            ],
        },
        {
            "type": "rich_text_list",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]},
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "two"}]},
            ],
        },
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "{}"}]},
    ]
    text = read_slack({"blocks": [{"type": "rich_text", "elements": parts}]})
    assert text.lines == ("*Table: *orders &lt;", "one", "two", "```{}```")
    assert text.link("orders") == "https://x.example/t"


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ({"blocks": [section("*Table*\norders")]}, (("Table", "orders"),)),
        (
            {"blocks": [section("*Test:* a | b | *Status:* fail")]},
            (("Test", "a | b"), ("Status", "fail")),
        ),
        ({"blocks": [section("🔎 *Result*"), section("```x```")]}, (("Result", "```x```"),)),
        ({"blocks": [section("*A*"), section("*B*\nb")]}, (("B", "b"),)),
        ({"blocks": [section("*Asset*: `o`\n*Suite*: `s`")]}, (("Asset", "`o`"), ("Suite", "`s`"))),
        (
            {
                "blocks": [
                    {
                        "type": "section",
                        "fields": [
                            {"text": "*Source:*"},
                            {"text": "Shopify"},
                            {"text": "*To*\nPg"},
                        ],
                    }
                ]
            },
            (("Source", "Shopify"), ("To", "Pg")),
        ),
        ({"attachments": [{"fields": [{"title": "dataset", "value": "o"}]}]}, (("dataset", "o"),)),
        ({"text": "no *label* here"}, ()),
    ],
)
def test_labels_and_values_are_paired(message: dict[str, Any], fields: tuple[tuple[str, str], ...]):
    """However a sender lays out its facts, a label finds its value."""
    assert read_slack(message).fields == fields


def test_the_first_value_of_a_label_is_found_in_any_case():
    """Labels are asked without case; an empty value counts as none."""
    text = read_slack({"blocks": [section("*Status:* "), section("*STATUS:* fail")]})
    assert text.value("status") == "fail"
    assert text.value("Owner") is None


def test_header_colour_and_links_are_the_first_of_their_kind():
    """What is shown on top counts."""
    text = read_slack(
        {
            "blocks": [
                {"type": "header", "text": {"text": "one"}},
                {"type": "header", "text": {"text": "2"}},
            ],
            "attachments": [
                {"title": "t", "title_link": "https://x.example/1", "color": "danger"},
                {"text": "<https://x.example/2$amp;a|more>", "color": "good"},
            ],
        }
    )
    assert (text.header, text.color) == ("one", "danger")
    assert text.links == (
        Link(url="https://x.example/1", label="t"),
        Link(url="https://x.example/2&a", label="more"),
    )
    assert text.link() == "https://x.example/1"
    assert text.link("nothing") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("```a\nb```", "a\nb"), ("```json\n{}\n```", "{}"), ("`x`", "x"), ("x", "x"), ("", "")],
)
def test_code_is_taken_out_of_its_fence(text: str, code: str):
    """Fences and backticks go, what they hold stays."""
    assert code_of(text) == code


def test_plain_text_has_no_marks():
    """Emphasis and code marks go."""
    assert plain("*0* of `4`") == "0 of 4"


def test_a_huge_message_is_cut_and_still_quick():
    """Far more than Slack allows costs bounded time and memory."""
    many = [section("*a*\n" + "x" * 5_000)] * 20_000
    deep: dict[str, Any] = {"type": "text", "text": "deep"}
    for _ in range(3_000):
        deep = {"type": "rich_text_section", "elements": [deep]}
    started = time.perf_counter()
    text = read_slack({"blocks": [{"type": "rich_text", "elements": [deep]}, *many]})
    assert time.perf_counter() - started < 2
    assert sum(map(len, text.paragraphs)) <= MAX_CHARS
    assert "deep" not in text.lines


@pytest.mark.parametrize(
    "text",
    ["<" * 50_000, "*" * 50_000, "*a*" * 20_000, " | " * 30_000, "*a:* | " * 15_000, "`" * 50_000],
)
def test_hostile_text_is_quick(text: str):
    """No text makes the patterns run away."""
    started = time.perf_counter()
    read_slack({"blocks": [section(text), section(text + "\n" + text)]})
    assert time.perf_counter() - started < 2


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "blocks", "elements", "fields", "rows", "attachments", "url"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=40,
)


@settings(deadline=None)
@given(json_like)
def test_no_json_makes_it_raise(message: object):
    """Any JSON value has a text, be it empty."""
    text = read_slack(message)
    assert all(line == line.strip() and line for line in text.lines)
