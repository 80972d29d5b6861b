"""Senders that cannot show a token, against the running bot: by signature, and by a token in the address."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from aiohttp import ClientSession
from pydantic import SecretStr

from bot.directory import WebhookEntry
from bot.sandbox.world import World, reopened, words
from tests.story.test_api import token

SAMPLES = Path(__file__).parents[1] / "bot" / "intake" / "samples"
SECRET = "dbt-cloud-secret"


async def post(url: str, raw: bytes, headers: dict[str, str] | None = None) -> int:
    async with ClientSession() as session, session.post(url, data=raw, headers=headers) as answer:
        return answer.status


async def test_a_signed_run_of_dbt_cloud_becomes_a_card(world: World) -> None:
    """The secret in the environment is found by its name, and the card stands in the tenant's incident channel."""
    hook = WebhookEntry(id="dbt", format="dbt_cloud", tenant="acme", secret_env="DBT_KEY")
    directory = world.settings.directory.model_copy(update={"webhooks": {"dbt": hook}})
    secrets = {**world.settings.secrets, "DBT_KEY": SecretStr(SECRET)}
    settings = world.settings.model_copy(update={"directory": directory, "secrets": secrets})
    raw = (SAMPLES / "dbt_cloud" / "webhook_completed_errored.json").read_bytes()
    signature = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    async with reopened(world.sandbox, settings, world.clock) as again:
        url = f"{again.address}/alerts/dbt_cloud"
        assert await post(url, raw, {"Authorization": signature}) == 202
        assert await post(url, raw + b" ", {"Authorization": signature}) == 401
        await again.work()
        view = await again.incident("Daily Job (dbt build)")
    assert view.incident.tenant_id == "acme"
    (card,) = world.sandbox.messages("data-incidents")
    assert "Daily Job" in words(card)
    world.sandbox.messages("data-incidents", card.ts)


async def test_a_token_in_the_address_lets_airbyte_in(world: World) -> None:
    """The tenant is the token's; what cannot be read is counted and shown by /rca unrecognised."""
    url = f"{world.address}/alerts/airbyte?token={await token(world)}"
    assert await post(url, b'{"text": "nothing of Airbyte"}') == 400
    assert await post(url, b'{"text": "nothing of Airbyte"}') == 400
    raw = json.dumps({"data": {"connection": {"name": "no id"}, "success": True}}).encode()
    assert await post(url, raw) == 400
    assert await post(f"{world.address}/alerts/airbyte?token=rca_nobody", raw) == 401
    (refusal,) = await world.app.store.refusals.list("acme")
    assert (refusal.format_name, refusal.count) == ("airbyte", 3)
    assert refusal.problem.startswith("data: missing")
    await world.sandbox.command("alice", "data-alerts", "/rca unrecognised")
    assert "Webhook airbyte: 3 bodies refused" in words(world.sandbox.ephemerals("alice")[-1])
