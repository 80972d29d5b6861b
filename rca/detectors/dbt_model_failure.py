"""A model the dataset is, or is built from, failed.

Fires when: the last result of such a model before the alert is an error of its own.
Abstains when: the dataset is no dbt model and is built from none; without lineage a failure elsewhere counts little.
Looks like it but is not: a model downstream or aside of the dataset, a failure that the next run repaired, a model
that was only skipped because something above it failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind
from rca.detection import Answer, Detector, Signal
from rca.evidence import DbtModelFailureEvidence, FailingModel, SignalCode
from rca.view import CaseView
from rca.view.dbt import DbtView, NodeHistory, NodeStep, code_changed, is_test
from rca.view.wording import counted, listed, minute

FAILING: Final = 4.0  # ln units; a model in the dataset's own line is broken right now
NEW_CODE: Final = 0.5  # ln units; and its code is new
ALWAYS: Final = -3.5  # ln units; it has failed in every run we know of
ELSEWHERE: Final = -1.5  # ln units; without lineage it may be anything
BEHIND: Final = 3.0  # ln units; without lineage, but the dataset was skipped in that run: something above it failed
NAMES_SHOWN: Final = 3  # models in the sentence; the evidence has all
MIN_RUNS_FOR_ALWAYS: Final = 3


def detect(view: CaseView) -> Answer:
    """Return the failing models of the dataset's line, or None when all of them work."""
    dbt = view.dbt
    if dbt is None:
        return None
    failing = [h for h in dbt.models if _fails(h, view.anomaly.detected_at)]
    if failing:
        return _signal(view, failing, max(_weight(h, view.anomaly.detected_at) for h in failing))
    if view.lineage.known:
        return None
    elsewhere = _newest_failures(dbt, view.anomaly.detected_at)
    skipped = any(h.depth == 0 and _is_skipped(h, view.anomaly.detected_at) for h in dbt.models)
    return _signal(view, elsewhere, BEHIND if skipped else ELSEWHERE) if elsewhere else None


def _newest_failures(dbt: DbtView, instant: datetime) -> list[NodeHistory]:
    """Return the models that failed in the newest run, wherever they are; for when nobody knows what feeds what."""
    before = [step for step in dbt.failures if step.at <= instant and not is_test(step.result)]
    newest = max(
        (run.dbt_generated_at for run in dbt.runs if run.dbt_generated_at <= instant), default=None
    )
    return [
        NodeHistory(unique_id=step.result.unique_id, depth=-1, steps=(step,))
        for step in before
        if step.at == newest
    ]


def _is_skipped(history: NodeHistory, instant: datetime) -> bool:
    steps = history.until(instant)
    return bool(steps) and steps[-1].skipped


def _fails(history: NodeHistory, instant: datetime) -> bool:
    steps = history.until(instant)
    return bool(steps) and steps[-1].failed


def _weight(history: NodeHistory, instant: datetime) -> float:
    steps = history.until(instant)
    changed = _change(steps)
    weight = FAILING + (NEW_CODE if changed else 0.0)
    always = len(steps) >= MIN_RUNS_FOR_ALWAYS and all(step.failed for step in steps)
    return weight + (ALWAYS if always else 0.0)


def _change(steps: Sequence[NodeStep]) -> bool | None:
    """Return whether the code changed with the first of the failures that still last."""
    first = len(steps) - 1
    while first > 0 and not steps[first - 1].passed:
        first -= 1
    return code_changed(steps[first], steps[first - 1] if first > 0 else None)


def _signal(view: CaseView, failing: Sequence[NodeHistory], weight: float) -> Signal:
    instant = view.anomaly.detected_at
    ordered = sorted(failing, key=lambda h: (-h.depth, h.unique_id))
    lasts = [h.until(instant)[-1] for h in ordered]
    changes = [_change(h.until(instant)) for h in ordered]
    evidence = DbtModelFailureEvidence(
        failing_models=tuple(
            FailingModel(unique_id=h.unique_id, message=step.result.message, depth=max(0, h.depth))
            for h, step in zip(ordered, lasts, strict=True)
        ),
        dbt_generated_at=lasts[0].at,
        code_changed=any(changes) if any(c is not None for c in changes) else None,
    )
    names = listed([h.unique_id for h in ordered], NAMES_SHOWN)
    known = "" if view.lineage.known else " (lineage is not known, so it may not feed the dataset)"
    since = minute(_onset(ordered, instant))
    models = counted(len(ordered), "model")
    fail = "fails" if len(ordered) == 1 else "fail"
    because = f"{models} in the dataset's line {fail} since {since}: {names}{known}."
    return Signal(
        evidence=evidence,
        strength=strength_of(weight),
        because=because,
        onset=_onset(ordered, instant),
        seen_at=_onset(ordered, instant),
    )


def _onset(failing: Sequence[NodeHistory], instant: datetime) -> datetime:
    first = failing[0].until(instant)[-1].at
    for history in failing:
        for step in reversed(history.until(instant)):
            if not step.failed:
                break
            first = min(first, step.at)
    return first


DETECTOR: Final = Detector(
    code=SignalCode.DBT_MODEL_FAILURE, reads=(FactKind.DBT_RUNS,), detect=detect
)
