"""One query per kind of fact: what was known at one instant, within the reach of a baseline, the oldest first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import BindParameter, CursorResult, Select, Table, bindparam, or_, select
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
    VolumeWindow,
)

REACH: Final = timedelta(
    days=90
)  # ours: a quarter shows weekdays and month ends, and bounds the case
MOST_JOBS: Final = 1_000  # ours: an hourly connector is seen for six weeks, over the longest outage
MOST_RUNS: Final = 60  # ours: a run holds a result for every node of its project
MOST_SNAPSHOTS: Final = 100
MOST_RESULTS: Final = 500
MOST_WINDOWS: Final = 2_500  # ours: hourly windows over the reach

_TENANT: Final[BindParameter[str]] = bindparam("tenant_id")
_DATASET: Final[BindParameter[str]] = bindparam("dataset")
_SINCE: Final[BindParameter[datetime]] = bindparam("since")
_AS_OF: Final[BindParameter[datetime]] = bindparam("as_of")


async def read_fact(
    connection: AsyncConnection, fact: FactKind, owner: Owner, as_of: datetime
) -> object:
    """Return the dataset's facts of one kind that were known at *as_of*, typed as in a case."""
    wanted = {
        "tenant_id": owner.tenant_id,
        "dataset": owner.dataset,
        "connector_id": owner.connector_id,
        "since": as_of - REACH,
        "as_of": as_of,
    }
    found = await connection.execute(_STATEMENTS[fact], wanted)
    # All rows are here already; a quarter of them costs tenths of a second that Slack does not wait for.
    facts = await asyncio.to_thread(_typed, fact, found, as_of)
    return facts[0] if fact is FactKind.LINEAGE else facts


def _typed(fact: FactKind, found: CursorResult[Any], as_of: datetime) -> tuple[BaseModel, ...]:
    """The rows as the case has them, the oldest first."""
    newest_first = found.mappings().all()
    return tuple(_READ[fact](row, as_of) for row in reversed(newest_first))


def _newest(
    table: Table, order: ColumnElement[datetime], limit: int, *where: ColumnElement[bool]
) -> Select[Any]:
    """The newest *limit* rows of the dataset that began within the reach and not after the instant."""
    return (
        select(table)
        .where(table.c.tenant_id == _TENANT, order > _SINCE, order <= _AS_OF, *where)
        .order_by(order.desc(), *(column.desc() for column in table.primary_key))
        .limit(limit)
    )


def _of_dataset(
    table: Table, order: ColumnElement[datetime], limit: int, *where: ColumnElement[bool]
) -> Select[Any]:
    return _newest(table, order, limit, table.c.dataset == _DATASET, *where)


def _windows(table: Table) -> Select[Any]:
    """Windows that were over at the instant, and those that were counted before they were."""
    known = or_(table.c.window_end <= _AS_OF, table.c.read_at <= _AS_OF)
    return _of_dataset(table, table.c.window_start, MOST_WINDOWS, known)


# Built once: building a statement costs more than running it.
_STATEMENTS: Final[Mapping[FactKind, Select[Any]]] = {
    FactKind.INGESTION_JOBS: _newest(
        INGESTION_JOBS,
        INGESTION_JOBS.c.started_at,
        MOST_JOBS,
        INGESTION_JOBS.c.connector_id == bindparam("connector_id"),
    ),
    FactKind.COLUMN_SNAPSHOTS: _of_dataset(
        COLUMN_SNAPSHOTS, COLUMN_SNAPSHOTS.c.captured_at, MOST_SNAPSHOTS
    ),
    FactKind.DBT_RUNS: _of_dataset(DBT_RUNS, DBT_RUNS.c.dbt_generated_at, MOST_RUNS),
    # A graph has no time of its own: the last one that was read is the one we know.
    FactKind.LINEAGE: select(LINEAGES).where(
        LINEAGES.c.tenant_id == _TENANT, LINEAGES.c.dataset == _DATASET
    ),
    FactKind.DQ_RESULTS: _of_dataset(DQ_RESULTS, DQ_RESULTS.c.executed_at, MOST_RESULTS),
    FactKind.VOLUME_HISTORY: _windows(VOLUME_WINDOWS),
    FactKind.DIMENSION_PROFILES: _windows(DIMENSION_PROFILES),
    FactKind.SEGMENT_PROFILES: _windows(SEGMENT_PROFILES),
    FactKind.PEER_ERRORS: select(PEER_ERRORS)
    .where(
        PEER_ERRORS.c.tenant_id == _TENANT,
        PEER_ERRORS.c.dataset == _DATASET,
        or_(PEER_ERRORS.c.last_at.is_(None), PEER_ERRORS.c.last_at <= _AS_OF),
    )
    .order_by(*(column.desc() for column in PEER_ERRORS.primary_key)),
}


def _as(model: type[BaseModel]) -> Callable[[Mapping[Any, Any], datetime], BaseModel]:
    """Facts whose columns are called as their fields are."""
    return lambda row, _as_of: model.model_validate(dict(row))


_READ: Final[Mapping[FactKind, Callable[[Mapping[Any, Any], datetime], BaseModel]]] = {
    FactKind.INGESTION_JOBS: fact_rows.job,
    FactKind.COLUMN_SNAPSHOTS: _as(ColumnSnapshot),
    FactKind.DBT_RUNS: fact_rows.dbt_run,
    FactKind.LINEAGE: fact_rows.lineage,
    FactKind.DQ_RESULTS: _as(DqResult),
    FactKind.VOLUME_HISTORY: _as(VolumeWindow),
    FactKind.DIMENSION_PROFILES: _as(DimensionProfile),
    FactKind.SEGMENT_PROFILES: fact_rows.segment_profile,
    FactKind.PEER_ERRORS: fact_rows.peer_error,
}
