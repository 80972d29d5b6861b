"""A column of the baseline is gone.

Fires when: two consecutive snapshots of the relation differ by a column that was there before. It weighs more when a
model reads the column, when the alert names it, and when models that read it have failed since.
Abstains when: there are fewer than two snapshots.
Looks like it but is not: a column that nobody reads, a removal of weeks ago, a rename of case only.
"""

from __future__ import annotations

from typing import Final

from rca.case import FactKind
from rca.detection import Answer, Detector
from rca.evidence import ColumnRemovedEvidence, SignalCode
from rca.schema_reading import Weighed, schema_signal
from rca.view import CaseView


def detect(view: CaseView) -> Answer:
    """Return the most telling change of this kind, or None when the columns are as they were."""
    return schema_signal(view, "removed", _evidence)


def _evidence(weighed: Weighed) -> ColumnRemovedEvidence:
    return ColumnRemovedEvidence(
        column_changes=weighed.step.changes,
        current_columns=weighed.step.now,
        baseline_columns=weighed.step.before,
        correlated_dbt_failures=weighed.broken,
    )


DETECTOR: Final = Detector(
    code=SignalCode.COLUMN_REMOVED, reads=(FactKind.COLUMN_SNAPSHOTS,), detect=detect
)
