"""Numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rca.view.wording import counted, listed, minute, quoted, share, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (2.5, "2.5 s"),
        (3.0, "3 s"),
        (45.2, "45 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (282.0, "4.7 min"),
        (7_199.0, "120 min"),
        (7_200.0, "2 h"),
        (68_400.0, "19 h"),
        (172_800.0, "2 days"),
        (1e8, "1,157 days"),
        (3.1556952e9, "36,524 days"),
        (3.16e9, "over 100 years"),
        (1e300, "over 100 years"),
        (float("inf"), "over 100 years"),
    ],
)
def test_a_span_has_the_unit_that_reads_best(seconds, text):
    """At least two of the unit, a decimal only where it tells something."""
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 syncs"), (1, "1 sync"), (2, "2 syncs"), (1_234, "1,234 syncs")]
)
def test_one_is_not_many(number, text):
    """The noun follows its number."""
    assert counted(number, "sync") == text
    assert counted(number, "match", "matches").endswith("match" if number == 1 else "matches")


@pytest.mark.parametrize("hours", [-14, -5, 0, 9])
def test_a_time_is_said_in_utc(hours):
    """The same instant reads the same, whatever offset its sender wrote it with."""
    zone = timezone(timedelta(hours=hours))
    instant = datetime(2026, 3, 2, 7, 10, tzinfo=UTC).astimezone(zone)
    assert minute(instant) == "2026-03-02 07:10 UTC"


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0.0, "0 %"),
        (1e-9, "<0.1 %"),
        (0.0005, "0.1 %"),
        (0.285, "28.5 %"),
        (0.9994, "99.9 %"),
        (0.99999, ">99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_only_nothing_is_zero_and_only_all_is_a_hundred(part, text):
    """A share too small for a decimal is not told as gone."""
    assert share(part) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("US", "US"), ("New York", "New York"), ("", "(empty)"), ("US ", '"US "'), ("a  b", '"a  b"')],
)
def test_spaces_that_make_a_value_another_one_are_seen(value, text):
    """A reader sees that ``US `` with a space behind is not ``US``."""
    assert quoted(value) == text


@pytest.mark.parametrize(
    ("names", "text"), [("a", "a"), ("ab", "a, b"), ("abc", "a, b and 1 more"), ("", "")]
)
def test_a_list_that_is_cut_says_so(names, text):
    """Nobody takes the first few for all."""
    assert listed(list(names), 2) == text
