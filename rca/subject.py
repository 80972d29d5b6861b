"""What an alert is about and what a check looks at, in the words of the causal model's contexts."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from rca.case import Anomaly, AnomalyType

VOLUME: Final = ("volume_up", "volume_down")

SUBJECTS: Final = (
    (("freshness", "recency", "staleness"), ("freshness",)),
    (("schema", "column exists", "column to exist", "column count", "table columns"), ("schema",)),
    (("row count", "row counts", "rowcount", "volume"), VOLUME),
    (
        ("dimension", "dimensions", "distribution", "distinct", "cardinality"),
        ("distribution",),
    ),
)
"""What the checks of dbt, Elementary, Soda and Great Expectations call their subject; the first that fits counts."""

_OF_VALUES: Final = re.compile(r" (source )?(not null|unique|accepted values|relationships) ")
"""How the names of dbt's own tests begin: they look at one column's values, whatever that column is called."""

_KINDS: Final = {
    AnomalyType.FRESHNESS: "freshness",
    AnomalyType.SCHEMA: "schema",
    AnomalyType.DISTRIBUTION: "distribution",
    AnomalyType.QUALITY_CHECK: "quality_check",
    AnomalyType.OTHER: "other",
}
_OF_CHECKS: Final = (AnomalyType.QUALITY_CHECK, AnomalyType.OTHER)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
MAX_NAME: Final = 1_000  # characters; a check says what it looks at long before


def kinds_of(anomaly: Anomaly) -> tuple[str, ...]:
    """Return the contexts that *anomaly* may be of: one, or both directions of a volume nobody can tell."""
    if anomaly.anomaly_type is not AnomalyType.VOLUME:
        return (_KINDS[anomaly.anomaly_type],)
    metric = anomaly.metric
    expected = metric.expected if metric is not None else None
    if metric is None or metric.observed is None or expected is None or metric.observed == expected:
        return VOLUME
    return (VOLUME[0] if metric.observed > expected else VOLUME[1],)


def subject_of(check: str, names: Collection[str] = ()) -> tuple[str, ...]:
    """Return the contexts that the name of *check* speaks of; empty when it speaks of none.

    Args:
        check: a dbt test's unique id, or what another tool calls its check.
        names: what it looks at. A table called ``fct_volume`` makes no test of it one of the volume, and what follows
            a table in the name that dbt itself gave is columns and limits.
    """
    kind, *parts = check.split(".")
    if kind == "unit_test":  # it looks at rows that its author wrote, not at the table's
        return ()
    is_dbt = kind == "test" and len(parts) > 1
    spoken = _spoken(parts[1] if is_dbt else check)
    if _OF_VALUES.match(spoken):
        return ()
    given_by_dbt = is_dbt and len(parts) > 2  # noqa: PLR2004 - package, name, and the hash that only such a name needs
    for name in sorted(map(_spoken, names), key=lambda name: (-len(name), name)):
        before, found, after = spoken.partition(name) if name.strip() else (spoken, "", "")
        if found and given_by_dbt and before.strip():
            after = ""
        spoken = f"{before} {after} " if found else spoken
    return next(
        (kinds for words, kinds in SUBJECTS if any(f" {word} " in spoken for word in words)), ()
    )


def _spoken(name: str) -> str:
    """Return the words of *name* in lower case, each between blanks: ``RowCount`` and ``row_count`` are the same."""
    return f" {' '.join(_WORD.findall(name[:MAX_NAME])).casefold()} "


def checked_subject(anomaly: Anomaly) -> tuple[str, ...]:
    """Return the contexts that the check behind *anomaly* speaks of, where the kind of the alert does not tell."""
    if anomaly.check_id is None or anomaly.anomaly_type not in _OF_CHECKS:
        return ()
    table = anomaly.dataset.rpartition(".")[2]
    return subject_of(anomaly.check_id, (anomaly.dataset, table, anomaly.column or ""))


def echoes(check: str, anomaly: Anomaly, tables: Collection[str]) -> bool:
    """Return whether *check*, a test of *tables*, looks at the very thing that *anomaly* reports.

    Then its failure is no second sign. An alert that a check itself raised is that check's failure, and no echo of it:
    what it reports is of no subject but the check.
    """
    return not frozenset(kinds_of(anomaly)).isdisjoint(subject_of(check, tables))
