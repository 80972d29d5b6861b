"""Facts become rows of their tables, and rows become facts again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rca.case import (
    Case,
    ColumnSnapshot,
    Dataset,
    DbtRun,
    DimensionProfile,
    DqResult,
    FactKind,
    IngestionJob,
    JobStatus,
    Lineage,
    PeerError,
    SegmentProfile,
    VolumeWindow,
)

Values = dict[str, Any]
FactRow = Mapping[Any, Any]

NOT_OVER: Final = frozenset({JobStatus.RUNNING, JobStatus.PENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose facts, of which dataset and connector, and when they were read."""

    tenant_id: str
    dataset: str
    connector_id: str
    read_at: datetime

    @property
    def key(self) -> Values:
        """The columns every fact table but the jobs' begins with."""
        return {"tenant_id": self.tenant_id, "dataset": self.dataset}


def connector_of(entry: Dataset, jobs: Iterable[IngestionJob] = ()) -> str:
    """Return the connector that fills the dataset; one that nobody named is called after the dataset."""
    named = (job.connector_id for job in jobs if job.connector_id)
    return entry.connector_id or next(named, f"dataset:{entry.name}")


# ── facts to rows ─────────────────────────────────────────────────────────────────────────────────────────


def rows_of(fact: FactKind, case: Case, owner: Owner) -> list[Values] | None:
    """Return the rows of one kind of fact; None when the case does not know it.

    The tenant is always the case's own: no file writes into another's tables.
    """
    found = getattr(case, fact)
    if found is None:
        return None
    facts = (found,) if isinstance(found, Lineage) else found
    return [_ROW_OF[fact](one, owner) for one in facts]


def _job_row(job: IngestionJob, owner: Owner) -> Values:
    own = {"tenant_id": owner.tenant_id, "connector_id": job.connector_id or owner.connector_id}
    return job.model_dump() | own


def _snapshot_row(snapshot: ColumnSnapshot, owner: Owner) -> Values:
    columns = [column.model_dump(mode="json") for column in snapshot.columns]
    return owner.key | {"captured_at": snapshot.captured_at, "columns": columns}


def _dbt_row(run: DbtRun, owner: Owner) -> Values:
    values = run.model_dump(exclude={"results", "invocation_id"})
    results = [result.model_dump(mode="json") for result in run.results]
    return owner.key | values | {"invocation_id": run.invocation_id or "", "results": results}


def _lineage_row(lineage: Lineage, owner: Owner) -> Values:
    return owner.key | {"lineage": lineage.model_dump(mode="json")}


def _dq_row(result: DqResult, owner: Owner) -> Values:
    values = result.model_dump(exclude={"context_metadata"}) | {
        "context_metadata": result.model_dump(mode="json")["context_metadata"]
    }
    return values | {
        "tenant_id": owner.tenant_id,
        "dataset": result.dataset or owner.dataset,
    }


def _volume_row(window: VolumeWindow, owner: Owner) -> Values:
    return owner.key | window.model_dump() | {"read_at": owner.read_at}


def _dimension_row(profile: DimensionProfile, owner: Owner) -> Values:
    return owner.key | profile.model_dump() | {"read_at": owner.read_at}


def _segment_row(profile: SegmentProfile, owner: Owner) -> Values:
    return owner.key | {
        "dimensions": json.dumps(profile.dimensions),
        "window_start": profile.window_start,
        "window_end": profile.window_end,
        "rows": profile.model_dump(mode="json")["rows"],
        "read_at": owner.read_at,
    }


def _peer_row(error: PeerError, owner: Owner) -> Values:
    return owner.key | {
        "peer_tenant_id": error.tenant_id,
        "connector_id": error.connector_id or "",
        "error_code": error.error_code or "",
        "source_kind": error.source_kind,
        "last_at": error.last_at,
    }


_ROW_OF: Final[Mapping[FactKind, Any]] = {
    FactKind.INGESTION_JOBS: _job_row,
    FactKind.COLUMN_SNAPSHOTS: _snapshot_row,
    FactKind.DBT_RUNS: _dbt_row,
    FactKind.LINEAGE: _lineage_row,
    FactKind.DQ_RESULTS: _dq_row,
    FactKind.VOLUME_HISTORY: _volume_row,
    FactKind.DIMENSION_PROFILES: _dimension_row,
    FactKind.SEGMENT_PROFILES: _segment_row,
    FactKind.PEER_ERRORS: _peer_row,
}


# ── rows to facts ─────────────────────────────────────────────────────────────────────────────────────────


def job(row: FactRow, as_of: datetime) -> IngestionJob:
    """Return the sync as it was known at *as_of*: one that ended later was still running, its outcome unknown."""
    whole = IngestionJob.model_validate(dict(row))
    if whole.finished_at is None or whole.finished_at <= as_of:
        return whole
    return IngestionJob(
        id=whole.id,
        tenant_id=whole.tenant_id,
        connector_id=whole.connector_id,
        status=JobStatus.RUNNING,
        started_at=whole.started_at,
    )


def dbt_run(row: FactRow, _as_of: datetime) -> DbtRun:
    """Return one dbt invocation."""
    return DbtRun.model_validate({**row, "invocation_id": row["invocation_id"] or None})


def lineage(row: FactRow, _as_of: datetime) -> Lineage:
    """Return the graph that was read, with the edges that were sent to us."""
    read, pushed = Lineage.model_validate(row["lineage"]), row["pushed"]
    return joined(read, Lineage.model_validate(pushed)) if pushed else read


def joined(one: Lineage, other: Lineage) -> Lineage:
    """Return what either graph says; where both describe one exposure, the second one's word stands."""
    exposures = {
        each.unique_id: each for each in (*(one.exposures or ()), *(other.exposures or ()))
    }
    unknown = one.exposures is None and other.exposures is None
    critical = one.critical_models is None and other.critical_models is None
    return Lineage(
        parents=_both(one.parents, other.parents),
        columns_used=_both(one.columns_used or {}, other.columns_used or {}) or None,
        critical_models=None
        if critical
        else tuple(dict.fromkeys((*(one.critical_models or ()), *(other.critical_models or ())))),
        exposures=None if unknown else tuple(exposures.values()),
    )


def _both(
    one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    keys = dict.fromkeys((*one, *other))
    return {key: tuple(dict.fromkeys((*one.get(key, ()), *other.get(key, ())))) for key in keys}


def segment_profile(row: FactRow, _as_of: datetime) -> SegmentProfile:
    """Return one profile of combinations."""
    return SegmentProfile.model_validate({**row, "dimensions": json.loads(row["dimensions"])})


def peer_error(row: FactRow, _as_of: datetime) -> PeerError:
    """Return one error of somebody else."""
    return PeerError(
        tenant_id=row["peer_tenant_id"],
        connector_id=row["connector_id"] or None,
        source_kind=row["source_kind"],
        error_code=row["error_code"] or None,
        last_at=row["last_at"],
    )
