"""A model the dataset is, or is built from, takes far longer than its own baseline.

Fires when: its newest run before the alert took at least half as long again as the median of the earlier ones, and
longer than nearly all of them would.
Abstains when: fewer than two earlier runs of the model are known.
Looks like it but is not: a slow model that does not feed the dataset, a run with more rows to build, a model of two
seconds that took four.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind
from rca.detection import Answer, Detector, Signal
from rca.evidence import ExecutionTimeRegressionEvidence, SignalCode
from rca.stats.robust import level, upper_tail, weight_of_tail
from rca.view import CaseView
from rca.view.dbt import NodeHistory, NodeStep
from rca.view.wording import span

MIN_RATIO: Final = 1.8  # times the baseline; below, nobody's table is late for it
MIN_EXTRA_S: Final = 20.0  # seconds; a model of two seconds that takes four delays nothing
MIN_HISTORY: Final = 2  # earlier runs
NOISE_FLOOR: Final = 0.2  # of the logarithm; run times vary by a fifth on any shared warehouse
CAP: Final = 4.5  # ln units
SLIGHT: Final = -2.0  # ln units; too few seconds to matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowdown:
    """One model's newest run against its own earlier ones."""

    step: NodeStep
    model: str
    seconds: float
    baseline_s: float
    longest_s: float
    runs: int
    weight: float


def detect(view: CaseView) -> Answer:
    """Return the model that slowed down most tellingly, or None when all run at their usual pace."""
    dbt = view.dbt
    if dbt is None:
        return None
    found = [s for h in dbt.models if (s := _slowdown(view, h)) is not None]
    if not found:
        return None
    return _signal(max(found, key=lambda s: (s.weight, s.seconds - s.baseline_s)))


def _slowdown(view: CaseView, history: NodeHistory) -> Slowdown | None:
    known = history.until(view.anomaly.detected_at)
    if len(known) <= MIN_HISTORY or not known[-1].passed:
        return None
    steps = [s for s in known if s.passed and s.result.execution_time_s]
    times = [s.result.execution_time_s or 0.0 for s in steps]
    if len(times) <= MIN_HISTORY:
        return None
    first = _begin_of_slow(times)
    if times[-1] < MIN_RATIO * sorted(times[:first])[(first - 1) // 2]:
        return None  # below the median already, so that no logarithm is needed to say so
    usual = level([math.log(t) for t in times[:first]], floor=NOISE_FLOOR)
    baseline_s = math.exp(usual.centre)
    seconds = times[-1] / _more_rows(steps, first)
    if seconds < MIN_RATIO * baseline_s:
        return None
    weight = weight_of_tail(upper_tail((math.log(seconds) - usual.centre) / usual.sigma), cap=CAP)
    weight += SLIGHT if times[-1] - baseline_s < MIN_EXTRA_S else 0.0
    return Slowdown(
        step=steps[first],
        model=history.unique_id,
        seconds=times[-1],
        baseline_s=baseline_s,
        longest_s=max(times[:first]),
        runs=first,
        weight=weight,
    )


def _begin_of_slow(times: list[float]) -> int:
    """Return where the newest stretch of slow runs began; at least MIN_HISTORY runs stay before it."""
    first = len(times) - 1
    while (
        first > MIN_HISTORY
        and times[first - 1] > MIN_RATIO * sorted(times[: first - 1])[(first - 1) // 2]
    ):
        first -= 1
    return first


def _more_rows(steps: list[NodeStep], first: int) -> float:
    """Return by which factor the newest run built more rows than before, at least 1: more rows take longer."""
    before = sorted(r for s in steps[:first] if (r := s.result.rows_affected))
    now = steps[-1].result.rows_affected
    if not before or not now:
        return 1.0
    return max(1.0, now / before[len(before) // 2])


def _signal(slow: Slowdown) -> Signal:
    ratio = slow.seconds / max(slow.baseline_s, 0.01)
    evidence = ExecutionTimeRegressionEvidence(
        model=slow.model,
        execution_time_s=round(slow.seconds, 2),
        baseline_s=round(slow.baseline_s, 2),
        ratio=round(ratio, 2),
        dbt_generated_at=slow.step.at,
    )
    because = (
        f"{slow.model} took {span(slow.seconds)}, {ratio:.1f} times its usual {span(slow.baseline_s)}; "
        f"the longest of {slow.runs} runs before took {span(slow.longest_s)}."
    )
    return Signal(
        evidence=evidence,
        strength=strength_of(slow.weight),
        because=because,
        onset=slow.step.at,
        seen_at=slow.step.at,
    )


DETECTOR: Final = Detector(
    code=SignalCode.EXECUTION_TIME_REGRESSION, reads=(FactKind.DBT_RUNS,), detect=detect
)
