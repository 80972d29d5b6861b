"""What every search for a segment works on: leaves, the cuboids above them, and their elements.

A *leaf* is one combination of values of all dimensions. A *cuboid* is a choice of dimensions; an *element* is one
value for each of them. Values are codes, so that a sum per element is one ``bincount``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Element = tuple[tuple[int, int], ...]
"""Pairs of dimension and value code, in the order of the dimensions; at least one."""

MOST_CUBOIDS: Final = (
    128  # all layers of seven dimensions; of more dimensions only the upper layers
)
DENSE: Final = (
    4  # slots per leaf; an emptier cuboid is renumbered so that memory stays linear in leaves
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """One element that carries part of a change; ``score`` is its evidence in nats beyond the cost of naming it."""

    element: Element
    score: float
    expected: float
    observed: float

    @property
    def moved(self) -> float:
        """How much the element moved, in the measure's own unit; 0 or more."""
        return abs(self.observed - self.expected)

    @property
    def rose(self) -> bool:
        """Whether more was observed than expected."""
        return self.observed > self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuboid:
    """One choice of dimensions: the element of every leaf (below ``size``), and the nats it costs to name one."""

    dimensions: tuple[int, ...]
    ids: Codes
    size: int
    cost: float


def checked(codes: Codes, sizes: Sequence[int], *columns: Numbers) -> None:
    """Refuse leaves that contradict themselves.

    Args:
        codes: (leaves, dimensions).
        sizes: number of values of each dimension.
        columns: numbers per leaf, or a table of them with a column for each leaf.

    Raises:
        ValueError: shapes differ, a code is not below its dimension's size, or a number is not finite.
    """
    if codes.ndim != 2 or codes.shape[1] != len(sizes):  # noqa: PLR2004 - a table
        raise ValueError("codes need one row per leaf and one column per size")
    if any(column.shape[-1:] != (len(codes),) for column in columns):
        raise ValueError("every column of numbers needs one number per leaf")
    if codes.size and (codes.min() < 0 or bool((codes.max(axis=0) >= np.asarray(sizes)).any())):
        raise ValueError("a code is not below the size of its dimension")
    if not all(bool(np.isfinite(column).all()) for column in columns):
        raise ValueError("numbers of leaves must be finite")


def cuboids(codes: Codes, sizes: Sequence[int], deepest: int | None = None) -> tuple[Cuboid, ...]:
    """Return the cuboids above *codes*, smallest layer first.

    Args:
        codes: (leaves, dimensions), each below its size.
        sizes: number of values of each dimension.
        deepest: the most dimensions of one cuboid; None for all, as long as there are not too many cuboids.

    Returns:
        Every cuboid; its cost is the logarithm of how many elements one could have named instead.
    """
    choices = _choices(len(sizes), deepest)
    numbered: dict[tuple[int, ...], tuple[Codes, int]] = {
        (): (np.zeros(len(codes), dtype=np.intp), 1)
    }
    for chosen in choices:
        above, count = numbered[chosen[:-1]]
        last = chosen[-1]
        ids = above * sizes[last] + codes[:, last]
        numbered[chosen] = _renumbered(ids, count * sizes[last])
    among = math.log(max(1, len(choices)))
    return tuple(
        Cuboid(
            dimensions=chosen,
            ids=numbered[chosen][0],
            size=numbered[chosen][1],
            cost=among + _log_elements(chosen, sizes, len(codes)),
        )
        for chosen in choices
    )


def _choices(dimensions: int, deepest: int | None) -> list[tuple[int, ...]]:
    chosen: list[tuple[int, ...]] = []
    for layer in range(1, min(dimensions, deepest or dimensions) + 1):
        more = list(itertools.combinations(range(dimensions), layer))
        if chosen and len(chosen) + len(more) > MOST_CUBOIDS:
            break
        chosen += more
    return chosen


def _renumbered(ids: Codes, size: int) -> tuple[Codes, int]:
    if size <= DENSE * len(ids) + DENSE:
        return ids, size
    present, dense = np.unique(ids, return_inverse=True)
    return dense.astype(np.intp, copy=False), len(present)


def _log_elements(chosen: tuple[int, ...], sizes: Sequence[int], leaves: int) -> float:
    return math.log(max(1, min(leaves, math.prod(sizes[d] for d in chosen))))


def element_at(dimensions: Sequence[int], codes: Codes, leaf: int) -> Element:
    """Return the element of the cuboid over *dimensions* that holds *leaf*."""
    return tuple((d, int(codes[leaf, d])) for d in dimensions)


def members(element: Element, codes: Codes) -> Flags:
    """Return which leaves lie in *element*."""
    inside: Flags = np.ones(len(codes), dtype=np.bool_)
    for dimension, value in element:
        inside &= codes[:, dimension] == value
    return inside


def without_children(found: Sequence[Located]) -> tuple[Located, ...]:
    """Return *found* without every element that lies inside another listed one; the order stays."""
    listed = [frozenset(place.element) for place in found]
    return tuple(
        place
        for place, own in zip(found, listed, strict=True)
        if not any(other < own for other in listed)
    )
