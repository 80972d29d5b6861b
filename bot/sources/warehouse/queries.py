"""Runs queries that only read: never more at once than agreed, none longer than agreed, none left running."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.ports import BotError
from bot.sources.warehouse.dialects import Address
from bot.sources.warehouse.failures import QueryError, described

SERVER_FIRST_S: Final = 2.0  # the server ends a query by itself; only one that is gone needs us
CONNECT_S: Final = 10.0
RECYCLE_S: Final = 600  # a proxy or a firewall forgets connections that nobody uses
APPLICATION: Final = "rca-bot"

Rows = Sequence[tuple[Any, ...]]


class Queries(Protocol):
    """Runs queries on one warehouse."""

    async def run(self, query: sa.Select[Any]) -> Rows:
        """Return all rows of *query*. Raises QueryError that says what came back instead."""


@asynccontextmanager
async def open_queries(address: Address, at_once: int, limit_s: float) -> AsyncIterator[Queries]:
    """Yield what runs queries at *address*; nothing is connected before the first.

    Args:
        address: the warehouse.
        at_once: the most queries that run at one time; others wait.
        limit_s: the longest that one runs, in seconds, waiting not counted.

    Raises:
        BotError: the warehouse's driver is not installed.
    """
    try:
        if address.warehouse.backend == "postgresql":
            queries: _Postgres | _InThreads = _Postgres(address, at_once, limit_s)
        else:
            queries = _InThreads(address, at_once, limit_s)
    except (ImportError, NoSuchModuleError):
        wanted = address.warehouse.extra
        raise BotError(
            f"{address.warehouse.title} needs its driver: pip install 'rca-bot[{wanted}]'"
        ) from None
    try:
        yield queries
    finally:
        await queries.close()


class _Postgres:
    """Queries on PostgreSQL, in transactions that can only read and that end by themselves."""

    def __init__(self, address: Address, at_once: int, limit_s: float) -> None:
        self._address = address
        self._limit_s = limit_s
        self._slots = asyncio.Semaphore(at_once)
        self._engine = _postgres_engine(address, at_once)

    async def run(self, query: sa.Select[Any]) -> Rows:
        async with self._slots:
            try:
                async with asyncio.timeout(self._limit_s + SERVER_FIRST_S):
                    return await self._run(query)
            except Exception as error:  # noqa: BLE001 - drivers raise what they like
                raise described(error, self._address.url, self._limit_s) from None

    async def _run(self, query: sa.Select[Any]) -> Rows:
        limit_ms = str(round(self._limit_s * 1_000))
        async with self._engine.connect() as connection:
            await connection.execute(
                sa.select(sa.func.set_config("statement_timeout", limit_ms, sa.true()))
            )
            return [tuple(row) for row in await connection.execute(query)]

    async def close(self) -> None:
        await self._engine.dispose()


def _postgres_engine(address: Address, at_once: int) -> AsyncEngine:
    query = dict(address.url.query)
    tls = query.pop("sslmode", None)  # libpq's word for what asyncpg calls ssl
    if tls is not None:
        query["ssl"] = tls
    return create_async_engine(
        address.url.set(query=query),
        pool_size=at_once,
        max_overflow=0,
        pool_pre_ping=True,
        pool_recycle=RECYCLE_S,
        execution_options={"postgresql_readonly": True},
        connect_args={
            "timeout": CONNECT_S,
            # Every query is another one, and PgBouncer hands a session's statements to strangers.
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "server_settings": {"application_name": APPLICATION},
        },
    )


@dataclass(slots=True, eq=False)
class _Running:
    """One query in a thread, so that it can be ended from outside."""

    connection: DBAPIConnection | None = None
    ended: bool = False
    lock: Lock = field(default_factory=Lock)

    def begin(self, connection: DBAPIConnection | None) -> None:
        with self.lock:
            if self.ended:
                raise QueryError("stopped before it began")
            self.connection = connection

    def end(self) -> None:
        """Interrupt the query where the driver can; elsewhere the session's own limit ends it."""
        with self.lock:
            self.ended = True
            interrupt = getattr(self.connection, "interrupt", None)
            if interrupt is not None:
                with suppress(Exception):  # it has just ended by itself
                    interrupt()

    def done(self) -> None:
        with self.lock:
            self.connection = None


class _InThreads:
    """Queries through drivers that block, each in a thread of our own; a slot is free when its thread is."""

    def __init__(self, address: Address, at_once: int, limit_s: float) -> None:
        self._address = address
        self._limit_s = limit_s
        self._slots = asyncio.Semaphore(at_once)
        self._engine = _blocking_engine(address, at_once, limit_s)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="warehouse")
        self._running: set[_Running] = set()

    async def run(self, query: sa.Select[Any]) -> Rows:
        await self._slots.acquire()
        loop = asyncio.get_running_loop()
        running = _Running()
        job: Future[Rows] = self._threads.submit(self._run, query, running)
        job.add_done_callback(lambda _: _release(loop, self._slots))
        try:
            async with asyncio.timeout(self._limit_s):
                return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            running.end()
            raise
        except Exception as error:  # noqa: BLE001 - drivers raise what they like
            running.end()
            raise described(error, self._address.url, self._limit_s) from None

    def _run(self, query: sa.Select[Any], running: _Running) -> Rows:
        self._running.add(running)
        try:
            with self._engine.connect() as connection:
                running.begin(connection.connection.dbapi_connection)
                for statement in self._address.warehouse.session(self._limit_s):
                    connection.exec_driver_sql(statement)
                rows = [tuple(row) for row in connection.execute(query)]
                running.done()  # a connection that goes back is not to be interrupted
                return rows
        finally:
            running.done()
            self._running.discard(running)

    async def close(self) -> None:
        for running in tuple(self._running):
            running.end()
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        await asyncio.to_thread(self._engine.dispose)


def _release(loop: asyncio.AbstractEventLoop, slots: asyncio.Semaphore) -> None:
    with suppress(RuntimeError):  # the loop is closed, and with it everybody who waits
        loop.call_soon_threadsafe(slots.release)


def _blocking_engine(address: Address, at_once: int, limit_s: float) -> sa.Engine:
    if address.warehouse.backend == "duckdb":
        # Whoever writes the file needs it alone: we hold it for no longer than a query.
        return sa.create_engine(address.url, poolclass=NullPool, connect_args={"read_only": True})
    engine = sa.create_engine(
        address.url, pool_size=at_once, max_overflow=0, pool_pre_ping=True, pool_recycle=RECYCLE_S
    )
    if address.warehouse.backend == "bigquery":
        _bound_bigquery(engine, limit_s)
    return engine


def _bound_bigquery(engine: sa.Engine, limit_s: float) -> None:
    """BigQuery has no sessions to bound: its client is told how long a job may take."""
    bigquery: Any = importlib.import_module("google.cloud.bigquery")

    @event.listens_for(engine, "do_connect")
    def tell(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> None:  # noqa: ANN401 - SQLAlchemy's own
        client = named["client"]
        config = client.default_query_job_config or bigquery.QueryJobConfig()
        config.job_timeout_ms = round(limit_s * 1_000)
        client.default_query_job_config = config
