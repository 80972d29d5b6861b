"""partial_sync: rows that went missing on the way."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rca.detection import Signal


def test_a_sync_that_says_so_fires(pipeline):
    """An incomplete sync with a message in the anomalous window is a partial sync."""
    pipeline.jobs(
        range(56, 60), status="incomplete", error_message="Some streams failed", rows_synced=60
    )
    answer = pipeline.rows(0.3).ask("partial_sync")
    assert isinstance(answer, Signal)
    assert answer.strength > 0.97
    assert answer.evidence.error_message == "Some streams failed"
    assert answer.evidence.drop_pct > 50


def test_a_silent_loss_of_most_rows_fires(pipeline):
    """Rows far below the same hours of earlier days are missing even if the sync says nothing."""
    answer = pipeline.jobs(range(56, 60), rows_synced=30).rows(0.12).ask("partial_sync")
    assert answer.strength > 0.8
    assert answer.evidence.rows_synced == 120


@pytest.mark.parametrize("rows", [180, 220, 250, 400])
def test_a_quiet_or_a_busy_day_does_not(pipeline, rows):
    """A quarter fewer rows, the same or more, in the same proportions, are not a partial sync."""
    answer = pipeline.jobs(range(56, 60), rows_synced=rows).rows(rows / 250).ask("partial_sync")
    assert answer is None or answer.strength < 0.5


def test_one_vanished_value_is_not_a_partial_sync(pipeline):
    """When one value alone tells the whole loss, the source changed: the weight falls."""
    pipeline.jobs(range(56, 60), rows_synced=115)
    pipeline.document["volume_history"][-1]["rows"] = 480
    even = pipeline.ask("partial_sync")
    single = pipeline.counts("country", US=5).counts("channel", web=180).ask("partial_sync")
    assert single is None or single.strength < even.strength


def test_uneven_losses_speak_for_the_way_not_the_source(pipeline):
    """Rows missing from every value by another part each were lost on the way."""
    pipeline.jobs(range(56, 60), rows_synced=115)
    pipeline.document["volume_history"][-1]["rows"] = 480
    answer = pipeline.counts("country", US=130, CA=260, FR=20, DE=45).ask("partial_sync")
    assert answer.strength > 0.8


def test_a_connector_that_always_says_so_weighs_less(pipeline):
    """What happens with every sync is not what broke today."""
    pipeline.jobs(range(60), error_message="one stream is disabled")
    assert pipeline.ask("partial_sync").strength < 0.7


def test_a_full_dataset_speaks_against_the_syncs(pipeline):
    """Few rows in the syncs of a dataset that has all of its own are another table's."""
    full = pipeline.jobs(range(56, 60), rows_synced=100).ask("partial_sync")
    assert full is None or full.strength < 0.5


def later(pipeline, days):
    """Move everything that happened by so many days."""

    def moved(value):
        if isinstance(value, dict):
            return {key: moved(held) for key, held in value.items()}
        if isinstance(value, list):
            return [moved(held) for held in value]
        if isinstance(value, str) and value[:5] == "2026-":
            return (datetime.fromisoformat(value) + timedelta(days=days)).isoformat()
        return value

    pipeline.document = moved(pipeline.document)
    return pipeline


def test_a_loss_on_a_day_of_rest_is_doubted_and_says_so(pipeline):
    """Six tenths fewer rows on 18 December are missing, a week later the shops are shut."""
    pipeline.jobs(range(56, 60), rows_synced=100).rows(0.4)
    working = later(pipeline, 290).ask("partial_sync")
    resting = later(pipeline, 7).ask("partial_sync")
    assert working.strength > 0.5 > resting.strength
    assert resting.because.endswith("the sync reported no error, and it is Christmas Day.")


