"""Alerts that are odd: from the beginning of time, edited, broadcast, cut, or about what nobody can examine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.records import InboxKind, IncidentState
from bot.sandbox.world import ALERTS, World, words

DATASET = "shopify_orders"


def native(**fields: Any) -> dict[str, Any]:
    """An alert of our own format."""
    payload = {"dataset": DATASET, "anomaly_type": "freshness_anomaly", **fields}
    return {"text": "rows", "metadata": {"event_type": "rca_alert", "event_payload": payload}}


@pytest.mark.parametrize(
    "detected_at", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
async def test_an_alert_from_another_time(world: World, detected_at: str) -> None:
    """Go's zero time, the epoch and the end of time: a card all the same."""
    message = await world.sandbox.alert(ALERTS, native(detected_at=detected_at))
    await world.work()
    assert DATASET in words(world.card(message))
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_a_recovery_does_not_overtake_its_alert(world: World) -> None:
    """After a backlog the recovery is handled first: it is looked at once more, and finds the incident."""
    for status in ("resolved", "firing"):
        thread = await world.sandbox.say("alice", ALERTS, f"a thread for {status}")
        await world.app.store.inbox.keep(
            kind=InboxKind.SLACK_MESSAGE,
            sender_id=f"backlog:{status}",
            tenant_id="acme",
            payload={"channel": "C0ALERTS", "message": {**native(status=status), "ts": thread.ts}},
            now=world.clock(),
        )
        await world.work()
    assert (await world.incident(DATASET)).incident.state is IncidentState.OPEN
    await world.later(seconds=11)
    assert (await world.incident(DATASET)).incident.state is IncidentState.MONITORING
    world.thread(thread)


async def test_a_recovery_of_nothing_is_let_go(world: World) -> None:
    """Nothing is open and nothing comes: the second look closes it, and no incident is opened."""
    await world.sandbox.alert(ALERTS, native(status="resolved"))
    await world.work()
    await world.later(seconds=11)
    assert await world.app.store.incidents.list_open("acme", 10) == ()
    assert await world.app.store.due(world.clock() + timedelta(minutes=5), 10) == ()


async def told(world: World, check: str | None, status: str = "firing") -> IncidentState | None:
    """One check of the dataset is told of, and this is how the incident stands then."""
    fields = {"status": status} | ({"check_id": check} if check else {})
    await world.sandbox.alert(ALERTS, native(**fields))
    await world.later(seconds=1)
    return (await world.incident(DATASET)).incident.state


async def test_an_incident_of_several_checks_waits_for_all(world: World) -> None:
    """One check passes while another still fails: it is not over; it is when the last one passes, and not before."""
    await told(world, "not_null")
    await told(world, "unique")
    assert await told(world, "unique", "resolved") is IncidentState.OPEN
    assert await told(world, "row_count", "resolved") is IncidentState.OPEN
    assert await told(world, "unique") is IncidentState.OPEN
    assert await told(world, "not_null", "resolved") is IncidentState.OPEN
    assert await told(world, "unique", "resolved") is IncidentState.MONITORING
    for message in world.sandbox.messages(ALERTS):
        world.thread(message)


@pytest.mark.parametrize(("fired", "passed"), [(None, "unique"), ("unique", None), (None, None)])
async def test_a_recovery_without_a_name_is_of_the_whole(
    world: World, fired: str | None, passed: str | None
) -> None:
    """Where the alert or the recovery names no check, there is nothing to wait for."""
    await told(world, fired)
    assert await told(world, passed, "resolved") is IncidentState.MONITORING
    for message in world.sandbox.messages(ALERTS):
        world.thread(message)
