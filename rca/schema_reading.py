"""The reading that the three schema detectors share: which step matters, and how much each change weighs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rca.calibration import strength_of
from rca.detection import Answer, Signal, Skipped
from rca.evidence import (
    ColumnChange,
    ColumnRemovedEvidence,
    ColumnTypeChangedEvidence,
    UnexpectedColumnEvidence,
)
from rca.view import CaseView
from rca.view.columns import SchemaStep, is_harmless_type
from rca.view.dbt import is_test
from rca.view.wording import counted, listed, minute

BASE: Final = {
    "removed": 1.5,
    "type_changed": 1.5,
    "added": -0.5,
}  # ln units; a new column seldom breaks a reader
USED: Final = 1.0  # ln units; some model reads the column
UNUSED: Final = {
    "removed": -1.0,
    "type_changed": -1.0,
    "added": 0.0,
}  # ln units; nobody could be known to read a new one
NAMED: Final = 2.5  # ln units; the alert is about this very column
HARMLESS: Final = -2.0  # ln units; every value keeps its meaning
BROKE_MODELS: Final = 2.5  # ln units; a model that reads the column failed after the change
BROKE_READER: Final = (
    1.5  # ln units; a model that reads the dataset, though not known to read the column, broke
)
EACH_MORE: Final = (
    0.6  # ln units for each further telling change of the same step: a new version of the source
)
MOST_MORE: Final = 1.6  # ln units
STALE_PER_DAY: Final = (
    -0.6
)  # ln units for each day beyond the first between the change and the anomalous window
STALEST: Final = -6.0  # ln units
NAMES_SHOWN: Final = 5  # columns in the sentence; the evidence has all
MAX_STEPS: Final = 20  # newest steps of the schema; older ones are long digested
DAY_S: Final = 86_400.0
WEAKEST: Final = -3.0  # ln units; below, the change is not worth showing

SchemaEvidence = ColumnRemovedEvidence | ColumnTypeChangedEvidence | UnexpectedColumnEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A step of the schema with the weight of its changes of one kind."""

    step: SchemaStep
    changes: tuple[ColumnChange, ...]
    broken: tuple[str, ...]
    weight: float


def schema_signal(
    view: CaseView, kind: str, evidence_of: Callable[[Weighed], SchemaEvidence]
) -> Answer:
    """Return the signal of the heaviest step with changes of *kind* (removed, added, type_changed)."""
    columns = view.columns
    if columns is None:
        return None
    if columns.snapshots < 2:  # noqa: PLR2004 - a change needs a before and an after
        return Skipped(reason="fewer than two column snapshots, nothing to compare")
    candidates = [
        _weigh(view, step, kind)
        for step in columns.steps[-MAX_STEPS:]
        if step.after <= view.anomaly.detected_at
    ]
    weighed = [w for w in candidates if w is not None and w.weight > WEAKEST]
    if not weighed:
        return None
    best = max(weighed, key=lambda w: (w.weight, w.step.seen_at))
    return Signal(
        evidence=evidence_of(best),
        strength=strength_of(best.weight),
        because=_because(best, kind),
        onset=best.step.after,
        seen_at=best.step.seen_at,
    )


def _weigh(view: CaseView, step: SchemaStep, kind: str) -> Weighed | None:
    changes = tuple(change for change in step.changes if change.change == kind)
    if not changes:
        return None
    broken = failing_users(view, step)
    readers = () if broken else failing_readers(view, step)
    weight = max(_change_weight(view, change) for change in changes)
    telling = sum(not _is_harmless(change) for change in step.changes)
    weight += min(MOST_MORE, EACH_MORE * max(0, telling - 1))
    weight += BROKE_MODELS if broken else BROKE_READER if readers else 0.0
    age_days = (view.since - step.seen_at).total_seconds() / DAY_S
    weight += max(STALEST, STALE_PER_DAY * max(0.0, age_days - 1.0))
    return Weighed(step=step, changes=changes, broken=broken or readers, weight=weight)


def _change_weight(view: CaseView, change: ColumnChange) -> float:
    weight = BASE[change.change]
    named = view.names(change.column)
    used = view.lineage.uses_column(change.column)
    if not named:  # what nobody knows to be read counts as not read: a hole must not make us surer
        weight += USED if used else UNUSED[change.change]
    if named:
        weight += NAMED
    elif _is_harmless(change):
        weight += HARMLESS
    return weight


def _is_harmless(change: ColumnChange) -> bool:
    return change.change == "type_changed" and is_harmless_type(change.from_, change.to)


def failing_users(view: CaseView, step: SchemaStep) -> tuple[str, ...]:
    """Return the nodes that failed after *step* and read one of its columns, or name one in their error."""
    columns = [change.column for change in step.changes]
    users = frozenset().union(*(view.lineage.users_of(column) for column in columns))
    failures = view.dbt.failures if view.dbt is not None else ()
    after = [f.result for f in failures if f.at > step.after]
    hit = (r.unique_id for r in after if r.unique_id in users or _mentions(r.message, columns))
    return tuple(dict.fromkeys(hit))


def failing_readers(view: CaseView, step: SchemaStep) -> tuple[str, ...]:
    """Return the models built directly on the dataset that fail after *step* and did not before."""
    children = frozenset(view.lineage.children.get(view.lineage.node or "", ()))
    failures = view.dbt.failures if view.dbt is not None else ()
    own = [f for f in failures if f.result.unique_id in children and not is_test(f.result)]
    before = frozenset(f.result.unique_id for f in own if f.at <= step.after)
    after = (
        f.result.unique_id for f in own if f.at > step.after and f.result.unique_id not in before
    )
    return tuple(dict.fromkeys(after))


def _mentions(message: str | None, columns: Sequence[str]) -> bool:
    lowered = (message or "").casefold()
    words = (
        frozenset("".join(c if c.isalnum() or c == "_" else " " for c in lowered).split())
        if lowered
        else frozenset()
    )
    return any(column.casefold() in words for column in columns)


def _named(change: ColumnChange) -> str:
    """Return the column, and of one that changed its type both types."""
    if change.change != "type_changed":
        return change.column
    return f"{change.column} ({change.from_} to {change.to})"


def _because(weighed: Weighed, kind: str) -> str:
    names = listed([_named(change) for change in weighed.changes], NAMES_SHOWN)
    verb = {"removed": "gone", "added": "new", "type_changed": "of another type"}[kind]
    failed = len(weighed.broken)
    nodes = "dbt node that reads" if failed == 1 else "dbt nodes that read"
    broken = f"; {failed} {nodes} such columns failed since" if failed else ""
    seen = minute(weighed.step.seen_at)
    count = counted(len(weighed.changes), "column is", "columns are")
    return f"Since the snapshot of {seen} {count} {verb}: {names}{broken}."
