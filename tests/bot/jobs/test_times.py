"""The numbers of the queues: pauses and microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jobs.lanes import AT_ONCE, kinds_of
from bot.jobs.pause import FIRST_PAUSE, LONGEST_PAUSE, pause_after
from bot.jobs.table import from_us, to_us
from bot.ports import JobKind, Lane

OFFSETS = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))
INSTANTS = st.datetimes(
    min_value=datetime(1900, 1, 2), max_value=datetime(2200, 1, 1), timezones=OFFSETS  # noqa: DTZ001 - hypothesis adds the offset
)  # fmt: skip


@given(INSTANTS)
def test_an_instant_survives(instant: datetime) -> None:
    """Microseconds since 1970 hold every instant to its last digit, in UTC."""
    assert from_us(to_us(instant)) == instant
    assert from_us(to_us(instant)).tzinfo is UTC


@given(INSTANTS, INSTANTS)
def test_numbers_sort_like_instants(one: datetime, other: datetime) -> None:
    """What is earlier is smaller, whatever the offsets: SQLite compares numbers."""
    assert (to_us(one) < to_us(other)) == (one < other)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 1), (1, 1), (2, 2), (3, 4), (8, 128), (9, 256), (10, 300), (11, 300), (10_000, 300)],
)
def test_the_pause_doubles_up_to_five_minutes(failures: int, seconds: int) -> None:
    """From one second, doubling, and never more than five minutes."""
    assert pause_after(failures) == timedelta(seconds=seconds)


@given(st.integers(0, 10**9))
def test_the_pause_never_shrinks(failures: int) -> None:
    """One more raise never means an earlier try."""
    assert FIRST_PAUSE <= pause_after(failures) <= pause_after(failures + 1) <= LONGEST_PAUSE


def test_every_kind_of_job_has_its_lane() -> None:
    """No kind is forgotten, none runs in two lanes, and every lane has room."""
    kinds = [kind for lane in Lane for kind in kinds_of(lane)]
    assert sorted(kinds) == sorted(JobKind)
    assert all(AT_ONCE[lane] >= 2 for lane in Lane)
