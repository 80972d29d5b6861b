"""The asker's path: where the answer is, and what a dataset with several incidents means."""

from __future__ import annotations

from typing import Any

from bot.records import IncidentState
from bot.sandbox.payloads import message_event
from bot.sandbox.records import Draft
from bot.sandbox.workspace import Change, ChangeKind
from bot.sandbox.world import ALERTS, World, words

NAME = "01_expired_credentials"
DATASET = "shopify_orders"
INCIDENTS = "data-incidents"


def native(kind: str, **fields: Any) -> dict[str, Any]:
    """An alert of our own format about the dataset."""
    payload = {"dataset": DATASET, "anomaly_type": kind, **fields}
    return {"text": "rows", "metadata": {"event_type": "rca_alert", "event_payload": payload}}


async def ask(world: World, text: str, channel: str = ALERTS) -> str:
    """Type *text* as Alice and return what only she reads."""
    assert (await world.sandbox.command("alice", channel, text)).ok
    await world.work()
    return words(world.sandbox.ephemerals("alice")[-1])


def look(world: World) -> None:
    """Look at everything that stands in Acme's channels."""
    for channel in (ALERTS, INCIDENTS):
        for message in world.sandbox.messages(channel):
            world.sandbox.messages(channel, message.ts)


async def test_asked_in_another_channel(world: World) -> None:
    """The card stays in the alert's thread; the asker reads at once how things stand, and where the card is."""
    await world.alert(NAME)
    said = await ask(world, f"/rca {DATASET}", INCIDENTS)
    assert "<#C0ALERTS>" in said
    assert "ngestion failure" in said
    assert "Infra" in said
    assert world.sandbox.messages(INCIDENTS) == ()
    look(world)


async def test_one_dataset_with_two_incidents(world: World) -> None:
    """Late and too small at once: whoever takes the dataset on has both, and nobody is paged for either."""
    for kind in ("freshness_anomaly", "volume_anomaly"):
        await world.sandbox.alert(ALERTS, native(kind))
        await world.work()
    found = await world.app.store.incidents.find_open("acme", DATASET)
    assert len(found) == 2
    said = await ask(world, f"/rca status {DATASET}")
    assert "freshness" in said
    assert "volume" in said
    before = len(world.sandbox.phones.calls)
    await ask(world, f"/rca ack {DATASET}")
    states = {i.state for i in await world.app.store.incidents.find_open("acme", DATASET)}
    assert states == {IncidentState.ACKNOWLEDGED}
    await world.later(hours=5)
    assert len(world.sandbox.phones.calls) == before
    await ask(world, f"/rca resolve {DATASET}")
    assert await world.app.store.incidents.find_open("acme", DATASET) == ()
    look(world)


async def test_a_thread_says_which_incident(world: World) -> None:
    """Two datasets are broken; ``@rca ack`` in one alert's thread takes on that one, elsewhere it asks which."""
    message = await world.alert(NAME)
    await world.alert("02_removed_column")
    assert "Say which" in await ask(world, "/rca ack")
    await world.sandbox.mention("alice", ALERTS, "ack", thread_ts=message.ts)
    await world.work()
    assert DATASET in words(world.sandbox.ephemerals("alice")[-1])
    open_ones = await world.app.store.incidents.list_open("acme", 10)
    assert {i.dataset: i.state for i in open_ones}[DATASET] is IncidentState.ACKNOWLEDGED
    assert [i.state for i in open_ones if i.dataset != DATASET] == [IncidentState.OPEN]
    look(world)


async def test_a_team_by_its_name(world: World) -> None:
    """``Data eng lead``, as people call it, in any case, with the dataset after it."""
    await world.alert(NAME)
    assert "Data eng lead" in await ask(world, f"/rca escalate Data Eng-Lead {DATASET}")
    assert [page.team for page in (await world.incident(DATASET)).pages] == ["data_eng_lead"]
    assert "Data eng" in await ask(world, "/rca escalate data_eng")
    look(world)


async def test_an_edited_alert(world: World) -> None:
    """The sender edits its message to say that all is well: the incident is monitored. Our own edits are not read."""
    message = await world.sandbox.alert(ALERTS, native("freshness_anomaly"))
    await world.work()
    workspace = world.sandbox.workspace
    changed = workspace.replace(message, draft(native("freshness_anomaly", status="resolved")))
    change = Change(kind=ChangeKind.EDITED, message=changed, previous=message)
    event = message_event(change, workspace.channel(ALERTS))
    assert event is not None
    for _ in range(2):
        assert (await world.sandbox.sender.deliver(world.sandbox.event_delivery(event))).ok
        await world.work()
    assert (await world.incident(DATASET)).incident.state is IncidentState.MONITORING
    await world.sandbox.settle()
    assert await world.app.store.inbox.count_unrecognised("acme") == 0
    look(world)


def draft(content: dict[str, Any]) -> Draft:
    """What a bot puts in the place of its message."""
    return Draft(text=content["text"], metadata=content["metadata"])
