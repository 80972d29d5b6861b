"""A dimension has far more distinct values than it used to.

Fires when: the distinct values of the current window exceed, by a tenth at least and by more than the usual variation,
what a sample of the same size from the baseline would show.
Abstains when: rare values were cut off in older windows, or there are fewer than three of them.
Where they were cut off in the current window only, what it lists is the least that it holds.
Looks like it but is not: more rows, and therefore more distinct values, on a busy day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind
from rca.detection import Answer, Detector, Signal, Skipped
from rca.evidence import CardinalityExplosionEvidence, SignalCode
from rca.stats.rates import expected_distinct
from rca.stats.robust import level, median, price_of_looking, upper_tail, weight_of_tail
from rca.view import CaseView
from rca.view.dimensions import DimensionView

MIN_HISTORY: Final = 3  # older windows
MIN_EXCESS: Final = 0.1  # share of the expected distinct values
MIN_VALUES: Final = 10.0  # further values; below, it is a matter of new values, not of an explosion
NOISE_FLOOR: Final = 0.02  # of the logarithm of distinct counts
CAP: Final = 5.0  # ln units
NAMED: Final = 1.0  # ln units; the alert is about this dimension


@dataclass(frozen=True, slots=True, kw_only=True)
class Explosion:
    """One dimension's distinct values against what its history makes one expect; ``at_least`` so many were observed."""

    view: DimensionView
    expected: float
    observed: int
    at_least: bool
    most: int
    weight: float


def detect(view: CaseView) -> Answer:
    """Return the dimension with the most surprising number of distinct values, or None when all are as usual."""
    dimensions = view.dimensions or ()
    whole = [d for d in dimensions if d.told is None or not any(d.told.cut[:-1])]
    if dimensions and not whole:
        return Skipped(reason="every dimension profile is cut off after its largest values")
    found = [e for d in whole if (e := _explosion(view, d)) is not None]
    if not found:
        return None
    best = max(found, key=lambda e: (e.weight, e.observed))
    named = view.names(best.view.dimension)
    weight = best.weight - (0.0 if named else price_of_looking(len(whole)))
    return _signal(view, replace(best, weight=weight))


def _explosion(view: CaseView, dimension: DimensionView) -> Explosion | None:
    history = dimension.history
    if dimension.rows <= 0.0 or len(history) < MIN_HISTORY or dimension.window_end <= view.since:
        return None
    told = dimension.told
    current = dimension.current if told is None else told.counts[-1]
    observed = int((current > 0.0).sum())
    held = (history > 0.0).sum(axis=1)
    if observed < median(held.tolist()) + MIN_VALUES:
        return None
    pooled = history.sum(axis=0)
    rows = float(current.sum())
    if told is not None:  # the rows of what was cut off are unknown
        rows = max(rows, median(history.sum(axis=1).tolist()))
    at_size = expected_distinct(pooled, rows)
    logs = [
        math.log(
            max(1.0, float((w > 0.0).sum())) / max(1.0, expected_distinct(pooled, float(w.sum())))
        )
        for w in history
    ]
    noise = level(logs, floor=NOISE_FLOOR)
    expected = at_size * math.exp(noise.centre)
    excess = math.log(observed / max(1.0, expected))
    if excess < math.log1p(MIN_EXCESS):
        return None
    weight = weight_of_tail(upper_tail(excess / noise.sigma), cap=CAP)
    weight += NAMED if view.names(dimension.dimension) else 0.0
    return Explosion(
        view=dimension,
        expected=expected,
        observed=observed,
        at_least=told is not None,
        most=int(held.max()),
        weight=weight,
    )


def _signal(view: CaseView, explosion: Explosion) -> Signal:
    change_pct = 100.0 * (explosion.observed / max(1.0, explosion.expected) - 1.0)
    evidence = CardinalityExplosionEvidence(
        dimension=explosion.view.dimension,
        baseline_cardinality=round(explosion.expected, 1),
        current_cardinality=explosion.observed,
        cardinality_change_pct=round(change_pct, 1),
        ingestion_healthy=view.ingestion_healthy,
    )
    number = f"{'at least ' if explosion.at_least else ''}{explosion.observed:,}"
    because = (
        f"{explosion.view.dimension} has {number} distinct values, where {explosion.expected:,.0f} are "
        f"usual for as many rows ({change_pct:+.0f} %); in {len(explosion.view.history)} windows never above "
        f"{explosion.most:,}."
    )
    return Signal(
        evidence=evidence,
        strength=strength_of(explosion.weight),
        because=because,
        onset=explosion.view.window_start,
        seen_at=explosion.view.window_end,
    )


DETECTOR: Final = Detector(
    code=SignalCode.CARDINALITY_EXPLOSION, reads=(FactKind.DIMENSION_PROFILES,), detect=detect
)
