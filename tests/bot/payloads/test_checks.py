"""The words for a check's outcome, and times without a zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.payloads.checks import OLDEST, outcome_of, run_of, utc_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("pass", "passed"),
        ("PASSED", "passed"),
        ("Success", "passed"),
        ("fail", "failed"),
        ("FAILED", "failed"),
        ("warn", "warning"),
        ("Runtime Error", "error"),
        ("Aborted", "error"),
        ("notEvaluated", "unknown"),
        ("NOT_EVALUATED", "unknown"),
        ("unevaluated", "unknown"),
        ("excluded", "unknown"),
        ("skipped", "unknown"),
        ("passable", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_outcomes_have_one_word_each(word: str | None, outcome: str) -> None:
    """Every tool's word in any case becomes ours; what did not look is unknown and never a pass."""
    assert outcome_of(word) == outcome


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 12:00:00",
        "2026-11-22T12:00:00",
        "2026-11-22T12:00:00Z",
        "2026-11-22 12:00:00 UTC",
        "2026-11-22T13:00:00+01:00",
    ],
)
def test_a_time_without_a_zone_is_utc(text: str) -> None:
    """One with a zone is moved to UTC."""
    assert utc_of(text) == NOON


@pytest.mark.parametrize("value", [None, 7, "", "yesterday", "0001-01-01T00:00:00Z", True])
def test_what_is_no_time_is_none(value: object) -> None:
    """A sender's word for no time is no time either."""
    assert utc_of(value) is None


@given(st.text())
def test_no_text_breaks_a_time(text: str) -> None:
    """Whatever is sent, it is an instant in UTC or none."""
    moment = utc_of(text)
    assert moment is None or (moment.tzinfo is UTC and moment >= OLDEST)


def test_a_run_has_one_id() -> None:
    """The same run gives the same id, another time another, and a run without a time none."""
    assert run_of("t", "a", at=NOON) == run_of("t", "a", at=NOON) == "t:a:20261122T120000000000Z"
    assert run_of("t", "a", at=OLDEST) != run_of("t", "a", at=NOON)
    assert run_of("t", "a", at=None) is None
