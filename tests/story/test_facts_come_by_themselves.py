"""A team names what it runs; datasets, history and the facts of the night come by themselves."""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bot.cli import main
from bot.collect import Collector
from bot.polling import SPREAD, agree, poll
from bot.sandbox.records import Message
from bot.sandbox.stage import environment, new_sandbox
from bot.sandbox.world import ALERTS, NOON, World, reopened, words
from bot.settings import Settings
from bot.testing import FrozenClock
from tests.bot.sources import airbyte_world, dbt_world
from tests.bot.sources.airbyte_world import CONNECTION, SECRETS, AirbyteWorld

SOURCES = """
[sources.airbyte]
kind = "airbyte"
tenant = "acme"
url = "{airbyte}"
client_id_env = "AIRBYTE_ID"
client_secret_env = "AIRBYTE_SECRET"

[sources.dbt]
kind = "dbt"
tenant = "acme"
artifacts = "{artifacts}"

[sources.warehouse]
kind = "warehouse"
tenant = "acme"
url_env = "WAREHOUSE_URL"
"""
ORDERS = "shopify_orders"
HOUR = timedelta(hours=1)
DETECTED = "2026-03-02T11:59:00Z"


def succeeded(number: int) -> dict[str, Any]:
    """An hourly sync that went well, *number* hours before half past eleven."""
    started = int((NOON - timedelta(minutes=30) - number * HOUR).timestamp())
    return {
        "job": {
            "id": 1_000 - number,
            "configType": "sync",
            "configId": CONNECTION,
            "createdAt": started,
            "updatedAt": started + 120,
            "startedAt": started,
            "status": "succeeded",
            "aggregatedStats": {"recordsCommitted": 500, "bytesCommitted": 50_000},
        },
        "attempts": [
            {"id": 0, "status": "succeeded", "createdAt": started, "endedAt": started + 120}
        ],
    }


@dataclass(slots=True, kw_only=True)
class Shop:
    """What the team runs, and where rca-bot is told of it."""

    airbyte: AirbyteWorld
    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        """The file that says who is who."""
        return self.folder / "directory.toml"

    def all_well(self) -> None:
        """Forty hours of hourly syncs, a build this morning, and three weeks of orders."""
        hourly = {"basicSchedule": {"timeUnit": "hours", "units": 1}}
        self.airbyte.connections = [
            airbyte_world.item(CONNECTION, name="shopify to raw", scheduleData=hourly)
        ]
        self.airbyte.catalogs = [
            {
                **airbyte_world.item(CONNECTION, name="shopify to raw", scheduleData=hourly),
                "syncCatalog": {"streams": [_stream("orders")]},
            }
        ]
        self.airbyte.jobs = [succeeded(number) for number in range(40)]
        dbt_world.put(
            self.folder / "artifacts",
            manifest=dbt_world.manifest(NOON - 2 * HOUR),
            run_results=dbt_world.run_results(NOON - 2 * HOUR),
        )
        with duckdb.connect(str(self.folder / "raw.duckdb")) as connection:
            connection.execute("CREATE SCHEMA shopify")
            connection.execute(
                "CREATE TABLE shopify.orders AS SELECT i AS id, "
                "timestamp '2026-02-10 00:00:00' + i * interval '5 minutes' AS created_at, "
                "CASE WHEN i % 3 = 0 THEN 'CA' ELSE 'US' END AS country "
                "FROM generate_series(0, 5900) AS g(i)"
            )

    def credentials_expire(self) -> None:
        """The two newest syncs failed for their credentials."""
        text = "HTTP Status Code: 401. Error: Unauthorized. Please ensure you are authenticated correctly."
        for number in (0, 1):
            at = NOON - timedelta(minutes=30) - number * HOUR
            self.airbyte.jobs[number] = airbyte_world.failed(1_000 - number, CONNECTION, at, text)


def _stream(name: str) -> dict[str, Any]:
    return {"stream": {"name": name, "namespace": "shopify"}, "config": {"selected": True}}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop in which all is well."""
    async with airbyte_world.world() as airbyte:
        made = Shop(airbyte=airbyte, folder=tmp_path)
        made.all_well()
        yield made


@asynccontextmanager
async def bot_of(shop: Shop, database_url: str) -> AsyncIterator[World]:
    """The bot of the shop at noon, with the datasets that discover proposed."""
    clock = FrozenClock(NOON)
    shop.airbyte.clock.now = NOON
    async with new_sandbox(clock=clock) as sandbox:
        shop.env = {
            **environment(sandbox, shop.folder, database_url),
            **SECRETS,
            "WAREHOUSE_URL": f"duckdb:///{shop.folder / 'raw.duckdb'}",
        }
        text = shop.directory.read_text("utf-8").replace('[tenants.globex]\nname = "Globex"\n', "")
        text = text.replace('[channels.C0GLOBEX]\ntenant = "globex"\n', "")
        sources = SOURCES.format(airbyte=shop.airbyte.url, artifacts=shop.folder / "artifacts")
        shop.directory.write_text(text + sources, "utf-8")
        await asyncio.to_thread(run, shop, "discover")
        settings = Settings.from_env(shop.env)
        async with reopened(sandbox, settings, clock) as world:
            yield world
        assert sandbox.unexpected == ()


def run(shop: Shop, *arguments: str) -> int:
    """Run a verb of the command line in the shop's environment, as a person would."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update({"PATH": before.get("PATH", ""), **shop.env})
    try:
        return main(list(arguments))
    finally:
        os.environ.clear()
        os.environ.update(before)


