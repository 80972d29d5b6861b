"""The warehouse source on real PostgreSQL and real DuckDB: what it counts, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.directory import Directory
from bot.ports import BotError, Facts
from rca.case import DimensionProfile, SegmentProfile, VolumeWindow
from tests.bot.sources.warehouse_world import ENV, NOW, World, ask, build, opened

DAY = timedelta(days=1)
TODAY = datetime(2026, 3, 5, tzinfo=UTC)
COUNTED = ("volume_history", "dimension_profiles", "segment_profiles")


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


def volume(facts: Facts) -> dict[datetime, int]:
    found: Any = facts.found["volume_history"]
    assert all(isinstance(window, VolumeWindow) for window in found)
    return {window.window_start: window.rows for window in found}


def profiles(facts: Facts, dimension: str) -> dict[datetime, DimensionProfile]:
    found: Any = facts.found["dimension_profiles"]
    return {each.window_start: each for each in found if each.dimension == dimension}


def reasons(facts: Facts, kind: str) -> str:
    return "; ".join(hole.reason for hole in facts.holes if hole.fact == kind)


async def test_whole_days_are_counted(shop: World) -> None:
    """Every day that is over has its rows, oldest first; today's rows so far are no day, and none before the first."""
    async with opened(shop.url) as source:
        facts = await source.read(ask())
    found = volume(facts)
    assert found == {TODAY - n * DAY: 120 for n in range(13, 0, -1)}
    assert list(found) == sorted(found)


async def test_counts_agree_with_plain_sql(shop: World) -> None:
    """The counts per value are those of a GROUP BY that a person would write, null and odd texts included."""
    columns = ("country", "channel", "paid", 'Odd "name; --')
    async with opened(shop.url) as source:
        facts = await source.read(ask(dimensions=columns))
    for column in columns:
        quoted = '"' + column.replace('"', '""') + '"'
        rows = await shop.run(
            f"SELECT cast({quoted} AS varchar), count(*) FROM shopify.orders"  # noqa: S608 - the test's own names
            " WHERE created_at >= '2026-03-04 00:00+00' AND created_at < '2026-03-05 00:00+00' GROUP BY 1"
        )
        expected = {"null" if value is None else value: number for value, number in rows}
        assert profiles(facts, column)[TODAY - DAY].counts == expected
    assert not profiles(facts, "country")[TODAY - DAY].truncated


async def test_segments_are_counted_together(shop: World) -> None:
    """Chosen pairs are counted by both values, and a missing value is null, not a text."""
    async with opened(shop.url) as source:
        facts = await source.read(ask(segments=(("country", "channel"),)))
    found: Any = facts.found["segment_profiles"]
    last = found[-1]
    assert isinstance(last, SegmentProfile)
    assert last.dimensions == ("country", "channel")
    assert sum(rows for _, rows in last.rows) == 120
    assert {values[0] for values, _ in last.rows} == {"US", "CA", None}


async def test_many_values_are_folded(shop: World) -> None:
    """A dimension with a value per row keeps the agreed number, and the others as one; no row is lost."""
    async with opened(shop.url, max_values=10) as source:
        facts = await source.read(
            ask(dimensions=("note", "country"), segments=(("note", "country"),))
        )
    note = profiles(facts, "note")[TODAY - DAY]
    assert note.truncated
    assert len(note.counts) == 11
    assert note.counts["(all other values)"] == 110
    assert not profiles(facts, "country")[TODAY - DAY].truncated
    pairs: Any = facts.found["segment_profiles"]
    assert sum(rows for _, rows in pairs[-1].rows) == 120
    assert len(pairs[-1].rows) == 11


@pytest.mark.parametrize("values", [2, 3])
async def test_folding_begins_past_the_limit(shop: World, values: int) -> None:
    """As many values as agreed are all kept; one more is folded."""
    async with opened(shop.url, max_values=values) as source:
        facts = await source.read(ask(dimensions=("country",)))
    yesterday = profiles(facts, "country")[TODAY - DAY]  # US, CA and null
    assert yesterday.truncated is (values == 2)
    assert sum(yesterday.counts.values()) == 120


