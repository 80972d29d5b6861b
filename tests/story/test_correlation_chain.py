"""A check's result is sent, and the runbook's correlation chain leads from the diagnosis to it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from bot.directory import Role
from bot.sandbox.world import NOON, World

TESTS = Path(__file__).parents[1]
SAMPLES = TESTS / "bot/intake/samples"
RUNBOOK = TESTS.parent / "docs/INCIDENT_RUNBOOK.md"


def statement(title: str, tenant_id: str) -> str:
    """The runbook's own query below *title*, with the tenant filled in."""
    below = RUNBOOK.read_text(encoding="utf-8").partition(title)[2]
    (sql,) = re.findall(r"```sql\n(.*?)```", below, re.DOTALL)[:1]
    return str(sql).strip().removesuffix(";").replace("<tenant_id>", tenant_id)


def sample(name: str) -> dict[str, Any]:
    """What somebody posts, about one of the demo's datasets."""
    text = (SAMPLES / name).read_text(encoding="utf-8")
    for table in ("postgres.public.customers", "raw_orders"):
        text = text.replace(f'"{table}"', '"shopify_orders"')
    body: dict[str, Any] = json.loads(text)
    return body


@pytest.mark.parametrize(
    ("path", "name", "check"),
    [
        (
            "/alerts/great_expectations",
            "great_expectations/webhook_validation_result.json",
            "expect_table_row_count_to_be_between",
        ),
        ("/alerts/soda_core", "soda_core/webhook_scan_results.json", "checks.row_count"),
        (
            "/api/v1/lineage",
            "openlineage/webhook_dbt_test_failed.json",
            "test.jaffle_shop.accepted_values_customers_first_name__Jane.21e890a312",
        ),
    ],
)
async def test_the_chain_leads_from_the_diagnosis_to_the_check(
    world: World, path: str, name: str, check: str
) -> None:
    """The alert's diagnosis is joined with the failed check of the same run by the runbook's SQL, word for word."""
    token = await world.app.store.tokens.create(
        tenant_id="acme", role=Role.RESPONDER, name="checks", now=NOON
    )
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{world.address}{path}", json=sample(name)) as answer,
    ):
        assert answer.status in (201, 202)
    await world.work()
    for card in world.sandbox.messages("data-incidents"):
        world.sandbox.messages("data-incidents", card.ts)
    async with world.app.engine.connect() as connection:
        rows = await connection.execute(sa.text(statement("### Correlation chain", "acme")))
        linked = {(row.check_id, row.status) for row in rows}
        foreign = await connection.execute(sa.text(statement("### Correlation chain", "globex")))
        assert foreign.all() == []
    assert (check, "failed") in linked
