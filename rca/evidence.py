"""The vocabulary of signals, and the evidence each one carries under the runbook's own keys.

The models are the declared evidence that the runbook's conditions are compiled against,
so a key that is renamed here breaks a runbook check and not a page at night.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from rca.case import Column, Document, ErrorCode, FactKind


class Cause(StrEnum):
    """What can break a dataset."""

    INGESTION_FAILURE = "ingestion_failure"
    SCHEMA_DRIFT = "schema_drift"
    TRANSFORMATION_REGRESSION = "transformation_regression"
    UPSTREAM_DATA_SHIFT = "upstream_data_shift"


class SignalCode(StrEnum):
    """The thirteen signals; the value is ``evidence.signal`` and the name of the detector."""

    SYNC_FAILURE = "sync_failure"
    PARTIAL_SYNC = "partial_sync"
    LONG_RUNNING_SYNC = "long_running_sync"
    MISSING_SYNC = "missing_sync"
    COLUMN_REMOVED = "column_removed"
    COLUMN_TYPE_CHANGED = "column_type_changed"
    UNEXPECTED_COLUMN = "unexpected_column"
    DBT_MODEL_FAILURE = "dbt_model_failure"
    PASS_TO_FAIL = "pass_to_fail"  # noqa: S105 - a signal, not a password
    EXECUTION_TIME_REGRESSION = "execution_time_regression"
    DISTRIBUTION_DRIFT = "distribution_drift"
    CARDINALITY_EXPLOSION = "cardinality_explosion"
    NEW_VALUES_APPEARING = "new_values_appearing"


CAUSE_OF: Final = {
    SignalCode.SYNC_FAILURE: Cause.INGESTION_FAILURE,
    SignalCode.PARTIAL_SYNC: Cause.INGESTION_FAILURE,
    SignalCode.LONG_RUNNING_SYNC: Cause.INGESTION_FAILURE,
    SignalCode.MISSING_SYNC: Cause.INGESTION_FAILURE,
    SignalCode.COLUMN_REMOVED: Cause.SCHEMA_DRIFT,
    SignalCode.COLUMN_TYPE_CHANGED: Cause.SCHEMA_DRIFT,
    SignalCode.UNEXPECTED_COLUMN: Cause.SCHEMA_DRIFT,
    SignalCode.DBT_MODEL_FAILURE: Cause.TRANSFORMATION_REGRESSION,
    SignalCode.PASS_TO_FAIL: Cause.TRANSFORMATION_REGRESSION,
    SignalCode.EXECUTION_TIME_REGRESSION: Cause.TRANSFORMATION_REGRESSION,
    SignalCode.DISTRIBUTION_DRIFT: Cause.UPSTREAM_DATA_SHIFT,
    SignalCode.CARDINALITY_EXPLOSION: Cause.UPSTREAM_DATA_SHIFT,
    SignalCode.NEW_VALUES_APPEARING: Cause.UPSTREAM_DATA_SHIFT,
}

FACT_OF: Final = {
    Cause.INGESTION_FAILURE: FactKind.INGESTION_JOBS,
    Cause.SCHEMA_DRIFT: FactKind.COLUMN_SNAPSHOTS,
    Cause.TRANSFORMATION_REGRESSION: FactKind.DBT_RUNS,
    Cause.UPSTREAM_DATA_SHIFT: FactKind.DIMENSION_PROFILES,
}
"""The fact without which a cause's detectors cannot look."""

Share = Annotated[float, Field(ge=0, le=1)]


class SyncFailureEvidence(Document):
    """An Airbyte sync explicitly failed."""

    signal: Literal[SignalCode.SYNC_FAILURE] = SignalCode.SYNC_FAILURE
    error_code: ErrorCode | None = None
    error_message: str | None = None
    job_id: str
    failed_since: AwareDatetime
    consecutive_failures: int
    failure_origin: str | None = None


class PartialSyncEvidence(Document):
    """A sync ran but brought far fewer rows than this connector's own history says."""

    signal: Literal[SignalCode.PARTIAL_SYNC] = SignalCode.PARTIAL_SYNC
    job_id: str | None = None
    rows_synced: int
    expected_rows: float
    drop_pct: float
    error_message: str | None = None


class LongRunningSyncEvidence(Document):
    """A sync runs, or ran, beyond twice the median duration."""

    signal: Literal[SignalCode.LONG_RUNNING_SYNC] = SignalCode.LONG_RUNNING_SYNC
    job_id: str
    running_s: float
    median_s: float
    ratio: float


class MissingSyncEvidence(Document):
    """No sync in the expected window."""

    signal: Literal[SignalCode.MISSING_SYNC] = SignalCode.MISSING_SYNC
    last_sync_at: AwareDatetime | None = None
    expected_by: AwareDatetime
    overdue_s: float