@pytest.mark.parametrize("column", ["created_at", "created_naive", "created_on", "CREATED_AT"])
async def test_any_column_of_time(shop: World, column: str) -> None:
    """Dates, timestamps, and timestamps with a zone give the same days of UTC, in any case of the name."""
    async with opened(shop.url) as source:
        facts = await source.read(ask(time_column=column))
    assert volume(facts) == {TODAY - n * DAY: 120 for n in range(13, 0, -1)}


async def test_hours(shop: World) -> None:
    """Hours are counted when asked for, the last whole one being the newest."""
    async with opened(shop.url, window="hour") as source:
        facts = await source.read(ask(days=3))
    found = volume(facts)
    assert max(found) == datetime(2026, 3, 5, 6, tzinfo=UTC)
    assert set(found.values()) == {5}
    assert len(found) == 72


async def test_days_of_a_zone_with_summer_time(shop: World) -> None:
    """Days begin at midnight in the zone, and the one on which the clock is put forward has 23 hours of rows."""
    as_of = datetime(2026, 3, 9, 12, tzinfo=UTC)
    await shop.run(
        "INSERT INTO shopify.orders (id, created_at)"
        " SELECT i, timestamptz '2026-03-06 00:00:00+00' + i * interval '12 minutes'"
        " FROM generate_series(0, 500) AS g(i)"
    )
    async with opened(shop.url, as_of, time_zone="America/New_York") as source:
        facts = await source.read(ask(as_of=as_of, days=4))
    found = volume(facts)
    assert found[datetime(2026, 3, 8, 5, tzinfo=UTC)] == 23 * 5
    assert datetime(2026, 3, 9, 4, tzinfo=UTC) not in found


async def test_nothing_after_the_instant(shop: World) -> None:
    """What came after the instant asked about is not counted, and columns of now are not said to be those of then."""
    as_of = NOW - 3 * DAY
    async with opened(shop.url) as source:
        facts = await source.read(ask(as_of=as_of, dimensions=("country",)))
    found: Any = (*facts.found["volume_history"], *facts.found["dimension_profiles"])
    assert max(each.window_end for each in found) == TODAY - 3 * DAY
    assert "column_snapshots" not in facts.found
    assert "knows only the columns of now" in reasons(facts, "column_snapshots")


async def test_a_column_snapshot(shop: World) -> None:
    """Columns come in the table's order with the warehouse's own types, as of the instant."""
    async with opened(shop.url) as source:
        facts = await source.read(ask())
    found: Any = facts.found["column_snapshots"]
    (snapshot,) = found
    assert snapshot.captured_at == NOW
    assert [column.name for column in snapshot.columns][:2] == ["id", "created_at"]
    assert {column.type.lower() for column in snapshot.columns} >= {"bigint", "date", "boolean"}


async def test_columns_alone_without_a_time_column(shop: World) -> None:
    """Without a time column nothing is counted, and each hole says why."""
    async with opened(shop.url) as source:
        facts = await source.read(ask(time_column=None, dimensions=("country",)))
    assert set(facts.found) == {"column_snapshots"}
    for kind in COUNTED:
        expected = "no time_column in datasets.orders: counting would scan the whole table"
        assert reasons(facts, kind) == expected


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"time_column": "note"}, "is of type"),
        ({"time_column": "nope"}, "shopify.orders has no column 'nope'"),
        ({"time_column": "created_at; --"}, "shopify.orders has no column 'created_at; --'"),
    ],
)
async def test_a_time_column_that_is_none(shop: World, asked: dict[str, Any], said: str) -> None:
    """A time column that is missing, or holds no time, leaves columns and a hole that names it."""
    async with opened(shop.url) as source:
        facts = await source.read(ask(**asked))
    assert set(facts.found) == {"column_snapshots"}
    assert said in reasons(facts, "volume_history")


async def test_a_missing_dimension_spoils_no_other(shop: World) -> None:
    """A dimension that is no column is a hole that names it; the others are counted."""
    async with opened(shop.url) as source:
        facts = await source.read(ask(dimensions=("country", "contry")))
    assert profiles(facts, "country")
    assert not profiles(facts, "contry")
    assert "shopify.orders has no column 'contry'" in reasons(facts, "dimension_profiles")


