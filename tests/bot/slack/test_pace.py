"""A channel's pace: a burst, then one message a second; each waiting post has a slot of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.pace import BURST, PACE, Pace

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_burst_and_then_the_pace() -> None:
    """Four at once; the fifth a second later, the sixth two; each is let through when it comes at its slot."""
    pace = Pace()
    slots = [pace.slot(str(number), "C1", NOON) for number in range(BURST + 2)]
    assert slots == [None] * BURST + [NOON + SECOND, NOON + 2 * SECOND]
    assert pace.slot("4", "C1", NOON + SECOND) is None
    assert pace.slot("5", "C1", NOON + SECOND) == NOON + 2 * SECOND
    assert pace.slot("5", "C1", NOON + 2 * SECOND) is None


def test_channels_do_not_wait_for_each_other() -> None:
    """A storm in one channel leaves another one's burst whole."""
    pace = Pace()
    for number in range(100):
        pace.slot(f"storm {number}", "C1", NOON)
    assert pace.slot("calm", "C2", NOON) is None
    assert pace.waiting("storm 99") == NOON + 96 * SECOND
    assert pace.waiting("calm") is None


def test_a_hushed_channel() -> None:
    """Slack asks for 30 s: nobody posts before, slots given out before are void, and there is no burst afterwards."""
    pace = Pace()
    waiting = [f"p{number}" for number in range(8)]
    for post_id in waiting:
        pace.slot(post_id, "C1", NOON)
    until = NOON + 30 * SECOND
    pace.hush("C1", until)
    assert pace.quiet("C1", NOON) == until
    assert {pace.slot(post_id, "C1", NOON + SECOND) for post_id in waiting} == {until}
    assert pace.quiet("C1", until) is None
    after = [pace.slot(post_id, "C1", until) for post_id in waiting]
    assert after == [None, *(until + number * SECOND for number in range(1, 8))]


@given(
    arrivals=st.lists(st.integers(min_value=0, max_value=60), min_size=1, max_size=80),
)
def test_never_faster_than_the_pace(arrivals: list[int]) -> None:
    """Whenever posts come, in any span of time at most a burst more than the pace allows is let through."""
    pace = Pace()
    sent: list[datetime] = []
    for number, second in enumerate(sorted(arrivals)):
        now = NOON + second * SECOND
        at = pace.slot(str(number), "C1", now) or now
        sent.append(at)
    sent.sort()
    for start, first in enumerate(sent):
        for end in range(start, len(sent)):
            assert end - start + 1 <= (sent[end] - first) / PACE + BURST


@given(count=st.integers(min_value=1, max_value=300))
def test_every_post_gets_its_turn(count: int) -> None:
    """However many wait, each comes back once, and then it is let through."""
    pace = Pace()
    slots = {str(n): pace.slot(str(n), "C1", NOON) or NOON for n in range(count)}
    for post_id, at in slots.items():
        if at > NOON:
            assert pace.slot(post_id, "C1", at) is None
    assert max(slots.values()) <= NOON + PACE * max(0, count - BURST)
