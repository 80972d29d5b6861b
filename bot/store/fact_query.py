"""One query per kind of fact: what was known at one instant, within the reach of a baseline, the oldest first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Table, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from bot.store import fact_rows
from bot.store.fact_rows import Owner
from bot.store.fact_tables import (
    COLUMN_SNAPSHOTS,
    DBT_RUNS,
    DIMENSION_PROFILES,
    DQ_RESULTS,
    INGESTION_JOBS,
    LINEAGES,
    PEER_ERRORS,
    SEGMENT_PROFILES,
    VOLUME_WINDOWS,
)
from rca.case import (
    ColumnSnapshot,
    DimensionProfile,
    DqResult,
    FactKind,
    Lineage,
    VolumeWindow,
)

REACH: Final = timedelta(
    days=90
)  # ours: a quarter shows weekdays and month ends, and bounds the case
MOST_JOBS: Final = 200  # ours: a connector that syncs every hour is seen for a week
MOST_RUNS: Final = 60  # ours: a run holds a result for every node of its project
MOST_SNAPSHOTS: Final = 100
MOST_RESULTS: Final = 500
MOST_WINDOWS: Final = 2_500  # ours: hourly windows over the reach

ReadFact = Callable[[AsyncConnection, Owner, datetime], Awaitable[object]]


async def read_fact(
    connection: AsyncConnection, fact: FactKind, owner: Owner, as_of: datetime
) -> object:
    """Return the dataset's facts of one kind that were known at *as_of*, typed as in a case."""
    return await _READ[fact](connection, owner, as_of)


async def _newest(
    connection: AsyncConnection,
    table: Table,
    where: ColumnElement[bool],
    order: ColumnElement[datetime],
    limit: int,
) -> Sequence[Row[Any]]:
    """The newest *limit* rows, in ascending *order*."""
    found = await connection.execute(
        select(table)
        .where(where)
        .order_by(order.desc(), *(column.desc() for column in table.primary_key))
        .limit(limit)
    )
    return tuple(reversed(found.all()))


def _within(table: Table, owner: Owner, at: ColumnElement[datetime], as_of: datetime) -> Any:  # noqa: ANN401 - SQLAlchemy's own
    return and_(
        table.c.tenant_id == owner.tenant_id,
        table.c.dataset == owner.dataset,
        at > as_of - REACH,
        at <= as_of,
    )


async def _jobs(connection: AsyncConnection, owner: Owner, as_of: datetime) -> object:
    started_at = INGESTION_JOBS.c.started_at
    where = and_(
        INGESTION_JOBS.c.tenant_id == owner.tenant_id,
        INGESTION_JOBS.c.connector_id == owner.connector_id,
        started_at > as_of - REACH,
        started_at <= as_of,
    )
    rows = await _newest(connection, INGESTION_JOBS, where, started_at, MOST_JOBS)
    return tuple(fact_rows.job(row, as_of) for row in rows)


async def _snapshots(connection: AsyncConnection, owner: Owner, as_of: datetime) -> object:
    at = COLUMN_SNAPSHOTS.c.captured_at
    where = _within(COLUMN_SNAPSHOTS, owner, at, as_of)
    rows = await _newest(connection, COLUMN_SNAPSHOTS, where, at, MOST_SNAPSHOTS)
    return tuple(ColumnSnapshot.model_validate(_values(row)) for row in rows)


async def _dbt_runs(connection: AsyncConnection, owner: Owner, as_of: datetime) -> object:
    at = DBT_RUNS.c.dbt_generated_at
    where = _within(DBT_RUNS, owner, at, as_of)
    rows = await _newest(connection, DBT_RUNS, where, at, MOST_RUNS)
    return tuple(fact_rows.dbt_run(row) for row in rows)


async def _lineage(connection: AsyncConnection, owner: Owner, as_of: datetime) -> object:
    del as_of  # a graph has no time of its own: the last one read is the one we know
    found = await connection.execute(
        select(LINEAGES.c.lineage).where(
            LINEAGES.c.tenant_id == owner.tenant_id, LINEAGES.c.dataset == owner.dataset
        )
    )
    return Lineage.model_validate(found.scalar_one())


async def _dq_results(connection: AsyncConnection, owner: Owner, as_of: datetime) -> object:
    at = DQ_RESULTS.c.executed_at
    where = _within(DQ_RESULTS, owner, at, as_of)
    rows = await _newest(connection, DQ_RESULTS, where, at, MOST_RESULTS)
    return tuple(DqResult.model_validate(_values(row)) for row in rows)


async def _windows(
    connection: AsyncConnection, table: Table, owner: Owner, as_of: datetime
) -> Sequence[Row[Any]]:
    """Windows that were over at *as_of*, and those that were counted before they were."""
    where = and_(
        _within(table, owner, table.c.window_start, as_of),
        or_(table.c.window_end <= as_of, table.c.read_at <= as_of),
    )
    return await _newest(connection, table, where, table.c.window_start, MOST_WINDOWS)


async def _volume(connection: AsyncConnection, owner: Owner, as_of: datetime) -> object:
    rows = await _windows(connection, VOLUME_WINDOWS, owner, as_of)
    return tuple(VolumeWindow.model_validate(_values(row)) for row in rows)


async def _dimensions(connection: AsyncConnection, owner: Owner, as_of: datetime) -> object:
    rows = await _windows(connection, DIMENSION_PROFILES, owner, as_of)
    return tuple(DimensionProfile.model_validate(_values(row)) for row in rows)


async def _segments(connection: AsyncConnection, owner: Owner, as_of: datetime) -> object:
    rows = await _windows(connection, SEGMENT_PROFILES, owner, as_of)
    return tuple(fact_rows.segment_profile(row) for row in rows)


async def _peer_errors(connection: AsyncConnection, owner: Owner, as_of: datetime) -> object:
    found = await connection.execute(
        select(PEER_ERRORS)
        .where(
            PEER_ERRORS.c.tenant_id == owner.tenant_id,
            PEER_ERRORS.c.dataset == owner.dataset,
            or_(PEER_ERRORS.c.last_at.is_(None), PEER_ERRORS.c.last_at <= as_of),
        )
        .order_by(PEER_ERRORS.c.last_at, *PEER_ERRORS.primary_key.columns)
    )
    return tuple(fact_rows.peer_error(row) for row in found)


def _values(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


_READ: Final[Mapping[FactKind, ReadFact]] = {
    FactKind.INGESTION_JOBS: _jobs,
    FactKind.COLUMN_SNAPSHOTS: _snapshots,
    FactKind.DBT_RUNS: _dbt_runs,
    FactKind.LINEAGE: _lineage,
    FactKind.DQ_RESULTS: _dq_results,
    FactKind.VOLUME_HISTORY: _volume,
    FactKind.DIMENSION_PROFILES: _dimensions,
    FactKind.SEGMENT_PROFILES: _segments,
    FactKind.PEER_ERRORS: _peer_errors,
}
