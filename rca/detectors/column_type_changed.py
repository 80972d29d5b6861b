"""A column has another type than in the baseline.

Fires when: a column of two consecutive snapshots changed its type. It weighs more when a model reads the column, when
the alert names it, and when models that read it have failed since.
Abstains when: there are fewer than two snapshots, or a type is not known.
Looks like it but is not: the same type in other words or with another length, a wider number.
"""

from __future__ import annotations

from typing import Final

from rca.case import FactKind
from rca.detection import Answer, Detector
from rca.evidence import ColumnTypeChangedEvidence, SignalCode
from rca.schema_reading import Weighed, schema_signal
from rca.view import CaseView


def detect(view: CaseView) -> Answer:
    """Return the most telling change of this kind, or None when the columns are as they were."""
    return schema_signal(view, "type_changed", _evidence)


def _evidence(weighed: Weighed) -> ColumnTypeChangedEvidence:
    return ColumnTypeChangedEvidence(
        column_changes=weighed.step.changes,
        current_columns=weighed.step.now,
        baseline_columns=weighed.step.before,
        correlated_dbt_failures=weighed.broken,
    )


DETECTOR: Final = Detector(
    code=SignalCode.COLUMN_TYPE_CHANGED, reads=(FactKind.COLUMN_SNAPSHOTS,), detect=detect
)
