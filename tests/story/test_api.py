"""The runbook's curl commands, against the running bot."""

from __future__ import annotations

import aiohttp

from bot.directory import Role
from bot.sandbox.world import ALERTS, NOON, World
from rca.diagnosis import Diagnosis

NAME = "01_expired_credentials"
DATASET = "shopify_orders"


async def token(world: World, tenant_id: str = "acme", role: Role = Role.RESPONDER) -> str:
    """A bearer token of the tenant."""
    return await world.app.store.tokens.create(tenant_id=tenant_id, role=role, name="ci", now=NOON)


def path(world: World, rest: str) -> str:
    """The address of an endpoint of the bot under test."""
    return f"{world.address}{rest}"


async def test_step_0_reads_the_stored_diagnoses(world: World) -> None:
    """GET …/diagnostics/shopify_orders?active_only=true returns what the card was drawn from."""
    message = await world.alert(NAME)
    headers = {"Authorization": f"Bearer {await token(world)}"}
    url = path(world, f"/api/admin/diagnostics/{DATASET}?active_only=true")
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        assert answer.status == 200
        document = await answer.json()
    (found,) = document["diagnoses"]
    diagnosis = Diagnosis.model_validate(found)
    stored = (await world.incident(DATASET)).diagnosis
    assert diagnosis == stored
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_step_5_analyses_on_demand(world: World) -> None:
    """POST …/analyze runs the engine now, records it, and puts a card into the tenant's incident channel."""
    headers = {"Authorization": f"Bearer {await token(world)}"}
    url = path(world, f"/api/admin/diagnostics/{DATASET}/analyze?anomaly_type=freshness_anomaly")
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url) as answer:
        assert answer.status == 200
        diagnosis = Diagnosis.model_validate(await answer.json())
    assert diagnosis.top_cause_type == "ingestion_failure"
    await world.work()
    (card,) = world.sandbox.messages("data-incidents")
    assert len(world.sandbox.messages("data-incidents", card.ts)) == 1
    stored = await world.app.store.signals.get("acme", diagnosis.signal_id)
    assert stored == diagnosis


async def test_a_token_opens_its_own_tenant_only(world: World) -> None:
    """Globex's token finds no dataset of Acme's; no token at all is 401."""
    message = await world.alert(NAME)
    url = path(world, f"/api/admin/diagnostics/{DATASET}")
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert answer.status == 401
        headers = {"Authorization": f"Bearer {await token(world, 'globex')}"}
        async with session.get(url, headers=headers) as answer:
            assert answer.status == 404
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_an_alert_by_webhook_is_kept_then_told(world: World) -> None:
    """POST /alerts/native: 202 once it is kept, a card in the incident channel; the same body again changes nothing."""
    headers = {"Authorization": f"Bearer {await token(world)}"}
    body = {"rca": "alert/1", "dataset": DATASET, "anomaly_type": "freshness_anomaly"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for fresh in (True, False):
            async with session.post(path(world, "/alerts/native"), json=body) as answer:
                assert answer.status == 202
                assert (await answer.json())["fresh"] is fresh
    await world.work()
    (card,) = world.sandbox.messages("data-incidents")
    assert len(world.sandbox.messages("data-incidents", card.ts)) == 1
    assert (await world.incident(DATASET)).incident.alert_count == 1


async def test_health(world: World) -> None:
    """The process is alive, and its database is there and current."""
    async with aiohttp.ClientSession() as session:
        for probe in ("/healthz", "/readyz"):
            async with session.get(path(world, probe)) as answer:
                assert answer.status == 200


async def test_malformed_slack_requests_are_refused(world: World) -> None:
    """Unsigned, replayed, not UTF-8 or not JSON: a 4xx that says why, never a 500, and nothing is stored."""
    url = path(world, "/slack/events")
    attempts: list[tuple[bytes, dict[str, str]]] = [
        (b"{}", {}),
        (b"{}", {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=0"}),
        (b"\xff\xfe", {"X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=0"}),
        (b"{", {"Content-Type": "application/json"}),
    ]
    async with aiohttp.ClientSession() as session:
        for body, headers in attempts:
            async with session.post(url, data=body, headers=headers) as answer:
                assert 400 <= answer.status < 500, (body, headers)
    assert await world.app.store.incidents.list_open("acme", 10) == ()
