"""The case: one anomaly and every fact known about it at one instant (format ``rca.case/1``).

A missing key and ``null`` both mean *not known*; an empty list means *looked, found none*.
All times are aware and in words; a naive one and a number are refused with the path of their field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rca.expected import path_of, refusal
from rca.reading import InWords, NullAs, nothing_collected

CASE_FORMAT: Final = "rca.case/1"
FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)


class RcaError(Exception):
    """Something about a case, a model or an evaluation that its author can fix."""


class CaseError(RcaError):
    """A case document that cannot be used; the text names each offending field by its path."""


class AnomalyType(StrEnum):
    """What kind of anomaly the alert reports."""

    VOLUME = "volume_anomaly"
    FRESHNESS = "freshness_anomaly"
    SCHEMA = "schema_anomaly"
    DISTRIBUTION = "distribution_anomaly"
    QUALITY_CHECK = "quality_check_failure"
    OTHER = "other"


class Severity(StrEnum):
    """How bad the sender of the alert says it is, mildest first."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class JobStatus(StrEnum):
    """State of one sync of a connector."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    CANCELLED = "cancelled"
    RUNNING = "running"
    PENDING = "pending"


class ErrorCode(StrEnum):
    """Why a sync failed, classified from the connector's own words."""

    AUTH_ERROR = "auth_error"
    RATE_LIMIT = "rate_limit"
    SOURCE_TIMEOUT = "source_timeout"
    DESTINATION_TIMEOUT = "destination_timeout"
    SCHEMA_CHANGE = "schema_change"
    PARTIAL_STREAMS = "partial_streams"
    PLATFORM = "platform"
    OTHER = "other"


class FactKind(StrEnum):
    """The lists of facts a case may hold, by their key; a hole names one of them."""

    INGESTION_JOBS = "ingestion_jobs"
    COLUMN_SNAPSHOTS = "column_snapshots"
    DBT_RUNS = "dbt_runs"
    LINEAGE = "lineage"
    DQ_RESULTS = "dq_results"
    VOLUME_HISTORY = "volume_history"
    DIMENSION_PROFILES = "dimension_profiles"
    SEGMENT_PROFILES = "segment_profiles"
    PEER_ERRORS = "peer_errors"


class Document(BaseModel):
    """Base of every document here: frozen, and strict about what it holds."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


Text = Annotated[str, Field(max_length=200_000)]
Name = Annotated[str, Field(min_length=1, max_length=1_000)]
Rows = Annotated[int, Field(ge=0, le=2**63 - 1)]  # what a warehouse's BIGINT holds, and a float can
Seconds = Annotated[float, Field(ge=0)]
Instant = Annotated[datetime, InWords()]


class Metric(Document):
    """The number the alert is about, with the range that was expected, where the sender gave one."""

    name: Text | None = None
    observed: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None


class Anomaly(Document):
    """What is wrong, where and since when, as the alert says it."""

    tenant_id: Name
    dataset: Name
    anomaly_type: AnomalyType
    detected_at: Instant
    severity: Severity | None = None
    metric: Metric | None = None
    column: Text | None = None
    check_id: Text | None = None
    correlation_id: Text | None = None
    source: Text | None = None


class Dataset(Document):
    """The dataset's entry in the catalog: which connector, stream, relation and dbt node it is."""

    name: Name
    relation: Text | None = None
    connector_id: Text | None = None
    stream: Text | None = None
    dbt_node: Text | None = None
    expected_sync_interval_s: Seconds | None = None
    sync_grace_s: Seconds | None = None
    critical: bool | None = None
    merchant_facing: bool | None = None
    source_owner: Text | None = None


class IngestionJob(Document):
    """One sync of the dataset's connector; a running one has no ``finished_at``."""

    id: Name
    tenant_id: Text | None = None
    connector_id: Text | None = None
    status: JobStatus
    error_code: ErrorCode | None = None
    error_message: Text | None = None
    failure_origin: Text | None = None
    failure_type: Text | None = None
    attempts: Annotated[int, Field(ge=0)] | None = None
    started_at: Instant
    finished_at: Instant | None = None
    rows_synced: Rows | None = None
    bytes_synced: Rows | None = None


class Column(Document):
    """One column of a relation and its type, in the warehouse's own words."""

    name: Name
    type: Text | None = None


class ColumnSnapshot(Document):
    """The columns of the dataset's relation at one instant."""

    captured_at: Instant
    columns: tuple[Column, ...]


class DbtResult(Document):
    """What one node did in one dbt invocation."""

    unique_id: Name
    resource_type: Text | None = None
    status: Name
    message: Text | None = None
    execution_time_s: Seconds | None = None
    checksum: Text | None = None
    rows_affected: int | None = None


