"""An alert goes in, a card comes out in its thread."""

from __future__ import annotations

import pytest

from bot.records import InboxState, PostKind
from bot.sandbox.world import ALERTS, World, buttons, words
from rca.evidence import Cause

CAUSES = [
    ("01_expired_credentials", Cause.INGESTION_FAILURE, "Ingestion failure"),
    ("02_removed_column", Cause.SCHEMA_DRIFT, "Schema drift"),
    ("03_tests_fail_after_deployment", Cause.TRANSFORMATION_REGRESSION, "Transformation"),
    ("04_segment_shift", Cause.UPSTREAM_DATA_SHIFT, "Upstream data shift"),
    ("05_silent_partial_sync", Cause.INGESTION_FAILURE, "Ingestion failure"),
    ("06_slow_model", Cause.TRANSFORMATION_REGRESSION, "Transformation"),
]


@pytest.mark.parametrize(("name", "cause", "said"), CAUSES, ids=[case[0] for case in CAUSES])
async def test_each_cause_is_named_in_the_alerts_thread(
    world: World, name: str, cause: Cause, said: str
) -> None:
    """The alert's own thread gets one card, which names the true cause and the first action, and one details reply."""
    message = await world.alert(name)
    card, details = world.thread(message)[:2]
    view = await world.incident(world.library[name].case.anomaly.dataset)
    assert view.diagnosis is not None
    assert view.diagnosis.top_cause_type is cause
    assert said in words(card)
    assert view.diagnosis.top is not None
    assert str(view.diagnosis.top.first_action) in words(card)
    assert "incident_ack" in buttons(card)
    assert len(words(details)) > 100
    world.sandbox.messages(ALERTS)


async def test_no_cause_is_an_answer(world: World) -> None:
    """A promotion day has no fault: the card says so, hands over to a person, and pages the data eng lead at once."""
    message = await world.alert("07_promotion_day")
    card = world.card(message)
    view = await world.incident("int_order_line_enriched")
    assert view.diagnosis is not None
    assert view.diagnosis.top_confidence < 0.4
    assert [page.team for page in view.pages] == ["data_eng_lead"]
    assert "Data eng lead" in words(card)
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_a_hole_is_said(world: World) -> None:
    """A dataset whose runs nobody could read: the card keeps what could not be checked apart from what was."""
    message = await world.alert("08_uncovered_dataset")
    view = await world.incident("shopify_gift_cards")
    assert view.diagnosis is not None
    blind = {spot.detector for spot in view.diagnosis.blind_spots}
    assert "sync_failure" in blind
    assert "ould not" in words(world.card(message))
    world.thread(message)
    world.sandbox.messages(ALERTS)


@pytest.mark.parametrize(
    ("dataset", "meant"),
    [("nobody_knows_me", ""), ("raw.shopfy.orders", "did you mean"), ("shopfy_orders", "did you")],
)
async def test_an_unknown_dataset_is_not_passed_over(
    world: World, dataset: str, meant: str
) -> None:
    """An alert about a dataset outside the catalog opens an incident: what it looks like, and what helps."""
    message = await world.sandbox.alert(
        ALERTS,
        {
            "text": "rows are missing",
            "metadata": {
                "event_type": "rca_alert",
                "event_payload": {"dataset": dataset, "anomaly_type": "volume_anomaly"},
            },
        },
    )
    await world.work()
    view = await world.incident(dataset)
    assert view.diagnosis is not None
    assert view.diagnosis.checked == ()
    said = words(world.card(message))
    assert f"{dataset} is not in the catalog" in said
    assert meant in said
    assert ("shopify_orders" in said) == bool(meant)
    assert "rca-bot discover" in said
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_a_repeated_alert_joins_its_incident(world: World) -> None:
    """The same check failing again is the same incident: one card, which counts the alerts."""
    first = await world.alert("01_expired_credentials")
    second = await world.alert("01_expired_credentials")
    view = await world.incident("shopify_orders")
    assert view.incident.alert_count == 2
    assert world.thread(second) == ()
    assert len([post for post in view.posts if post.kind is PostKind.CARD]) == 1
    world.thread(first)
    world.sandbox.messages(ALERTS)


async def test_slacks_redelivery_does_nothing_twice(world: World) -> None:
    """The same event again, as Slack sends it when it doubts our answer: no second row, incident or card."""
    message = await world.alert("01_expired_credentials")
    before = world.thread(message)
    answer = await world.sandbox.redeliver_last()
    await world.work()
    assert answer.ok
    assert len(world.thread(message)) == len(before)
    assert (await world.incident("shopify_orders")).incident.alert_count == 1
    world.sandbox.messages(ALERTS)


async def test_people_are_left_alone(world: World) -> None:
    """What a person writes is no alert, even when it looks like one."""
    await world.sandbox.say("alice", ALERTS, "Failure: row_count test failed on shopify_orders")
    await world.work()
    assert await world.app.store.incidents.list_open("acme", 10) == ()


async def test_an_unknown_text_is_counted(world: World) -> None:
    """A bot's message that no format knows is left alone, and can be looked up."""
    await world.sandbox.alert(ALERTS, "deployed web@1f3c to production")
    await world.work()
    assert await world.app.store.incidents.list_open("acme", 10) == ()
    assert await world.app.store.inbox.count_unrecognised("acme") == 1
    kept = await world.app.store.inbox.unrecognised("acme", 1)
    assert kept[0].state is InboxState.IGNORED
    await world.sandbox.command("alice", ALERTS, "/rca unrecognised")
    assert "deployed web" in words(world.sandbox.ephemerals("alice")[-1])


async def test_a_channel_without_tenant_is_not_read(world: World) -> None:
    """An alert in a channel that the directory does not know is nobody's: nothing is stored."""
    await world.sandbox.alert("general", world.library["01_expired_credentials"].message)
    await world.work()
    assert await world.app.store.incidents.list_open("acme", 10) == ()