@pytest.mark.parametrize(
    "relation",
    ["SHOPIFY.Orders", '"shopify"."orders"', "orders", "Shopify.orders"],
)
async def test_a_relation_in_any_case(shop: World, relation: str) -> None:
    """A relation is found in any case and quoting, and without its schema when no other is called so."""
    async with opened(shop.url) as source:
        facts = await source.read(ask(relation))
    assert len(volume(facts)) == 13


@pytest.mark.parametrize(
    ("relation", "said"),
    [
        ("shopify.nope", "there is no relation 'shopify.nope'"),
        ("elsewhere.shopify.orders", "there is no relation"),
        ("a.b.c.d", "is not a name of one to three parts"),
        ("shopify..orders", "is not a name of one to three parts"),
        ("orders; DROP TABLE shopify.orders", "there is no relation"),
        ("orders' OR '1'='1", "there is no relation"),
        ('shopify."orders"" --"', "there is no relation"),
    ],
)
async def test_a_relation_that_is_none(shop: World, relation: str, said: str) -> None:
    """What is no relation, or no name at all, is a hole for everything, and nothing in it is ever run."""
    async with opened(shop.url) as source:
        facts = await source.read(ask(relation))
        assert facts.found == {}
        for kind in ("column_snapshots", *COUNTED):
            assert said in reasons(facts, kind)
            assert "(shop) at" in reasons(facts, kind)
        assert len(volume(await source.read(ask()))) == 13


async def test_names_that_differ_only_in_case(shop: World) -> None:
    """Of two relations that differ in case the one written exactly is meant; otherwise it is asked which."""
    if shop.url.startswith("duckdb"):  # DuckDB keeps no two names that differ only in case
        await shop.run("CREATE SCHEMA two", "CREATE TABLE two.orders (id bigint)")
        unclear, exact = "orders", "two.orders"
    else:
        await shop.run('CREATE TABLE shopify."Orders" (id bigint)')
        unclear, exact = "shopify.ORDERS", "shopify.Orders"
    async with opened(shop.url) as source:
        said = reasons(await source.read(ask(unclear)), "column_snapshots")
        assert "may be any of" in said
        found: Any = (await source.read(ask(exact))).found["column_snapshots"]
    assert [column.name for column in found[0].columns] == ["id"]


async def test_a_name_full_of_quotes(shop: World) -> None:
    """Names that hold quotes, dots, colons and percent signs are only names."""
    name = 'or"d.e:rs %s ; -- \\'
    quoted = '"' + name.replace('"', '""') + '"'
    await shop.run(
        f'CREATE TABLE shopify.{quoted} ("at %(x)s:y" timestamptz, "d;""" varchar)',
        f"INSERT INTO shopify.{quoted} VALUES (timestamptz '2026-03-04 12:00:00+00', 'x')",  # noqa: S608 - the test's own
    )
    async with opened(shop.url) as source:
        facts = await source.read(
            ask(f"shopify.{quoted}", time_column="at %(x)s:y", dimensions=('d;"',))
        )
    assert profiles(facts, 'd;"')[TODAY - DAY].counts == {"x": 1}


async def test_a_view(shop: World) -> None:
    """A view is counted as a table is."""
    await shop.run("CREATE VIEW shopify.recent AS SELECT * FROM shopify.orders")
    async with opened(shop.url) as source:
        assert len(volume(await source.read(ask("shopify.recent")))) == 13


async def test_an_empty_table(shop: World) -> None:
    """A table without rows has empty windows lately, and no months of them."""
    await shop.run("DELETE FROM shopify.orders")
    async with opened(shop.url) as source:
        facts = await source.read(ask(dimensions=("country",)))
    assert volume(facts) == {TODAY - 2 * DAY: 0, TODAY - DAY: 0}
    assert profiles(facts, "country")[TODAY - DAY].counts == {}


async def test_rows_that_stopped_are_told(shop: World) -> None:
    """Days without rows after days with rows are counted as zero."""
    await shop.run("DELETE FROM shopify.orders WHERE created_at >= '2026-03-02 00:00+00'")
    async with opened(shop.url) as source:
        found = volume(await source.read(ask()))
    assert [found[TODAY - n * DAY] for n in (4, 3, 2, 1)] == [120, 0, 0, 0]


