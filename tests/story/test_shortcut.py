"""A person points at a message: "Diagnose this alert"."""

from __future__ import annotations

from bot.sandbox.world import ALERTS, World, words

NAME = "01_expired_credentials"
SHORTCUT = "diagnose_alert"
UNWATCHED = "data-incidents"


async def test_an_alert_in_an_unwatched_channel_is_diagnosed_on_request(world: World) -> None:
    """Nobody reads that channel's alerts by itself; pointed at, the message gets its card in its thread."""
    message = await world.sandbox.alert(UNWATCHED, world.library[NAME].message)
    await world.work()
    assert world.sandbox.messages(UNWATCHED, message.ts) == ()
    await world.sandbox.shortcut("alice", message, SHORTCUT)
    await world.work()
    assert "thread" in words(world.sandbox.ephemerals("alice")[-1])
    card, _details = world.sandbox.messages(UNWATCHED, message.ts)
    assert "ngestion failure" in words(card)


async def test_pointing_twice_is_one_alert(world: World) -> None:
    """The message was heard and answered before: the person is told where, and nothing is counted twice."""
    message = await world.alert(NAME)
    await world.sandbox.shortcut("alice", message, SHORTCUT)
    await world.work()
    assert "already" in words(world.sandbox.ephemerals("alice")[-1])
    assert (await world.incident("shopify_orders")).incident.alert_count == 1
    world.thread(message)


async def test_a_message_that_is_no_alert_is_answered(world: World) -> None:
    """Pointing at anything else says so, and says what to do instead."""
    said = await world.sandbox.say("bob", ALERTS, "lunch")
    await world.sandbox.shortcut("alice", said, SHORTCUT)
    await world.work()
    assert "/rca DATASET" in words(world.sandbox.ephemerals("alice")[-1])
