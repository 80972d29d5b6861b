"""Rows of a window as a block of cells, one axis for each dimension, so that every profile tells of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Cells = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Cell = tuple[int | None, ...]  # one index for each axis; None stands for every value of it
LEAST_SHAPE: Final = 1e-3  # of a gamma draw; smaller ones are zero anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One dimension: its values, and how much their shares wander from window to window."""

    name: str
    values: tuple[str, ...]
    steadiness: float | None  # concentration of the draw of each window; None: no wandering


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """The rows of one cell, slice or block of cells are multiplied."""

    cell: Cell
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A part of the rows of one value turns up under another value of the same axis."""

    axis: int
    source: int
    target: int
    part: float  # of the rows of the source


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrive:
    """Rows come under a value without any before, spread over the other axes like all rows."""

    axis: int
    target: int
    share: float  # of all rows before


Change = Push | Move | Arrive


def joint(
    numbers: np.random.Generator, shares: Sequence[Sequence[float]], dependence: float
) -> Cells:
    """Return the usual share of each cell, summing to one.

    Args:
        numbers: the source of chance.
        shares: the usual shares of each axis.
        dependence: 0 when the axes know nothing of each other; towards 1 each value of the first axis has its own
            favourites on the others.
    """
    first, *others = (np.array(one, dtype=np.float64) for one in shares)
    cells: Cells = first
    for axis in others:
        own = numbers.dirichlet(np.maximum(axis * 3.0, LEAST_SHAPE), size=len(first))
        mixed = (1.0 - dependence) * axis + dependence * own * (axis > 0)
        mixed /= mixed.sum(axis=1, keepdims=True)
        shape = (len(first), *([1] * (cells.ndim - 1)), len(axis))
        cells = cells[..., np.newaxis] * mixed.reshape(shape)
    total: Cells = cells / cells.sum()
    return total


def applied(cells: Cells, changes: Sequence[Change]) -> Cells:
    """Return *cells* after all *changes*; the sum says how many rows there are for each row before."""
    after = cells.copy()
    for change in changes:
        match change:
            case Push():
                after[tuple(slice(None) if at is None else at for at in change.cell)] *= (
                    change.factor
                )
            case Move():
                along = np.moveaxis(after, change.axis, 0)
                taken = along[change.source] * change.part
                along[change.source] -= taken
                along[change.target] += taken
            case Arrive():
                along = np.moveaxis(after, change.axis, 0)
                along[change.target] += along.sum(axis=0) * change.share
    return after


def wandered(numbers: np.random.Generator, cells: Cells, axes: Sequence[Axis]) -> Cells:
    """Return *cells* with the shares of each axis as they happen to be in one window."""
    after = cells
    for place, axis in enumerate(axes):
        if axis.steadiness is None:
            continue
        others = tuple(k for k in range(cells.ndim) if k != place)
        shape = np.maximum(cells.sum(axis=others) * axis.steadiness, LEAST_SHAPE)
        factor = numbers.gamma(shape) / shape
        after = after * np.expand_dims(factor, others)
    return after


def drawn(numbers: np.random.Generator, cells: Cells, rows: int) -> Counts:
    """Return *rows* rows fallen over the cells."""
    flat = (cells / cells.sum()).ravel()
    return numbers.multinomial(rows, flat / flat.sum()).reshape(cells.shape)


def over(counts: Counts, place: int, axis: Axis) -> dict[str, int]:
    """Return the rows of each value of one axis that has any."""
    totals = counts.sum(axis=tuple(k for k in range(counts.ndim) if k != place))
    return {axis.values[k]: int(totals[k]) for k in np.flatnonzero(totals)}


def combined(
    counts: Counts, places: Sequence[int], axes: Sequence[Axis]
) -> list[list[list[str] | int]]:
    """Return the rows of each combination of the values of *places* that has any, as a segment profile holds them."""
    totals = counts.sum(axis=tuple(k for k in range(counts.ndim) if k not in places))
    return [
        [[axes[p].values[k] for p, k in zip(places, at, strict=True)], int(totals[tuple(at)])]
        for at in np.argwhere(totals).tolist()
    ]
