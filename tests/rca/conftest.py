"""A small healthy pipeline in plain documents; each test breaks one thing in it."""

from __future__ import annotations

import copy
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rca.case import Case, parse_case
from rca.detection import Answer
from rca.evidence import SignalCode
from rca.registry import DETECTORS
from rca.view import view_of

DETECTED_AT = datetime(2026, 3, 4, 7, 5, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SOURCE, STAGING, MODEL = "source.shop.raw.orders", "model.shop.stg_orders", "model.shop.orders"


def wave(i: int) -> float:
    """A repeatable disturbance in [-1, 1] that looks random enough."""
    return math.sin(12.9898 * (i + 1)) * 0.9


class Pipeline:
    """Facts of a dataset that is fine, as a document that tests may change before they parse it."""

    def __init__(self) -> None:
        end = DETECTED_AT.replace(hour=6, minute=0)
        self.document: dict[str, Any] = {
            "format": "rca.case/1",
            "case_id": "case-1",
            "as_of": (DETECTED_AT + timedelta(minutes=5)).isoformat(),
            "anomaly": {
                "tenant_id": "acme",
                "dataset": "orders",
                "anomaly_type": "volume_anomaly",
                "detected_at": DETECTED_AT.isoformat(),
                "metric": {"name": "row_count", "observed": 900, "expected": 1000},
            },
            "dataset": {
                "name": "orders",
                "connector_id": "conn-1",
                "dbt_node": MODEL,
                "expected_sync_interval_s": 21_600,
                "sync_grace_s": 3_600,
            },
            "ingestion_jobs": [self.job(i) for i in range(60)],
            "column_snapshots": [self.snapshot(d) for d in range(6, -1, -1)],
            "dbt_runs": [self.run(d) for d in range(6, -1, -1)],
            "lineage": {
                "parents": {
                    STAGING: [SOURCE],
                    MODEL: [STAGING],
                    "model.shop.report": [MODEL],
                    "test.shop.unique_orders_id.1": [MODEL],
                    "test.shop.not_null_report_id.2": ["model.shop.report"],
                },
                "columns_used": {
                    STAGING: [f"{SOURCE}.id", f"{SOURCE}.total"],
                    "model.shop.report": [f"{MODEL}.id", f"{MODEL}.total"],
                },
            },
            "dq_results": [],
            "volume_history": [self.volume(end - d * DAY, d) for d in range(28, -1, -1)],
            "dimension_profiles": [
                profile for d in range(12, -1, -1) for profile in self.profiles(end - d * DAY, d)
            ],
        }

    @staticmethod
    def job(index: int, **changes: Any) -> dict[str, Any]:
        """Sync *index* of 60, the last of which ended shortly before the window closed."""
        started = DETECTED_AT.replace(hour=5, minute=0) - (59 - index) * 6 * HOUR
        rows = 250 * (1 + 0.3 * math.sin(index % 4)) * (1 + 0.04 * wave(index))
        return {
            "id": f"job-{index}",
            "connector_id": "conn-1",
            "status": "succeeded",
            "started_at": started.isoformat(),
            "finished_at": (started + timedelta(minutes=10 + wave(index))).isoformat(),
            "rows_synced": round(rows),
            **changes,
        }

    @staticmethod
    def snapshot(days_ago: int) -> dict[str, Any]:
        columns = [("id", "bigint"), ("total", "numeric"), ("note", "text"), ("at", "timestamp")]
        at = DETECTED_AT - days_ago * DAY - 2 * HOUR
        return {
            "captured_at": at.isoformat(),
            "columns": [{"name": name, "type": kind} for name, kind in columns],
        }

    @staticmethod
    def run(days_ago: int) -> dict[str, Any]:
        at = DETECTED_AT - days_ago * DAY - HOUR
        seconds = 60.0 * (1 + 0.1 * wave(days_ago))
        models = [STAGING, MODEL, "model.shop.report", "model.other.thing"]
        tests = ["test.shop.unique_orders_id.1", "test.shop.not_null_report_id.2"]
        return {
            "invocation_id": f"run-{days_ago}",
            "dbt_generated_at": at.isoformat(),
            "command": "build",
            "git_sha": "aaa",
            "results": [
                {"unique_id": m, "resource_type": "model", "status": "success",
                 "execution_time_s": seconds, "checksum": "sha256:1"} for m in models
            ] + [
                {"unique_id": t, "resource_type": "test", "status": "pass",
                 "execution_time_s": 1.0, "checksum": "sha256:2"} for t in tests
            ],
        }  # fmt: skip

    @staticmethod
    def volume(end: datetime, salt: int) -> dict[str, Any]:
        rows = round(1000 * (1 + 0.04 * wave(salt)))
        return {
            "window_start": (end - DAY).isoformat(),
            "window_end": end.isoformat(),
            "rows": rows,
        }

    @staticmethod
    def profiles(end: datetime, salt: int) -> list[dict[str, Any]]:
        span = {"window_start": (end - DAY).isoformat(), "window_end": end.isoformat()}
        country = {"US": 500, "CA": 300, "FR": 150, "DE": 50}
        channel = {"web": 700, "pos": 250, "app": 50}
        sku = {f"sku-{i}": 20 + i % 7 for i in range(40)}
        shaken = [
            {
                value: round(n * (1 + 0.02 * wave(salt + k)))
                for k, (value, n) in enumerate(counts.items())
            }
            for counts in (country, channel, sku)
        ]
        names = ("country", "channel", "sku")
        return [
            {"dimension": name, "counts": counts, **span}
            for name, counts in zip(names, shaken, strict=True)
        ]

    # ── what tests change ─────────────────────────────────────────────────────────────────────────

    def alert(self, **changes: Any) -> Pipeline:
        """Change the anomaly; a change of its kind drops the volume's metric."""
        self.document["anomaly"] |= changes
        if changes.get("anomaly_type", "volume_anomaly") != "volume_anomaly":
            self.document["anomaly"].pop("metric", None)
        return self

    def catalog(self, **changes: Any) -> Pipeline:
        """Change the dataset's entry in the catalog."""
        self.document["dataset"] |= changes
        return self

    def jobs(self, indexes: range, **changes: Any) -> Pipeline:
        """Change some of the 60 syncs."""
        for index in indexes:
            self.document["ingestion_jobs"][index] |= changes
        return self

    def failed(self, indexes: range, **changes: Any) -> Pipeline:
        """Let some of the syncs fail."""
        return self.jobs(indexes, status="failed", rows_synced=0, **changes)

    def drop_jobs(self, indexes: range) -> Pipeline:
        """Let some of the syncs never have happened."""
        keep = [job for i, job in enumerate(self.document["ingestion_jobs"]) if i not in indexes]
        self.document["ingestion_jobs"] = keep
        return self

    def rows(self, factor: float) -> Pipeline:
        """Scale the rows of the anomalous window, all values alike."""
        window = self.document["volume_history"][-1]
        window["rows"] = round(window["rows"] * factor)
        for profile in self.document["dimension_profiles"][-3:]:
            profile["counts"] = {v: round(n * factor) for v, n in profile["counts"].items()}
        return self

    def counts(self, dimension: str, **counts: int) -> Pipeline:
        """Set counts of the current window of *dimension*."""
        profile = self.document["dimension_profiles"][-3:][
            ("country", "channel", "sku").index(dimension)
        ]
        profile["counts"] |= counts
        return self

    def columns(self, newest: int, change: Any) -> Pipeline:
        """Apply *change* to the list of columns of the *newest* snapshots."""
        for snapshot in self.document["column_snapshots"][-newest:]:
            snapshot["columns"] = change(snapshot["columns"])
        return self

    def node(self, unique_id: str, newest: int, **changes: Any) -> Pipeline:
        """Change the results of *unique_id* in the *newest* runs."""
        for run in self.document["dbt_runs"][-newest:]:
            for result in run["results"]:
                if result["unique_id"] == unique_id:
                    result.update(changes)
        return self

    def without(self, *facts: str) -> Pipeline:
        """Leave facts out, without saying why."""
        for fact in facts:
            self.document.pop(fact, None)
        return self

    def hole(self, fact: str, reason: str) -> Pipeline:
        """Leave a fact out, and say why."""
        self.document.pop(fact, None)
        self.document.setdefault("holes", []).append({"fact": fact, "reason": reason})
        return self

    def case(self) -> Case:
        """Return the document parsed."""
        return parse_case(copy.deepcopy(self.document))[0]

    def ask(self, code: str) -> Answer:
        """Return what the detector *code* says about it."""
        return DETECTORS[SignalCode(code)].detect(view_of(self.case()))


@pytest.fixture
def pipeline() -> Pipeline:
    """A healthy pipeline to break."""
    return Pipeline()
