"""Families S and L of incidents with a known cause, drawn anew from the parameters that their paper gives.

Leaf values are Weibull; some are zero; expected and real value differ by a relative normal error, on either of the two;
an anomaly takes the same share from the real values of all leaves of its elements when the total fell, or from the
expected ones when it rose.

Source: parameters of families S and L in RiskLoc (arXiv 2205.10004), section 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.localise_data import Question
from rca.stats.localise_cube import Codes, Element, Flags, Numbers, members
from rca.stats.localise_leaves import AdditiveLeaves, Names

SCALE: Final = 100.0  # of the Weibull draws; no method here depends on it
SHAPES: Final = (0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What a family's questions are drawn from; pairs are the ends of uniform ranges."""

    name: str
    sizes: tuple[int, ...]
    zeros: tuple[float, float] = (0.0, 0.25)
    error: tuple[float, float]
    severity: tuple[float, float]
    deviation: tuple[float, float]
    anomalies: tuple[int, int]
    elements: tuple[int, int]
    deepest_only: bool


FAMILY_S: Final = Family(
    name="S",
    sizes=(10, 12, 10, 8, 5),
    error=(0.0, 0.25),
    severity=(0.2, 1.0),
    deviation=(0.0, 0.1),
    anomalies=(1, 3),
    elements=(1, 3),
    deepest_only=False,
)
FAMILY_L: Final = Family(
    name="L",
    sizes=(10, 24, 10, 15),
    error=(0.0, 0.1),
    severity=(0.5, 1.0),
    deviation=(0.0, 0.0),
    anomalies=(1, 5),
    elements=(1, 1),
    deepest_only=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anomaly:
    """Elements of one cuboid that lose the same share, give or take ``deviation``."""

    elements: frozenset[Element]
    severity: float
    deviation: float

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The dimensions of the cuboid."""
        return tuple(dimension for dimension, _ in next(iter(self.elements)))


def draw(family: Family, seed: int) -> Question:
    """Return one question of *family*; the same for the same *seed*."""
    rng = np.random.default_rng(seed)
    leaves = math.prod(family.sizes)
    codes = np.stack(np.unravel_index(np.arange(leaves), family.sizes), axis=1).astype(np.intp)
    error = rng.uniform(*family.error)
    expected, real = _healthy(rng, leaves, rng.uniform(*family.zeros), error)
    anomalies = _anomalies(rng, family, error, codes, real)
    rose = bool(real.sum() > expected.sum())
    for anomaly in anomalies:
        _strike(rng, anomaly, codes, (real, expected) if rose else (expected, real))
    names = Names(
        dimensions=tuple(f"d{d}" for d in range(len(family.sizes))),
        values=tuple(tuple(str(value) for value in range(size)) for size in family.sizes),
        codes=codes,
    )
    return Question(
        name=f"{family.name}-{seed}",
        leaves=AdditiveLeaves(names=names, expected=expected, observed=real),
        truth=frozenset(
            frozenset(names.of(element).items())
            for anomaly in anomalies
            for element in anomaly.elements
        ),
    )


def _healthy(
    rng: np.random.Generator, leaves: int, zeros: float, error: float
) -> tuple[Numbers, Numbers]:
    """Return expected and real values; which of the two carries the error is a coin's choice for every leaf."""
    exact = SCALE * rng.weibull(rng.uniform(*SHAPES), leaves) * (rng.uniform(size=leaves) >= zeros)
    wrong = exact * (1.0 + rng.normal(0.0, error, leaves))
    expected_is_exact = rng.uniform(size=leaves) < 0.5  # noqa: PLR2004 - a coin
    expected = np.where(expected_is_exact, exact, np.maximum(wrong, 0.0))
    return expected, np.where(expected_is_exact, wrong, exact)


def _anomalies(
    rng: np.random.Generator, family: Family, error: float, codes: Codes, real: Numbers
) -> list[_Anomaly]:
    """Return anomalies that share no value of a dimension; severity is beyond the error, so that they can be seen."""
    placed: list[_Anomaly] = []
    for _ in range(_between(rng, family.anomalies)):
        count = _between(rng, family.elements)
        severity, deviation = rng.uniform(*family.severity) + error, rng.uniform(*family.deviation)
        elements = _seen(rng, family, count, placed, codes=codes, real=real)
        placed.append(_Anomaly(elements=elements, severity=severity, deviation=deviation))
    return placed


def _between(rng: np.random.Generator, ends: tuple[int, int]) -> int:
    return int(rng.integers(ends[0], ends[1], endpoint=True))


def _seen(
    rng: np.random.Generator,
    family: Family,
    count: int,
    placed: Sequence[_Anomaly],
    *,
    codes: Codes,
    real: Numbers,
) -> frozenset[Element]:
    """Return *count* elements of one cuboid that no other anomaly uses; a single leaf among them is not zero.

    A layer whose dimensions have no free values left is drawn again.
    """
    deepest = len(family.sizes)
    used = {part for anomaly in placed for element in anomaly.elements for part in element}
    taken = {anomaly.dimensions for anomaly in placed}
    layer = 0
    while True:
        layer = layer or (deepest if family.deepest_only else _between(rng, (1, deepest)))
        dimensions = tuple(sorted(rng.choice(deepest, layer, replace=False).tolist()))
        free = [[v for v in range(family.sizes[d]) if (d, v) not in used] for d in dimensions]
        if not all(free):
            layer = 0
            continue
        columns = [rng.choice(values, count).tolist() for values in free]
        rows = zip(*columns, strict=True)
        elements = frozenset(tuple(zip(dimensions, row, strict=True)) for row in rows)
        single = layer == deepest
        hidden = single and not all(real[members(e, codes)].any() for e in elements)
        if len(elements) == count and not hidden and (single or dimensions not in taken):
            return elements


def _strike(
    rng: np.random.Generator, anomaly: _Anomaly, codes: Codes, pair: tuple[Numbers, Numbers]
) -> None:
    """Set the second of *pair* to what the anomaly leaves of the first, in all leaves of its elements."""
    kept, struck = pair
    inside: Flags = np.zeros(len(codes), dtype=np.bool_)
    for element in anomaly.elements:
        inside |= members(element, codes)
    lost = rng.normal(anomaly.severity, anomaly.deviation, int(inside.sum()))
    struck[inside] = np.maximum(kept[inside] * (1.0 - lost), 0.0)
