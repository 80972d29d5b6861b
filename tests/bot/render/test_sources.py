"""How a source is doing, in numbers that a person can act on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.sources import MOST_PROBLEMS, Heard, ago, status_of

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def heard(
    dataset: str, minutes: int | None = 5, *, failures: int = 0, problem: str | None = None
) -> Heard:
    """One dataset, last read *minutes* ago."""
    last = None if minutes is None else NOW - minutes * MINUTE
    return Heard(dataset=dataset, last_success_at=last, failures=failures, problem=problem)


def test_all_is_well() -> None:
    """The newest success is the last one; the lag is that of the dataset that waits longest."""
    status = status_of("airbyte", [heard("a", 2), heard("b", 9)], NOW)
    assert status.is_well
    assert (status.last_success_at, status.lag) == (NOW - 2 * MINUTE, 9 * MINUTE)


@pytest.mark.parametrize(
    "rows", [[], [heard("a", None)], [heard("a", 2), heard("b", 90, failures=3)]]
)
def test_what_is_not_well(rows: list[Heard]) -> None:
    """Covering nothing, never having answered, and failing for one dataset of two."""
    assert not status_of("airbyte", rows, NOW).is_well


def test_a_dataset_that_was_never_read_has_no_lag() -> None:
    """A lag of the others alone would look like health."""
    status = status_of("airbyte", [heard("a", 2), heard("b", None)], NOW)
    assert (status.never, status.lag) == (1, None)


def test_the_same_problem_is_said_once() -> None:
    """With how many datasets it concerns, the most common first, and the rest counted."""
    rows = [heard(f"t{n}", failures=1, problem="401") for n in range(3)]
    rows += [heard(f"u{n}", failures=1, problem=f"odd {n}") for n in range(4)]
    problems = status_of("airbyte", rows, NOW).problems
    assert problems[0] == "t0 and 2 more: 401"
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[-1] == "and 2 other problems"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=9), "9 d"),
    ],
)
def test_spans_in_words(span: timedelta, words: str) -> None:
    """One number and one unit; what lies ahead is no time ago."""
    assert ago(span) == words


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 5)), max_size=20))
def test_the_counts_add_up(rows: list[tuple[int, int]]) -> None:
    """Never more failing or unread than there are, and the lag is no less than the newest success's age."""
    status = status_of("s", [heard("a", m, failures=f) for m, f in rows], NOW)
    assert 0 <= status.failing <= status.datasets == len(rows)
    if status.lag is not None and status.last_success_at is not None:
        assert status.lag >= NOW - status.last_success_at
