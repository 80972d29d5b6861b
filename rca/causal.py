"""What causes what: how often each fault occurs, how it announces itself, and which other signals it drags along.

Every number is a probability that an engineer can argue about, written down once.
They are rounded on purpose: the fine tuning is left to a few multiplicative weights that are fitted (calibration.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from rca.evidence import Cause, SignalCode

S = SignalCode

PRIOR: Final[Mapping[SignalCode, float]] = MappingProxyType(
    {
        S.SYNC_FAILURE: 0.17,
        S.PARTIAL_SYNC: 0.09,
        S.LONG_RUNNING_SYNC: 0.04,
        S.MISSING_SYNC: 0.04,
        S.COLUMN_REMOVED: 0.07,
        S.COLUMN_TYPE_CHANGED: 0.06,
        S.UNEXPECTED_COLUMN: 0.04,
        S.DBT_MODEL_FAILURE: 0.11,
        S.PASS_TO_FAIL: 0.06,
        S.EXECUTION_TIME_REGRESSION: 0.04,
        S.DISTRIBUTION_DRIFT: 0.11,
        S.CARDINALITY_EXPLOSION: 0.05,
        S.NEW_VALUES_APPEARING: 0.05,
    }
)
"""How often an alert's cause is one that announces itself by this signal; the rest has no cause in the pipeline."""

PRIOR_NONE: Final = 0.08  # promotions, quiet days, false alarms
PRIOR_TWO: Final = 0.05  # share of the alerts with two independent causes

SENSITIVITY: Final[Mapping[SignalCode, float]] = MappingProxyType(
    {
        S.SYNC_FAILURE: 0.99,
        S.PARTIAL_SYNC: 0.93,
        S.LONG_RUNNING_SYNC: 0.98,
        S.MISSING_SYNC: 0.99,
        S.COLUMN_REMOVED: 0.99,
        S.COLUMN_TYPE_CHANGED: 0.99,
        S.UNEXPECTED_COLUMN: 0.99,
        S.DBT_MODEL_FAILURE: 0.99,
        S.PASS_TO_FAIL: 0.98,
        S.EXECUTION_TIME_REGRESSION: 0.98,
        S.DISTRIBUTION_DRIFT: 0.97,
        S.CARDINALITY_EXPLOSION: 0.98,
        S.NEW_VALUES_APPEARING: 0.97,
    }
)
"""How often a detector that can look sees the fault that is there.

As measured: of 371 such faults in the cases for tuning two were not seen, a drift and a new value; of 100 partial
syncs of another making eleven showed by no signal of theirs, so that theirs lies between (docs/accuracy.md).
"""

SYMPTOMS: Final[Mapping[SignalCode, tuple[float, ...]]] = MappingProxyType(
    {
        S.SYNC_FAILURE:              (0.00, 0.30, 0.05, 0.10, 0.00, 0.00, 0.00, 0.01, 0.40, 0.00, 0.15, 0.00, 0.00),
        S.PARTIAL_SYNC:              (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.01, 0.45, 0.00, 0.45, 0.02, 0.00),
        S.LONG_RUNNING_SYNC:         (0.00, 0.25, 0.00, 0.10, 0.00, 0.00, 0.00, 0.00, 0.25, 0.00, 0.08, 0.00, 0.00),
        S.MISSING_SYNC:              (0.00, 0.30, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.30, 0.00, 0.10, 0.00, 0.00),
        S.COLUMN_REMOVED:            (0.00, 0.00, 0.00, 0.00, 0.00, 0.25, 0.35, 0.15, 0.35, 0.00, 0.30, 0.00, 0.10),
        S.COLUMN_TYPE_CHANGED:       (0.00, 0.00, 0.00, 0.00, 0.25, 0.00, 0.25, 0.15, 0.35, 0.00, 0.25, 0.00, 0.10),
        S.UNEXPECTED_COLUMN:         (0.00, 0.00, 0.00, 0.00, 0.15, 0.15, 0.00, 0.15, 0.25, 0.00, 0.00, 0.00, 0.00),
        S.DBT_MODEL_FAILURE:         (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.20, 0.05, 0.20, 0.00, 0.00),
        S.PASS_TO_FAIL:              (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.03, 0.30, 0.00, 0.00),
        S.EXECUTION_TIME_REGRESSION: (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.10, 0.00, 0.00, 0.00, 0.00),
        S.DISTRIBUTION_DRIFT:        (0.00, 0.25, 0.00, 0.00, 0.00, 0.00, 0.00, 0.02, 0.40, 0.00, 0.00, 0.05, 0.10),
        S.CARDINALITY_EXPLOSION:     (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.02, 0.40, 0.10, 0.50, 0.00, 0.80),
        S.NEW_VALUES_APPEARING:      (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.02, 0.40, 0.00, 0.60, 0.15, 0.00),
    }
)  # fmt: skip
"""P(the column's signal shows as a consequence | the row's fault is the cause); columns in the order of SignalCode."""

