"""When the warehouse is slow, closed, gone or hostile: a hole in time, nothing left running, and no secret told."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from bot.ports import Facts
from bot.sources.warehouse.dialects import parse_address
from bot.sources.warehouse.failures import QueryError
from bot.sources.warehouse.queries import Queries, Rows, open_queries
from bot.sources.warehouse.tables import Tables
from tests.bot.sources.warehouse_world import NOW, World, ask, build, opened

SLOW = """CREATE VIEW shopify.slow AS
SELECT o.* FROM shopify.orders AS o, generate_series(1, 30000) AS a(x), generate_series(1, 30000) AS b(y)
WHERE (a.x * 7 + b.y * 13) % 11 <> 3"""
OURS = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rca-bot'"
MINE = f"SELECT count(*) {OURS} AND state = 'active'"
END_MINE = f"SELECT pg_terminate_backend(pid) {OURS}"


@pytest.fixture(params=["postgresql", "duckdb"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty warehouse, once on each that can be run here."""
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path / 'shop.duckdb'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
async def shop(empty_url: str) -> World:
    """The shop's warehouse."""
    return await build(empty_url)


@pytest.fixture
async def pg_shop(empty_postgres_url: str) -> World:
    """The shop's warehouse on PostgreSQL."""
    return await build(empty_postgres_url)


@pytest.fixture
async def duck_shop(tmp_path: Path) -> World:
    """The shop's warehouse in a DuckDB file."""
    return await build(f"duckdb:///{tmp_path / 'shop.duckdb'}")


@pytest.fixture
async def reader_url(pg_shop: World) -> AsyncIterator[str]:
    """The address of the shop for a role that may see names and read nothing."""
    role = f"reader_{uuid.uuid4().hex[:12]}"
    await pg_shop.run(f"CREATE ROLE {role} LOGIN PASSWORD 's3cret-word'")
    yield (
        make_url(pg_shop.url)
        .set(username=role, password="s3cret-word")
        .render_as_string(hide_password=False)
    )
    await pg_shop.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def reasons(facts: Facts, kind: str) -> str:
    return "; ".join(hole.reason for hole in facts.holes if hole.fact == kind)


def days(facts: Facts) -> int:
    found: Any = facts.found["volume_history"]
    return len(found)


async def test_a_slow_query_ends_in_time(shop: World) -> None:
    """A query that takes too long is a hole in time, and its only slot is free for the next at once."""
    await shop.run(SLOW)
    async with opened(shop.url, statement_timeout_s=1.5, max_queries=1) as source:
        async with asyncio.timeout(12):
            facts = await source.read(ask("shopify.slow"))
        assert "no answer within 1.5 s" in reasons(facts, "volume_history")
        assert "rows of shopify.slow" in reasons(facts, "volume_history")
        assert "column_snapshots" in facts.found
        async with asyncio.timeout(12):
            facts = await source.read(ask())
        assert days(facts) == 13
    await shop.run("CREATE TABLE shopify.more (id bigint)")  # nobody holds the file or a lock


async def test_a_read_that_is_cancelled_leaves_nothing_running(shop: World) -> None:
    """Who stops waiting stops the query: the slot is free, and closing takes no time."""
    await shop.run(SLOW)
    async with (
        asyncio.timeout(10),
        opened(shop.url, statement_timeout_s=60, max_queries=1) as source,
    ):
        reading = asyncio.create_task(source.read(ask("shopify.slow")))
        await asyncio.wait([reading], timeout=0.5)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        facts = await source.read(ask())
        assert days(facts) == 13


async def test_never_more_queries_than_agreed(pg_shop: World) -> None:
    """However much is to be counted, no more queries run at one time than the options say."""
    await pg_shop.run(SLOW)
    dimensions = ("country", "channel", "paid", "note")
    async with opened(pg_shop.url, statement_timeout_s=1.0, max_queries=2) as source:
        reading = asyncio.create_task(source.read(ask("shopify.slow", dimensions=dimensions)))
        seen = []
        while not reading.done():
            (row,) = await pg_shop.run(MINE)
            seen.append(row[0])
        assert max(seen) == 2
        assert "no answer within" in reasons(reading.result(), "dimension_profiles")


async def test_what_took_too_long_is_owed(pg_shop: World) -> None:
    """Days that could not be counted in time are counted by a later read, although it asks for no more than a day."""
    await pg_shop.run(
        "CREATE VIEW shopify.old AS SELECT * FROM shopify.orders"
        " WHERE created_at >= '2026-02-25 00:00+00' OR pg_sleep(5) IS NULL"
    )
    async with opened(pg_shop.url, statement_timeout_s=1.5) as source:
        first = await source.read(ask("shopify.old"))
        await pg_shop.run("CREATE OR REPLACE VIEW shopify.old AS SELECT * FROM shopify.orders")
        second = await source.read(ask("shopify.old", days=1))
        third = await source.read(ask("shopify.old", days=1))
    sizes = [days(facts) for facts in (first, second, third)]
    assert sizes == [8, 2 + 5, 2]
    assert "no answer within 1.5 s" in reasons(first, "volume_history")
    assert not second.holes or "volume_history" not in {hole.fact for hole in second.holes}


