"""What was measured, leaf by leaf: the question that ``localise`` answers. The kind of leaves says the measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rca.stats.localise_cube import DENSE, Codes, Element, Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The values of every leaf: ``codes`` (leaves, dimensions) index ``values``, which belong to ``dimensions``."""

    dimensions: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]
    codes: Codes

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of values of each dimension."""
        return tuple(len(values) for values in self.values)

    def of(self, element: Element) -> dict[str, str | None]:
        """Return *element* in words: its value of each dimension that it fixes."""
        return {self.dimensions[d]: self.values[d][value] for d, value in element}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditiveLeaves:
    """A measure that adds up, with a forecast: what each leaf should hold and what it holds; below 0 counts as 0."""

    names: Names
    expected: Numbers
    observed: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLeaves:
    """Hits out of trials, in the window judged and over the past; no leaf has more hits than trials, none below 0."""

    names: Names
    hits: Numbers
    trials: Numbers
    past_hits: Numbers
    past_trials: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLeaves:
    """Rows of the window judged, and of each window that shows what is normal: (windows, leaves), 0 or more."""

    names: Names
    current: Numbers
    baseline: Numbers


Leaves = AdditiveLeaves | RateLeaves | CountLeaves


def combined(
    columns: Mapping[str, Sequence[str | None]], numbers: Sequence[Numbers]
) -> tuple[Names, tuple[Numbers, ...]]:
    """Return every combination of values once, in the order of their names, with its numbers summed.

    The order of rows is gone afterwards, so no answer can depend on it.

    Args:
        columns: each dimension's values, one per row.
        numbers: columns of numbers, one per row.

    Raises:
        ValueError: the columns differ in length.
    """
    lengths = {*map(len, columns.values()), *map(len, numbers)}
    if len(lengths) > 1:
        raise ValueError("every column needs one entry per row")
    rows = lengths.pop() if lengths else 0
    coded = [_coded(column) for column in columns.values()]
    leaf, leaves = np.zeros(rows, dtype=np.intp), min(rows, 1)
    for values, codes in coded:
        leaf, leaves = _numbered(leaf * len(values) + codes, leaves * len(values))
    table = np.empty((leaves, len(coded)), dtype=np.intp)
    for dimension, (_, codes) in enumerate(coded):
        table[leaf, dimension] = codes
    names = Names(
        dimensions=tuple(columns), values=tuple(values for values, _ in coded), codes=table
    )
    return names, tuple(_summed(column, leaf, leaves) for column in numbers)


def _numbered(ids: Codes, size: int) -> tuple[Codes, int]:
    """Return *ids*, each below *size*, without gaps and in the same order, and how many differ."""
    if size > DENSE * len(ids) + DENSE:
        present, dense = np.unique(ids, return_inverse=True)
        return dense.astype(np.intp, copy=False), len(present)
    held = np.bincount(ids, minlength=size) > 0
    return (np.cumsum(held) - 1)[ids], int(np.count_nonzero(held))


def _coded(column: Sequence[str | None]) -> tuple[tuple[str | None, ...], Codes]:
    """Return the values of *column* in order, none first, and the place of each entry among them."""
    values = sorted(set(column), key=lambda value: (value is not None, value or ""))
    places = {value: place for place, value in enumerate(values)}
    return tuple(values), np.fromiter(map(places.__getitem__, column), np.intp, len(column))


def _summed(column: Numbers, leaf: Codes, leaves: int) -> Numbers:
    """Return the sum of *column* per leaf; what is added goes by size, so that the order of rows leaves no trace."""
    if leaves < len(column):
        order = np.lexsort((column, leaf))
        column, leaf = column[order], leaf[order]
    summed: Numbers = np.bincount(leaf, column, leaves).astype(np.float64, copy=False)
    return summed