async def test_closed_days_are_not_read_again(shop: World) -> None:
    """A day older than the late days that was read before is not counted again; a late row of yesterday is."""
    async with opened(shop.url, late_days=1) as source:
        first = volume(await source.read(ask()))
        await shop.run(
            "UPDATE shopify.orders SET created_at = timestamptz '2026-03-04 01:00:00+00'"
            " WHERE created_at < timestamptz '2026-03-01 00:00:00+00'"
        )
        second = volume(await source.read(ask(days=1)))
    assert len(first) == 13
    assert set(second) == {TODAY - DAY}
    assert second[TODAY - DAY] > first[TODAY - DAY]


async def test_late_days_reach_back_further_than_since(shop: World) -> None:
    """The late days are counted again even when the last read was a moment ago."""
    async with opened(shop.url, late_days=5) as source:
        found = volume(await source.read(ask(days=0.1)))
    assert min(found) == TODAY - 5 * DAY


async def test_check_and_offers(shop: World) -> None:
    """Doctor hears that the datasets can be counted, or why not; discover hears of every relation."""
    directory = Directory.model_validate(
        {
            "tenants": {"acme": {"id": "acme", "name": "Acme"}},
            "datasets": {
                name: {"name": name, "tenant": "acme", "relation": relation, **more}
                for name, relation, more in (
                    ("good", "shopify.orders", {"time_column": "created_at", "dimensions": ["country"]}),
                    ("lost", "shopify.lost", {"time_column": "created_at"}),
                    ("timeless", "shopify.orders", {}),
                )
            },
        }
    )  # fmt: skip
    async with opened(shop.url, directory=directory) as source:
        checked = await source.check()
        offers = await source.offers()
    problems = {each.what.rsplit(" ", 1)[1]: each.problem for each in checked[:2]}
    assert problems["shopify.orders"] is None
    assert "there is no relation" in (problems["shopify.lost"] or "")
    assert "no time_column" in (checked[2].problem or "")
    (offer,) = (offer for offer in offers if offer.title == "shopify.orders")
    assert offer.relation is not None
    assert offer.columns is not None
    assert len(offer.columns) == 9
    async with opened(shop.url) as source:
        assert len(volume(await source.read(ask(offer.relation)))) == 13


async def test_covers() -> None:
    """Datasets with a relation are covered, or only those whose relation begins as the options say."""
    url = "postgresql://nobody@localhost/none"
    async with opened(url, relations=["RAW."]) as source:
        names: Sequence[tuple[str | None, bool]] = (
            ("raw.orders", True),
            ("mart.orders", False),
            (None, False),
        )
        for relation, covered in names:
            dataset = ask().dataset.model_copy(update={"relation": relation})
            assert source.covers(dataset) is covered


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", f"sources.shop: the environment variable {ENV} is not set"),
        ("not a url with s3cret", "sources.shop: the warehouse's address is not a URL"),
        ("oracle://u:s3cret@h/d", "I know no warehouse named 'oracle'"),
        ("duckdb://", "DuckDB needs a file"),
        ("duckdb:///:memory:", "DuckDB needs a file"),
        ("databricks://token:s3cret@h", "Databricks needs its driver: pip install 'rca-bot[databricks]'"),
    ],
)  # fmt: skip
async def test_an_address_that_is_wrong(url: str, said: str) -> None:
    """An address that cannot be used stops the start with a sentence, and without its password."""
    with pytest.raises(BotError) as caught:
        async with opened(url):
            pass
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_good_dimensions_are_known_for_free(shop: World) -> None:
    """PostgreSQL's own statistics name the columns of few values; nothing is scanned, and others propose none."""
    if shop.url.startswith("postgresql"):
        await shop.run("ANALYZE shopify.orders")
    async with opened(shop.url) as source:
        (offer,) = [one for one in await source.offers() if one.title == "shopify.orders"]
    if shop.url.startswith("postgresql"):
        assert offer.dimensions is not None
        assert {"country", "channel"} <= set(offer.dimensions)
        assert not {"id", "created_at", "note"} & set(offer.dimensions)
    else:
        assert offer.dimensions is None