async def test_missing_rights(pg_shop: World, reader_url: str) -> None:
    """A role that may not read the table is told so in each hole; with the right, it is counted."""
    role = make_url(reader_url).username
    async with opened(reader_url) as source:
        facts = await source.read(ask())
        assert "permission denied for schema shopify" in reasons(facts, "volume_history")
        assert "s3cret" not in repr(facts)
        await pg_shop.run(
            f"GRANT USAGE ON SCHEMA shopify TO {role}", f"GRANT SELECT ON shopify.orders TO {role}"
        )
        assert days(await source.read(ask())) == 13


@pytest.mark.parametrize(
    "url",
    ["postgresql://bot:s3cret-word@127.0.0.1:9/shop", "duckdb:////nowhere/at/all/shop.duckdb"],
)
async def test_nobody_is_there(url: str) -> None:
    """A warehouse that cannot be reached is a hole for everything that names it, without the password."""
    async with opened(url) as source:
        facts = await source.read(ask())
        (checked,) = await source.check()
    assert facts.found == {}
    assert len(facts.holes) == 4
    assert "asked" in reasons(facts, "volume_history")
    assert "the columns of shopify.orders" in reasons(facts, "volume_history")
    assert checked.problem is not None
    assert "WAREHOUSE_URL" in (checked.fix or "")
    assert "s3cret" not in repr((facts, checked))


async def test_a_connection_that_is_dropped(pg_shop: World) -> None:
    """A connection that dies while it is asked is a hole; one that died in the pool is not even noticed."""
    await pg_shop.run(SLOW)
    async with opened(pg_shop.url, statement_timeout_s=30, max_queries=1) as source:
        reading = asyncio.create_task(source.read(ask("shopify.slow")))
        while (await pg_shop.run(MINE))[0][0] == 0 and not reading.done():
            continue
        await asyncio.wait([reading], timeout=0.2)  # past the listing of columns, into the counting
        await pg_shop.run(END_MINE)
        facts = await reading
        assert "asked PostgreSQL (shop)" in reasons(facts, "volume_history")
        assert days(await source.read(ask())) == 13
        await pg_shop.run(END_MINE)
        assert days(await source.read(ask())) == 13


async def test_nothing_can_be_written(shop: World) -> None:
    """Even a statement that writes, were there one, would be refused by the warehouse itself."""
    address = parse_address(shop.url, "sources.shop")
    async with open_queries(address, 1, 5) as queries:
        insert: Any = sa.text("INSERT INTO shopify.orders (id) VALUES (1)")
        with pytest.raises(QueryError, match="read-only"):
            await queries.run(insert)


async def test_a_file_that_somebody_writes(duck_shop: World) -> None:
    """A DuckDB file is opened for no longer than a query, so that whoever fills it is not kept out."""
    async with opened(duck_shop.url) as source:
        await source.read(ask())
        with duckdb.connect(duck_shop.url.removeprefix("duckdb:///")) as writer:
            writer.execute("CREATE TABLE shopify.more (id bigint)")
            facts = await source.read(ask())
        assert reasons(facts, "volume_history")
        assert days(await source.read(ask())) == 13


class _Counted:
    """Real queries, counted."""

    def __init__(self, queries: Queries) -> None:
        self.queries = queries
        self.asked = 0

    async def run(self, query: sa.Select[Any]) -> Rows:
        self.asked += 1
        return await self.queries.run(query)


async def test_a_schema_is_listed_once_for_all(shop: World) -> None:
    """Hundred datasets that are asked about at a time cost one listing, and half a minute later one more."""
    await shop.run(*(f"CREATE TABLE shopify.t{i} (id bigint)" for i in range(100)))
    address = parse_address(shop.url, "sources.shop")
    async with open_queries(address, 2, 5) as queries:
        counted = _Counted(queries)
        tables = Tables(warehouse=address.warehouse, queries=counted)
        found = await asyncio.gather(*(tables.find(f"shopify.t{i}", NOW) for i in range(100)))
        assert [table.parts[-1] for table in found] == [f"t{i}" for i in range(100)]
        assert counted.asked == 1
        await tables.find("shopify.t0", NOW + timedelta(seconds=31))
        assert counted.asked == 2


async def test_a_new_column_is_seen(shop: World) -> None:
    """A column that was added since is in the next snapshot once the listing is no longer held."""
    async with opened(shop.url) as source:
        await source.read(ask())
    await shop.run("ALTER TABLE shopify.orders ADD COLUMN coupon varchar")
    later = datetime(2026, 3, 5, 8, tzinfo=UTC)
    async with opened(shop.url, later) as source:
        found: Any = (await source.read(ask(as_of=later))).found["column_snapshots"]
    assert "coupon" in {column.name for column in found[0].columns}
