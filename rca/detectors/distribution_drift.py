"""The shares of a dimension's values differ more than this dimension's own day-to-day noise.

Fires when: the divergence of the current window from the pooled baseline stands out from the divergences of the
baseline's own windows and from what sampling alone gives. Combinations of dimensions are looked at where no single
one shows it. Where the alert is about a dimension, one part of it that stands out is enough for a faint answer, and
where it is about its shares, any move larger than chance gives on average.
Abstains when: a window is too small to show a shift, or there are fewer than three older windows.
Looks like it but is not: a dimension that always moves a lot, a small window, a long tail of rare values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind
from rca.detection import Answer, Detector, Signal
from rca.evidence import DistributionDriftEvidence, MovedDimension, SignalCode
from rca.shift_reading import SMALLEST_NOISE_BITS, Shift, read_shift, weight_of
from rca.stats.robust import price_of_looking
from rca.subject import checked_subject, kinds_of
from rca.view import CaseView
from rca.view.dimensions import JOINT, DimensionView, read_segments
from rca.view.wording import counted, share
from rca.whereabouts import Whereabouts, whereabouts

MIN_ROWS: Final = 30.0  # rows of the current window; fewer cannot show shares
MIN_HISTORY: Final = 3  # older windows
WEAKEST: Final = -1.0  # ln units; below, the shift is an everyday one
EVERYDAY: Final = -1.5  # ln units; nothing stands out, but the alert says that these shares moved
NAMED: Final = 1.0  # ln units; the alert is about this dimension
MIN_LOSS: Final = 0.2  # share of the usual rows that is missing
UNEVEN_FROM: Final = 0.4  # share of the divergence left when the value that lost most is set aside
ONE_VALUE_BELOW: Final = 0.2  # share of the divergence left; below, one value tells the whole story
ONE_VALUE: Final = 1.0  # ln units; the source stopped sending one value
LOST_EVERYWHERE: Final = -1.5  # ln units; rows lost all over are lost on the way, not in the source
PLAIN_ENOUGH: Final = (
    2.0  # ln units; a dimension that shows this much needs no combination to explain it
)
OTHERS: Final = 3  # further dimensions that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One dimension's shift and the weight it has; ``shape`` is the part that speaks against the source only.

    ``fold`` is by how many times the shift exceeds the largest usual one; ``asked`` when the alert is about it.
    """

    shift: Shift
    fold: float
    weight: float
    shape: float
    asked: bool


def detect(view: CaseView) -> Answer:
    """Return the dimension whose shares moved most tellingly, or None when all move as they always do.

    A dimension that the alert is about is told, faintly, also when one part of it stands out and the whole does not,
    and one whose shares the alert is about when they moved more than chance does on average: somebody's check saw it.
    """
    looked = [d for d in view.dimensions or () if _is_judged(view, d)]
    found = _drifts(view, looked, price_of_looking(len(looked)))
    if not any(drift.weight >= PLAIN_ENOUGH for drift in found):
        combined = [d for d in _segments(view) if _is_judged(view, d)]
        found += _drifts(view, combined, price_of_looking(len(looked) + len(combined)))
    return _most_telling(view, found)


def glimpse(view: CaseView) -> Signal | None:
    """Return the combination whose shares moved most tellingly, where the dimensions themselves could not be read."""
    combined = [d for d in _segments(view) if _is_judged(view, d)]
    found = _drifts(view, combined, price_of_looking(len(combined)))
    return _most_telling(view, found)


def _drifts(view: CaseView, dimensions: Sequence[DimensionView], price: float) -> list[Drift]:
    """Return the shifts that are worth *price*, the weight that looking at so many dimensions costs."""
    found = []
    for dimension in dimensions:
        asked = view.names(dimension.dimension)
        drift = _drift(view, dimension)
        paid = 0.0 if asked else price
        if drift is not None and (asked or drift.weight - drift.shape - paid >= WEAKEST):
            found.append(replace(drift, weight=drift.weight - paid))
    return found


def _segments(view: CaseView) -> tuple[DimensionView, ...]:
    """Return the combinations of dimensions, read only here because they are rarely needed."""
    profiles = view.case.segment_profiles or ()
    return read_segments(profiles, view.anomaly.detected_at, view.case.as_of)


def _is_judged(view: CaseView, dimension: DimensionView) -> bool:
    return (
        dimension.rows >= MIN_ROWS
        and len(dimension.history) >= MIN_HISTORY
        and dimension.window_end > view.since
    )


