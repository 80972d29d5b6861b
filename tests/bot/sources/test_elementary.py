"""Elementary's tables, filled with rows of a real run, read from real PostgreSQL and real DuckDB."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.ports import BotError, Facts
from bot.sources.elementary import SOURCE
from tests.bot.sources import elementary_world as world
from tests.bot.sources.elementary_world import ask, opened

BEFORE_THE_DROP = datetime(
    2026, 11, 22, 19, 34, 48, tzinfo=UTC
)  # between the two runs of the tests


@pytest.fixture(params=["postgresql", "duckdb"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty warehouse, once on each that can be run here."""
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path / 'shop.duckdb'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
async def url(empty_url: str) -> str:
    """A warehouse with Elementary's tables."""
    await world.run(empty_url, world.script())
    return empty_url


def found(facts: Facts, kind: str) -> Any:
    return facts.found[kind]


async def test_outcomes_are_kept_with_their_sentences(url: str) -> None:
    """The names match in any case, the sentence has lost its empty lines, and dbt's invocation links the run."""
    async with opened(url) as source:
        results = found(await source.read(ask("SHOP.Main.stg_orders")), "dq_results")
    by_kind = {
        (r.context_metadata or {}).get("sub_kind"): r for r in results if r.status == "failed"
    }
    assert set(by_kind) == {"dimension", "row_count", "type_changed", "column_removed"}
    volume = by_kind["row_count"]
    assert volume.context_metadata["message"] == (
        "The last row_count value is 4.000. The average for this metric is 28.700."
    )
    assert volume.severity == "error"
    assert volume.correlation_id == "aa8402fe-1347-42c4-9d9d-d9c91c86e540"
    assert {r.status for r in results} == {"passed", "failed"}


async def test_a_dbt_test_has_the_id_of_dbts_own_result(url: str) -> None:
    """Whoever reads dbt's artifacts too keeps the outcome once."""
    async with opened(url) as source:
        results = found(await source.read(ask()), "dq_results")
    assert (
        "aa8402fe-1347-42c4-9d9d-d9c91c86e540:test.shop_demo.unique_stg_orders_order_id.e3b841c71a"
        in {result.id for result in results}
    )


async def test_columns_are_a_snapshot_per_run(url: str) -> None:
    """The second run no longer saw one column, and another one with another type."""
    async with opened(url) as source:
        before, after = found(await source.read(ask()), "column_snapshots")
    assert {c.name for c in before.columns} - {c.name for c in after.columns} == {"currency"}
    types = [{c.name: c.type for c in each.columns}["total_price"] for each in (before, after)]
    assert types == ["DOUBLE", "VARCHAR"]


async def test_counts_are_those_of_the_monitors(url: str) -> None:
    """Rows per bucket, and per value of a dimension; a bucket that was counted twice is told once."""
    async with opened(url) as source:
        facts = await source.read(ask())
    assert [w.rows for w in found(facts, "volume_history")] == [30, 4]
    profiles = {p.window_start.day: p.counts for p in found(facts, "dimension_profiles")}
    assert profiles == {20: {"paid": 29, "pending": 1}, 21: {"paid": 3, "pending": 1}}


async def test_nothing_is_known_before_it_was_written(url: str) -> None:
    """As of the moment between two runs, the second one's columns and failures are not known."""
    async with opened(url) as source:
        facts = await source.read(ask(as_of=BEFORE_THE_DROP))
    assert len(found(facts, "column_snapshots")) == 1
    assert {result.status for result in found(facts, "dq_results")} == {"passed"}


async def test_a_relation_without_monitors_has_holes(url: str) -> None:
    """Tests were looked for and none found; columns and counts nobody looked at, and each hole says so."""
    async with opened(url) as source:
        facts = await source.read(ask("shop.main.other"))
    assert facts.found == {"dq_results": ()}
    assert {hole.fact for hole in facts.holes} == {
        "column_snapshots",
        "volume_history",
        "dimension_profiles",
    }
    assert all("shop.main.other" in hole.reason for hole in facts.holes)


@pytest.mark.parametrize(
    "relation", ["main.stg_orders", "stg_orders", '"SHOP"."MAIN"."STG_ORDERS"']
)
async def test_shorter_and_quoted_names_are_found(url: str, relation: str) -> None:
    """A catalog may leave out the database or the schema; a name that only ends alike is another."""
    async with opened(url) as source:
        facts = await source.read(ask(relation))
        other = await source.read(ask("orders"))
    assert len(found(facts, "column_snapshots")) == 2
    assert "column_snapshots" not in other.found


async def test_a_missing_table_is_a_hole_and_no_error(url: str) -> None:
    """What is there is read, and the hole names what was asked for."""
    await world.run(url, [f"DROP TABLE {world.SCHEMA}.data_monitoring_metrics"])
    async with opened(url) as source:
        facts = await source.read(ask())
        checked = await source.check()
    assert set(facts.found) == {"dq_results", "column_snapshots"}
    assert {hole.fact for hole in facts.holes} == {"volume_history", "dimension_profiles"}
    assert all("main_elementary.data_monitoring_metrics" in hole.reason for hole in facts.holes)
    assert [bool(each.problem) for each in checked] == [False, False, True]


async def test_tables_with_tests_are_offered(url: str) -> None:
    """Each once, with its dbt node, whatever case Elementary wrote it in."""
    async with opened(url) as source:
        offers = {offer.relation: offer.dbt_node for offer in await source.offers()}
    assert offers == {
        "shop.main.raw_orders": "source.shop_demo.shopify.raw_orders",
        "shop.main.stg_orders": "model.shop_demo.stg_orders",
    }


async def test_who_cannot_be_asked_offers_nothing() -> None:
    """The reason names the source and never the password."""
    async with opened("postgresql://reader:hunter2hunter2@127.0.0.1:9/shop") as source:
        with pytest.raises(BotError, match=r"Elementary \(checks\)") as error:
            await source.offers()
    assert "hunter2hunter2" not in str(error.value)


async def test_libpqs_word_for_tls_is_understood(empty_postgres_url: str) -> None:
    """``sslmode=disable`` at the end of the address is asyncpg's ``ssl``."""
    await world.run(empty_postgres_url, world.script())
    mark = "&" if "?" in empty_postgres_url else "?"
    async with opened(f"{empty_postgres_url}{mark}sslmode=disable") as source:
        assert all(each.problem is None for each in await source.check())


async def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    """DuckDB's file is opened to read only: every kind of fact is a hole, and no file appears."""
    path = tmp_path / "nowhere.duckdb"
    async with opened(f"duckdb:///{path}") as source:
        facts = await source.read(ask())
    assert facts.found == {}
    assert {hole.fact for hole in facts.holes} == source.gives
    assert not path.exists()


def test_options_are_by_name() -> None:
    """The schema has to be told."""
    options = SOURCE.options.model_validate({"url_env": "E", "schema": "s"})
    assert options.model_dump()["schema_name"] == "s"
