"""What goes in comes out, on both databases; what neither keeps is replaced or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from bot.records import InboxKind
from bot.store.columns import keepable
from rca.case import FIRST, LAST
from tests.bot.store.world import NOW, World

HOUR = timedelta(hours=1)
INSTANTS = (
    NOW,
    datetime(2026, 3, 2, 7, 10, 0, 123456, tzinfo=timezone(-5 * HOUR)),
    datetime(2026, 10, 25, 2, 30, tzinfo=timezone(2 * HOUR)),
    datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)
STRANGE = (
    "",
    "caf\u00e9",
    "a\0b",
    "half \ud83d pair",
    "\U0001f680",
    "'; DROP TABLE inbox; --",
    "%s $1 :a",
)


@pytest.mark.parametrize("instant", INSTANTS, ids=str)
async def test_an_instant_comes_out_in_utc(world: World, instant: datetime) -> None:
    """To the microsecond, whatever its offset was."""
    world.now = instant
    incident = await world.open()
    again = await world.store.incidents.get(incident.incident_id)
    assert again is not None
    assert again.opened_at == instant
    assert again.opened_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("instant", "kept"),
    [
        (datetime.min.replace(tzinfo=timezone(HOUR)), FIRST),
        (datetime.max.replace(tzinfo=timezone(-HOUR)), LAST),
    ],
    ids=["before the calendar", "after it"],
)
async def test_an_instant_beyond_the_calendar_is_kept_at_its_edge(
    world: World, instant: datetime, kept: datetime
) -> None:
    """An alert from another time is odd, but no reason to lose it."""
    world.now = instant
    incident = await world.open()
    again = await world.store.incidents.get(incident.incident_id)
    assert again is not None
    assert again.opened_at == kept


async def test_a_naive_time_is_refused(world: World) -> None:
    """Nobody can say which instant it means."""
    with pytest.raises(StatementError, match="a time without an offset"):
        await world.store.inbox.keep(
            kind=InboxKind.WEBHOOK,
            sender_id="a",
            tenant_id="acme",
            payload={},
            now=datetime(2026, 3, 2, 7, 10),  # noqa: DTZ001 - that is the test
        )


@pytest.mark.parametrize("text", STRANGE, ids=repr)
async def test_any_text_can_be_kept(world: World, text: str) -> None:
    """In a payload as it is, in a name as both databases can keep it."""
    kept = await world.store.inbox.keep(
        kind=InboxKind.WEBHOOK, sender_id=text, tenant_id="acme", payload={"t": text}, now=NOW
    )
    assert kept.item.payload == {"t": text}
    assert kept.item.sender_id == keepable(text)


@pytest.mark.parametrize(
    "name", [text for text in STRANGE if text and "\ud83d" not in text], ids=repr
)
async def test_any_name_a_case_may_hold_is_found_again(world: World, name: str) -> None:
    """Under the very name that the alert gave."""
    incident = (await world.join(name)).incident
    assert await world.store.incidents.find_open("acme", name) == (incident,)


async def test_a_very_long_name_is_no_problem(world: World) -> None:
    """A thousand characters of four bytes are more than an index of PostgreSQL takes."""
    name = "".join(chr(0x1F300 + n % 700) for n in range(1_000))
    incident = (await world.join(name)).incident
    assert await world.store.incidents.find_open("acme", name) == (incident,)
    assert (await world.join(name, inbox_id="in-2")).incident.alert_count == 2


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_keepable_text_is_text_that_can_be_kept(text: str) -> None:
    """It can be written as UTF-8 and has no NUL; what could be kept anyway is not touched."""
    kept = keepable(text)
    kept.encode()
    assert "\0" not in kept
    assert len(kept) == len(text)
    assert keepable(kept) == kept
