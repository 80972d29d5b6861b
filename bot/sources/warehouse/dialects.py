"""What differs between warehouses, one row each: where columns are listed, and how a session is kept in bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.ports import BotError
from bot.sources.warehouse.windows import TimeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """One kind of warehouse.

    ``columns_view``: where its columns are listed, below the database (and for BigQuery the dataset) of the
    relation. ``session``: statements that bound every query of a session to so many seconds; none where the
    driver is told, or where the query is interrupted from here. ``upper``: a name without quotes is kept in
    capitals. ``hides``: schemas of the warehouse's own.
    """

    backend: str
    title: str
    extra: str | None
    drivername: str
    columns_view: tuple[str, ...] = ("information_schema", "columns")
    below_schema: bool = False
    upper: bool = False
    plain_timestamp: TimeKind = TimeKind.NAIVE
    quote: str = '"'
    session: Callable[[float], tuple[str, ...]] = lambda _seconds: ()
    hides: tuple[str, ...] = ("information_schema",)


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))


WAREHOUSES: Final[Mapping[str, Warehouse]] = {
    each.backend: each
    for each in (
        Warehouse(
            backend="postgresql",
            title="PostgreSQL",
            extra=None,
            drivername="postgresql+asyncpg",
            columns_view=("pg_catalog",),
            hides=("information_schema", "pg_catalog"),
        ),
        Warehouse(backend="duckdb", title="DuckDB", extra="duckdb", drivername="duckdb"),
        Warehouse(
            backend="snowflake",
            title="Snowflake",
            extra="snowflake",
            drivername="snowflake",
            columns_view=("INFORMATION_SCHEMA", "COLUMNS"),
            upper=True,
            session=lambda seconds: (
                f"ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {_whole(seconds)}",
                "ALTER SESSION SET TIMEZONE = 'UTC'",
            ),
        ),
        Warehouse(
            backend="bigquery",
            title="BigQuery",
            extra="bigquery",
            drivername="bigquery",
            columns_view=("INFORMATION_SCHEMA", "COLUMNS"),
            below_schema=True,
            plain_timestamp=TimeKind.AWARE,
            quote="`",
        ),
        Warehouse(
            backend="redshift",
            title="Redshift",
            extra="redshift",
            drivername="redshift+redshift_connector",
            # information_schema leaves out late-binding views, which is what dbt makes.
            columns_view=("svv_columns",),
            session=lambda seconds: (f"SET statement_timeout TO {_whole(seconds * 1_000)}",),
            hides=("information_schema", "pg_catalog", "pg_internal"),
        ),
        Warehouse(
            backend="databricks",
            title="Databricks",
            extra="databricks",
            drivername="databricks",
            plain_timestamp=TimeKind.AWARE,
            quote="`",
            session=lambda seconds: (
                f"SET STATEMENT_TIMEOUT = {_whole(seconds)}",
                "SET TIME ZONE 'UTC'",
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A warehouse and how to get there; ``place`` is what people may read: no user, no password."""

    warehouse: Warehouse
    url: URL
    place: str


def parse_address(text: str, where: str) -> Address:
    """Return the warehouse that SQLAlchemy's URL *text* names.

    Args:
        text: the URL, with the password in it.
        where: who says so, to begin the error with: ``sources.shop``.

    Raises:
        BotError: it is no URL, or of a warehouse that is not known; the text never holds the URL.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise BotError(
            f"{where}: the warehouse's address is not a URL like postgresql://…"
        ) from None
    backend = url.get_backend_name()
    backend = "postgresql" if backend == "postgres" else backend
    warehouse = WAREHOUSES.get(backend)
    if warehouse is None:
        known = ", ".join(sorted(WAREHOUSES))
        raise BotError(f"{where}: I know no warehouse named {backend!r}; there are {known}")
    if backend == "duckdb" and url.database in (None, "", ":memory:"):
        raise BotError(f"{where}: DuckDB needs a file: duckdb:////folder/shop.duckdb")
    return Address(
        warehouse=warehouse,
        url=url.set(drivername=warehouse.drivername),
        place=_place(backend, url),
    )


def _place(backend: str, url: URL) -> str:
    if backend == "duckdb":
        return (url.database or "").rpartition("/")[2]
    folder = url.query.get("host")
    host = url.host or (folder if isinstance(folder, str) else None) or "localhost"
    return f"{host}/{url.database}" if url.database else host
