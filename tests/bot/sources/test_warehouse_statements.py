"""The warehouse's queries as each dialect writes them, read back by a parser that is not ours.

PostgreSQL, DuckDB, Snowflake and Redshift are compiled by their own dialects; BigQuery and Databricks, whose packages
are not installed to develop with, by SQLAlchemy's own with their way to quote.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb_engine
import pytest
import sqlalchemy as sa
import sqlglot
from snowflake.sqlalchemy import snowdialect
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.compiler import IdentifierPreparer
from sqlalchemy_redshift.dialect import RedshiftDialect_redshift_connector
from sqlglot import exp

from bot.sources.warehouse.dialects import WAREHOUSES, parse_address
from bot.sources.warehouse.relation import parse_relation
from bot.sources.warehouse.statements import (
    columns_of,
    named,
    rows_per_value,
    rows_per_window,
    value_of,
)
from bot.sources.warehouse.windows import TimeKind, bound

START = datetime(2026, 3, 1, tzinfo=UTC)
BOUNDS = [START + timedelta(days=n) for n in range(6)]


class _Backticks(IdentifierPreparer):
    def __init__(self, dialect: Any) -> None:
        super().__init__(dialect, initial_quote="`", escape_quote="`")


class _Plain(DefaultDialect):
    preparer = _Backticks
    supports_native_boolean = True


DIALECTS: Final[dict[str, tuple[Any, str]]] = {
    "postgresql": (asyncpg.dialect(), "postgres"),
    "duckdb": (duckdb_engine.Dialect(), "duckdb"),
    "snowflake": (snowdialect.dialect(), "snowflake"),
    "redshift": (RedshiftDialect_redshift_connector(), "redshift"),
    "bigquery": (_Plain(), "bigquery"),
    "databricks": (_Plain(), "databricks"),
}


def written(query: sa.Select[Any], backend: str) -> str:
    """The query with its values in it, as the dialect writes it."""
    dialect, _ = DIALECTS[backend]
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def parsed(query: sa.Select[Any], backend: str) -> exp.Expression:
    """The query as a parser of that warehouse's SQL understands it."""
    (tree,) = sqlglot.parse(written(query, backend), dialect=DIALECTS[backend][1])
    assert isinstance(tree, exp.Expression)
    return tree


def counted(kind: TimeKind = TimeKind.NAIVE) -> sa.Select[Any]:
    bounds = [bound(instant, kind, ZoneInfo("UTC")) for instant in BOUNDS]
    values = [value_of("Country", "varchar"), value_of("paid", "BOOLEAN")]
    return rows_per_value(("RAW", "Shop", "orders"), "at", kind, bounds, values, most=10)


def test_every_warehouse_is_compiled() -> None:
    """No warehouse is known that is not compiled here."""
    assert set(DIALECTS) == set(WAREHOUSES)


@pytest.mark.parametrize("backend", sorted(DIALECTS))
@pytest.mark.parametrize("kind", [TimeKind.DATE, TimeKind.NAIVE])
def test_a_count_is_understood(backend: str, kind: TimeKind) -> None:
    """A count reads one relation by its three quoted parts, between two bounds of its time column."""
    tree = parsed(counted(kind), backend)
    (table,) = tree.find_all(exp.Table)
    assert [part.name for part in table.parts] == ["RAW", "Shop", "orders"]
    assert all(part.args.get("quoted") for part in table.parts)
    assert {column.name for column in tree.find_all(exp.Column)} >= {"at", "Country", "paid"}
    (where,) = [w for w in tree.find_all(exp.Where) if w.find(exp.Column).name == "at"]
    assert where.find(exp.GTE) is not None
    assert where.find(exp.LT) is not None
    assert tree.args["limit"].expression.this == str(5 * 11)


@pytest.mark.parametrize("backend", sorted(DIALECTS))
def test_a_volume_is_understood(backend: str) -> None:
    """The volume is one count per window, with no value beside it."""
    query = rows_per_window(("s", "t"), "at", TimeKind.DATE, [day.date() for day in BOUNDS])
    tree = parsed(query, backend)
    assert [each.alias_or_name for each in tree.selects] == ["rca_window", "rca_rows"]
    assert tree.find(exp.Count) is not None


