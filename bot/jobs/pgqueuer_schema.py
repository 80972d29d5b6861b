"""PgQueuer's own tables, as the installed version declares them."""

from __future__ import annotations

from typing import Any

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from sqlalchemy import Connection


def install(connection: Connection) -> None:
    """Create PgQueuer's tables, types and triggers within the transaction of *connection*."""
    _script(connection, QueryBuilderEnvironment().build_install_query())


def uninstall(connection: Connection) -> None:
    """Drop all of them, and what waits in them."""
    _script(connection, QueryBuilderEnvironment().build_uninstall_query())


def _script(connection: Connection, script: str) -> None:
    """Run several statements at once: asyncpg does so only without SQLAlchemy's prepared statements."""
    raw: Any = connection.connection.dbapi_connection
    raw.run_async(lambda driver: driver.execute(script))