LINKED: Final = 0.70  # P(consequence | cause) where lineage or a name ties this very consequence to this very cause
BY_SAME_CODE: Final = 0.5  # factor on shares that moved, laid to failing tests: the same code built other shares before
WRONG_ORDER: Final = (
    0.30  # factor on a symptom that surely began before its cause: clocks and windows are coarse
)

CONTEXTS: Final = (
    "volume_up",
    "volume_down",
    "freshness",
    "schema",
    "distribution",
    "quality_check",
    "other",
)

CONTEXT: Final[Mapping[SignalCode | None, tuple[float, ...]]] = MappingProxyType(
    {
        S.SYNC_FAILURE: (0.01, 0.45, 0.35, 0.004, 0.02, 0.12, 0.04),
        S.PARTIAL_SYNC: (0.01, 0.65, 0.05, 0.004, 0.05, 0.20, 0.03),
        S.LONG_RUNNING_SYNC: (0.01, 0.18, 0.70, 0.004, 0.02, 0.05, 0.03),
        S.MISSING_SYNC: (0.01, 0.30, 0.58, 0.004, 0.02, 0.05, 0.03),
        S.COLUMN_REMOVED: (0.01, 0.03, 0.05, 0.48, 0.12, 0.25, 0.06),
        S.COLUMN_TYPE_CHANGED: (0.01, 0.02, 0.05, 0.43, 0.13, 0.31, 0.05),
        S.UNEXPECTED_COLUMN: (0.01, 0.02, 0.02, 0.62, 0.02, 0.18, 0.13),
        S.DBT_MODEL_FAILURE: (0.01, 0.25, 0.42, 0.004, 0.02, 0.20, 0.09),
        S.PASS_TO_FAIL: (0.02, 0.07, 0.02, 0.004, 0.08, 0.75, 0.05),
        S.EXECUTION_TIME_REGRESSION: (0.01, 0.03, 0.85, 0.004, 0.01, 0.03, 0.06),
        S.DISTRIBUTION_DRIFT: (0.03, 0.12, 0.01, 0.004, 0.45, 0.30, 0.08),
        S.CARDINALITY_EXPLOSION: (0.13, 0.01, 0.01, 0.004, 0.27, 0.54, 0.03),
        S.NEW_VALUES_APPEARING: (0.02, 0.01, 0.01, 0.004, 0.42, 0.47, 0.06),
        None: (0.34, 0.22, 0.18, 0.006, 0.10, 0.11, 0.04),
    }
)
"""P(kind of anomaly | the row's fault); the key None is the row without a cause. Columns as in ``CONTEXTS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The causal tables with the few weights that calibration may move.

    ``weights`` multiply a cause's own evidence, ``offsets`` shift its prior in natural-log units, ``sharpness``
    scales all evidence at once (below 1: more careful).
    """

    weights: Mapping[Cause, float] = field(default_factory=lambda: dict.fromkeys(Cause, 1.0))
    offsets: Mapping[Cause, float] = field(default_factory=lambda: dict.fromkeys(Cause, 0.0))
    sharpness: float = 1.6


SHIPPED: Final = Model()
