"""A deadline pages once, when it is due and nobody has the incident."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.ports import JobKind
from bot.records import DeadlineState, Incident
from bot.store import Fired
from bot.store.deadlines import WHILE_WELL
from tests.bot.store.world import MINUTE, NOW, World, deadline

DUE = 30 * MINUTE
TICK = timedelta(microseconds=1)


async def due_in_half_an_hour(world: World) -> tuple[Incident, str]:
    incident = await world.open()
    await world.record(incident, deadlines=(deadline(incident, DUE),))
    await world.wake()
    return incident, deadline(incident).deadline_id


@pytest.mark.parametrize(
    ("now", "pages"), [(NOW + DUE - TICK, False), (NOW + DUE, True), (NOW + DUE + MINUTE, True)]
)
async def test_it_fires_from_its_instant_on(world: World, now: datetime, *, pages: bool) -> None:
    """Not a microsecond before it is due."""
    _, deadline_id = await due_in_half_an_hour(world)
    fired = await world.store.deadlines.fire(deadline_id, now)
    assert (fired.page is not None) is pages
    assert fired.not_before == (None if pages else NOW + DUE)


async def test_firing_asks_for_a_page_and_says_so(world: World) -> None:
    """The team is paged by the bot for the deadline's reason; the story tells it, and the card is drawn anew."""
    incident, deadline_id = await due_in_half_an_hour(world)
    fired = await world.store.deadlines.fire(deadline_id, NOW + DUE)
    assert fired.page is not None
    assert (fired.page.team, fired.page.reason, fired.page.requested_by) == (
        "data_eng",
        "not resolved in 30 min",
        "rca-bot",
    )
    assert await world.happened(incident) == [
        "opened", "diagnosed", "deadline fired", "page requested",
    ]  # fmt: skip
    assert await world.wake() == {
        (JobKind.PAGE, fired.page.page_id),
        (JobKind.POST, f"card:{incident.incident_id}"),
    }


async def test_it_fires_once(world: World) -> None:
    """Ten replicas at the same instant: one page, and one line in the story."""
    incident, deadline_id = await due_in_half_an_hour(world)
    fired = await asyncio.gather(
        *(world.store.deadlines.fire(deadline_id, NOW + DUE) for _ in range(10))
    )
    assert sum(one.page is not None for one in fired) == 1
    assert (await world.happened(incident)).count("deadline fired") == 1


@pytest.mark.parametrize("word", ["acknowledge", "resolve"])
async def test_it_is_void_when_somebody_has_it(world: World, word: str) -> None:
    """Acknowledged or resolved in time: nothing happens, now and later."""
    incident, deadline_id = await due_in_half_an_hour(world)
    await getattr(world.store.incidents, word)(incident.incident_id, by="U1", now=NOW)
    assert await world.store.deadlines.fire(deadline_id, NOW + DUE) == Fired()
    found = await world.store.deadlines.get(deadline_id)
    assert found is not None
    assert found.state is DeadlineState.CANCELLED


async def test_a_snooze_that_came_later_still_counts(world: World) -> None:
    """The deadline waits until the snooze has ended, to the microsecond."""
    incident, deadline_id = await due_in_half_an_hour(world)
    until = NOW + 2 * DUE
    await world.store.incidents.snooze(incident.incident_id, by="U1", until=until, now=NOW)
    fire = world.store.deadlines.fire
    assert await fire(deadline_id, until - TICK) == Fired(not_before=until)
    assert (await fire(deadline_id, until)).page is not None


async def test_while_the_check_passes_nobody_is_woken(world: World) -> None:
    """Monitored: the deadline looks again; when the check fails once more it fires."""
    incident, deadline_id = await due_in_half_an_hour(world)
    await world.store.incidents.monitor(incident.incident_id, by="rca-bot", now=NOW)
    now = NOW + DUE
    fire = world.store.deadlines.fire
    assert await fire(deadline_id, now) == Fired(not_before=now + WHILE_WELL)
    await world.join(inbox_id="in-9")
    assert (await fire(deadline_id, now)).page is not None


async def test_a_team_that_is_paged_already_is_not_paged_again(world: World) -> None:
    """Somebody escalated by hand before: the deadline has fired, with the page that there is."""
    incident, deadline_id = await due_in_half_an_hour(world)
    by_hand = await world.store.pages.request(
        incident.incident_id, team="data_eng", reason="escalated by hand", by="U1", now=NOW
    )
    fired = await world.store.deadlines.fire(deadline_id, NOW + DUE)
    assert fired.page == by_hand.page
    assert (await world.happened(incident)).count("page requested") == 1


async def test_no_such_deadline_is_void(world: World) -> None:
    """A job about a row that is not there does nothing."""
    assert await world.store.deadlines.fire("nobody", NOW) == Fired()
    assert await world.store.deadlines.get("nobody") is None
