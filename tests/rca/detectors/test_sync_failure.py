"""sync_failure: an outage that the anomalous window could feel."""

from __future__ import annotations

from datetime import timedelta

from rca.detection import Signal


def test_an_outage_open_at_the_window_s_end_fires(pipeline):
    """Three failed syncs in a row, none since: the strongest signal of all, with the code and the count."""
    answer = pipeline.failed(range(57, 60), error_code="auth_error").rows(0.3).ask("sync_failure")
    assert isinstance(answer, Signal)
    assert answer.strength > 0.97
    assert answer.evidence.consecutive_failures == 3
    assert answer.evidence.error_code == "auth_error"
    assert answer.evidence.failed_since == pipeline.case().ingestion_jobs[57].started_at


def test_an_outage_caught_up_within_the_window_does_not(pipeline):
    """A failed sync that the next one made good explains nothing."""
    assert pipeline.failed(range(57, 58)).ask("sync_failure") is None


def test_an_outage_that_began_after_the_window_does_not(pipeline):
    """A failure after the anomalous window closed cannot have emptied it."""
    late = pipeline.job(59, id="late", status="failed", rows_synced=0)
    late["started_at"] = "2026-03-04T06:30:00Z"
    late["finished_at"] = "2026-03-04T06:40:00Z"
    pipeline.document["ingestion_jobs"].append(late)
    assert pipeline.ask("sync_failure") is None


def test_a_window_with_all_its_rows_speaks_against_the_outage(pipeline):
    """The same outage weighs less when the dataset's own rows are all there."""
    full = pipeline.failed(range(59, 60)).ask("sync_failure")
    empty = pipeline.rows(0.5).ask("sync_failure")
    assert full.strength < empty.strength


def test_a_cancelled_sync_weighs_less_than_a_failed_one(pipeline):
    """Somebody stopped it, usually for a reason."""
    failed = pipeline.failed(range(59, 60)).rows(0.5).ask("sync_failure")
    cancelled = pipeline.jobs(range(59, 60), status="cancelled").ask("sync_failure")
    assert cancelled.strength < failed.strength


def test_freshness_needs_a_stale_dataset(pipeline):
    """For a freshness anomaly a failure counts only once the last good sync is older than the schedule allows."""
    pipeline.alert(anomaly_type="freshness_anomaly").catalog(sync_grace_s=10_800).failed(
        range(59, 60)
    )
    fresh = pipeline.ask("sync_failure")
    stale = pipeline.failed(range(57, 60)).ask("sync_failure")
    assert fresh.strength < 0.9 < stale.strength


def test_a_sync_that_ends_after_as_of_has_not_failed_yet(pipeline):
    """What is not known at ``as_of`` does not exist: the sync counts as running."""
    at = pipeline.case().as_of + timedelta(minutes=1)
    pipeline.failed(range(59, 60), finished_at=at.isoformat())
    assert pipeline.ask("sync_failure") is None


def test_another_connector_s_failure_does_not_count(pipeline):
    """Only the dataset's own connector can starve it."""
    assert pipeline.failed(range(57, 60), connector_id="conn-2").ask("sync_failure") is None


def _last_profiles_end(pipeline, days):
    """Leave out the volume, and the profiles of the newest *days* windows, as empty windows have none."""
    pipeline.without("volume_history")
    del pipeline.document["dimension_profiles"][-3 * days :]
    return pipeline


def test_a_window_too_empty_for_a_profile_still_feels_the_outage(pipeline):
    """Without volume, a whole window since the last profile is the one in question, not the profile's own."""
    pipeline.failed(range(57, 60))
    assert isinstance(_last_profiles_end(pipeline, 1).ask("sync_failure"), Signal)


def test_a_profile_of_the_window_in_question_bounds_the_outage(pipeline):
    """Without volume but with that profile, a failure after its window explains nothing."""
    late = pipeline.job(59, id="late", status="failed", rows_synced=0)
    late["started_at"] = "2026-03-04T06:30:00Z"
    late["finished_at"] = "2026-03-04T06:40:00Z"
    pipeline.document["ingestion_jobs"].append(late)
    assert pipeline.without("volume_history").ask("sync_failure") is None
