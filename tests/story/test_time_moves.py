"""The matrix's deadlines page by themselves, unless somebody is on it.

The incident here has a confidence between 0.60 and 0.85, so Infra is paged when it is not resolved in 30 minutes.
"""

from __future__ import annotations

from datetime import timedelta

from bot.records import DeadlineState
from bot.sandbox.server import Sandbox
from bot.sandbox.world import ALERTS, NOON, World, reopened, words
from rca.diagnosis import Band

NAME = "01_expired_credentials"
DATASET = "shopify_orders"


def ringing(sandbox: Sandbox) -> list[str]:
    """Whose phones ring, in the order in which they began to."""
    return [call.service for call in sandbox.phones.calls]


async def test_the_deadline_passes_and_the_team_is_paged(world: World) -> None:
    """29 minutes and 59 seconds: nobody. 30 minutes: Infra, once, and the card says so."""
    message = await world.alert(NAME)
    view = await world.incident(DATASET)
    assert view.diagnosis is not None
    assert view.diagnosis.band is Band.INVESTIGATE_TOP
    assert str(int(NOON.timestamp()) + 1800) in words(world.card(message))
    await world.later(minutes=29, seconds=59)
    assert ringing(world.sandbox) == []
    await world.later(seconds=1)
    assert ringing(world.sandbox) == ["Infra"]
    assert "Paged Infra" in words(world.card(message))
    await world.later(hours=3)
    assert ringing(world.sandbox) == ["Infra"]
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_acknowledge_cancels_the_deadline(world: World) -> None:
    """Somebody has it: nobody is woken, however long it takes."""
    message = await world.alert(NAME)
    await world.sandbox.click("alice", world.card(message), "incident_ack")
    await world.later(hours=5)
    assert ringing(world.sandbox) == []
    states = {one.state for one in (await world.incident(DATASET)).deadlines}
    assert states == {DeadlineState.CANCELLED}
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_resolve_cancels_the_deadline(world: World) -> None:
    """It is over: nobody is woken."""
    message = await world.alert(NAME)
    await world.sandbox.click("alice", world.card(message), "incident_resolve")
    await world.later(hours=5)
    assert ringing(world.sandbox) == []
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_snooze_moves_the_deadline(world: World) -> None:
    """Quiet for two hours, then the page that was due."""
    message = await world.alert(NAME)
    await world.sandbox.command("alice", ALERTS, f"/rca snooze 2h {DATASET}")
    await world.later(hours=1, minutes=59)
    assert ringing(world.sandbox) == []
    await world.later(minutes=2)
    assert ringing(world.sandbox) == ["Infra"]
    world.thread(message)
    world.sandbox.messages(ALERTS)
    world.sandbox.ephemerals("alice")


async def test_a_deadline_survives_a_restart(world: World) -> None:
    """The bot is away when the deadline passes; the next one pages, once."""
    message = await world.alert(NAME)
    await world.jobs.stop()
    async with reopened(world.sandbox, world.settings, world.clock) as again:
        await again.later(minutes=31)
        assert ringing(again.sandbox) == ["Infra"]
        again.thread(message)
        again.sandbox.messages(ALERTS)


async def test_asking_alone_pages_nobody(world: World) -> None:
    """Whoever types /rca is already looking: a card, but no deadline."""
    await world.sandbox.command("alice", ALERTS, f"/rca {DATASET}")
    await world.work()
    await world.later(hours=5)
    assert ringing(world.sandbox) == []
    assert (await world.incident(DATASET)).deadlines == ()
    world.sandbox.messages(ALERTS)
    for message in world.sandbox.messages(ALERTS):
        world.thread(message)
    world.sandbox.ephemerals("alice")


async def test_it_stayed_well(world: World) -> None:
    """The check passes again: monitoring; half an hour later it is over by itself, and nobody was woken."""
    message = await world.alert(NAME)
    payload = {"dataset": DATASET, "anomaly_type": "freshness_anomaly", "status": "resolved"}
    well = {
        "text": "well again",
        "metadata": {"event_type": "rca_alert", "event_payload": payload},
    }
    await world.sandbox.alert(ALERTS, well)
    await world.work()
    assert (await world.incident(DATASET)).incident.state.value == "monitoring"
    await world.later(minutes=31)
    await world.tick()
    assert not (await world.incident(DATASET)).incident.is_open
    assert ringing(world.sandbox) == []
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_failing_again_beats_staying_well(world: World) -> None:
    """The check fails again between the look and the resolve: the incident stays open."""
    message = await world.alert(NAME)
    incidents = world.app.store.incidents
    incident_id = (await world.incident(DATASET)).incident.incident_id
    await incidents.monitor(incident_id, by="rca-bot", now=world.clock())
    since = world.clock()
    world.clock.advance(timedelta(minutes=31))
    assert [one.incident_id for one in await incidents.well_since(since, 10)] == [incident_id]
    again = await world.alert(NAME)
    change = await incidents.resolve(incident_id, by="rca-bot", now=world.clock(), well_since=since)
    assert not change.changed
    assert (await world.incident(DATASET)).incident.is_open
    world.thread(message)
    world.thread(again)
    world.sandbox.messages(ALERTS)