class ColumnChange(Document):
    """One column's change; ``from`` and ``to`` are types, null where the column was not there."""

    column: str
    change: Literal["removed", "added", "type_changed"]
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None


class _SchemaEvidence(Document):
    column_changes: tuple[ColumnChange, ...]
    current_columns: tuple[Column, ...]
    baseline_columns: tuple[Column, ...]
    correlated_dbt_failures: tuple[str, ...] = ()


class ColumnRemovedEvidence(_SchemaEvidence):
    """A column of the baseline is gone."""

    signal: Literal[SignalCode.COLUMN_REMOVED] = SignalCode.COLUMN_REMOVED


class ColumnTypeChangedEvidence(_SchemaEvidence):
    """A column has another type than in the baseline."""

    signal: Literal[SignalCode.COLUMN_TYPE_CHANGED] = SignalCode.COLUMN_TYPE_CHANGED


class UnexpectedColumnEvidence(_SchemaEvidence):
    """A column appeared that the baseline does not have."""

    signal: Literal[SignalCode.UNEXPECTED_COLUMN] = SignalCode.UNEXPECTED_COLUMN


class FailingModel(Document):
    """A model that failed; ``depth`` is the number of edges up from the dataset, 0 for the dataset's own node."""

    unique_id: str
    message: str | None = None
    depth: int


class DbtModelFailureEvidence(Document):
    """A model the dataset is, or is built from, failed."""

    signal: Literal[SignalCode.DBT_MODEL_FAILURE] = SignalCode.DBT_MODEL_FAILURE
    failing_models: tuple[FailingModel, ...]
    dbt_generated_at: AwareDatetime
    code_changed: bool | None = None


class Transition(Document):
    """A node's status before and after; spelled ``from`` in JSON."""

    unique_id: str
    from_: str = Field(alias="from")
    to: str


class PassToFailEvidence(Document):
    """Tests that passed now fail."""

    signal: Literal[SignalCode.PASS_TO_FAIL] = SignalCode.PASS_TO_FAIL
    transitions: tuple[Transition, ...]
    dbt_generated_at: AwareDatetime
    code_changed: bool | None = None


class ExecutionTimeRegressionEvidence(Document):
    """A model takes far longer than its own baseline."""

    signal: Literal[SignalCode.EXECUTION_TIME_REGRESSION] = SignalCode.EXECUTION_TIME_REGRESSION
    model: str
    execution_time_s: float
    baseline_s: float
    ratio: float
    dbt_generated_at: AwareDatetime


class Mover(Document):
    """A value whose share of the rows changed; shares in [0, 1], delta in [-1, 1]."""

    value: str
    baseline_share: Share
    current_share: Share
    delta: float


class MovedDimension(Document):
    """Another dimension whose shares moved in the same window; ``jsd`` in bits, the largest part of it first."""

    dimension: str
    jsd: Share
    top_movers: tuple[Mover, ...]


class DistributionDriftEvidence(Document):
    """The shares of a dimension's values differ more than this dimension's own day-to-day noise.

    ``also_moved`` are further dimensions that did, the most telling first.
    """

    signal: Literal[SignalCode.DISTRIBUTION_DRIFT] = SignalCode.DISTRIBUTION_DRIFT
    dimension: str
    jsd: Share
    top_movers: tuple[Mover, ...]
    ingestion_healthy: bool | None = None
    also_moved: tuple[MovedDimension, ...] = ()


class CardinalityExplosionEvidence(Document):
    """A dimension has far more distinct values than it used to."""

    signal: Literal[SignalCode.CARDINALITY_EXPLOSION] = SignalCode.CARDINALITY_EXPLOSION
    dimension: str
    baseline_cardinality: float
    current_cardinality: int
    cardinality_change_pct: float
    ingestion_healthy: bool | None = None


class NewValue(Document):
    """A value never seen in the baseline, with its rows and its share of the current window."""

    dimension: str
    value: str
    count: int
    share: Share


class NewValuesEvidence(Document):
    """Values appear that the baseline has never held."""

    signal: Literal[SignalCode.NEW_VALUES_APPEARING] = SignalCode.NEW_VALUES_APPEARING
    new_values: tuple[NewValue, ...]
    dimensions_affected: tuple[str, ...]
    ingestion_healthy: bool | None = None


Evidence = Annotated[
    SyncFailureEvidence
    | PartialSyncEvidence
    | LongRunningSyncEvidence
    | MissingSyncEvidence
    | ColumnRemovedEvidence
    | ColumnTypeChangedEvidence
    | UnexpectedColumnEvidence
    | DbtModelFailureEvidence
    | PassToFailEvidence
    | ExecutionTimeRegressionEvidence
    | DistributionDriftEvidence
    | CardinalityExplosionEvidence
    | NewValuesEvidence,
    Field(discriminator="signal"),
]
"""The facts that back one signal; ``model_dump(mode="json", by_alias=True)`` gives the runbook's keys."""
