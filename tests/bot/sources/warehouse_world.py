"""A shop's warehouse for tests: real PostgreSQL or real DuckDB with orders made by a rule, and the source on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import duckdb

from bot.directory import Directory
from bot.ports import Ask, Source
from bot.sources.registry import Opening
from bot.sources.warehouse import SOURCE
from bot.testing import FrozenClock
from rca.case import Dataset

NOW = datetime(2026, 3, 5, 7, 5, tzinfo=UTC)
FIRST_DAY = datetime(2026, 2, 20, tzinfo=UTC)
ENV = "WAREHOUSE_URL"

# Five rows an hour from FIRST_DAY on until a day after NOW; two in three are of the US, one in five hundred of nobody.
SHOP = """
CREATE SCHEMA shopify;
CREATE TABLE shopify.orders (
  id bigint, created_at timestamptz, created_naive timestamp, created_on date, note varchar,
  country varchar, channel varchar, paid boolean, "Odd ""name; --" varchar
);
INSERT INTO shopify.orders
SELECT i,
  timestamptz '2026-02-20 00:00:00+00' + i * interval '12 minutes',
  timestamp '2026-02-20 00:00:00' + i * interval '12 minutes',
  cast(timestamp '2026-02-20 00:00:00' + i * interval '12 minutes' AS date),
  'note ' || i,
  CASE WHEN i % 500 = 0 THEN NULL WHEN i % 3 = 0 THEN 'CA' ELSE 'US' END,
  CASE WHEN i % 2 = 0 THEN 'web' ELSE 'Läden 🛒' END,
  CASE WHEN i % 7 = 0 THEN NULL ELSE i % 2 = 0 END,
  CASE WHEN i % 4 = 0 THEN '''; DROP TABLE shopify.orders; --' ELSE '' END
FROM generate_series(0, 1679) AS g(i);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A warehouse with a shop in it."""

    url: str

    async def run(self, *statements: str) -> list[Any]:
        """Run statements as the warehouse's owner, and return the rows of the last."""
        if self.url.startswith("duckdb"):
            return await asyncio.to_thread(self._run_duckdb, statements)
        connection = await asyncpg.connect(self.url)
        try:
            rows: list[Any] = []
            for statement in statements:
                rows = await connection.fetch(statement)
            return [tuple(row) for row in rows]
        finally:
            await connection.close()

    def _run_duckdb(self, statements: Sequence[str]) -> list[Any]:
        with duckdb.connect(self.url.removeprefix("duckdb:///")) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            rows: list[Any] = []
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            return rows


async def build(url: str) -> World:
    """Return the warehouse at *url* with the shop's orders in it."""
    made = World(url=url)
    await made.run(*(part for part in SHOP.split(";\n") if part.strip()))
    return made


@asynccontextmanager
async def opened(
    url: str, clock: datetime = NOW, directory: Directory | None = None, **options: Any
) -> AsyncIterator[Source]:
    """Yield the source on the warehouse at *url*."""
    async with aiohttp.ClientSession() as session:
        opening = Opening(
            source_id="shop",
            options=SOURCE.options.model_validate({"url_env": ENV, **options}),
            secrets={ENV: url},
            session=session,
            directory=directory or Directory.empty(),
            clock=FrozenClock(clock),
        )
        async with SOURCE.open(opening) as source:
            yield source


def ask(
    relation: str = "shopify.orders",
    *,
    as_of: datetime = NOW,
    days: float = 20,
    time_column: str | None = "created_at",
    dimensions: tuple[str, ...] = (),
    segments: tuple[tuple[str, ...], ...] = (),
) -> Ask:
    """Return what the collector would ask about the shop's orders."""
    return Ask(
        tenant_id="acme",
        dataset=Dataset(name="orders", relation=relation),
        as_of=as_of,
        since=as_of - timedelta(days=days),
        time_column=time_column,
        dimensions=dimensions,
        segments=segments,
    )
