"""What an alert is about and what a check looks at, in the words of the causal model's contexts."""

from __future__ import annotations

from typing import Final

from rca.case import Anomaly, AnomalyType

VOLUME: Final = ("volume_up", "volume_down")

SUBJECTS: Final = (
    (("freshness", "recency", "staleness"), ("freshness",)),
    (("schema", "column_exists", "columns"), ("schema",)),
    (("row_count", "rowcount", "volume"), VOLUME),
    (("dimension", "distribution", "distinct", "cardinality"), ("distribution",)),
)
"""What the checks of dbt, Elementary, Soda and Great Expectations call their subject; the first that fits counts."""

_KINDS: Final = {
    AnomalyType.FRESHNESS: "freshness",
    AnomalyType.SCHEMA: "schema",
    AnomalyType.DISTRIBUTION: "distribution",
    AnomalyType.QUALITY_CHECK: "quality_check",
    AnomalyType.OTHER: "other",
}
_OF_CHECKS: Final = (AnomalyType.QUALITY_CHECK, AnomalyType.OTHER)


def kinds_of(anomaly: Anomaly) -> tuple[str, ...]:
    """Return the contexts that *anomaly* may be of: one, or both directions of a volume nobody can tell."""
    if anomaly.anomaly_type is not AnomalyType.VOLUME:
        return (_KINDS[anomaly.anomaly_type],)
    metric = anomaly.metric
    expected = metric.expected if metric is not None else None
    if metric is None or metric.observed is None or expected is None or metric.observed == expected:
        return VOLUME
    return (VOLUME[0] if metric.observed > expected else VOLUME[1],)


def subject_of(check: str) -> tuple[str, ...]:
    """Return the contexts that the name of *check* speaks of; empty when it speaks of none."""
    name = check.casefold()
    return next((kinds for words, kinds in SUBJECTS if any(word in name for word in words)), ())


def checked_subject(anomaly: Anomaly) -> tuple[str, ...]:
    """Return the contexts that the check behind *anomaly* speaks of, where the kind of the alert does not tell."""
    if anomaly.check_id is None or anomaly.anomaly_type not in _OF_CHECKS:
        return ()
    return subject_of(anomaly.check_id)


def echoes(check: str, anomaly: Anomaly) -> bool:
    """Return whether *check* looks at the very thing that *anomaly* reports, so that its failure is no second sign.

    An alert that a check itself raised is that check's failure, and no echo of it.
    """
    if anomaly.anomaly_type in _OF_CHECKS:
        return False
    return not frozenset(kinds_of(anomaly)).isdisjoint(subject_of(check))
