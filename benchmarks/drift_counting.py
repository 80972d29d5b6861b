"""Counting the values of two pandas columns by the libraries that do it fastest, both windows at once where they let.

rca-bot never counts rows itself: a case holds counts, which the warehouse made. This is what is left to do for
whoever has the rows in memory, and what no drift score from rows can be faster than.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np

from benchmarks.drift_task import Counted, beside
from benchmarks.evidently_rival import COLUMN, module
from rca.stats.divergence import Counts

Column = Any  # a pandas Series; pandas is only where Evidently is
BYTES: Final = 256
_THREADS: Final = ThreadPoolExecutor(2)  # one for each window


def _value_counts(column: Column) -> Counted:
    found = column.value_counts()
    return found.index.tolist(), found.to_numpy()


def _counter(column: Column) -> Counted:
    found = Counter(column.to_numpy().tolist())
    return list(found), list(found.values())


def _factorize(column: Column) -> Counted:
    codes, names = module("pandas").factorize(column.to_numpy())
    return names.tolist(), np.bincount(codes)


def _arrow_made(column: Column) -> Counted:
    return _arrow_counted(module("pyarrow").array(column.to_numpy()))


def _arrow(column: Column) -> Counted:
    return _arrow_counted(
        module("pyarrow").array(column.array)
    )  # no copy: the column is Arrow's already


def _arrow_counted(array: Any) -> Counted:  # noqa: ANN401 - an Arrow array
    found = module("pyarrow.compute").value_counts(array)
    return found.field(0).to_pylist(), found.field(1).to_numpy()


def _bincount(column: Column) -> Counted:
    numbers = np.bincount(column.to_numpy())
    return range(len(numbers)), numbers


def _categories(column: Column) -> Counted:
    """Count codes; when they are bytes, two at a time, which halves the work."""
    names, codes = column.array.categories, column.array.codes
    if codes.dtype != np.int8 or len(codes) % 2 or codes.min() < 0:
        return names.tolist(), np.bincount(codes, minlength=len(names))
    pairs = np.bincount(codes.view(np.uint16), minlength=BYTES * BYTES).reshape(BYTES, BYTES)
    return names.tolist(), (pairs.sum(axis=0) + pairs.sum(axis=1))[: len(names)]


def _duckdb(column: Column) -> Counted:
    rows = column.to_frame()
    with module("duckdb").connect() as memory:
        memory.register("rows", rows)
        found = memory.execute(f'SELECT "{COLUMN}", count(*) FROM rows GROUP BY 1').fetchall()  # noqa: S608 - our own name
    return [name for name, _ in found], [number for _, number in found]


_EVERY: Final[Mapping[str, Callable[[Column], Counted]]] = {
    "pandas value_counts": _value_counts,
    "Counter": _counter,
    "DuckDB": _duckdb,
}
COUNTERS: Final[Mapping[str, Mapping[str, Callable[[Column], Counted]]]] = {
    "text": {"pandas factorize": _factorize, "Arrow": _arrow_made, **_EVERY},
    "Arrow text": {"Arrow": _arrow, **_EVERY},
    "integers": {"NumPy bincount": _bincount, **_EVERY},
    "categories": {"NumPy bincount": _categories, **_EVERY},
}
"""The ways to count each form, the one first that ours takes."""


LETS_GO: Final = (_arrow, _value_counts, _duckdb)
"""Those that let go of Python's lock for most of their work: here each window has a thread of its own."""


def counted(count: Callable[[Column], Counted], before: Any, now: Any) -> tuple[Counts, Counts]:  # noqa: ANN401 - pandas DataFrames
    """Count both windows' column by *count*, with both cores where that helps, as counts over the same values."""
    apply = _THREADS.map if count in LETS_GO else map
    first, second = apply(count, (before[COLUMN], now[COLUMN]))
    return beside(first, second)
