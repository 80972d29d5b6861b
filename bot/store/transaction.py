"""One short transaction: what is written in it, and the jobs that are submitted with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.ports import Job, Jobs
from bot.store.engine import READS
from bot.store.tables import TIMELINE
from bot.turns import turn_of

Choose = Callable[[ReadOnlyColumnCollection[str, Any]], Mapping[str, ColumnElement[Any]]]


class Writing:
    """A transaction that writes; what ``wake`` was told is submitted as its last act."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.jobs: dict[tuple[str, datetime | None], Job] = {}

    def wake(self, *jobs: Job) -> None:
        """Submit *jobs* with this transaction, each key and time once."""
        for job in jobs:
            self.jobs[job.key, job.due_at] = job

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that can say what is to happen on a conflict."""
        if self.connection.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)

    async def note(
        self,
        incident_id: str,
        at: datetime,
        what: str,
        *,
        actor: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Append to the incident's timeline."""
        await self.connection.execute(
            TIMELINE.insert().values(
                incident_id=incident_id, at=at, what=what, actor=actor, details=dict(details or {})
            )
        )

    async def upsert(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        keep: Sequence[str] = (),
        choose: Choose | None = None,
    ) -> None:
        """Insert *rows*, or overwrite those with the same primary key, except their columns *keep*.

        *choose* gets the new row's columns and returns those of them that become something else. Rows are written
        in the order of their keys: two transactions with the same rows cannot wait for each other crosswise.
        """
        if not rows:
            return
        insert = self.insert(table)
        key = [column.name for column in table.primary_key]
        changed = {
            column.name: insert.excluded[column.name]
            for column in table.columns
            if column.name not in key and column.name not in keep
        }
        chosen = choose(insert.excluded) if choose else {}
        statement = insert.on_conflict_do_update(index_elements=key, set_={**changed, **chosen})
        in_order = sorted(rows, key=lambda row: tuple(row[name] for name in key))
        await self.connection.execute(statement, [dict(row) for row in in_order])


class Database:
    """Begins transactions; on SQLite writers of this process queue here, in order, instead of polling the file."""

    def __init__(self, engine: AsyncEngine, jobs: Jobs) -> None:
        self._engine = engine
        self._readers = engine.execution_options(**{READS: True})
        self._jobs = jobs
        self._turn = turn_of(engine)

    @asynccontextmanager
    async def writing(self, *, urgent: bool = False) -> AsyncIterator[Writing]:
        """Yield one transaction; its changes and its jobs are committed together, or neither.

        An urgent one overtakes those that wait: somebody outside holds the line until it is committed.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._turn.taken(urgent=urgent))
            connection = await stack.enter_async_context(self._engine.begin())
            writing = Writing(connection)
            yield writing
            if writing.jobs:
                await self._jobs.submit(connection, tuple(writing.jobs.values()))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection within a transaction that writes nothing."""
        async with self._readers.begin() as connection:
            yield connection
