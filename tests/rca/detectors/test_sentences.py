"""The one sentence of each detector: what people read first, with the numbers that decided."""

from __future__ import annotations

import pytest

MODEL, TEST = "model.shop.orders", "test.shop.unique_orders_id.1"


def few_rows(pipeline):
    return pipeline.jobs(range(56, 60), rows_synced=30).rows(0.12)


def hardly_any(pipeline):
    return pipeline.jobs(range(56, 60), rows_synced=1).rows(0.004)


def announced(pipeline):
    return pipeline.jobs(
        range(56, 60), status="incomplete", error_message="streams failed", rows_synced=60
    )


def announced_without_history(pipeline):
    return announced(pipeline).drop_jobs(range(55))


def announced_of_a_new_dataset(pipeline):
    pipeline.document["volume_history"] = []
    return announced_without_history(pipeline)


def still_running(pipeline):
    return pipeline.jobs(
        range(59, 60), status="running", started_at="2026-03-04T04:10:00Z", finished_at=None
    )


def late(pipeline):
    return pipeline.drop_jobs(range(56, 60))


def failed(pipeline):
    return pipeline.failed(range(57, 60), error_code="auth_error")


def failed_somehow(pipeline):
    return pipeline.failed(range(59, 60), error_code="other")


def slow(pipeline):
    return pipeline.node(MODEL, 1, execution_time_s=600.0)


def broken(pipeline):
    return pipeline.node(MODEL, 1, status="error")


def duplicated(pipeline):
    return pipeline.counts("sku", **{f"sku-{i}-dup": 6 for i in range(80)})


def one_new(pipeline):
    return pipeline.counts("country", PL=60)


def many_new(pipeline):
    return pipeline.counts("country", **{f"X{i}": 20 - i for i in range(15)})


def vanished(pipeline):
    return pipeline.counts("country", US=10)


def turned(pipeline):
    return pipeline.node(TEST, 1, status="fail")


def turned_again(pipeline):
    pipeline.document["dbt_runs"][1]["results"][4]["status"] = "fail"
    return turned(pipeline)


def dropped(pipeline):
    return pipeline.columns(1, lambda columns: [c for c in columns if c["name"] != "total"])


def retyped(pipeline):
    return pipeline.columns(1, lambda columns: [c | {"type": "text"} for c in columns])


SENTENCES = [
    (
        turned,
        "pass_to_fail",
        (
            "1 test turned from pass to fail by 2026-03-04 06:05 UTC, without a code change: "
            "test.shop.unique_orders_id.1; it failed in none of 6 runs before."
        ),
    ),
    (
        turned_again,
        "pass_to_fail",
        (
            "1 test turned from pass to fail by 2026-03-04 06:05 UTC, without a code change: "
            "test.shop.unique_orders_id.1; it failed in 1 of 6 runs before."
        ),
    ),
    (
        dropped,
        "column_removed",
        "Since the snapshot of 2026-03-04 05:05 UTC 1 column is gone: total.",
    ),
    (
        retyped,
        "column_type_changed",
        (
            "Since the snapshot of 2026-03-04 05:05 UTC 3 columns are of another type: id "
            "(bigint to text), total (numeric to text), at (timestamp to text)."
        ),
    ),
    (
        vanished,
        "distribution_drift",
        (
            "The shares of country moved by 0.258 bits, 176.6 times the most that was usual in "
            "11 windows; US went from 50.1 % to 1.9 % of the rows."
        ),
    ),
    (
        few_rows,
        "partial_sync",
        (
            "1,151 rows were expected for a Tuesday, 120 arrived, 90 % fewer; in 13 windows never "
            "below 1,106; the sync reported no error."
        ),
    ),
    (
        hardly_any,
        "partial_sync",
        (
            "1,151 rows were expected for a Tuesday, 4 arrived, 99 % fewer; in 13 windows never "
            "below 1,106; the sync reported no error."
        ),
    ),
    (
        announced,
        "partial_sync",
        (
            "1,151 rows were expected for a Tuesday, 240 arrived, 79 % fewer; in 13 windows never "
            "below 1,106; the sync said that streams are missing."
        ),
    ),
    (
        announced_without_history,
        "partial_sync",
        (
            "996 rows were expected for a Tuesday, 1,015 arrived, no fewer; in 28 windows once as "
            "few as 964; the sync said that streams are missing."
        ),
    ),
    (
        announced_of_a_new_dataset,
        "partial_sync",
        (
            "240 rows arrived, and the sync said that streams are missing; its own history does "
            "not say how many should have."
        ),
    ),
    (
        still_running,
        "long_running_sync",
        (
            "The sync has run 3 h, 17.9 times the median of 10 min; the longest of 59 before it "
            "took 11 min."
        ),
    ),
    (
        late,
        "missing_sync",
        (
            "The last sync started 2026-03-03 05:00 UTC; one is expected every 6 h with 60 min of "
            "grace, and the next is 19 h overdue."
        ),
    ),
    (
        failed,
        "sync_failure",
        (
            "3 syncs in a row failed with auth_error since 2026-03-03 17:00 UTC, and none has "
            "succeeded since."
        ),
    ),
    (
        failed_somehow,
        "sync_failure",
        "The sync failed since 2026-03-04 05:00 UTC, and none has succeeded since.",
    ),
    (
        slow,
        "execution_time_regression",
        (
            "model.shop.orders took 10 min, 9.3 times its usual 64 s; the longest of 6 runs "
            "before took 65 s."
        ),
    ),
    (
        broken,
        "dbt_model_failure",
        "1 model in the dataset's line fails since 2026-03-04 06:05 UTC: model.shop.orders.",
    ),
    (
        duplicated,
        "cardinality_explosion",
        (
            "sku has 120 distinct values, where 40 are usual for as many rows (+200 %); in 12 "
            "windows never above 40."
        ),
    ),
    (
        one_new,
        "new_values_appearing",
        "1 value appeared that 11 windows before never held: country=PL (60 rows).",
    ),
    (
        many_new,
        "new_values_appearing",
        (
            "15 values appeared that 11 windows before never held: country=X0 (20 rows), "
            "country=X1 (19 rows), country=X2 (18 rows) and 12 more."
        ),
    ),
]


@pytest.mark.parametrize(("broken_by", "code", "sentence"), SENTENCES)
def test_the_sentence_holds_the_deciding_numbers(pipeline, broken_by, code, sentence):
    """What was expected, what came, by how much, and what the history never showed."""
    assert broken_by(pipeline).ask(code).because == sentence
