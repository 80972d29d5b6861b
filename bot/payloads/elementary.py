"""Reads the rows of Elementary's tables: outcomes of tests, columns, and counts per bucket of time.

Its times have no zone and are UTC. A dbt test that Elementary saw is the same result as in dbt's own artifacts, so both
have one id.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from bot.payloads.checks import MAX_ID, PASSED, UNKNOWN, outcome_of, utc_of
from rca.case import Column, ColumnSnapshot, DimensionProfile, DqResult, VolumeWindow

TOOL: Final = "elementary"
MAX_MESSAGE: Final = 2_000  # characters
MOST_ROWS: Final = 2**62  # the tables hold 64 bits
SEVERAL: Final = (";", ",")  # between the names of a combination of dimensions

Row = Mapping[str, Any]
_Key = tuple[str | None, datetime, datetime, str | None]


def outcomes(rows: Iterable[Row], since: datetime, as_of: datetime) -> tuple[DqResult, ...]:
    """Return the outcomes between the two instants, oldest first; a test that was skipped looked at nothing."""
    found: dict[str, DqResult] = {}
    for row in rows:
        at = utc_of(row.get("detected_at"))
        result = _test_result(row, at) if at is not None and since <= at <= as_of else None
        if result is not None:
            found[result.id] = result
    return tuple(sorted(found.values(), key=lambda result: (result.executed_at, result.id)))


def _test_result(row: Row, at: datetime) -> DqResult | None:
    outcome = outcome_of(_text(row, "status"))
    name = _text(row, "test_name") or _text(row, "test_short_name")
    unique_id, run = _text(row, "test_unique_id"), _text(row, "invocation_id")
    own = f"{run}:{unique_id}" if run and unique_id else None
    is_dbts = _text(row, "test_type") == "dbt_test"
    result_id = own if is_dbts and own else _text(row, "id") or own
    if name is None or result_id is None or outcome == UNKNOWN:
        return None
    kinds = {"kind": "test_type", "sub_kind": "test_sub_type", "column": "column_name"}
    said: dict[str, object] = {"tool": TOOL, "unique_id": unique_id}
    said |= {key: _text(row, column) for key, column in kinds.items()}
    said["failures"] = _count(row.get("failures"))
    said["message"] = _message(row) if outcome != PASSED else None
    return DqResult(
        id=result_id[:MAX_ID],
        check_id=name[:MAX_ID],
        status=outcome,
        severity=(_text(row, "severity") or "").casefold() or None,
        context_metadata={key: value for key, value in said.items() if value is not None},
        executed_at=at,
        correlation_id=run,
    )


def _message(row: Row) -> str | None:
    """Elementary's sentence, without the empty lines that its templates leave around it."""
    lines = (line.strip() for line in (_text(row, "test_results_description") or "").splitlines())
    return "\n".join(line for line in lines if line)[:MAX_MESSAGE] or None


def snapshots(rows: Iterable[Row], as_of: datetime) -> tuple[ColumnSnapshot, ...]:
    """Return the columns at each instant at which Elementary looked, oldest first."""
    seen: defaultdict[datetime, dict[str, Column]] = defaultdict(dict)
    for row in rows:
        at, name = utc_of(row.get("detected_at")), _text(row, "column_name")
        if at is not None and at <= as_of and name is not None:
            seen[at][name] = Column(name=name, type=_text(row, "data_type"))
    return tuple(
        ColumnSnapshot(captured_at=at, columns=tuple(columns[name] for name in sorted(columns)))
        for at, columns in sorted(seen.items())
    )


def counts(
    rows: Iterable[Row], as_of: datetime
) -> tuple[tuple[VolumeWindow, ...], tuple[DimensionProfile, ...]]:
    """Return the rows per bucket, and per value of each dimension, as they were last counted by *as_of*.

    Counts of a part of the rows (a test with ``where_expression``) and of combinations are left out.
    """
    newest: dict[_Key, tuple[datetime, int]] = {}
    for row in rows:
        start, end, at = (
            utc_of(row.get(key)) for key in ("bucket_start", "bucket_end", "updated_at")
        )
        number = _count(row.get("metric_value"))
        if start is None or end is None or number is None or at is None or _is_partial(row):
            continue
        key = (_text(row, "dimension"), start, end, _text(row, "dimension_value"))
        known = newest.get(key)
        if start < end <= as_of and at <= as_of and (known is None or known[0] <= at):
            newest[key] = (at, number)
    volumes: list[VolumeWindow] = []
    values: defaultdict[tuple[str, datetime, datetime], dict[str, int]] = defaultdict(dict)
    for (dimension, start, end, value), (_, number) in newest.items():
        if dimension is None:
            volumes.append(VolumeWindow(window_start=start, window_end=end, rows=number))
        else:
            values[dimension, start, end][value or ""] = number
    profiles = (
        DimensionProfile(dimension=dimension, window_start=start, window_end=end, counts=shares)
        for (dimension, start, end), shares in values.items()
    )
    return (
        tuple(sorted(volumes, key=lambda window: window.window_start)),
        tuple(sorted(profiles, key=lambda profile: (profile.dimension, profile.window_start))),
    )


def _is_partial(row: Row) -> bool:
    metric, dimension = _text(row, "metric_name"), _text(row, "dimension")
    if metric not in ("row_count", "dimension") or _text(row, "column_name") is not None:
        return True
    if (metric == "dimension") != (dimension is not None):
        return True
    if dimension is not None and any(mark in dimension for mark in SEVERAL):
        return True
    try:
        properties = json.loads(_text(row, "metric_properties") or "{}")
    except (ValueError, RecursionError):
        return True
    return not isinstance(properties, dict) or properties.get("where_expression") is not None


def _text(row: Row, key: str) -> str | None:
    value = row.get(key)
    return value.replace("\x00", "") or None if isinstance(value, str) else None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if not 0 <= value <= MOST_ROWS:
        return None
    return int(value)