@pytest.mark.parametrize("backend", sorted(DIALECTS))
@pytest.mark.parametrize("name", ["a.b", 'x"; DROP TABLE t; --', "100%", "%(x)s", ":y", "it's"])
def test_a_name_cannot_end_itself(backend: str, name: str) -> None:
    """Whatever a name holds, the query stays one statement with that name in it."""
    query = sa.select(named(name)).select_from(sa.table("t"))
    tree = parsed(query, backend)
    doubled = DIALECTS[backend][0].identifier_preparer._double_percents
    (column,) = tree.selects
    if backend == "bigquery":  # a dot in backticks parts a name there, and no name holds one
        name = name.rpartition(".")[2]
    assert column.name == (name.replace("%", "%%") if doubled else name)


@pytest.mark.parametrize(
    ("backend", "relation", "view"),
    [
        ("duckdb", "raw.shop.orders", "information_schema.columns"),
        ("snowflake", "raw.shop.orders", "RAW.INFORMATION_SCHEMA.COLUMNS"),
        ("snowflake", '"raw".shop.orders', "raw.INFORMATION_SCHEMA.COLUMNS"),
        ("snowflake", "shop.orders", "INFORMATION_SCHEMA.COLUMNS"),
        ("bigquery", "`my-project.shop.orders`", "my-project.shop.INFORMATION_SCHEMA.COLUMNS"),
        ("bigquery", "shop.orders", "shop.INFORMATION_SCHEMA.COLUMNS"),
        ("redshift", "raw.shop.orders", "svv_columns"),
        ("databricks", "raw.shop.orders", "raw.information_schema.columns"),
        ("databricks", "shop.orders", "information_schema.columns"),
    ],
)
def test_where_columns_are_listed(backend: str, relation: str, view: str) -> None:
    """Each warehouse lists its columns in its own place, below the database where it has one there."""
    query = columns_of(WAREHOUSES[backend], parse_relation(relation), one_table=True, limit=9)
    table = parsed(query, backend).find(exp.Table)
    assert table is not None
    assert ".".join(part.name for part in table.parts) == view


@pytest.mark.parametrize("backend", sorted(DIALECTS))
def test_a_listing_is_bounded(backend: str) -> None:
    """A listing has a limit, and asks for the schema and the table in small letters, whatever the case."""
    query = columns_of(
        WAREHOUSES[backend], parse_relation("RAW.Shop.Orders"), one_table=True, limit=9
    )
    text = written(query, backend)
    assert "LIMIT 9" in text
    assert "= 'shop'" in text
    assert "= 'orders'" in text


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("snowflake", "ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 2"),
        ("redshift", "SET statement_timeout TO 1500"),
        ("databricks", "SET STATEMENT_TIMEOUT = 2"),
    ],
)
def test_sessions_are_bounded(backend: str, said: str) -> None:
    """Where a session can bound its queries, it is told to, in whole units that are no shorter."""
    assert said in WAREHOUSES[backend].session(1.5)


@pytest.mark.parametrize("value", ["bool", "BOOLEAN", "boolean"])
def test_truth_is_never_cast(value: str) -> None:
    """A boolean becomes text without a cast, which Redshift refuses."""
    assert "CAST" not in str(value_of("paid", value))
    assert "CAST" in str(value_of("paid", "varchar"))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://u:s3cret@db.example.com:5432/shop?sslmode=require", "db.example.com/shop"),
        ("postgres://u:s3cret@db/shop", "db/shop"),
        ("duckdb:////srv/shop.duckdb", "shop.duckdb"),
        ("snowflake://u:s3cret@acme-eu/RAW/PUBLIC?warehouse=WH", "acme-eu/RAW/PUBLIC"),
        ("bigquery://my-project/shop", "my-project/shop"),
        ("redshift://u:s3cret@cluster.example.com/shop", "cluster.example.com/shop"),
        ("databricks://token:s3cret@ws.example.com?http_path=/sql/1", "ws.example.com"),
    ],
)
def test_a_place_has_no_secret(url: str, place: str) -> None:
    """What people read of an address is where it is, never who asks or with which password."""
    address = parse_address(url, "sources.shop")
    assert address.place == place
