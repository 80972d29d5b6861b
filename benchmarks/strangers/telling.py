"""A story as a case document: the alert, the catalog's entry, and every fact as its source would have kept it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from benchmarks.strangers.bystanders import ALIASES
from benchmarks.strangers.modelling import built_at, runs
from benchmarks.strangers.place import happens
from benchmarks.strangers.shares import profiles
from benchmarks.strangers.story import DAY, Facts, Story
from benchmarks.strangers.stream import Events, counted, synced, volume
from benchmarks.strangers.words import CHECKS

SNAPSHOTS: Final = 14
CHECKED: Final = 8  # runs of each check that are kept
METRIC_HISTORY: Final = 4  # windows before anybody dares to expect a number


def tell(story: Story) -> Facts:
    """Return the case document of *story*, times as text."""
    events = Events(story)
    jobs, loads = synced(story, events)
    made = runs(story)
    totals = counted(story, events, loads, built_at(story, made))
    single, joint = profiles(story, totals)
    document: Facts = {
        "format": "rca.case/1", "case_id": story.case_id, "as_of": story.as_of,
        "anomaly": _anomaly(story, totals), "dataset": _dataset(story),
        "ingestion_jobs": jobs, "column_snapshots": _snapshots(story),
        "dbt_runs": [{k: v for k, v in run.items() if k != "began"} for run in made], "lineage": _lineage(story),
        "dq_results": _checks(story), "volume_history": volume(story, totals),
        "dimension_profiles": single, "segment_profiles": joint, "peer_errors": story.peers, "holes": [],
    }  # fmt: skip
    if story.place.models.source is None:
        document |= {"dbt_runs": [], "lineage": None}
    return document


def as_text(story: Story, value: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """Return *value* with every instant as text, in the place's own time zone or in UTC, as its tools write them."""
    if isinstance(value, datetime):
        local = (
            value.astimezone(ZoneInfo(story.place.zone)) if len(story.place.tenant) % 2 else value
        )
        return local.isoformat(timespec="seconds")
    if isinstance(value, dict):
        return {key: as_text(story, one) for key, one in value.items()}
    return [as_text(story, one) for one in value] if isinstance(value, list) else value


def _anomaly(story: Story, totals: list[float]) -> Facts:
    place, kind = story.place, story.anomaly_type
    tool, check, _ = story.draw.choice(CHECKS)
    metric, about = None, story.column or place.columns[0][0]
    if kind == "volume_anomaly" and len(totals) > METRIC_HISTORY and happens(story.draw, 0.8):
        usual = sorted(totals[-15:-1])[len(totals[-15:-1]) // 2]
        spread = 2 * place.traffic.sigma + 0.05
        metric = {"name": "row_count", "observed": round(totals[-1]), "expected": round(usual),
                  "lower": round(usual * max(0.0, 1 - spread)), "upper": round(usual * (1 + spread))}  # fmt: skip
    return {
        "tenant_id": place.tenant, "dataset": place.dataset, "anomaly_type": kind, "detected_at": story.detected_at,
        "severity": story.draw.choice(("warning", "error", "critical", None)), "metric": metric,
        "column": story.column, "source": tool, "correlation_id": f"{place.tenant[:3]}-{story.draw.getrandbits(32):x}",
        "check_id": check.format(dataset=place.dataset, column=about) if kind == "quality_check_failure" else None,
    }  # fmt: skip


def _dataset(story: Story) -> Facts:
    place = story.place
    raw = place.role in ("raw", "source")
    every = None if story.vague else place.sync_every.total_seconds()
    return {
        "name": place.dataset, "relation": place.relation, "connector_id": place.connector_id,
        "stream": None if story.vague else place.stream,
        "dbt_node": place.models.node, "expected_sync_interval_s": every,
        "sync_grace_s": None if every is None else every * story.draw.choice((0.1, 0.25, 0.5)),
        "critical": happens(story.draw, 0.3), "merchant_facing": not raw and happens(story.draw, 0.5),
        "source_owner": place.owner,
    }  # fmt: skip


def _columns(story: Story, at: datetime) -> list[Facts]:
    columns = [(story.place.id_column, "id"), *story.place.columns]
    for change in sorted(story.columns, key=lambda c: c.at):
        if change.at <= at:
            columns = change.change(columns)
    told = [{"name": name, "type": story.place.types[kind]} for name, kind in columns]
    if story.respelled_at is not None and story.respelled_at <= at:
        told = [{**c, "type": ALIASES.get(c["type"], c["type"])} for c in reversed(told)]
    return told


def _snapshots(story: Story) -> list[Facts]:
    every = DAY if story.place.daily_snapshots else max(story.place.sync_every, timedelta(hours=1))
    newest = min(story.run_at(0) + timedelta(minutes=1), story.detected_at)
    first = 3 if story.place.short else SNAPSHOTS
    times = [newest - k * every for k in range(first - 1, -1, -1)]
    return [{"captured_at": at, "columns": _columns(story, at)} for at in times]


def _lineage(story: Story) -> Facts:
    models = story.place.models
    if models.source is None:
        return {}
    mart = models.chain[-1]
    board = story.draw.choice(
        ("Vorstandsbericht", "Ops board", "Tableau de bord", "売上ダッシュボード")
    )
    return {
        "parents": {node: list(parents) for node, parents in models.parents.items()},
        "columns_used": {node: list(columns) for node, columns in models.columns_used.items()},
        "critical_models": [mart] if happens(story.draw, 0.5) else [],
        "exposures": [{"unique_id": f"exposure.{mart.split('.')[1]}.board", "name": board, "depends_on": [mart]}],
    }  # fmt: skip


def _checks(story: Story) -> list[Facts]:
    place = story.place
    results: list[Facts] = []
    every = max(place.run_every, timedelta(hours=1))
    for tool, name, wants in story.draw.sample(CHECKS, 3):
        column = story.column if wants and story.column else place.columns[0][0]
        check = name.format(dataset=place.dataset, column=column)
        for back in range(CHECKED - 1, -1, -1):
            at = story.detected_at - back * every - timedelta(seconds=20)
            bad = back == 0 and not results_has_failure(results)
            results.append(_checked(story, check, tool, at, bad=bad))
        if story.resolved:
            results.append(
                _checked(story, check, tool, story.as_of - timedelta(seconds=30), bad=False)
            )
    return sorted(results, key=lambda r: r["executed_at"])


def results_has_failure(results: list[Facts]) -> bool:
    """Return whether any check has failed already: one alert, one failing check."""
    return any(r["status"] == "failed" for r in results)


def _checked(story: Story, check: str, tool: str, at: datetime, *, bad: bool) -> Facts:
    return {
        "id": f"{tool[:2]}-{story.draw.getrandbits(40):010x}", "check_id": check, "tenant_id": story.place.tenant,
        "dataset": story.place.dataset, "status": "failed" if bad else "passed", "severity": "error" if bad else None,
        "context_metadata": {"tool": tool} if happens(story.draw, 0.5) else None, "executed_at": at,
        "correlation_id": None,
    }  # fmt: skip
