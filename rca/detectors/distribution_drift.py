"""The shares of a dimension's values differ more than this dimension's own day-to-day noise.

Fires when: the divergence of the current window from the pooled baseline stands out from the divergences of the
baseline's own windows and from what sampling alone gives.
Abstains when: a window is too small to show a shift, or there are fewer than three older windows.
Looks like it but is not: a dimension that always moves a lot, a small window, a long tail of rare values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from rca.calibration import strength_of
from rca.case import FactKind
from rca.detection import Answer, Detector, Signal
from rca.evidence import DistributionDriftEvidence, Mover, SignalCode
from rca.stats.divergence import expected_jsd_bits, jsd_bits, jsd_terms, shares
from rca.stats.robust import median, upper_tail, weight_of_tail
from rca.view import CaseView
from rca.view.dimensions import DimensionView

MIN_ROWS: Final = 30.0  # rows of the current window; fewer cannot show shares
MIN_HISTORY: Final = 3  # older windows
MIN_EFFECT_BITS: Final = (
    0.003  # beyond chance; a five-percent value that halves gives 0.003 (references, B.2)
)
CAP: Final = 4.5  # ln units
NAMED: Final = 1.5  # ln units; the alert is about this dimension
MOVERS: Final = 5  # values shown
PER_DIMENSION: Final = (
    0.25  # ln units taken for each doubling of the number of dimensions looked at
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One dimension's divergence in bits, beyond what chance gives, and the weight it has."""

    view: DimensionView
    bits: float
    beyond_bits: float
    weight: float


def detect(view: CaseView) -> Answer:
    """Return the dimension whose shares moved most tellingly, or None when all move as they always do."""
    found = [drift for d in view.dimensions or () if (drift := _drift(view, d)) is not None]
    if not found:
        return None
    best = max(found, key=lambda d: (d.weight, d.beyond_bits))
    penalty = PER_DIMENSION * math.log2(len(view.dimensions or ()) or 1)
    return _signal(view, best, best.weight - penalty)


def _drift(view: CaseView, dimension: DimensionView) -> Drift | None:
    history = dimension.history
    if (
        dimension.rows < MIN_ROWS
        or len(history) < MIN_HISTORY
        or dimension.window_end <= view.since
    ):
        return None
    baseline = history[:-1] if len(history) > MIN_HISTORY + 1 else history
    pooled = baseline.sum(axis=0)
    bits = jsd_bits(pooled, dimension.current)
    chance = expected_jsd_bits(pooled + dimension.current, float(pooled.sum()), dimension.rows)
    beyond = bits - chance
    if beyond < MIN_EFFECT_BITS:
        return None
    spread = _spread(baseline, pooled, chance, dimension)
    weight = weight_of_tail(upper_tail(beyond / spread, dof=min(5.0, len(baseline) - 1.0)), cap=CAP)
    weight += NAMED if view.names(dimension.dimension) else 0.0
    return Drift(view=dimension, bits=bits, beyond_bits=beyond, weight=weight)


def _spread(
    baseline: np.ndarray, pooled: np.ndarray, chance: float, dimension: DimensionView
) -> float:  # type: ignore[type-arg]  # numpy's own default
    """Return how far, in bits, a healthy window strays from the others: its own history and the sampling noise."""
    strays = []
    for row in baseline:
        rest = pooled - row
        floor = expected_jsd_bits(pooled, float(rest.sum()), float(row.sum()))
        strays.append(max(0.0, jsd_bits(rest, row) - floor))
    effective = max(1.0, float((pooled > 0.0).sum()) - 1.0)
    sampling = chance * math.sqrt(2.0 / effective)
    return (
        math.hypot(
            sampling, 1.5 * max(median(strays), sorted(strays)[int(0.8 * len(strays))] / 2.0)
        )
        + 0.0005
    )


def _signal(view: CaseView, drift: Drift, weight: float) -> Signal:
    dimension = drift.view
    pooled = dimension.history.sum(axis=0)
    movers = _movers(dimension, pooled)
    evidence = DistributionDriftEvidence(
        dimension=dimension.dimension,
        jsd=round(drift.bits, 4),
        top_movers=movers,
        ingestion_healthy=view.ingestion_healthy,
    )
    first = movers[0]
    because = (
        f"The shares of {dimension.dimension} moved by {drift.bits:.3f} bits; {first.value} went from "
        f"{100.0 * first.baseline_share:.1f} % to {100.0 * first.current_share:.1f} % of the rows."
    )
    return Signal(
        evidence=evidence,
        strength=strength_of(weight),
        because=because,
        onset=dimension.window_start,
        seen_at=dimension.window_end,
    )


def _movers(dimension: DimensionView, pooled: np.ndarray) -> tuple[Mover, ...]:  # type: ignore[type-arg]  # numpy's own default
    terms = jsd_terms(pooled, dimension.current)
    before, now = shares(pooled), shares(dimension.current)
    order = np.argsort(-terms, kind="stable")[:MOVERS]
    return tuple(
        Mover(
            value=dimension.values[i],
            baseline_share=round(float(before[i]), 6),
            current_share=round(float(now[i]), 6),
            delta=round(float(now[i] - before[i]), 6),
        )
        for i in order
    )


DETECTOR: Final = Detector(
    code=SignalCode.DISTRIBUTION_DRIFT, reads=(FactKind.DIMENSION_PROFILES,), detect=detect
)
