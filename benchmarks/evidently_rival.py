"""Evidently's drift score for one categorical column, where Evidently is installed; nothing depends on it."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from time import perf_counter
from typing import Any


def is_installed() -> bool:
    """Return whether Evidently can be imported at all."""
    return importlib.util.find_spec("evidently") is not None


def seconds(before: Sequence[str] | Sequence[int], now: Sequence[str] | Sequence[int]) -> float:
    """Return how long ``ValueDrift`` with the Jensen-Shannon method takes; building the tables is not counted."""
    evidently: Any = importlib.import_module("evidently")
    metrics: Any = importlib.import_module("evidently.metrics")
    pandas: Any = importlib.import_module("pandas")
    columns = evidently.DataDefinition(categorical_columns=["c"])
    reference, current = (
        evidently.Dataset.from_pandas(pandas.DataFrame({"c": list(rows)}), data_definition=columns)
        for rows in (before, now)
    )
    report = evidently.Report([metrics.ValueDrift(column="c", method="jensenshannon")])
    begun = perf_counter()
    report.run(current, reference).dict()
    return perf_counter() - begun
