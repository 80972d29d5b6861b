"""What people decide: written once, with everything that follows from it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.ports import JobKind
from bot.records import DeadlineState, Incident, IncidentState, PageState, TimelineEntry
from bot.store import Change, NoIncidentError
from tests.bot.store.world import MINUTE, NOW, World, deadline

WORDS = ("acknowledge", "resolve", "monitor", "reopen", "snooze")


async def decide(world: World, word: str, incident: Incident) -> Change:
    """Do what *word* says to the incident."""
    incidents = world.store.incidents
    if word == "snooze":
        return await incidents.snooze(
            incident.incident_id, by="U1", until=NOW + timedelta(hours=2), now=world.now
        )
    verb = getattr(incidents, word)
    return await verb(incident.incident_id, by="U1", now=world.now)  # type: ignore[no-any-return]  # chosen by name


async def recorded(world: World) -> Incident:
    """Return an open incident with a card and one deadline, whose first jobs are done."""
    incident = await world.open()
    await world.record(incident, deadlines=(deadline(incident),))
    await world.wake()
    return incident


async def deadline_state(world: World, incident: Incident) -> DeadlineState:
    found = await world.store.deadlines.get(deadline(incident).deadline_id)
    assert found is not None
    return found.state


@pytest.mark.parametrize(
    ("word", "before", "after", "what"),
    [
        ("acknowledge", (), IncidentState.ACKNOWLEDGED, "acknowledged"),
        ("acknowledge", ("monitor",), IncidentState.MONITORING, "acknowledged"),
        ("resolve", (), IncidentState.RESOLVED, "resolved"),
        ("resolve", ("acknowledge",), IncidentState.RESOLVED, "resolved"),
        ("resolve", ("monitor",), IncidentState.RESOLVED, "resolved"),
        ("monitor", (), IncidentState.MONITORING, "monitoring"),
        ("monitor", ("acknowledge",), IncidentState.MONITORING, "monitoring"),
        ("reopen", ("monitor",), IncidentState.OPEN, "reopened"),
        ("reopen", ("acknowledge", "resolve"), IncidentState.OPEN, "reopened"),
        ("snooze", (), IncidentState.OPEN, "snoozed"),
    ],
)
async def test_a_decision_is_written_once_and_shown(
    world: World, word: str, before: tuple[str, ...], after: IncidentState, what: str
) -> None:
    """It leads to its state, is noted with who it was, and draws the card; the second time nothing is written."""
    incident = await recorded(world)
    for earlier in before:
        await decide(world, earlier, incident)
    await world.wake()
    change = await decide(world, word, incident)
    assert change.changed
    assert change.incident.state is after
    timeline = await world.store.incidents.timeline(incident.incident_id)
    assert timeline[-1] == TimelineEntry(
        incident_id=incident.incident_id, at=NOW, what=what, actor="U1"
    )
    card = (JobKind.POST, f"card:{incident.incident_id}")
    assert card in await world.wake()
    assert await decide(world, word, incident) == Change(changed=False, incident=change.incident)
    assert await world.store.incidents.timeline(incident.incident_id) == timeline
    assert await world.wake() == set()


@pytest.mark.parametrize(
    ("word", "before"),
    [
        ("acknowledge", ("resolve",)),
        ("monitor", ("resolve",)),
        ("snooze", ("resolve",)),
        ("reopen", ()),
        ("reopen", ("acknowledge",)),
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    world: World, word: str, before: tuple[str, ...]
) -> None:
    """Nobody acknowledges what is over, or reopens what is open."""
    incident = await recorded(world)
    for earlier in before:
        await decide(world, earlier, incident)
    happened = await world.happened(incident)
    assert not (await decide(world, word, incident)).changed
    assert await world.happened(incident) == happened


@pytest.mark.parametrize("word", WORDS)
async def test_deciding_about_nothing_is_our_mistake(world: World, word: str) -> None:
    """An id that nobody has looked up is refused by name."""
    incident = await world.open()
    unknown = Incident(
        **{
            **{name: getattr(incident, name) for name in Incident.__slots__},
            "incident_id": "nobody",
        }
    )
    with pytest.raises(NoIncidentError, match="nobody"):
        await decide(world, word, unknown)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("acknowledge", DeadlineState.CANCELLED),
        ("resolve", DeadlineState.CANCELLED),
        ("monitor", DeadlineState.PENDING),
        ("snooze", DeadlineState.PENDING),
    ],
)
async def test_what_becomes_of_deadlines(world: World, word: str, state: DeadlineState) -> None:
    """Whoever takes it on or ends it cancels them; the rest only wait."""
    incident = await recorded(world)
    await decide(world, word, incident)
    assert await deadline_state(world, incident) is state


async def test_a_snooze_moves_deadlines_to_its_end(world: World) -> None:
    """An earlier deadline moves, a later one stays, and each is looked at when it is due."""
    incident = await world.open()
    early, late = deadline(incident, MINUTE), deadline(incident, 300 * MINUTE, team="infra")
    await world.record(incident, deadlines=(early, late))
    await decide(world, "snooze", incident)
    view = await world.store.incidents.view(incident.incident_id)
    assert view is not None
    assert view.incident.snoozed_until == NOW + timedelta(hours=2)
    assert [one.due_at for one in view.deadlines] == [NOW + timedelta(hours=2), late.due_at]
    world.now = NOW + timedelta(hours=2)
    assert (JobKind.DEADLINE, early.deadline_id) in await world.wake()


async def test_resolving_ends_the_pages_and_the_diagnosis(world: World) -> None:
    """Accepted pages are to be ended at their provider, and no diagnosis is active any more."""
    incident = await recorded(world)
    page = (await page_for(world, incident, "infra"))[1]
    unreached = (await page_for(world, incident, "data_eng"))[1]
    await world.store.pages.accepted(page, pager="log", reference=None, url=None, now=NOW)
    await world.store.pages.undelivered(unreached, error="refused", now=NOW)
    await world.wake()
    await decide(world, "resolve", incident)
    woken = await world.wake()
    assert (JobKind.PAGE, page) in woken
    assert (JobKind.PAGE, unreached) not in woken
    found = await world.store.pages.get(page)
    assert found is not None
    assert (found.state, found.resolve_wanted) == (PageState.ACCEPTED, True)
    (diagnosis,) = await world.store.signals.list(
        "acme", "shopify_orders", active_only=False, limit=5
    )
    assert not diagnosis.is_active


async def page_for(world: World, incident: Incident, team: str) -> tuple[bool, str]:
    requested = await world.store.pages.request(
        incident.incident_id, team=team, reason="escalated by hand", by="U1", now=world.now
    )
    return requested.fresh, requested.page.page_id


async def test_reopening_brings_the_diagnosis_back(world: World) -> None:
    """Resolved too early: its last diagnosis is active again, and nobody has it any more."""
    incident = await recorded(world)
    await decide(world, "acknowledge", incident)
    await decide(world, "resolve", incident)
    assert await world.store.signals.active_of(incident.incident_id) is None
    change = await decide(world, "reopen", incident)
    assert (change.incident.acknowledged_by, change.incident.resolved_at) == (None, None)
    active = await world.store.signals.active_of(incident.incident_id)
    assert active is not None
    assert active.signal_id == "s-1"


async def test_an_incident_with_a_successor_stays_closed(world: World) -> None:
    """There is only ever one open incident of a fingerprint."""
    incident = await recorded(world)
    await decide(world, "resolve", incident)
    await world.join(inbox_id="in-9")
    assert not (await decide(world, "reopen", incident)).changed


async def test_well_since_names_those_that_stayed_well(world: World) -> None:
    """Monitored since that instant or before, not those that came later or ended."""
    early, late, over = [await world.open(name) for name in ("early", "late", "over")]
    for incident in (early, over):
        await decide(world, "monitor", incident)
    await decide(world, "resolve", over)
    world.now += MINUTE
    await decide(world, "monitor", late)
    well = await world.store.incidents.well_since(NOW, 10)
    assert [one.dataset for one in well] == ["early"]


async def test_lists_are_the_tenants_own(world: World) -> None:
    """No list, and no find, crosses tenants; resolved incidents are in the history only."""
    mine, old = await world.open("mine"), await world.open("old")
    await world.open("mine", tenant_id="globex")
    await decide(world, "resolve", old)
    incidents = world.store.incidents
    assert [one.incident_id for one in await incidents.list_open("acme", 10)] == [mine.incident_id]
    assert [one.incident_id for one in await incidents.find_open("acme", "mine")] == [
        mine.incident_id
    ]
    assert await incidents.find_open("acme", "old") == ()
    assert [one.incident_id for one in await incidents.recent("acme", "old", 10)] == [
        old.incident_id
    ]
    assert await incidents.recent("nobody", "mine", 10) == ()