class DbtRun(Document):
    """One dbt invocation with its results."""

    invocation_id: Text | None = None
    dbt_generated_at: Instant
    command: Text | None = None
    git_sha: Text | None = None
    deployed_by: Text | None = None
    deployed_at: Instant | None = None
    results: Annotated[tuple[DbtResult, ...], NullAs(tuple)] = ()


class Exposure(Document):
    """Something people look at that depends on models: a dashboard, an export."""

    unique_id: Name
    name: Text | None = None
    depends_on: Annotated[tuple[Name, ...], NullAs(tuple)] = ()
    merchant_facing: bool | None = None


class Lineage(Document):
    """What feeds what: ``parents`` by node, columns used by node, and what people look at."""

    parents: Annotated[dict[str, tuple[str, ...]], NullAs(dict)] = Field(default_factory=dict)
    columns_used: dict[str, tuple[str, ...]] | None = None
    critical_models: tuple[str, ...] | None = None
    exposures: tuple[Exposure, ...] | None = None


class DqResult(Document):
    """The outcome of one data-quality check."""

    id: Name
    check_id: Name
    tenant_id: Text | None = None
    dataset: Text | None = None
    status: Name
    severity: Text | None = None
    context_metadata: dict[str, Any] | None = None
    executed_at: Instant
    correlation_id: Text | None = None


class VolumeWindow(Document):
    """How many rows arrived in one window of time."""

    window_start: Instant
    window_end: Instant
    rows: Rows


class DimensionProfile(Document):
    """Row counts per value of one dimension in one window; ``truncated`` when rare values were cut off."""

    dimension: Name
    window_start: Instant
    window_end: Instant
    counts: dict[str, Rows]
    truncated: Annotated[bool, NullAs(bool)] = False


class SegmentProfile(Document):
    """Row counts per combination of values of several dimensions in one window."""

    dimensions: tuple[Name, ...]
    window_start: Instant
    window_end: Instant
    rows: tuple[tuple[tuple[str | None, ...], Rows], ...]


class PeerError(Document):
    """The same kind of source failing for another tenant or connector."""

    tenant_id: Name
    connector_id: Text | None = None
    source_kind: Text | None = None
    error_code: ErrorCode | None = None
    last_at: Instant | None = None


class Hole(Document):
    """A fact that could not be read, and why."""

    fact: Name
    reason: Text


class Case(Document):
    """One anomaly and all facts at one instant: everything the engine may look at."""

    format: Literal["rca.case/1"] = CASE_FORMAT
    case_id: Name
    as_of: Instant
    anomaly: Anomaly
    dataset: Dataset | None = None
    ingestion_jobs: tuple[IngestionJob, ...] | None = None
    column_snapshots: tuple[ColumnSnapshot, ...] | None = None
    dbt_runs: tuple[DbtRun, ...] | None = None
    lineage: Lineage | None = None
    dq_results: tuple[DqResult, ...] | None = None
    volume_history: tuple[VolumeWindow, ...] | None = None
    dimension_profiles: tuple[DimensionProfile, ...] | None = None
    segment_profiles: tuple[SegmentProfile, ...] | None = None
    peer_errors: tuple[PeerError, ...] | None = None
    holes: Annotated[tuple[Hole, ...], NullAs(tuple)] = ()


def in_utc(instant: datetime) -> datetime:
    """Return the same *instant* (aware) in UTC; one that UTC's calendar does not have becomes its first or last."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return FIRST if instant.year == FIRST.year else LAST


def parse_case(raw: str | bytes | Mapping[str, Any]) -> tuple[Case, tuple[str, ...]]:
    """Read a case document.

    Args:
        raw: JSON text, or the document already read.

    Returns:
        The case, and the paths of the keys that were ignored because this version does not know them.

    Raises:
        CaseError: the document is not a case; the text names the offending fields and what each must be (at most ten).
    """
    try:
        return _validated(raw, "forbid"), ()
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
    wrong = [problem for problem in problems if problem["type"] != "extra_forbidden"]
    if wrong:
        raise CaseError(refusal(wrong))
    return _validated(raw, "ignore"), tuple(path_of(problem["loc"]) for problem in problems)


def _validated(raw: str | bytes | Mapping[str, Any], extra: Literal["forbid", "ignore"]) -> Case:
    with nothing_collected():
        if isinstance(raw, str | bytes):
            return Case.model_validate_json(raw, extra=extra)
        return Case.model_validate(raw, extra=extra)
