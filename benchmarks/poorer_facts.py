"""The same case with something taken away or disturbed: how much of the accuracy hangs on which fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

Facts = dict[str, Any]
Change = Callable[[Facts, Random], None]
"""Changes the document of a case in place."""

LEAST: Final = 6  # syncs or windows that half a history keeps at least
RUNS_KEPT: Final = 4  # dbt runs
ROW_NOISE, SHARE_NOISE, TIME_NOISE = 0.12, 0.08, 0.3  # standard deviations of the logarithm


def _nothing(_facts: Facts, _draw: Random) -> None:
    """Leave the case as it is."""


def _check_ids(facts: Facts, draw: Random) -> None:
    if facts["anomaly"].get("check_id"):
        facts["anomaly"]["check_id"] = f"check_{draw.randint(0, 999)}"


def _names(facts: Facts, draw: Random) -> None:
    facts["anomaly"]["column"] = None
    _check_ids(facts, draw)


def _metric(facts: Facts, _draw: Random) -> None:
    facts["anomaly"]["metric"] = None


def _messages(facts: Facts, draw: Random) -> None:
    for job in facts.get("ingestion_jobs") or []:
        if job.get("error_message"):
            job["error_message"] = f"E{draw.randint(0, 99)}"
    for result in _results(facts):
        if result.get("message"):
            result["message"] = "failure"


def _codes(facts: Facts, _draw: Random) -> None:
    for job in facts.get("ingestion_jobs") or []:
        job["error_code"] = None


def _checksums(facts: Facts, _draw: Random) -> None:
    for result in _results(facts):
        result.pop("checksum", None)


def _without(fact: str) -> Change:
    return lambda facts, _draw: facts.pop(fact, None)


def _column_lineage(facts: Facts, _draw: Random) -> None:
    if facts.get("lineage"):
        facts["lineage"].pop("columns_used", None)


def _schedule(facts: Facts, _draw: Random) -> None:
    for key in ("expected_sync_interval_s", "sync_grace_s"):
        (facts.get("dataset") or {}).pop(key, None)


def _half(facts: Facts, _draw: Random) -> None:
    for fact in ("ingestion_jobs", "volume_history"):
        if facts.get(fact):
            facts[fact] = facts[fact][-max(LEAST, len(facts[fact]) // 2) :]
    grouped: dict[str, list[Facts]] = {}
    for profile in facts.get("dimension_profiles") or []:
        grouped.setdefault(profile["dimension"], []).append(profile)
    if grouped:
        facts["dimension_profiles"] = [p for own in grouped.values() for p in own[-LEAST:]]
    if facts.get("dbt_runs"):
        facts["dbt_runs"] = facts["dbt_runs"][-RUNS_KEPT:]


def _noise(facts: Facts, draw: Random) -> None:
    for job in facts.get("ingestion_jobs") or []:
        if job.get("rows_synced"):
            job["rows_synced"] = int(job["rows_synced"] * draw.lognormvariate(0.0, ROW_NOISE))
    for window in facts.get("volume_history") or []:
        window["rows"] = int(window["rows"] * draw.lognormvariate(0.0, ROW_NOISE))
    for profile in facts.get("dimension_profiles") or []:
        profile["counts"] = {
            value: round(rows * draw.lognormvariate(0.0, SHARE_NOISE))
            for value, rows in profile["counts"].items()
        }
    for result in _results(facts):
        if result.get("execution_time_s"):
            result["execution_time_s"] *= draw.lognormvariate(0.0, TIME_NOISE)


def _results(facts: Facts) -> list[Facts]:
    return [result for run in facts.get("dbt_runs") or [] for result in run["results"]]


POORER: Final[Mapping[str, Change]] = {
    "nothing": _nothing,
    "check ids replaced by meaningless ones": _check_ids,
    "the same, and the alert names no column": _names,
    "the alert has no metric": _metric,
    "every error message replaced by one word": _messages,
    "no error codes": _codes,
    "no checksums of models": _checksums,
    "no lineage": _without("lineage"),
    "no column lineage": _column_lineage,
    "no volume history": _without("volume_history"),
    "no schedule in the catalog": _schedule,
    "half of every history": _half,
    f"rows, shares and run times disturbed (log-normal, {ROW_NOISE:g}, {SHARE_NOISE:g}, {TIME_NOISE:g})": _noise,
}
"""What is taken away, and who does it."""
