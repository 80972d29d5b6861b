"""Values appear that the baseline has never held.

Fires when: rows of the current window hold unseen values far more often than the history's own rate of new values.
Abstains when: rare values were cut off, or there are fewer than three older windows.
Looks like it but is not: a dimension that grows new values every day, such as SKUs or tags.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rca.calibration import strength_of
from rca.case import FactKind
from rca.detection import Answer, Detector, Signal, Skipped
from rca.evidence import NewValue, NewValuesEvidence, SignalCode
from rca.stats.rates import poisson_excess, unseen_share
from rca.stats.robust import price_of_looking
from rca.view import CaseView
from rca.view.dimensions import DimensionView
from rca.view.wording import counted

Counts = npt.NDArray[np.float64]

MIN_HISTORY: Final = 3  # older windows
MIN_COUNT: Final = 3.0  # rows of one new value; fewer are typing errors
CAP: Final = 4.5  # ln units
NAMED: Final = 1.0  # ln units; the alert is about this dimension
TRIALS: Final = 3.0  # ln units taken from the excess: several dimensions and values were looked at
OVERDISPERSION: Final = 0.25  # weight of a Poisson surprise; new values come in bursts
EACH_DIMENSION: Final = 0.5  # ln units for every further dimension: one new market shows in several
SHOWN: Final = 10  # values


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """New values of one dimension: how many, and the largest of them by descending count."""

    view: DimensionView
    number: int
    fresh: tuple[tuple[str, int], ...]
    weight: float


def detect(view: CaseView) -> Answer:
    """Return the new values of all dimensions that have more of them than ever, or None."""
    dimensions = view.dimensions or ()
    whole = [d for d in dimensions if not d.truncated]
    if dimensions and not whole:
        return Skipped(reason="every dimension profile is cut off after its largest values")
    found = sorted(
        (a for d in whole if (a := _arrival(view, d)) is not None), key=lambda a: -a.weight
    )
    if not found:
        return None
    telling = [a for a in found if a.weight > 0.0] or found[:1]
    named = any(view.names(a.view.dimension) for a in telling)
    price = 0.0 if named else price_of_looking(len(whole))
    return _signal(view, telling, telling[0].weight + EACH_DIMENSION * (len(telling) - 1) - price)


def _arrival(view: CaseView, dimension: DimensionView) -> Arrival | None:
    history = dimension.history
    if dimension.rows <= 0.0 or len(history) < MIN_HISTORY or dimension.window_end <= view.since:
        return None
    baseline = dimension.baseline
    new = np.where(baseline.sum(axis=0) > 0.0, 0.0, dimension.current)
    largest = float(new.max()) if len(new) else 0.0
    if largest < MIN_COUNT:
        return None
    expected = _usual_rate(baseline) * dimension.rows
    surprise = max(
        -poisson_excess(float(new.sum()), expected),
        -_largest_surprise(baseline, largest, dimension.rows),
    )
    weight = min(CAP, OVERDISPERSION * surprise - TRIALS / 2.0)
    weight += NAMED if view.names(dimension.dimension) else 0.0
    order = np.argsort(-new, kind="stable")[:SHOWN]
    fresh = tuple((dimension.values[i], int(new[i])) for i in order if new[i] > 0.0)
    return Arrival(view=dimension, number=int((new > 0.0).sum()), fresh=fresh, weight=weight)


def _usual_rate(baseline: Counts) -> float:
    """Return the share of rows that held unseen values in the windows of the history's second half."""
    seen = np.cumsum(baseline, axis=0)
    rates = [
        float(np.where(seen[i - 1] > 0.0, 0.0, baseline[i]).sum())
        / max(1.0, float(baseline[i].sum()))
        for i in range(max(1, len(baseline) // 2), len(baseline))
    ]
    return max(unseen_share(seen[-1]), sum(rates) / max(1, len(rates)))


def _largest_surprise(baseline: Counts, largest: float, rows: float) -> float:
    """Return ln P of one new value as large as *largest*, given the largest newcomers of the history."""
    seen = np.cumsum(baseline, axis=0)
    biggest = 0.0
    for i in range(max(1, len(baseline) // 2), len(baseline)):
        newcomers = np.where(seen[i - 1] > 0.0, 0.0, baseline[i])
        biggest = max(biggest, float(newcomers.max()) * rows / max(1.0, float(baseline[i].sum())))
    return poisson_excess(largest, biggest + 1.0)


def _signal(view: CaseView, telling: list[Arrival], weight: float) -> Signal:
    values = sorted(
        ((a.view, value, count) for a in telling for value, count in a.fresh), key=lambda v: -v[2]
    )[:SHOWN]
    evidence = NewValuesEvidence(
        new_values=tuple(
            NewValue(
                dimension=d.dimension,
                value=value,
                count=count,
                share=round(min(1.0, count / d.rows), 6),
            )
            for d, value, count in values
        ),
        dimensions_affected=tuple(a.view.dimension for a in telling),
        ingestion_healthy=view.ingestion_healthy,
    )
    named = ", ".join(f"{d.dimension}={value} ({count:,} rows)" for d, value, count in values[:3])
    windows = max(len(a.view.baseline) for a in telling)
    fresh = counted(sum(a.number for a in telling), "value")
    because = f"{fresh} appeared that {counted(windows, 'window')} before never held: {named}."
    strength = strength_of(weight if math.isfinite(weight) else CAP)
    return Signal(
        evidence=evidence,
        strength=strength,
        because=because,
        onset=telling[0].view.window_start,
        seen_at=telling[0].view.window_end,
    )


DETECTOR: Final = Detector(
    code=SignalCode.NEW_VALUES_APPEARING, reads=(FactKind.DIMENSION_PROFILES,), detect=detect
)