def _drift(view: CaseView, dimension: DimensionView) -> Drift | None:
    shift = read_shift(dimension)
    asked = view.names(dimension.dimension)
    at_most = weight_of(shift.beyond, shift.beyond / SMALLEST_NOISE_BITS)
    fold = shift.fold() if asked or at_most >= WEAKEST else 0.0
    weight = weight_of(shift.beyond, fold, asked=asked) if fold > 0.0 else -math.inf
    if weight < WEAKEST:
        faint = _faint(view, shift) if asked else None
        if faint is None:
            return None
        return Drift(shift=shift, fold=max(0.0, fold), weight=faint, shape=0.0, asked=True)
    weight += NAMED if asked and weight > 0.0 else 0.0
    shape = _shape_weight(shift)
    return Drift(shift=shift, fold=fold, weight=weight + shape, shape=shape, asked=asked)


def _faint(view: CaseView, shift: Shift) -> float | None:
    """Return the weight of an everyday shift that the alert is about, or None where there is nothing to say of it.

    Somebody's check saw these shares move: which of them did is worth telling, if they moved more than chance moves
    them on average. Chance alone does so in four of ten quiet windows, so the weight is next to nothing.
    """
    if whereabouts(view, shift.dimension).stands_out:
        return WEAKEST
    about_shares = "distribution" in (*kinds_of(view.anomaly), *checked_subject(view.anomaly))
    return EVERYDAY if about_shares and shift.beyond > 0.0 else None


def _shape_weight(shift: Shift) -> float:
    """Return what the missing rows say: those of one value are gone at the source, rows of all kinds on the way."""
    left = shift.left() if shift.lost() > MIN_LOSS else None
    if left is None:
        return 0.0
    if left < ONE_VALUE_BELOW:
        return ONE_VALUE
    return LOST_EVERYWHERE if left > UNEVEN_FROM else 0.0


def _most_telling(view: CaseView, found: Sequence[Drift]) -> Signal | None:
    """Return the weightiest of *found* as a signal, with where it sits and what else moved; None without any."""
    if not found:
        return None
    drift, *others = sorted(found, key=lambda d: (-d.weight, -d.shift.beyond))
    dimension = drift.shift.dimension
    where = whereabouts(view, dimension)
    evidence = DistributionDriftEvidence(
        dimension=where.dimension,
        jsd=round(where.bits, 4),
        top_movers=where.movers,
        ingestion_healthy=view.ingestion_healthy,
        also_moved=_also(view, where, others),
    )
    return Signal(
        evidence=evidence,
        strength=strength_of(drift.weight),
        because=_because(drift, where),
        onset=dimension.window_start,
        seen_at=dimension.window_end,
        specific=drift.shape,
    )


def _also(
    view: CaseView, where: Whereabouts, others: Sequence[Drift]
) -> tuple[MovedDimension, ...]:
    """Return up to OTHERS further places: of dimensions that moved more likely than not, or that the alert is about."""
    told = {where.dimension: where}
    inside = where.dimension.split(JOINT)  # what a combination explains moved with it
    for drift in others:
        dimension = drift.shift.dimension
        news = dimension.dimension not in inside and (drift.weight > 0.0 or drift.asked)
        if news and len(told) <= OTHERS:
            other = whereabouts(view, dimension)
            told.setdefault(other.dimension, other)
    return tuple(
        MovedDimension(dimension=w.dimension, jsd=round(w.bits, 4), top_movers=w.movers)
        for w in told.values()
        if w is not where
    )


def _because(drift: Drift, where: Whereabouts) -> str:
    dimension, first = drift.shift.dimension, where.movers[0]
    windows = counted(len(dimension.baseline), "window")
    went = (
        f"{where.first()} went from {share(first.baseline_share)} "
        f"to {share(first.current_share)} of the rows."
    )
    if drift.fold < 1.0:
        part = (
            f"but {went}"
            if where.stands_out
            else f"and no part stands out; most of it is that {went}"
        )
        return (
            f"As a whole the shares of {dimension.dimension} moved no more than usual, {drift.fold:.1f} times "
            f"the most in {windows}, {part}"
        )
    return (
        f"The shares of {dimension.dimension} moved by {drift.shift.bits:.3f} bits, {drift.fold:.1f} times the most "
        f"that was usual in {windows}; {went}"
    )


DETECTOR: Final = Detector(
    code=SignalCode.DISTRIBUTION_DRIFT,
    reads=(FactKind.DIMENSION_PROFILES,),
    detect=detect,
    glimpse=glimpse,
)
