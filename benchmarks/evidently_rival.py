"""Evidently's drift score for one categorical column, where Evidently is installed; nothing depends on it."""

from __future__ import annotations

import importlib
import importlib.util
import math
import resource
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing import get_context
from typing import Any, Final

import numpy as np
import numpy.typing as npt

COLUMN: Final = "value"


def is_installed() -> bool:
    """Return whether Evidently can be imported at all."""
    return importlib.util.find_spec("evidently") is not None


@cache
def module(name: str) -> Any:  # noqa: ANN401 - its types are known only where it is installed
    """Return a module of Evidently's environment."""
    return importlib.import_module(name)


def _names(codes: npt.NDArray[np.int64]) -> list[str]:
    return [f"v{code}" for code in codes.tolist()]  # an object for each row, as a fetched table has


def _frame(rows: object, kind: object = None) -> Any:  # noqa: ANN401 - a pandas DataFrame
    return module("pandas").DataFrame({COLUMN: rows}).astype({COLUMN: kind} if kind else {})


def _arrow_frame(codes: npt.NDArray[np.int64]) -> Any:  # noqa: ANN401 - a pandas DataFrame
    return _frame(_names(codes), module("pandas").ArrowDtype(module("pyarrow").string()))


FRAMES: Final[Mapping[str, Callable[[npt.NDArray[np.int64]], Any]]] = {
    "text": lambda codes: _frame(_names(codes)),
    "Arrow text": _arrow_frame,
    "integers": _frame,
    "categories": lambda codes: _frame(_names(codes), "category"),
}
"""The kinds of table that a window may lie in memory as, the usual one first."""


def _expanded_text(counts: Mapping[str, int]) -> Any:  # noqa: ANN401 - a pandas DataFrame
    return _frame(np.repeat(np.array(list(counts), dtype=object), list(counts.values())))


def _expanded_categories(counts: Mapping[str, int]) -> Any:  # noqa: ANN401 - a pandas DataFrame
    codes = np.repeat(np.arange(len(counts)), list(counts.values()))
    return _frame(module("pandas").Categorical.from_codes(codes, list(counts)))


EXPANDED: Final[Mapping[str, Callable[[Mapping[str, int]], Any]]] = {
    "text": _expanded_text,
    "categories": _expanded_categories,
}
"""How counts by value become a table of rows again, by the form in which its text lies."""


def _text(found: Any) -> Any:  # noqa: ANN401 - a DuckDB relation, a pandas DataFrame
    return found.df()


def _arrow_text(found: Any) -> Any:  # noqa: ANN401 - a DuckDB relation, a pandas DataFrame
    return found.to_arrow_table().to_pandas(types_mapper=module("pandas").ArrowDtype)


def _arrow_categories(found: Any) -> Any:  # noqa: ANN401 - a DuckDB relation, a pandas DataFrame
    coded = found.to_arrow_table().column(COLUMN).combine_chunks().dictionary_encode()
    return module("pandas").DataFrame({COLUMN: coded.to_pandas()})


FETCHES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "text, `.df()`": _text,
    "Arrow text": _arrow_text,
    "categories made by Arrow": _arrow_categories,
}
"""How a DuckDB relation with the one column becomes a table that Evidently reads, the usual way first."""


def dataset(frame: Any) -> Any:  # noqa: ANN401 - a pandas DataFrame, an Evidently Dataset
    """Return *frame* as Evidently's dataset of one categorical column."""
    evidently = module("evidently")
    columns = evidently.DataDefinition(categorical_columns=[COLUMN])
    return evidently.Dataset.from_pandas(frame, data_definition=columns)


def report(before: Any, now: Any) -> float:  # noqa: ANN401 - Evidently's datasets
    """Return the distance by a report of ``ValueDrift`` with the Jensen-Shannon method, as its pages show it."""
    drift = module("evidently.metrics").ValueDrift(column=COLUMN, method="jensenshannon")
    run = module("evidently").Report([drift]).run(now, before)
    return float(run.dict()["metrics"][0]["value"])


def score_alone(before: Any, now: Any) -> float:  # noqa: ANN401 - pandas DataFrames
    """Return the distance by the function that the report calls for it, without the report."""
    test = module("evidently.legacy.calculations.stattests.jensenshannon").jensenshannon_stat_test
    kind = module("evidently.legacy.core").ColumnType.Categorical
    found = test(before[COLUMN], now[COLUMN], kind, test.default_threshold)
    return float(found.drift_score)


def finishes(call: Callable[..., object], *arguments: object, limit_s: float) -> bool:
    """Return whether ``call(*arguments)`` ends in a process of its own with so many seconds of the processor.

    Waiting for the processor while others have it does not count: the system kills the process when it used them up.

    Raises:
        RuntimeError: it failed, which says nothing about its time; the process wrote why.
    """
    child = get_context("spawn").Process(target=_bounded, args=(call, arguments, limit_s))
    child.start()
    child.join()
    if child.exitcode is None or child.exitcode > 0:
        raise RuntimeError(f"Evidently failed in a process of its own: {call}")
    return child.exitcode == 0


def _bounded(call: Callable[..., object], arguments: Sequence[object], limit_s: float) -> None:
    seconds = math.ceil(limit_s)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    call(*arguments)
