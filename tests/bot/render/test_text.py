"""Slack's markup and human numbers: nothing from data becomes a token, nothing is cut silently."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render import text

HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("<>&`*_~!@#|^\n\r\t\x00\u202e\ud800 \U0001f600"),
        st.characters(),
        st.sampled_from("abc"),
    ),
    max_size=400,
)
TOKEN = re.compile(r"<[!@#]")
NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)


@given(HOSTILE)
def test_escaped_words_hold_no_token(data: str) -> None:
    """No text, escaped or as a value, holds an angle bracket, a bare ampersand or a stray backtick."""
    for markup in (text.escape(data), text.code(data)[1:-1], text.words(data)):
        assert not set(markup) & set("<>`")
        assert re.search(r"&(?!(?:amp|lt|gt);)", markup) is None


@given(HOSTILE)
def test_everything_written_can_be_sent(data: str) -> None:
    """What is written is valid UTF-8 without control characters, also from lone surrogates."""
    for written in (
        text.escape(data),
        text.code(data),
        text.plain(data, 150),
        text.link("https://a.example/" + data, data),
    ):
        assert not set(written.encode().decode()) & set("\x00\r\u202e\ud800")


def test_a_name_cannot_pass_for_another_one() -> None:
    """Letters without width or look are shown; the joiners that words and emoji are written with stay."""
    for hidden in "\u200b\u00ad\u2060\u061c\u180e\ufeff\U000e0041":
        assert text.escape(f"or{hidden}ders") == "or\N{REPLACEMENT CHARACTER}ders"
    for joined in (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f469\u200d\U0001f4bb",
    ):
        assert text.escape(joined) == joined


@given(HOSTILE)
def test_escaping_reads_back(data: str) -> None:
    """Slack's reader sees the words that were written, but for characters that cannot be shown."""
    shown = text.escape(data).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert shown == text.clean(data).replace("`", "'")


@given(HOSTILE, st.integers(min_value=50, max_value=300))
def test_a_cut_leaves_no_half(data: str, limit: int) -> None:
    """Cut markup keeps its limit, ends no entity or token in the middle, closes its code span and counts the rest."""
    markup = f"{text.escape(data)} {text.when(NOW)} {text.code(data)}"
    cut = text.clip(markup, limit)
    assert text.size(cut) <= limit
    assert cut.count("`") % 2 == 0
    assert re.search(r"&(?!(?:amp|lt|gt);)", cut) is None
    assert cut.count("<") == cut.count(">")
    assert cut == markup or re.search(r"… \([\d,]+ more characters\)$", cut)


@given(st.text(max_size=3000), st.integers(min_value=1, max_value=200))
def test_shortened_words_keep_their_limit(data: str, limit: int) -> None:
    """Words are cut to the limit; only what was cut carries the mark of it."""
    cut = text.shorten(data, limit)
    assert text.size(cut) <= limit
    assert cut == data or "…" in cut


def test_a_cut_counts_what_is_missing() -> None:
    """The number of missing characters is the one that is missing, also beyond what is looked at."""
    cut = text.one_line("x" * 100_000, 1_000)
    kept = len(cut.split(" …")[0])
    assert f"({100_000 - kept:,} more characters)" in cut


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/b?c=1&d=2", "<https://a.example/b?c=1&amp;d=2|x>"),
        ("https://a.example/a b>c|d", "<https://a.example/a%20b%3Ec%7Cd|x>"),
        ("javascript:alert(1)", "x"),
        ("!channel", "x"),
        ("https://", "x"),
        ("https://a.example/" + "b" * 3_000, "x"),
    ],
)
def test_links_are_web_addresses_only(url: str, expected: str) -> None:
    """A web address becomes a link with its separators encoded; anything else leaves its label."""
    assert text.link(url, "x") == expected


@pytest.mark.parametrize(
    ("mention", "expected"),
    [
        (text.mention_user("U0ALICE"), "<@U0ALICE>"),
        (text.mention_user("U0ALICE> <!channel"), "`U0ALICE&gt; &lt;!channel`"),
        (text.mention_user("dana@acme.example"), "`dana@acme.example`"),
        (text.mention_group("S0INFRA", "Infra"), "<!subteam^S0INFRA>"),
        (text.mention_channel("C0ALERTS"), "<#C0ALERTS>"),
        (text.mention_channel("C1><!channel>"), "`C1&gt;&lt;!channel&gt;`"),
        (text.mention_channel("D0ALICE"), "`D0ALICE`"),
        (text.mention_group("here", "Infra"), "Infra"),
        (text.mention_group("", ""), "`(empty)`"),
    ],
)
def test_mentions_need_an_id(mention: str, expected: str) -> None:
    """Only something with the shape of an id is mentioned; anything else is words."""
    assert mention == expected


def test_a_time_is_a_token_with_utc_beside_it() -> None:
    """A date token carries the epoch and, for readers without tokens, the same instant in UTC."""
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert text.when(there) == "<!date^1772435400^{date_short_pretty} {time}|2026-03-02 07:10 UTC>"


def test_a_time_without_zone_is_refused() -> None:
    """A naive time would be read in the wrong zone by somebody."""
    with pytest.raises(ValueError, match="needs its zone"):
        text.when(datetime(2026, 3, 2))  # noqa: DTZ001 - the naive time is the point


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (9800, "9,800"), (12.34, "12.3"), (0.3126, "0.313"), (1203.7, "1,204"), (-5, "-5"), (1e300, "1e+300"),
     (float("nan"), "not a number"), (float("inf"), "not a number")],
)  # fmt: skip
def test_numbers(value: float, expected: str) -> None:
    """Whole numbers are whole with separators, others have three digits that count."""
    assert text.number(value) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0, "0 %"),
        (0.004, "<1 %"),
        (0.01, "1 %"),
        (0.93, "93 %"),
        (0.99, "99 %"),
        (0.996, ">99 %"),
        (1, "100 %"),
    ],
)
def test_what_is_not_certain_is_never_100_percent(share: float, expected: str) -> None:
    """Shares are whole percents; only 0 and 1 themselves are 0 and 100."""
    assert text.percent(share) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (45, "45 s"), (59.96, "1 min"), (60, "1 min"), (7500, "2 h 5 min"), (86_400, "1 d"),
     (93_600, "1 d 2 h"), (90_061, "1 d 1 h"), (-60, "-1 min"), (float("inf"), "not known")],
)  # fmt: skip
def test_durations(seconds: float, expected: str) -> None:
    """A span of time is told by its two largest units."""
    assert text.duration(seconds) == expected


def test_one_and_many() -> None:
    """A count agrees with its noun."""
    assert [
        text.count_of(1, "alert"),
        text.count_of(2, "alert"),
        text.count_of(2, "hypothesis", "hypotheses"),
    ] == [
        "1 alert",
        "2 alerts",
        "2 hypotheses",
    ]


def test_a_plain_field_holds_no_token_either() -> None:
    """Slack reads no markup in headers and buttons; what looks like a mention is disarmed all the same."""
    assert TOKEN.search(text.plain("<!channel> <@U1> a<b", 150)) is None
    assert text.plain("  \n ", 75) == "-"
