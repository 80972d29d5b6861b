"""A channel belongs to a tenant and sees only its data."""

from __future__ import annotations

from bot.sandbox.world import ALERTS, World, words

NAME = "01_expired_credentials"
DATASET = "shopify_orders"
OTHER = "globex-alerts"


async def test_another_tenants_channel_knows_nothing(world: World) -> None:
    """In Globex's channel Acme's dataset does not exist, and none of its incidents is listed."""
    message = await world.alert(NAME)
    await world.sandbox.command("dana", OTHER, f"/rca {DATASET}")
    assert "do not know" in words(world.sandbox.ephemerals("dana")[-1])
    await world.sandbox.command("dana", OTHER, "/rca list")
    assert "Nothing is open" in words(world.sandbox.ephemerals("dana")[-1])
    await world.sandbox.command("dana", OTHER, f"/rca resolve {DATASET}")
    await world.work()
    assert "Nothing is open" in words(world.sandbox.ephemerals("dana")[-1])
    assert (await world.incident(DATASET)).incident.is_open
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_a_channel_without_tenant_is_told_so(world: World) -> None:
    """A command in a channel that the directory does not know: an answer that says what to do."""
    await world.sandbox.command("alice", "general", f"/rca {DATASET}")
    assert "belongs to no tenant" in words(world.sandbox.ephemerals("alice")[-1])
