"""The largest cases somebody may bring, made by rule from a seed: many values, many syncs, many dbt results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

Facts = dict[str, object]

AS_OF: Final = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
VALUES, WINDOWS, ROWS_PER_WINDOW = 100_000, 30, 1_000_000
JOBS: Final = 5_000
RUNS, RESULTS = 500, 400
SEED: Final = 7
NODE: Final = "model.shop.m0"


def many_values() -> Facts:
    """Return one dimension of VALUES values in WINDOWS days, the last of which lost its most frequent value."""
    draw = np.random.default_rng(SEED)
    weights = np.arange(1, VALUES + 1) ** -0.8
    names = [f"sku-{i:06d}" for i in range(VALUES)]
    profiles = []
    for back in range(WINDOWS - 1, -1, -1):
        counts = draw.multinomial(ROWS_PER_WINDOW, weights / weights.sum())
        if back == 0:
            counts[0] = 0
        end = AS_OF - timedelta(days=back, hours=7)
        held = {name: count for name, count in zip(names, counts.tolist(), strict=True) if count}
        profiles.append({"dimension": "sku", **_span(end, timedelta(days=1)), "counts": held})
    return {"dimension_profiles": profiles}


def many_jobs() -> Facts:
    """Return JOBS hourly syncs, one in fifty failed, the last three of them in a row."""
    draw = np.random.default_rng(SEED)
    jobs = []
    for back in range(JOBS - 1, -1, -1):
        start = AS_OF - timedelta(hours=back, minutes=50)
        bad = back < 3 or draw.random() < 0.02  # noqa: PLR2004 - the open outage, and the everyday ones
        jobs.append(
            {
                "id": f"job-{JOBS - back}",
                "connector_id": "c1",
                "status": "failed" if bad else "succeeded",
                "error_code": "source_timeout" if bad else None,
                "started_at": start.isoformat(),
                "finished_at": (
                    start + timedelta(seconds=300 + int(draw.integers(60)))
                ).isoformat(),
                "rows_synced": 0 if bad else int(10_000 + draw.integers(1_000)),
            }
        )
    return {"ingestion_jobs": jobs}


def many_results() -> Facts:
    """Return RUNS runs of RESULTS models in one chain, the last of which fails at the tenth model."""
    draw = np.random.default_rng(SEED)
    names = [f"model.shop.m{i}" for i in range(RESULTS)]
    runs = []
    for back in range(RUNS - 1, -1, -1):
        seconds = draw.gamma(4.0, 5.0, RESULTS).round(2).tolist()
        statuses = ["error" if back == 0 and i == 10 else "success" for i in range(RESULTS)]  # noqa: PLR2004 - the tenth
        results = [
            {
                "unique_id": name,
                "resource_type": "model",
                "status": status,
                "execution_time_s": span,
            }
            for name, status, span in zip(names, statuses, seconds, strict=True)
        ]
        at = (AS_OF - timedelta(hours=back, minutes=20)).isoformat()
        runs.append({"invocation_id": f"run-{back}", "dbt_generated_at": at, "results": results})
    parents = {name: [names[i + 1]] for i, name in enumerate(names[:-1])}
    return {"dbt_runs": runs, "lineage": {"parents": parents}}


LARGE: Final[Mapping[str, Callable[[], Facts]]] = {
    f"{VALUES:,} values x {WINDOWS} windows": many_values,
    f"{JOBS:,} syncs": many_jobs,
    f"{RUNS} dbt runs x {RESULTS} results": many_results,
}
"""What to call each, and who makes its facts."""


def document(facts: Facts) -> bytes:
    """Return the case that holds *facts*, as JSON."""
    case = {
        "format": "rca.case/1",
        "case_id": "large",
        "as_of": AS_OF.isoformat(),
        "anomaly": {
            "tenant_id": "acme",
            "dataset": "orders",
            "anomaly_type": "volume_anomaly",
            "detected_at": (AS_OF - timedelta(minutes=5)).isoformat(),
        },
        "dataset": {
            "name": "orders",
            "connector_id": "c1",
            "dbt_node": NODE,
            "expected_sync_interval_s": 3600,
        },
        **facts,
    }
    return json.dumps(case).encode()


def _span(end: datetime, length: timedelta) -> Facts:
    return {"window_start": (end - length).isoformat(), "window_end": end.isoformat()}
