"""Values appear that the baseline has never held.

Fires when: rows of the current window hold unseen values far more often than the history's own rate of new values.
Abstains when: there are fewer than three older windows.
Where rare values were cut off, only a value larger than what may have been hidden before counts as new.
Looks like it but is not: a dimension that grows new values every day, such as SKUs or tags; a rare value's first rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
from rca.view.wording import counted, quoted

Counts = npt.NDArray[np.float64]

MIN_HISTORY: Final = 3  # older windows
MIN_COUNT: Final = 3.0  # rows of one new value; fewer are typing errors
CAP: Final = 4.5  # ln units
NAMED: Final = 1.0  # ln units; the alert is about this dimension
TRIALS: Final = 3.0  # ln units taken from the excess: several dimensions and values were looked at
OVERDISPERSION: Final = 0.25  # weight of a Poisson surprise; new values come in bursts
EACH_DIMENSION: Final = 0.5  # ln units for every further dimension: one new market shows in several
SMALL: Final = 0.01  # of the rows; a market or a tag that begins has less, a fault seldom has
EACH_SMALLER: Final = 1.0  # ln units for each e-fold below
STRAY: Final = (
    1.5  # times; a value just below the edge of a cut-off list may grow by so much and is not new
)
CUT_OFF: Final = "every dimension profile is cut off after its largest values; none of those is new"
SHOWN: Final = 10  # values in the evidence
NAMES_SHOWN: Final = 3  # of them in the sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """New values of one dimension: how many, and the largest of them by descending count."""

    view: DimensionView
    number: int
    fresh: tuple[tuple[str, int], ...]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Counts as they were told, a row of ``baseline`` for each window.

    ``hidden`` is the largest share that a value may have had before without being listed, with room to stray.
    """

    current: Counts
    baseline: Counts
    hidden: float


def detect(view: CaseView) -> Answer:
    """Return the new values of all dimensions that have more of them than ever, or None."""
    dimensions = view.dimensions or ()
    found = sorted(
        (a for d in dimensions if (a := _arrival(view, d)) is not None), key=lambda a: -a.weight
    )
    if not found:
        return _nothing(dimensions)
    telling = [a for a in found if a.weight > 0.0] or found[:1]
    named = any(view.names(a.view.dimension) for a in telling)
    price = 0.0 if named else price_of_looking(len(dimensions))
    return _signal(view, telling, telling[0].weight + EACH_DIMENSION * (len(telling) - 1) - price)


def _nothing(dimensions: Sequence[DimensionView]) -> Answer:
    """Say that nothing was seen, unless every list was cut off: then a small newcomer could not have been."""
    if not dimensions or any(d.told is None for d in dimensions):
        return None
    return Skipped(reason=CUT_OFF)


def _arrival(view: CaseView, dimension: DimensionView) -> Arrival | None:
    if (
        dimension.rows <= 0.0
        or len(dimension.history) < MIN_HISTORY
        or dimension.window_end <= view.since
    ):
        return None
    held = _held(dimension)
    new = np.where(held.baseline.sum(axis=0) > 0.0, 0.0, _beyond(held.current, held.hidden))
    largest = float(new.max()) if len(new) else 0.0
    if largest < MIN_COUNT:
        return None
    rows = float(held.current.sum())
    hidden = held.hidden * rows
    number = int((new > 0.0).sum())
    usual, usual_largest = _usual(held)
    surprise = max(
        -poisson_excess(float(new.sum()), usual * rows + hidden * number),
        -poisson_excess(largest, usual_largest * rows + 1.0 + hidden),
    )
    weight = min(CAP, OVERDISPERSION * surprise - TRIALS / 2.0)
    if view.names(dimension.dimension):
        weight += NAMED
    else:
        weight -= EACH_SMALLER * max(0.0, math.log(SMALL * rows / float(new.sum())))
    order = np.argsort(-new, kind="stable")[:SHOWN]
    fresh = tuple((dimension.values[i], int(new[i])) for i in order if new[i] > 0.0)
    return Arrival(view=dimension, number=number, fresh=fresh, weight=weight)


def _held(dimension: DimensionView) -> Held:
    told = dimension.told
    if told is None:
        return Held(current=dimension.current, baseline=dimension.baseline, hidden=0.0)
    before = dimension.spared
    return Held(
        current=told.counts[-1], baseline=told.counts[:before], hidden=STRAY * told.hidden(before)
    )


def _beyond(counts: Counts, hidden: float) -> Counts:
    """Return *counts* without those that a cut-off list could have left out, *hidden* being their largest share."""
    beyond: Counts = np.where(counts > hidden * counts.sum(), counts, 0.0)
    return beyond


def _usual(held: Held) -> tuple[float, float]:
    """Return two shares of the rows, as the history's second half shows them: of all new values, of the largest one."""
    seen = np.cumsum(held.baseline, axis=0)
    rates, largest = [], 0.0
    for i in range(max(1, len(seen) // 2), len(seen)):
        window = held.baseline[i]
        fresh = np.where(seen[i - 1] > 0.0, 0.0, _beyond(window, held.hidden))
        rows = max(1.0, float(window.sum()))
        rates.append(float(fresh.sum()) / rows)
        largest = max(largest, float(fresh.max()) / rows)
    return max(unseen_share(seen[-1]), sum(rates) / max(1, len(rates))), largest


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
    number = sum(a.number for a in telling)
    named = ", ".join(
        f"{d.dimension}={quoted(value)} ({counted(count, 'row')})"
        for d, value, count in values[:NAMES_SHOWN]
    )
    more = f" and {number - NAMES_SHOWN:,} more" if number > NAMES_SHOWN else ""
    windows = max(len(a.view.baseline) for a in telling)
    fresh = counted(number, "value")
    held = "held" if all(a.view.told is None for a in telling) else "listed"
    because = (
        f"{fresh} appeared that {counted(windows, 'window')} before never {held}: {named}{more}."
    )
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
