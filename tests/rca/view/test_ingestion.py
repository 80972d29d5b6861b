"""The syncs of a case: newest first in memory, none of them in the future, no outage cut in two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rca.case import Dataset, IngestionJob
from rca.view.ingestion import MAX_JOBS, read_jobs

AS_OF = datetime(2026, 3, 4, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
OURS = Dataset(name="orders", connector_id="c1")


def job(hours_ago, status="succeeded", **changes):
    started = AS_OF - hours_ago * HOUR
    fields = {
        "id": f"job-{hours_ago}",
        "connector_id": "c1",
        "status": status,
        "started_at": started,
        "finished_at": started + HOUR / 4,
        "rows_synced": 0 if status == "failed" else 100,
    }
    return IngestionJob.model_validate(fields | changes)


def many(number, failed=()):
    return [job(ago, "failed" if ago in failed else "succeeded") for ago in range(number, 0, -1)]


def test_only_the_newest_are_kept():
    """Five thousand hourly syncs are read as the newest MAX_JOBS."""
    kept = read_jobs(many(5_000), OURS, AS_OF).jobs
    assert len(kept) == MAX_JOBS
    assert kept[-1].id == "job-1"


def test_an_outage_is_never_cut_at_its_beginning():
    """Where the cut would fall among failures, everything back to the good sync before them stays."""
    outage = range(MAX_JOBS - 10, MAX_JOBS + 300)
    view = read_jobs(many(5_000, outage), OURS, AS_OF)
    assert view.outages[0].began_at == AS_OF - outage[-1] * HOUR
    assert view.outages[0].last_good is view.jobs[0]


def test_failures_since_ever_are_all_kept():
    """A connector that never worked since we know it has failed since then."""
    view = read_jobs(many(3_000, range(3_001)), OURS, AS_OF)
    assert view.outages[0].began_at == AS_OF - 3_000 * HOUR


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, 3),
        ({"started_at": AS_OF + HOUR, "finished_at": AS_OF + 2 * HOUR}, 2),  # not begun yet
        ({"connector_id": "c2"}, 2),  # somebody else's
        ({"connector_id": None}, 3),  # nobody said whose
        ({"id": "job-2"}, 2),  # the same sync, told twice
    ],
)
def test_what_counts_as_a_sync_of_ours(changes, known):
    """Begun, ours as far as anybody knows, and each once."""
    jobs = [job(3), job(2), job(1).model_copy(update=changes)]
    assert len(read_jobs(jobs, OURS, AS_OF).jobs) == known


def test_a_sync_that_finished_later_is_still_running():
    """What happened after the instant of diagnosis is not known."""
    late = job(1, finished_at=AS_OF + HOUR)
    (known,) = read_jobs([late], OURS, AS_OF).jobs
    assert (known.status.value, known.finished_at, known.rows_synced) == ("running", None, None)
