"""Who may do what, by every way in: buttons, commands and mentions, guests and other tenants."""

from __future__ import annotations

from typing import Any

import pytest

from bot.records import IncidentState
from bot.sandbox.deliver import Answer, Delivery, DeliveryKind
from bot.sandbox.payloads import event_callback
from bot.sandbox.world import ALERTS, World, words

NAME = "01_expired_credentials"
DATASET = "shopify_orders"


async def press(world: World, by: str, channel: str, incident_id: str, **fields: Any) -> Answer:
    """Deliver a press of a button as Slack would sign it, whatever it says."""
    person = world.sandbox.workspace.user(by)
    payload = {
        "type": "block_actions",
        "team": {"id": "T0SANDBOX", "domain": "acme-sandbox"},
        "user": {"id": person.user_id, "team_id": "T0SANDBOX"},
        "channel": {"id": world.sandbox.workspace.channel(channel).channel_id},
        "container": {"type": "message", "message_ts": "1.0"},
        "trigger_id": f"press-{by}-{channel}-{sorted(fields)}",
        "actions": [
            {
                "type": "button",
                "action_id": "incident_resolve",
                "block_id": "b",
                "value": incident_id,
                "action_ts": "1.0",
            }
        ],
        **fields,
    }
    answer = await world.sandbox.sender.deliver(
        Delivery(kind=DeliveryKind.INTERACTION, payload=payload)
    )
    await world.work()
    return answer


async def test_a_button_of_another_tenants_incident(world: World) -> None:
    """Pressed in Globex's channel with the id of Acme's incident: there is no such incident, and nothing changes."""
    message = await world.alert(NAME)
    incident = (await world.incident(DATASET)).incident
    assert (await press(world, "dana", "globex-alerts", incident.incident_id)).ok
    assert "no such incident" in words(world.sandbox.ephemerals("dana")[-1])
    assert (await world.incident(DATASET)).incident.state is IncidentState.OPEN
    world.thread(message)
    world.sandbox.messages(ALERTS)


@pytest.mark.parametrize("value", ["", "nobody", "<!channel>", "x" * 2_000, "' OR 1=1 --"])
async def test_a_forged_button(world: World, value: str) -> None:
    """A value that is no incident's id is answered, and mentions nobody."""
    assert (await press(world, "alice", ALERTS, value)).ok
    said = words(world.sandbox.ephemerals("alice")[-1])
    assert "no such incident" in said
    assert "<!" not in said


async def test_a_button_where_no_tenant_is(world: World) -> None:
    """The channel lost its tenant since the card was posted: the press is answered, not swallowed."""
    assert (await press(world, "alice", "general", "whatever")).ok
    assert "belongs to no tenant" in words(world.sandbox.ephemerals("alice")[-1])


async def test_a_guest_from_another_company(world: World) -> None:
    """In a shared channel the partner's people may look, but nobody of them resolves our incident."""
    message = await world.alert(NAME)
    incident = (await world.incident(DATASET)).incident
    guest = {"id": "U0BOB", "team_id": "T0PARTNER"}
    assert (await press(world, "bob", ALERTS, incident.incident_id, user=guest)).ok
    assert "viewer" in words(world.sandbox.ephemerals("bob")[-1])
    assert (await world.incident(DATASET)).incident.is_open
    await mention(world, f"resolve {DATASET}", user_team="T0PARTNER")
    assert "viewer" in words(world.sandbox.ephemerals("bob")[-1])
    assert (await world.incident(DATASET)).incident.is_open
    await mention(world, f"status {DATASET}", user_team="T0PARTNER")
    assert "Infra" in words(world.sandbox.ephemerals("bob")[-1])
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def mention(world: World, text: str, **fields: Any) -> None:
    """Deliver a mention by Bob with more fields than the sandbox's own has."""
    ts = world.sandbox.workspace.new_ts()
    event = {
        "type": "app_mention",
        "user": "U0BOB",
        "channel": "C0ALERTS",
        "ts": ts,
        "event_ts": ts,
        "team": "T0SANDBOX",
        "text": f"<@U0RCA> {text}",
        **fields,
    }
    envelope = event_callback(event, app=world.sandbox.app, team_id="T0SANDBOX", event_id=f"Ev{ts}")
    assert (
        await world.sandbox.sender.deliver(Delivery(kind=DeliveryKind.EVENT, payload=envelope))
    ).ok
    await world.work()


@pytest.mark.parametrize("verb", ["ack", "resolve", "snooze 2h", "escalate infra", "review"])
async def test_a_viewer_changes_nothing_by_words(world: World, verb: str) -> None:
    """Every command that changes something is refused to a viewer, and says who could."""
    message = await world.alert(NAME)
    before = (await world.incident(DATASET)).incident
    await world.sandbox.command("eve", ALERTS, f"/rca {verb} {DATASET}")
    await world.work()
    assert "responder" in words(world.sandbox.ephemerals("eve")[-1])
    assert (await world.incident(DATASET)).incident == before
    assert world.sandbox.phones.calls == ()
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_a_press_delivered_twice(world: World) -> None:
    """The same press again: done once, answered once."""
    message = await world.alert(NAME)
    card = world.card(message)
    await world.sandbox.click("alice", card, "incident_ack")
    await world.work()
    await world.sandbox.redeliver_last()
    await world.work()
    assert world.sandbox.ephemerals("alice") == ()
    acknowledged = [e for e in (await world.incident(DATASET)).timeline if e.what == "acknowledged"]
    assert len(acknowledged) == 1
    world.thread(message)
    world.sandbox.messages(ALERTS)
