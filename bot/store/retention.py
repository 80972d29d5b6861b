"""Removes what is old: facts, deliveries and resolved incidents; the open and the labelled stay.

No index serves the age: an hourly look that finds nothing old reads a table of 100,000 rows in 3 to 20 ms on
PostgreSQL and in 15 to 110 ms on SQLite, and every write would pay for an index.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, Table, delete, exists, select, tuple_
from sqlalchemy.sql import ColumnElement

from bot.records import InboxState, IncidentState
from bot.store import fact_tables
from bot.store.tables import (
    ALERTS,
    ANSWERS,
    DEADLINES,
    INBOX,
    INCIDENTS,
    PAGES,
    POSTS,
    ROOT_CAUSE_SIGNALS,
    TIMELINE,
)
from bot.store.transaction import Database

AT_ONCE: Final = 1_000  # rows of one transaction: a writer who waits, waits shortly
INCIDENTS_AT_ONCE: Final = 100  # each with all its rows

_AGE: Final[Mapping[Table, ColumnElement[datetime]]] = {
    fact_tables.INGESTION_JOBS: fact_tables.INGESTION_JOBS.c.started_at,
    fact_tables.COLUMN_SNAPSHOTS: fact_tables.COLUMN_SNAPSHOTS.c.captured_at,
    fact_tables.DBT_RUNS: fact_tables.DBT_RUNS.c.dbt_generated_at,
    fact_tables.DQ_RESULTS: fact_tables.DQ_RESULTS.c.executed_at,
    fact_tables.VOLUME_WINDOWS: fact_tables.VOLUME_WINDOWS.c.window_end,
    fact_tables.DIMENSION_PROFILES: fact_tables.DIMENSION_PROFILES.c.window_end,
    fact_tables.SEGMENT_PROFILES: fact_tables.SEGMENT_PROFILES.c.window_end,
    fact_tables.PEER_ERRORS: fact_tables.PEER_ERRORS.c.last_at,
}
"""When each fact happened. Lineage has no age: the last graph is the one we know."""

_PARTS: Final = (ALERTS, ROOT_CAUSE_SIGNALS, DEADLINES, PAGES, POSTS, TIMELINE)
"""What belongs to an incident, and goes with it."""


class Retention:
    """Each call removes a bounded number of rows and says how many; nought means that nothing is left to remove."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remove_facts(self, before: datetime) -> int:
        """Remove facts that happened before *before*; a diagnosis has its own copy of what it looked at."""
        counts = [await self._remove(table, age < before) for table, age in _AGE.items()]
        return sum(counts)

    async def remove_deliveries(self, before: datetime) -> int:
        """Remove closed inbox rows received before *before*, and messages to people that belong to no incident."""
        closed = INBOX.c.state != InboxState.NEW
        return await self._remove(INBOX, INBOX.c.received_at < before, closed) + await self._remove(
            POSTS, POSTS.c.created_at < before, POSTS.c.incident_id.is_(None)
        )

    async def remove_incidents(self, before: datetime) -> int:
        """Remove incidents resolved before *before*, with their diagnoses; those that people labelled stay."""
        labelled = exists().where(ANSWERS.c.incident_id == INCIDENTS.c.incident_id)
        over = (
            select(INCIDENTS.c.incident_id)
            .where(
                INCIDENTS.c.state == IncidentState.RESOLVED,
                INCIDENTS.c.resolved_at < before,
                ~labelled,
            )
            .order_by(INCIDENTS.c.resolved_at)
            .limit(INCIDENTS_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as tx:
            ids = (await tx.connection.execute(over)).scalars().all()
            for table in (*_PARTS, INCIDENTS):
                await tx.connection.execute(delete(table).where(table.c.incident_id.in_(ids)))
        return len(ids)

    async def _remove(self, table: Table, *where: ColumnElement[bool]) -> int:
        key = tuple_(*table.primary_key)
        old = select(*table.primary_key).where(*where).limit(AT_ONCE)
        async with self._database.writing() as tx:
            done: CursorResult[Any] = await tx.connection.execute(delete(table).where(key.in_(old)))
            return done.rowcount
