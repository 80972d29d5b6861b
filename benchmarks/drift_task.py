"""The drift task that every way solves: two windows of one column in, a score and a verdict out."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import jensenshannon  # type: ignore[import-untyped]  # scipy ships no types
from scipy.stats import chi2_contingency  # type: ignore[import-untyped]  # scipy ships no types

from rca.shift_reading import read_shift, weight_of
from rca.stats.divergence import Counts, jsd_terms
from rca.view.dimensions import DimensionView

SEED: Final = 20_131_231
ZIPF: Final = 1.1
TOP: Final = 10
NOMINAL: Final = 0.01
EVIDENTLY_DISTANCE: Final = 0.1  # Evidently's and NannyML's default bound on the distance
DAY: Final = timedelta(days=1)
START: Final = datetime(2026, 1, 1, tzinfo=UTC)

Codes = npt.NDArray[np.int64]
Counted = tuple[Sequence[Hashable], Sequence[int] | npt.NDArray[Any]]
"""The values of a window, and the rows of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a way says of two windows: a score of its own kind, and whether that is a drift by its own bound.

    ``movers`` are the places of the values that make most of it, the largest part first; only ours tells them.
    """

    score: float
    drifted: bool
    movers: tuple[int, ...] = ()


def zipf(values: int) -> Counts:
    """Return the shares of *values* values under Zipf's law."""
    weights = np.arange(1, values + 1) ** -ZIPF
    return np.asarray(weights / weights.sum())


def windows(values: int, rows: int) -> tuple[Codes, Codes]:
    """Return two windows of *rows* codes each, drawn from the same shares."""
    draw = np.random.default_rng(SEED)
    before, now = (draw.choice(values, rows, p=zipf(values)) for _ in range(2))
    return before, now


def view_of(history: Counts, current: Counts) -> DimensionView:
    """Return counts as the engine sees a dimension: a row per older window, and the judged one."""
    return DimensionView(
        dimension="d",
        values=tuple(map(str, range(len(current)))),
        current=current,
        history=history,
        window_start=START,
        window_end=START + DAY,
    )


def by_engine(view: DimensionView) -> Verdict:
    """Judge as the engine does: the score as a Jensen-Shannon distance, natural logarithm, and the top movers."""
    shift = read_shift(view)
    drifted = weight_of(shift.beyond, shift.fold()) > 0.0
    top = np.argsort(-jsd_terms(shift.pooled, view.current))[:TOP]
    score = math.sqrt(shift.bits * math.log(2.0))
    return Verdict(score=score, drifted=drifted, movers=tuple(top.tolist()))


def from_counts(before: Counts, now: Counts) -> Verdict:
    """Judge two windows' counts as the engine does."""
    return by_engine(view_of(before[np.newaxis], now))


def by_distance(before: Counts, now: Counts) -> Verdict:
    """Judge by SciPy's Jensen-Shannon distance and Evidently's bound."""
    return of_evidently(float(jensenshannon(before, now)))


def of_evidently(score: float) -> Verdict:
    """Return Evidently's distance with the verdict by its default bound."""
    return Verdict(score=score, drifted=score > EVIDENTLY_DISTANCE)


def by_test(before: Counts, now: Counts) -> Verdict:
    """Judge by SciPy's chi-squared test; the score is its p-value."""
    table = np.stack([before, now])
    found = float(chi2_contingency(table[:, table.sum(axis=0) > 0.0]).pvalue)
    return Verdict(score=found, drifted=found < NOMINAL)


def beside(first: Counted, second: Counted) -> tuple[Counts, Counts]:
    """Return two windows' (values, counts) as counts over the same values."""
    if first[0] == second[0]:
        return np.array(first[1], dtype=np.float64), np.array(second[1], dtype=np.float64)
    place = {name: at for at, name in enumerate(dict.fromkeys((*first[0], *second[0])))}
    counts = np.zeros((2, len(place)))
    for row, (names, numbers) in zip(counts, (first, second), strict=True):
        row[[place[name] for name in names]] = numbers
    return counts[0], counts[1]