async def poll_all(world: World) -> None:
    """Let every source be asked about every dataset once."""
    collector: Collector = world.app.deps.collector
    await agree(world.app.deps)
    world.clock.advance(SPREAD)
    for source in collector.sources:
        await poll(source, world.app.deps)
    await world.work()


async def alert(world: World) -> Message:
    """A freshness alert of the orders arrives in the watched channel."""
    text = (
        '```{"rca": "alert/1", "dataset": "shopify_orders", "anomaly_type": "freshness_anomaly", '
        f'"detected_at": "{DETECTED}", "severity": "error", "title": "orders are late"}}```'
    )
    message = await world.sandbox.alert(ALERTS, {"text": text})
    await world.work()
    return message


async def test_the_catalog_is_proposed(shop: Shop, sqlite_url: str) -> None:
    """Connection, stream, relation, dbt node, schedule and time column of one dataset find each other."""
    async with bot_of(shop, sqlite_url):
        found = tomllib.loads(shop.directory.read_text("utf-8"))["datasets"][ORDERS]
        assert found["tenant"] == "acme"
        assert found["relation"].casefold().endswith("shopify.orders")
        assert found["connector_id"] == CONNECTION
        assert found["stream"] == "orders"
        assert found["dbt_node"] == dbt_world.RAW
        assert found["expected_sync_interval_s"] == 3600
        assert found["time_column"] == "created_at"


async def test_the_facts_of_the_night(shop: Shop, database_url: str) -> None:
    """Nobody loaded anything: an alert arrives, and the card names the failed sync with Airbyte's own words."""
    async with bot_of(shop, database_url) as world:
        shop.credentials_expire()
        message = await alert(world)
        said = words(world.card(message))
        assert "Ingestion failure" in said
        assert "auth_error" in said
        assert "401" in said
        world.thread(message)
        view = await world.incident(ORDERS)
        assert view.diagnosis is not None
        assert view.diagnosis.top_confidence > 0.6
        case = await world.app.store.signals.case("acme", view.diagnosis.signal_id)
        assert case is not None
        assert case.ingestion_jobs is not None
        assert len(case.ingestion_jobs) == 40
        assert case.volume_history is not None
        assert len(case.volume_history) >= 20
        assert case.dbt_runs
        assert case.lineage is not None
        world.sandbox.messages(ALERTS)


async def test_airbyte_is_down_when_the_alert_comes(shop: Shop, database_url: str) -> None:
    """The card goes out without the syncs and says so; the next poll tells the cause in the same card."""
    async with bot_of(shop, database_url) as world:
        shop.credentials_expire()
        shop.airbyte.closed = {"/": 503}
        message = await alert(world)
        said = words(world.card(message))
        assert "Could not be checked" in said
        assert "503" in said
        shop.airbyte.closed = {}
        await poll_all(world)
        said = words(world.card(message))
        assert "Ingestion failure" in said
        assert "auth_error" in said
        world.thread(message)
        world.sandbox.messages(ALERTS)


async def test_a_sync_that_never_began(shop: Shop, database_url: str) -> None:
    """No tool alerts of it: three hours of silence open an incident in the tenant's channel."""
    async with bot_of(shop, database_url) as world:
        shop.airbyte.jobs = [succeeded(number) for number in range(3, 40)]
        await poll_all(world)
        (card, *_) = [m for m in world.sandbox.messages("data-incidents") if m.thread_ts is None]
        assert "freshness anomaly" in words(card)
        assert "No sync in the expected window" in words(card)
        world.thread(card)
        world.sandbox.messages("data-incidents", card.ts)


async def test_what_people_corrected_stays(shop: Shop, sqlite_url: str) -> None:
    """A second discover changes nothing that a person changed, and status and doctor know the sources."""
    async with bot_of(shop, sqlite_url) as world:
        await poll_all(world)
        text = shop.directory.read_text("utf-8").replace(
            'time_column = "created_at"', 'time_column = "id"', 1
        )
        shop.directory.write_text(text, "utf-8")
        assert await asyncio.to_thread(run, shop, "discover") == 0
        assert shop.directory.read_text("utf-8") == text
        assert await asyncio.to_thread(run, shop, "doctor") in {0, 1}
        world.sandbox.messages("data-incidents")
