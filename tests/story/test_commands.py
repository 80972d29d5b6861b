"""People type /rca, and mention the bot."""

from __future__ import annotations

from bot.records import IncidentState
from bot.sandbox.world import ALERTS, World, buttons, words

NAME = "01_expired_credentials"
DATASET = "shopify_orders"


async def ask(world: World, text: str, user: str = "alice") -> str:
    """Type *text* and return what only the asker reads."""
    answer = await world.sandbox.command(user, ALERTS, text)
    assert answer.ok
    await world.work()
    return words(world.sandbox.ephemerals(user)[-1])


async def test_rca_dataset_answers_with_a_card(world: World) -> None:
    """/rca shopify_orders: a word at once for the asker, then a card in the channel with what most likely broke."""
    said = await ask(world, f"/rca {DATASET}")
    assert DATASET in said
    card = world.sandbox.messages(ALERTS)[-1]
    assert "ngestion failure" in words(card)
    assert "incident_escalate:infra" in buttons(card)
    assert len(world.thread(card)) == 1


async def test_a_repeated_command_does_nothing_twice(world: World) -> None:
    """The same delivery of a command again, as after a time-out: still one card."""
    await ask(world, f"/rca {DATASET}")
    await world.sandbox.redeliver_last()
    await world.work()
    cards = world.sandbox.messages(ALERTS)
    assert len(cards) == 1
    world.thread(cards[0])
    world.sandbox.ephemerals("alice")


async def test_asking_again_keeps_one_card(world: World) -> None:
    """Two questions about one dataset are one incident; its card is edited."""
    await ask(world, f"/rca {DATASET}")
    await ask(world, f"/rca {DATASET}", user="bob")
    cards = world.sandbox.messages(ALERTS)
    assert len(cards) == 1
    world.thread(cards[0])


async def test_a_misspelt_dataset_gets_the_near_matches(world: World) -> None:
    """/rca shopfy_orders: no such dataset, but these look like it; nothing is opened and nobody is paged."""
    said = await ask(world, "/rca shopfy_orders")
    assert DATASET in said
    assert await world.app.store.incidents.list_open("acme", 10) == ()
    assert world.sandbox.phones.calls == ()


async def test_asking_about_what_only_an_alert_knows_finds_its_card(world: World) -> None:
    """A dataset outside the catalog of which an alert spoke: the asker reads where its card is."""
    message = await world.sandbox.alert(
        ALERTS,
        {
            "text": "rows are missing",
            "metadata": {
                "event_type": "rca_alert",
                "event_payload": {"dataset": "nobody_knows_me", "anomaly_type": "volume_anomaly"},
            },
        },
    )
    await world.work()
    said = await ask(world, "/rca nobody_knows_me")
    assert "I do not know a dataset" in said
    assert "its card is in" in said
    assert len(world.sandbox.phones.calls) == 1
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_help_names_every_command(world: World) -> None:
    """/rca help, and /rca alone, list what can be asked."""
    for text in ("/rca help", "/rca"):
        said = await ask(world, text)
        for verb in ("list", "status", "ack", "resolve", "escalate"):
            assert f"/rca {verb}" in said


async def test_the_life_of_an_incident_by_commands(world: World) -> None:
    """list, status, escalate, ack, resolve: each answers, and the card of the alert follows."""
    assert "Nothing is open" in await ask(world, "/rca list")
    message = await world.alert(NAME)
    assert DATASET in await ask(world, "/rca list")
    assert "Infra" in await ask(world, f"/rca status {DATASET}")
    assert "Infra" in await ask(world, "/rca escalate infra")
    assert [call.service for call in world.sandbox.phones.calls] == ["Infra"]
    assert "lready" in await ask(world, "/rca escalate infra", user="bob")
    assert DATASET in await ask(world, f"/rca ack {DATASET}")
    assert (await world.incident(DATASET)).incident.state is IncidentState.ACKNOWLEDGED
    assert "resolved" in await ask(world, f"/rca resolve {DATASET}")
    assert "Resolved by" in words(world.card(message))
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_nonsense_is_answered(world: World) -> None:
    """Words that mean nothing get a sentence that says what would; markup in them stays text."""
    await world.alert(NAME)
    said = await ask(world, "/rca escalate <!channel>")
    assert "<!channel>" not in said
    assert "no team" in said
    assert "no length of time" in await ask(world, "/rca snooze soon")
    assert "no anomaly type" in await ask(world, f"/rca {DATASET} sadness")
    assert "/rca help" in await ask(world, "/rca " + "x " * 50)
    for message in world.sandbox.messages(ALERTS):
        world.thread(message)


async def test_a_mention_is_answered_in_its_thread(world: World) -> None:
    """@rca shopify_orders: the card stands in the thread of the question."""
    said = await world.sandbox.mention("alice", ALERTS, DATASET)
    await world.work()
    assert "ngestion failure" in words(world.thread(said)[0])
    world.thread(said)
    world.sandbox.messages(ALERTS)
    world.sandbox.ephemerals("alice")


async def test_a_viewer_may_look_but_not_page(world: World) -> None:
    """The default role of the directory decides; a refused press is answered with the reason."""
    message = await world.alert(NAME)
    await world.sandbox.click("eve", world.card(message), "incident_escalate:infra")
    await world.work()
    assert world.sandbox.phones.calls == ()
    assert "viewer" in words(world.sandbox.ephemerals("eve")[-1])
    world.thread(message)
    world.sandbox.messages(ALERTS)
