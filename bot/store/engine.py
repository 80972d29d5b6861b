"""Opens the database that a URL names, with what each one needs to be durable and fast."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import Any, Final

from sqlalchemy import Connection, Dialect, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.ports import BotError

DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
BUSY_TIMEOUT_MS: Final = 30_000  # longer than the longest wait in a storm of writers
READS: Final = "rca_bot_reads"  # execution option: the transaction only reads
IDLE_S: Final = 30.0  # shorter than any proxy or firewall forgets a connection
USED: Final = "rca_bot_used"  # when a connection came back to the pool, on the monotonic clock
PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",  # without it, an acknowledgement in a storm took 2 s instead of 60 ms
    "PRAGMA synchronous=NORMAL",  # with WAL: a commit survives a killed process
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)


def create_engine(url: str) -> AsyncEngine:
    """Return the engine for *url*: ``sqlite:///FILE``, ``postgresql://…`` or ``postgres://…``.

    Nothing is connected yet.

    Raises:
        BotError: the URL is none of these.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        engine = create_async_engine(address)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    engine = create_async_engine(address, pool_size=10, max_overflow=10)
    event.listen(engine.sync_engine, "checkin", _note_use)
    event.listen(engine.sync_engine, "checkout", partial(_try_idle, engine.dialect))
    return engine


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise BotError(
            "The database's address is not a URL."
        ) from None  # its text may hold a password
    scheme = address.drivername.partition("+")[0]
    if scheme not in DRIVERS:
        raise BotError(f"I know no database named {scheme}; use sqlite:///FILE or postgresql://…")
    if scheme == "sqlite" and address.database in (None, "", ":memory:"):
        raise BotError("A SQLite database needs a file: sqlite:///FILE")
    return address.set(drivername=DRIVERS[scheme])


def _note_use(connection: object, record: ConnectionPoolEntry) -> None:  # noqa: ARG001 - the pool's signature
    record.info[USED] = monotonic()


def _try_idle(
    dialect: Dialect,
    connection: DBAPIConnection,
    record: ConnectionPoolEntry,
    proxy: object,  # noqa: ARG001 - the pool's signature
) -> None:
    """Let a connection that nobody used for a while prove that it still works.

    The pool's own pre-ping costs three round trips before every transaction.

    Raises:
        DisconnectionError: it does not; the pool opens another.
    """
    if monotonic() - record.info.get(USED, monotonic()) < IDLE_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ANN401, ARG001 - the driver's own connection
    connection.isolation_level = None  # the driver begins nothing by itself; we do, below
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its turn at once: one that first read would be refused when it comes to write."""
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
