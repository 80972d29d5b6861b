"""long_running_sync: a sync far beyond its connector's usual time."""

from __future__ import annotations

import pytest

from rca.detection import Signal


def running_since(pipeline, started_at):
    return pipeline.jobs(range(59, 60), status="running", started_at=started_at, finished_at=None)


@pytest.mark.parametrize(
    ("started_at", "fires"),
    [
        ("2026-03-04T04:10:00Z", True),  # three hours where ten minutes are usual
        ("2026-03-04T06:30:00Z", True),  # forty minutes
        ("2026-03-04T06:52:00Z", False),  # eighteen minutes: below twice the median
        ("2026-03-04T07:04:00Z", False),  # six minutes
    ],
)
def test_it_fires_above_twice_the_median(pipeline, started_at, fires):
    """The runbook's condition, with few earlier runs that would have lasted as long."""
    answer = running_since(pipeline, started_at).ask("long_running_sync")
    assert isinstance(answer, Signal) is fires
    if fires:
        assert answer.strength > 0.9
        assert answer.evidence.ratio > 2


def test_a_connector_of_irregular_durations_weighs_less(pipeline):
    """Where an hour is nothing special, an hour is no signal."""
    steady = running_since(pipeline, "2026-03-04T06:10:00Z").ask("long_running_sync")
    for index, job in enumerate(pipeline.document["ingestion_jobs"][:59]):
        job["finished_at"] = job["started_at"].replace(
            ":00:00", f":{(3, 10, 35, 59)[index % 4]:02d}:00"
        )
    irregular = pipeline.ask("long_running_sync")
    assert irregular is None or irregular.strength < steady.strength


def test_a_sync_that_catches_up_weighs_less(pipeline):
    """After an outage the first good sync carries what was left behind."""
    usual = running_since(pipeline, "2026-03-04T05:40:00Z").ask("long_running_sync")
    after = pipeline.failed(range(56, 59)).ask("long_running_sync")
    assert after.strength < usual.strength


def test_too_few_earlier_syncs_say_nothing(pipeline):
    """Three durations are no history."""
    running_since(pipeline, "2026-03-04T04:10:00Z").drop_jobs(range(56))
    assert pipeline.ask("long_running_sync") is None
