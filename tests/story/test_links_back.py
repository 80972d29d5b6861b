"""A sender that takes links is told where the card is: after the card, once, and only at its own address."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from bot.flow import handle_inbox
from bot.records import Post, PostKind, PostState
from bot.sandbox.world import ALERTS, World
from tests.story.test_api import path, token

SODA = Path(__file__).parents[1] / "bot/intake/samples/soda/webhook_incident_v3.json"


@dataclass
class Sender:
    """An alert's sender on loopback: what it was told, and with what it answers."""

    url: str = ""
    told: list[Any] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    elsewhere: int = 0

    async def take(self, request: web.Request) -> web.Response:
        self.told.append(await request.json())
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(status=status, headers={"Location": f"{self.url}/elsewhere"})

    async def wander(self, request: web.Request) -> web.Response:
        del request
        self.elsewhere += 1
        return web.Response()


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    found = Sender()
    app = web.Application()
    app.add_routes([web.post("/link", found.take), web.route("*", "/elsewhere", found.wander)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


async def owed(world: World, sender: Sender) -> str:
    """An incident whose sender waits for a link."""
    message = await world.alert("01_expired_credentials")
    view = await world.incident("shopify_orders")
    link = Post(
        post_id="link:1",
        incident_id=view.incident.incident_id,
        kind=PostKind.LINK,
        channel_id=None,
        response_url=f"{sender.url}/link",
        text="Diagnosis of shopify_orders in Slack",
    )
    await world.app.store.posts.add([link], world.clock())
    await world.work()
    card = world.card(message)
    world.sandbox.messages(ALERTS)
    return f"{world.sandbox.url}/archives/C0ALERTS/p{card.ts.replace('.', '')}"


async def state(world: World) -> PostState:
    post = await world.app.store.posts.get("link:1")
    assert post is not None
    return post.state


async def test_the_sender_gets_the_cards_permalink_once(world: World, sender: Sender) -> None:
    """One document with url and text; looking again sends nothing."""
    link = await owed(world, sender)
    await world.tick()
    await world.later(minutes=10)
    assert sender.told == [{"url": link, "text": "Diagnosis of shopify_orders in Slack"}]
    assert await state(world) is PostState.POSTED


async def test_a_sender_that_is_down_is_told_later(world: World, sender: Sender) -> None:
    """503 and 429 are tried again; then it is said once."""
    sender.answers = [503, 429, 200]
    await owed(world, sender)
    for _ in range(6):
        await world.later(minutes=5)
    assert len(sender.told) == 3
    assert await state(world) is PostState.POSTED


@pytest.mark.parametrize("status", [400, 404, 302, 307])
async def test_a_sender_that_refuses_is_left_alone(
    world: World, sender: Sender, status: int
) -> None:
    """It is given up, and a redirect is followed nowhere."""
    sender.answers = [status]
    await owed(world, sender)
    await world.later(minutes=10)
    assert len(sender.told) == 1
    assert sender.elsewhere == 0
    assert await state(world) is PostState.DEAD


@pytest.mark.parametrize("own_address", [True, False])
async def test_sodas_incident_owes_a_link_to_soda_only(world: World, *, own_address: bool) -> None:
    """The address of its callback becomes one post of the incident; another host's is passed over."""
    body = json.loads(SODA.read_text("utf-8"))
    if not own_address:
        body["incidentLinkCallbackUrl"] = "https://soda.io.evil.example/link"
    headers = {"Authorization": f"Bearer {await token(world)}"}
    url = path(world, "/alerts/soda")
    async with (
        ClientSession(headers=headers) as session,
        session.post(url, json=body) as answer,
    ):
        inbox_id = (await answer.json())["inbox_id"]
    await handle_inbox(inbox_id, world.app.deps)
    view = await world.incident("shopify_orders")
    links = [post for post in view.posts if post.kind is PostKind.LINK]
    assert [link.response_url for link in links] == (
        [body["incidentLinkCallbackUrl"]] if own_address else []
    )