def weekly(pipeline, rows):
    """Windows of a week, the last of them *rows*, with the syncs of all of it."""
    days = pipeline.document["volume_history"]
    last = datetime.fromisoformat(days[-1]["window_end"])
    pipeline.document["volume_history"] = [
        {
            "window_start": (last - timedelta(days=7 * i + 7)).isoformat(),
            "window_end": (last - timedelta(days=7 * i)).isoformat(),
            "rows": rows if i == 0 else 7_000 + 90 * (i % 3),
        }
        for i in range(20, -1, -1)
    ]
    pipeline.catalog(expected_sync_interval_s=604_800)
    pipeline.document["ingestion_jobs"] = [
        pipeline.job(59, id=f"week-{i}", rows_synced=rows if i == 0 else 7_000 + 90 * (i % 3))
        | {
            "started_at": (last - timedelta(days=7 * i, hours=2)).isoformat(),
            "finished_at": (last - timedelta(days=7 * i, hours=1)).isoformat(),
        }
        for i in range(20, -1, -1)
    ]
    return pipeline.without("dimension_profiles")


@pytest.mark.parametrize(("rows", "doubted"), [(4_300, True), (2_000, False)])
def test_a_week_with_days_of_rest_lacks_no_more_than_they_bring(pipeline, rows, doubted):
    """Of the week of Christmas three days of seven rest: four tenths fewer rows are theirs, seven tenths are not."""
    working = weekly(pipeline, rows).ask("partial_sync")
    resting = later(pipeline, 300).ask("partial_sync")
    assert (resting is None or resting.strength < working.strength) == doubted


def test_a_sync_that_says_so_is_believed_on_a_day_of_rest_too(pipeline):
    """The calendar explains few rows, not an error."""
    pipeline.jobs(range(56, 60), status="incomplete", error_message="half", rows_synced=100)
    assert later(pipeline.rows(0.4), 297).ask("partial_sync").strength > 0.95


@pytest.mark.parametrize(("rows", "fires"), [(30, True), (250, False)])
def test_with_the_syncs_of_today_alone_the_dataset_says_what_is_usual(pipeline, rows, fires):
    """No sync of an earlier day is known: those of today lack rows if they bring fewer than the dataset should hold."""
    pipeline.jobs(range(56, 60), rows_synced=rows).drop_jobs(range(56)).rows(0.12)
    answer = pipeline.ask("partial_sync")
    assert (answer is not None and answer.strength > 0.8) is fires


def daily(pipeline, few, begins, late=timedelta(0)):
    """One sync a day, *begins* after its window does, the last one *late*; windows begun on *few* have 300 rows."""
    pipeline.catalog(expected_sync_interval_s=86_400)
    syncs = []
    for window in pipeline.document["volume_history"]:
        begun = datetime.fromisoformat(window["window_start"])
        window["rows"] = 300 if f"{begun:%a}" == few else 1_000 + len(syncs) % 5
        started = begun + begins
        if window is pipeline.document["volume_history"][-1]:
            window["rows"], started = 120, started + late
        sync = {"started_at": started.isoformat(), "id": f"{begun}"}
        sync["finished_at"] = (started + timedelta(minutes=30)).isoformat()
        syncs.append(pipeline.job(0, rows_synced=window["rows"], **sync))
    pipeline.document["ingestion_jobs"] = syncs
    return pipeline


def test_the_rows_of_a_daily_sync_are_those_of_the_day_before_it(pipeline):
    """It starts on Wednesday morning and brings what came since Tuesday's: Sundays are few, this is a Tuesday."""
    answer = daily(pipeline, "Sun", timedelta(hours=23)).ask("partial_sync")
    assert answer.because.startswith("1,001 rows were expected for a Tuesday, 120 arrived")


def test_a_daily_sync_that_comes_late_is_compared_with_its_own_weekday(pipeline):
    """Syncs begin two hours into their window, this one 21 hours later: Wednesdays are few, and this is a Tuesday."""
    late = daily(pipeline, "Wed", timedelta(hours=2), late=timedelta(hours=21))
    answer = late.ask("partial_sync")
    assert answer.because.startswith("1,001 rows were expected for a Tuesday, 120 arrived")
