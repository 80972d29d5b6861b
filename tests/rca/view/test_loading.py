"""When a window's rows come: with the syncs that end in it, or with the first one after it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from rca.case import IngestionJob, parse_case
from rca.evidence import SignalCode
from rca.registry import DETECTORS
from rca.stats.volume import Window
from rca.view import view_of
from rca.view.ingestion import read_jobs
from rca.view.instants import epoch_s
from rca.view.loading import loads_late

FIRST = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
STEP = timedelta(hours=4)
TOOK = timedelta(minutes=12)


def came(place: int) -> int:
    """Rows that came to be in window *place*: many by day, few by night."""
    return round(500 + 400 * math.sin(place * math.pi / 3.0) + 37 * math.sin(12.9898 * place))


def syncs(number: int, rows=came):
    """Sync *i* starts nine minutes after window *i* ended and brings its rows."""
    started = [FIRST + (i + 1) * STEP + timedelta(minutes=9) for i in range(number)]
    return tuple(
        IngestionJob(
            id=str(i), status="succeeded", started_at=at, finished_at=at + TOOK, rows_synced=rows(i)
        )
        for i, at in enumerate(started)
    )


def windows(number: int, rows):
    edges = [epoch_s(FIRST + i * STEP) for i in range(number + 1)]
    return [
        Window(start_s=edges[i], end_s=edges[i + 1], rows=float(rows(i))) for i in range(number)
    ]


def jobs_of(found):
    return read_jobs(found, None, FIRST + 100 * STEP)


@pytest.mark.parametrize(
    ("rows", "late"),
    [
        (came, True),  # counted by the rows' own time: the sync after the window brought them
        (lambda i: 3 * came(i), True),  # a mart that has three rows for each
        (lambda i: came(i - 1), False),  # counted by arrival: the sync in the window brought them
        (lambda i: 500 + 311 * math.sin(i * i), False),  # neither: the contract's reading holds
    ],
)
def test_the_history_says_by_which_time_rows_are_counted(rows, late):
    """The counts of the windows follow one of the two readings; where neither, rows are counted by arrival."""
    assert loads_late(windows(20, rows), jobs_of(syncs(21))) is late


def test_steady_rows_say_nothing():
    """Both readings fit, so the contract's holds."""
    assert not loads_late(windows(20, lambda _: 100), jobs_of(syncs(21, lambda _: 100)))


@pytest.mark.parametrize("number", [0, 3, 5])
def test_a_few_windows_say_nothing(number):
    """Five agree by chance."""
    assert not loads_late(windows(number, came), jobs_of(syncs(21)))
    assert not loads_late(windows(20, came), jobs_of(syncs(number)))


def broken_after(counted):
    """A case whose window 20 holds next to nothing and whose sync after it failed."""
    names = [{"id": str(i), "started_at": s.started_at, "finished_at": s.finished_at,
              "status": "succeeded", "rows_synced": s.rows_synced} for i, s in enumerate(syncs(21))]  # fmt: skip
    names[-1] |= {"status": "failed", "rows_synced": 0, "error_code": "rate_limit"}
    held = [counted(i) for i in range(20)] + [9]
    detected = FIRST + 21 * STEP + timedelta(minutes=50)
    return {
        "format": "rca.case/1",
        "case_id": "c",
        "as_of": detected,
        "anomaly": {"tenant_id": "t", "dataset": "d", "anomaly_type": "volume_anomaly",
                    "detected_at": detected, "metric": {"name": "row_count", "observed": 9, "expected": 600}},
        "dataset": {"name": "d", "expected_sync_interval_s": STEP.total_seconds()},
        "ingestion_jobs": names,
        "volume_history": [{"window_start": FIRST + i * STEP, "window_end": FIRST + (i + 1) * STEP,
                            "rows": rows} for i, rows in enumerate(held)],
    }  # fmt: skip


@pytest.mark.parametrize(("counted", "explains"), [(came, True), (lambda i: came(i - 1), False)])
def test_a_failure_after_the_window_explains_it_where_its_sync_would_have_filled_it(
    counted, explains
):
    """Counted by the rows' own time it is the cause; counted by arrival it came too late to be."""
    view = view_of(parse_case(broken_after(counted))[0])
    answer = DETECTORS[SignalCode.SYNC_FAILURE].detect(view)
    assert (answer is not None and answer.strength > 0.9) is explains
