"""A column appeared that the baseline does not have.

Fires when: two consecutive snapshots of the relation differ by a column that was not there before. It weighs more when
the alert names it, and when models have failed over it since.
Abstains when: there are fewer than two snapshots.
Looks like it but is not: a new column that no model reads, which is how sources usually grow.
"""

from __future__ import annotations

from typing import Final

from rca.case import FactKind
from rca.detection import Answer, Detector
from rca.evidence import SignalCode, UnexpectedColumnEvidence
from rca.schema_reading import Weighed, schema_signal
from rca.view import CaseView


def detect(view: CaseView) -> Answer:
    """Return the most telling change of this kind, or None when the columns are as they were."""
    return schema_signal(view, "added", _evidence)


def _evidence(weighed: Weighed) -> UnexpectedColumnEvidence:
    return UnexpectedColumnEvidence(
        column_changes=weighed.step.changes,
        current_columns=weighed.step.now,
        baseline_columns=weighed.step.before,
        correlated_dbt_failures=weighed.broken,
    )


DETECTOR: Final = Detector(
    code=SignalCode.UNEXPECTED_COLUMN, reads=(FactKind.COLUMN_SNAPSHOTS,), detect=detect
)
