"""Runs steps on the connection that ``bot.store.migrate`` hands over, in its transaction and under its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alembic import context
from sqlalchemy import Connection, MetaData

from bot.jobs.table import JOBS_METADATA
from bot.store.tables import METADATA

if TYPE_CHECKING:
    from alembic.runtime.environment import NameFilterParentNames, NameFilterType

QUEUE: Final = "pgqueuer"  # tables of the queue's own, which it looks after itself


def tables_of(dialect: str) -> list[MetaData]:
    """Return what the database should hold: the embedded queue's table belongs to SQLite alone."""
    return [METADATA, JOBS_METADATA] if dialect == "sqlite" else [METADATA]


def is_ours(name: str | None, type_: NameFilterType, _parents: NameFilterParentNames) -> bool:
    """Whether a thing found in the database is for us to compare."""
    return not (type_ == "table" and name is not None and name.startswith(QUEUE))


def run(connection: Connection) -> None:
    """Run the steps; whoever handed the connection over commits."""
    dialect = connection.dialect.name
    context.configure(
        connection=connection,
        target_metadata=tables_of(dialect),
        include_name=is_ours,
        transactional_ddl=True,  # SQLite's is, too, since we begin its transactions ourselves
        render_as_batch=dialect == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
