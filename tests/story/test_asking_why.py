"""Somebody doubts a verdict and asks for its reasons."""

from __future__ import annotations

from bot.sandbox.world import ALERTS, World, words

NAME = "01_expired_credentials"
DATASET = "shopify_orders"


async def ask(world: World, text: str, user: str) -> str:
    """Type *text* and return what only the asker reads."""
    answer = await world.sandbox.command(user, ALERTS, text)
    assert answer.ok
    await world.work()
    return words(world.sandbox.ephemerals(user)[-1])


async def test_why_names_the_terms_of_the_open_incident(world: World) -> None:
    """/rca why, with and without number and dataset, tells the terms; a viewer may ask; nobody else reads it."""
    message = await world.alert(NAME)
    for text in ("/rca why", "/rca why 1", f"/rca why {DATASET}", f"/rca why 1 {DATASET}"):
        said = await ask(world, text, user="eve")
        assert "Speaks for it:" in said
        assert "Ingestion failure" in said
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_why_without_an_answer_says_so(world: World) -> None:
    """Nothing open, and a hypothesis that is not there, are each one sentence."""
    assert "Nothing is open" in await ask(world, "/rca why", user="alice")
    message = await world.alert(NAME)
    assert "no hypothesis 9" in await ask(world, f"/rca why 9 {DATASET}", user="alice")
    world.thread(message)
    world.sandbox.messages(ALERTS)
