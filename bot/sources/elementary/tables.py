"""Reads rows of Elementary's tables: only selects, never more rows or seconds than agreed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.ports import BotError

MAX_ROWS: Final = 20_000  # of one table and dataset
MAX_REASON: Final = 300  # characters of the driver's own words
AT_ONCE: Final = 2  # queries

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "elementary_test_results": (
        *("id", "test_unique_id", "invocation_id", "detected_at", "column_name", "test_type"),
        *("test_sub_type", "test_results_description", "test_name", "test_short_name"),
        *("severity", "status", "failures"),
    ),
    "schema_columns_snapshot": ("column_name", "data_type", "detected_at"),
    "data_monitoring_metrics": (
        *("column_name", "metric_name", "metric_value", "bucket_start", "bucket_end"),
        *("updated_at", "dimension", "dimension_value", "metric_properties"),
    ),
}
"""What is read of each table; a row of data or a query's text is not among it."""

NEWEST_BY: Final[Mapping[str, str]] = {
    "elementary_test_results": "detected_at",
    "schema_columns_snapshot": "detected_at",
    "data_monitoring_metrics": "updated_at",
}

Rows = Sequence[Mapping[str, Any]]


class TableError(Exception):
    """A query that brought nothing; the text says what came back, and never a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The schema that Elementary's package fills."""

    url: URL
    schema: str
    limit_s: float
    engine: AsyncEngine | sa.Engine
    slots: asyncio.Semaphore

    async def of_relation(self, table: str, parts: Sequence[str]) -> Rows:
        """Return the newest rows about the relation whose name has *parts*, in any case.

        Raises:
            TableError: what came back instead.
        """
        source = self._table(
            table, ("full_table_name", "database_name", "schema_name", "table_name")
        )
        if table == "elementary_test_results":
            names = ("table_name", "schema_name", "database_name")
            told = zip(names, reversed([part.casefold() for part in parts]), strict=False)
            where = [sa.func.lower(source.c[name]) == part for name, part in told]
        else:
            whole = ".".join(part.casefold() for part in parts)
            name = sa.func.lower(source.c.full_table_name)
            where = [sa.or_(name == whole, name.endswith(f".{whole}", autoescape=True))]
        order = source.c[NEWEST_BY[table]].desc()
        return await self._rows(
            sa.select(*(source.c[name] for name in COLUMNS[table]))
            .where(*where)
            .order_by(order)
            .limit(MAX_ROWS)
        )

    async def relations(self) -> Rows:
        """Return every table that some test looked at. Raises TableError."""
        names = ("database_name", "schema_name", "table_name", "model_unique_id")
        source = self._table("elementary_test_results", names)
        return await self._rows(sa.select(*(source.c[n] for n in names)).distinct().limit(MAX_ROWS))

    async def one(self, table: str) -> None:
        """Try to read one row of *table*. Raises TableError."""
        source = self._table(table, ())
        await self._rows(sa.select(*(source.c[name] for name in COLUMNS[table])).limit(1))

    def _table(self, table: str, more: Sequence[str]) -> sa.TableClause:
        names = dict.fromkeys((*COLUMNS[table], *more))
        return sa.table(table, *(sa.column(name) for name in names), schema=self.schema)

    async def _rows(self, query: sa.Select[Any]) -> Rows:
        async with self.slots:
            try:
                async with asyncio.timeout(self.limit_s):
                    if isinstance(self.engine, AsyncEngine):
                        async with self.engine.connect() as connection:
                            return _named(await connection.execute(query))
                    return await asyncio.to_thread(_blocking, self.engine, query)
            except TimeoutError:
                raise TableError(f"no answer within {self.limit_s:g} s") from None
            except (sa.exc.SQLAlchemyError, OSError) as error:
                raise TableError(self._said(error)) from None

    def _said(self, error: Exception) -> str:
        """The first line of what the driver said; SQLAlchemy's own words would quote the statement."""
        if isinstance(error, sa.exc.SQLAlchemyError) and not isinstance(error, DBAPIError):
            return type(error).__name__
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        said = str(cause).strip().partition("\n")[0] or type(cause).__name__
        password = self.url.password
        return (said.replace(str(password), "***") if password else said)[:MAX_REASON]

    async def close(self) -> None:
        """Let go of every connection."""
        if isinstance(self.engine, AsyncEngine):
            await self.engine.dispose()
        else:
            await asyncio.to_thread(self.engine.dispose)


def _blocking(engine: sa.Engine, query: sa.Select[Any]) -> Rows:
    with engine.connect() as connection:
        return _named(connection.execute(query))


def _named(result: sa.Result[Any]) -> Rows:
    names = tuple(result.keys())
    return tuple(dict(zip(names, row, strict=True)) for row in result)


def open_tables(text: str, schema: str, limit_s: float, where: str) -> Tables:
    """Return the tables at SQLAlchemy's URL *text*; nothing is connected yet.

    Raises:
        BotError: it is no URL, or its driver is not installed; the text never holds the URL.
    """
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise BotError(f"{where}: the address is not a URL like postgresql://…") from None
    try:
        engine = _engine(url, limit_s)
    except (ImportError, sa.exc.NoSuchModuleError):
        name = url.get_backend_name()
        raise BotError(f"{where}: {name} needs its driver: pip install 'rca-bot[{name}]'") from None
    return Tables(
        url=url, schema=schema, limit_s=limit_s, engine=engine, slots=asyncio.Semaphore(AT_ONCE)
    )


def _engine(url: URL, limit_s: float) -> AsyncEngine | sa.Engine:
    backend = url.get_backend_name()
    if backend == "duckdb":
        # A file that is opened to write keeps dbt out of it, and one that is missing would be made.
        return sa.create_engine(url, poolclass=NullPool, connect_args={"read_only": True})
    if backend not in ("postgresql", "postgres"):
        return sa.create_engine(url, poolclass=NullPool)
    query = dict(url.query)
    tls = query.pop("sslmode", None)  # libpq's word for what asyncpg calls ssl
    if tls is not None:
        query["ssl"] = tls
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg", query=query),
        poolclass=NullPool,
        execution_options={"postgresql_readonly": True},
        connect_args={
            "timeout": limit_s,
            "statement_cache_size": 0,  # PgBouncer hands a session's statements to strangers
            "prepared_statement_cache_size": 0,
            "server_settings": {
                "application_name": "rca-bot",
                "statement_timeout": str(round(limit_s * 1_000)),
            },
        },
    )
