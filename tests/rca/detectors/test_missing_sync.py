"""missing_sync: nothing started when it should have."""

from __future__ import annotations

import pytest

from rca.detection import Signal, Skipped


def test_a_sync_that_never_started_fires(pipeline):
    """Two syncs of the schedule did not happen: overdue by more than the schedule and its grace."""
    answer = pipeline.drop_jobs(range(58, 60)).ask("missing_sync")
    assert isinstance(answer, Signal)
    assert answer.strength > 0.9
    assert answer.evidence.overdue_s == pytest.approx(
        7.0 * 3600 + 300, abs=1
    )  # 17:00 + 6 h + 1 h grace to 07:05


def test_within_the_grace_nothing_is_missing(pipeline):
    """The last sync started at 05:00; the next is not due before 11:00."""
    assert pipeline.ask("missing_sync") is None


@pytest.mark.parametrize("status", ["running", "pending"])
def test_a_sync_under_way_is_not_missing(pipeline, status):
    """A sync that has started, or waits its turn, is late or slow, which is another signal."""
    pipeline.drop_jobs(range(58, 60))
    pipeline.document["ingestion_jobs"][-1] |= {"status": status, "finished_at": None}
    assert pipeline.ask("missing_sync") is None


def test_failed_syncs_are_not_missing(pipeline):
    """They came on time; that they failed is another signal."""
    assert pipeline.failed(range(57, 60)).ask("missing_sync") is None


def test_the_rhythm_is_read_from_the_syncs_when_the_catalog_has_none(pipeline):
    """Without a schedule the usual gap stands in for it."""
    pipeline.catalog(expected_sync_interval_s=None, sync_grace_s=None).drop_jobs(range(56, 60))
    assert pipeline.ask("missing_sync").strength > 0.9


def test_no_sync_at_all_is_no_look(pipeline):
    """An empty history cannot tell a missing sync from a connector that was never used."""
    pipeline.document["ingestion_jobs"] = []
    assert isinstance(pipeline.ask("missing_sync"), Skipped)
