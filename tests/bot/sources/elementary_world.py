"""Elementary's tables for tests: real PostgreSQL or real DuckDB, filled with rows of a real run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import duckdb

from bot.directory import Directory
from bot.ports import Ask, Source
from bot.sources.elementary import SOURCE
from bot.sources.registry import Opening
from bot.testing import FrozenClock
from rca.case import Dataset

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
ENV = "ELEMENTARY_URL"
SCHEMA = "main_elementary"
RECORDED = Path(__file__).parent / "elementary"
TABLES = ("elementary_test_results", "schema_columns_snapshot", "data_monitoring_metrics")
TIMES = {"detected_at", "created_at", "updated_at", "bucket_start", "bucket_end"}
NUMBERS = {"failures", "metric_value", "source_value", "bucket_duration_hours", "failed_row_count"}


def rows(table: str) -> list[dict[str, Any]]:
    """What a run wrote into *table*."""
    found: list[dict[str, Any]] = json.loads((RECORDED / f"{table}.json").read_text("utf-8"))
    return found


def _type(column: str) -> str:
    if column in TIMES:
        return "timestamp"
    return "double precision" if column in NUMBERS else "varchar"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return (
        str(value)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else ("'" + str(value).replace("'", "''") + "'")
    )


def script() -> list[str]:
    """Statements that build the tables."""
    made = [f"CREATE SCHEMA {SCHEMA}"]
    for table in TABLES:
        recorded = rows(table)
        columns = list(recorded[0])
        types = ", ".join(f"{name} {_type(name)}" for name in columns)
        made.append(f"CREATE TABLE {SCHEMA}.{table} ({types})")
        for row in recorded:
            values = ", ".join(_literal(row[name]) for name in columns)
            made.append(f"INSERT INTO {SCHEMA}.{table} VALUES ({values})")  # noqa: S608 - our own recording
    return made


async def run(url: str, statements: Sequence[str]) -> None:
    """Run statements as the warehouse's owner."""
    if url.startswith("duckdb"):
        await asyncio.to_thread(_run_duckdb, url, statements)
        return
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _run_duckdb(url: str, statements: Sequence[str]) -> None:
    with duckdb.connect(url.removeprefix("duckdb:///")) as connection:
        for statement in statements:
            connection.execute(statement)


@asynccontextmanager
async def opened(url: str, schema: str = SCHEMA) -> AsyncIterator[Source]:
    """Yield the source on the tables at *url*."""
    async with aiohttp.ClientSession() as session:
        opening = Opening(
            source_id="checks",
            options=SOURCE.options.model_validate({"url_env": ENV, "schema": schema}),
            secrets={ENV: url},
            session=session,
            directory=Directory.empty(),
            clock=FrozenClock(NOW),
        )
        async with SOURCE.open(opening) as source:
            yield source


def ask(relation: str = "shop.main.stg_orders", as_of: datetime = NOW) -> Ask:
    """Return what the collector would ask."""
    return Ask(
        tenant_id="acme",
        dataset=Dataset(name="stg_orders", relation=relation),
        as_of=as_of,
        since=as_of - timedelta(days=30),
    )
