"""From a year of days to cases: a dataset, its history, a fault on the last day, and an alert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from benchmarks.flights import DIMENSIONS
from benchmarks.real_days.faults import FAULTS, Counts, Day, Draw, Fault, storm

Facts = dict[str, Any]

START: Final = datetime(2013, 1, 1, 2, tzinfo=UTC)  # of the first window
DAY: Final = timedelta(days=1)
BEFORE: Final = timedelta(
    hours=1, minutes=55
)  # so long before a window closes its last sync begins
HISTORIES: Final = (8, 14, 28, 45, 60)  # days
FEWEST: Final = 60  # rows on the judged day; of fewer nobody could say
TWO_WEEKS: Final = 14  # days
STORMY: Final = 0.75  # of the usual flights
ONE_IN: Final = 10  # incidents is a storm
WHOLE: Final = 0.2  # share of the incidents of the whole dataset
NAMED: Final = 0.4  # share of the alerts about shares that name the dimension
RUNS: Final = 12  # dbt runs
ERRORS: Final = {
    "auth_error": "the refresh token was revoked by an administrator",
    "rate_limit": "HTTP 429, quota used up",
    "source_timeout": "read timed out after 300 s on page 41",
    "destination_timeout": "the warehouse did not acknowledge the batch",
    "platform": "worker lost, exit code 137",
}
SOURCE, MODEL = "source.air.raw.flights", "model.air.fct_flights"
TEST: Final = "test.air.not_null_fct_flights_id.7c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The flights of one scope, or all of them; each is as many rows as ``rows`` says on average."""

    scope: tuple[str, str] | None
    rows: int
    syncs: int
    sync_s: float

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What its rows are told apart by: all dimensions but the one that makes the scope."""
        return tuple(d for d in DIMENSIONS if self.scope is None or d != self.scope[0])

    def of(self, flights: Counts, draw: Draw) -> Counts:
        """Return the rows of one day."""
        at = None if self.scope is None else DIMENSIONS.index(self.scope[0])
        held: Counts = Counter()
        for key, n in flights.items():
            if at is None or self.scope is None:
                held[key] += n
            elif key[at] == self.scope[1]:
                held[(*key[:at], *key[at + 1 :])] += n
        if self.rows == 1:
            return held
        drawn = draw.poisson([n * self.rows for n in held.values()]).tolist()
        return Counter({key: n for key, n in zip(held, drawn, strict=True) if n})


def incidents(year: Sequence[Counts], seed: int, number: int) -> Iterator[tuple[Facts, Facts]]:
    """Yield *number* cases and their truths."""
    draw = np.random.default_rng(seed)
    flights = [sum(day.values()) for day in year]
    stormy = [
        d for d in range(max(HISTORIES) + 2, len(year) - 1)
        if flights[d] < STORMY * float(np.median(flights[d - TWO_WEEKS : d]))
    ]  # fmt: skip
    scopes = _scopes(year)
    made = 0
    while made < number:
        is_storm = made % ONE_IN == 0
        history = int(draw.choice(HISTORIES))
        last = int(draw.choice(stormy) if is_storm else draw.integers(history + 2, len(year) - 1))
        if not is_storm and last in stormy:
            continue
        scope = None if draw.random() < WHOLE else scopes[int(draw.integers(len(scopes)))]
        dataset = Dataset(
            scope=scope,
            rows=int(draw.choice((1, 1, 10))),
            syncs=int(draw.choice((1, 4))),
            sync_s=float(draw.choice((90.0, 300.0, 1_200.0))),
        )
        days = [dataset.of(year[d], draw) for d in range(last - history, last + 1)]
        day = Day(dimensions=dataset.dimensions, counts=days[-1], syncs=dataset.syncs)
        if sum(day.counts.values()) < FEWEST:
            continue
        fault = storm(day) if is_storm else FAULTS[int(draw.integers(len(FAULTS)))](day, draw)
        if fault is None:
            continue
        name = f"real{seed}-{made:04d}"
        ends = [START + DAY * (d + 1) for d in range(last - history, last + 1)]
        case = _case(dataset, [*days[:-1], fault.counts], ends, fault, draw)
        yield {"format": "rca.case/1", "case_id": name, **case}, _truth(name, fault)
        made += 1


def _scopes(year: Sequence[Counts]) -> list[tuple[str, str]]:
    """Return every carrier, airport and destination with enough flights on an average day, in order."""
    held: Counter[tuple[str, str]] = Counter()
    for day in year:
        for key, n in day.items():
            held.update({(name, key[at]): n for at, name in enumerate(DIMENSIONS[:3])})
    return sorted(scope for scope, n in held.items() if n >= FEWEST // 3 * len(year))


def _truth(name: str, fault: Fault) -> Facts:
    cause = [] if fault.cause is None else [fault.cause]
    return {
        "case_id": name,
        "causes": cause,
        "signal": list(fault.signals),
        "symptoms": [] if fault.cause != "ingestion_failure" else ["upstream_data_shift"],
        "diagnosable": True,
        "difficulty": "medium",
        "tags": [f"{'kind' if cause else 'negative'}:{fault.kind}"],
        "holes": [],
        **fault.place,
    }


def _case(
    dataset: Dataset, days: Sequence[Counts], ends: Sequence[datetime], fault: Fault, draw: Draw
) -> Facts:
    detected = ends[-1] + timedelta(minutes=int(draw.integers(5, 60)))
    alert = str(draw.choice(fault.alerts))
    asked = fault.place.get("top_mover", {}).get("dimension")
    rows = [sum(day.values()) for day in days]
    return {
        "as_of": (detected + timedelta(minutes=2)).isoformat(),
        "anomaly": {
            "tenant_id": "air",
            "dataset": "flights",
            "anomaly_type": alert,
            "detected_at": detected.isoformat(),
            "column": asked if draw.random() < NAMED else None,
        },
        "dataset": {
            "name": "flights",
            "connector_id": "flights",
            "dbt_node": SOURCE,
            "expected_sync_interval_s": DAY.total_seconds() / dataset.syncs,
            "sync_grace_s": 900,
        },
        "ingestion_jobs": _jobs(dataset, days, ends, fault, draw),
        "column_snapshots": [_columns(end) for end in ends[-7:]],
        "dbt_runs": [_run(end, draw) for end in ends[-RUNS:]],
        "lineage": {"parents": {MODEL: [SOURCE], TEST: [MODEL]}},
        "dq_results": [],
        "volume_history": [_window(end) | {"rows": n} for end, n in zip(ends, rows, strict=True)],
        "dimension_profiles": [
            _window(end) | {"dimension": one, "counts": _by(dataset, day, one)}
            for end, day in zip(ends, days, strict=True)
            for one in dataset.dimensions
        ],
        "segment_profiles": _segments(dataset, days, ends),
        "peer_errors": [],
    }  # fmt: skip


def _window(end: datetime) -> Facts:
    return {"window_start": (end - DAY).isoformat(), "window_end": end.isoformat()}


def _by(dataset: Dataset, day: Counts, name: str) -> dict[str, int]:
    held = Day(dimensions=dataset.dimensions, counts=day, syncs=dataset.syncs).by(name)
    return {value: n for (value,), n in held.items()}


def _segments(dataset: Dataset, days: Sequence[Counts], ends: Sequence[datetime]) -> list[Facts]:
    names = [name for name in dataset.dimensions if name in ("carrier", "origin")]
    if len(names) == 1:
        return []
    held = [Day(dimensions=dataset.dimensions, counts=day, syncs=1).by(*names) for day in days]
    return [
        _window(end) | {"dimensions": names, "rows": [[list(key), n] for key, n in one.items()]}
        for end, one in zip(ends, held, strict=True)
    ]


def _jobs(
    dataset: Dataset, days: Sequence[Counts], ends: Sequence[datetime], fault: Fault, draw: Draw
) -> list[Facts]:
    """Return the syncs of all days, each with the rows of its part of the day."""
    jobs = []
    error = str(draw.choice(list(ERRORS)))
    for end, counts in zip(ends, days, strict=True):
        day = Day(dimensions=dataset.dimensions, counts=counts, syncs=dataset.syncs)
        brought = Counter[int]()
        for key, n in counts.items():
            brought[day.sync_of(key)] += n
        is_last = end == ends[-1]
        for k in range(dataset.syncs if not (is_last and fault.unseen) else 0):
            start = end - BEFORE - DAY * ((dataset.syncs - 1 - k) / dataset.syncs)
            took_s = dataset.sync_s * float(np.exp(draw.normal(0.0, 0.15)))
            down = is_last and k in fault.failed
            jobs.append({
                "id": f"{end:%m%d}-{k}",
                "connector_id": "flights",
                "status": "failed" if down else "succeeded",
                "error_code": error if down else None,
                "error_message": ERRORS[error] if down else None,
                "started_at": start.isoformat(),
                "finished_at": (start + timedelta(seconds=took_s)).isoformat(),
                "rows_synced": 0 if down else brought[k],
            })  # fmt: skip
    return jobs


def _columns(end: datetime) -> Facts:
    columns = [
        ("id", "bigint"),
        *((name, "varchar") for name in DIMENSIONS),
        ("left_at", "timestamp"),
    ]
    return {
        "captured_at": (end - timedelta(minutes=5)).isoformat(),
        "columns": [{"name": name, "type": kind} for name, kind in columns],
    }


def _run(end: datetime, draw: Draw) -> Facts:
    seconds = 40.0 * float(np.exp(draw.normal(0.0, 0.15)))
    return {
        "invocation_id": f"run-{end:%m%d}",
        "dbt_generated_at": (end - timedelta(minutes=1)).isoformat(),
        "command": "build",
        "git_sha": "a1",
        "results": [
            {"unique_id": MODEL, "resource_type": "model", "status": "success",
             "execution_time_s": seconds, "checksum": "sha256:1"},
            {"unique_id": TEST, "resource_type": "test", "status": "pass", "execution_time_s": 1.0},
        ],
    }  # fmt: skip
