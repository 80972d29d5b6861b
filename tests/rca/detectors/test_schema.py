"""The three schema signals: a column is gone, new, or of another type."""

from __future__ import annotations

import pytest

from rca.detection import Signal, Skipped
from rca.engine import diagnose

CODES = ("column_removed", "column_type_changed", "unexpected_column")


def drop(name):
    return lambda columns: [c for c in columns if c["name"] != name]


def add(name):
    return lambda columns: [*columns, {"name": name, "type": "text"}]


def retype(name, kind):
    return lambda columns: [c | {"type": kind} if c["name"] == name else c for c in columns]


def test_a_used_column_that_is_gone_fires(pipeline):
    """A removed column that a model reads; the evidence holds both sides."""
    answer = pipeline.columns(1, drop("total")).ask("column_removed")
    assert isinstance(answer, Signal)
    assert answer.strength > 0.9
    change = answer.evidence.column_changes[0]
    assert (change.column, change.change, change.from_, change.to) == (
        "total",
        "removed",
        "numeric",
        None,
    )
    assert len(answer.evidence.baseline_columns) == len(answer.evidence.current_columns) + 1


def test_a_removed_column_that_nobody_reads_hardly_fires(pipeline):
    """Known readers, none of this column: two to one at most, and no match for an alert about rows."""
    assert pipeline.columns(1, drop("note")).ask("column_removed").strength < 2 / 3
    assert diagnose(pipeline.case()).top_confidence < 0.4


def test_the_alert_s_own_column_counts_even_unread(pipeline):
    """The alert names the column that is gone."""
    pipeline.alert(anomaly_type="quality_check_failure", check_id="not_null_note").columns(
        1, drop("note")
    )
    assert pipeline.ask("column_removed").strength > 0.95


def test_a_removal_of_weeks_ago_does_not_fire(pipeline):
    """What the pipeline has lived with is not today's news."""
    pipeline.columns(7, drop("total"))
    old = pipeline.snapshot(40) | {}
    pipeline.document["column_snapshots"] = [
        old,
        pipeline.snapshot(39),
        *pipeline.document["column_snapshots"],
    ]
    pipeline.columns(8, drop("total"))
    answer = pipeline.ask("column_removed")
    assert answer is None or answer.strength < 0.2


@pytest.mark.parametrize(
    ("before", "after", "fires"),
    [
        ("numeric", "text", True),
        ("text", "jsonb", True),
        ("timestamp with time zone", "date", True),
        ("text", "character varying(65535)", False),
        ("numeric", "numeric(38,9)", False),
        ("bigint", "numeric(38,0)", False),
        ("VARCHAR(10)", "varchar(200)", False),
    ],
)
def test_only_a_type_of_another_meaning_fires(pipeline, before, after, fires):
    """The same values under a longer or wider type break nobody."""
    pipeline.columns(7, retype("total", before)).columns(1, retype("total", after))
    answer = pipeline.ask("column_type_changed")
    assert (answer.strength > 0.7) is fires


def test_many_changes_of_one_step_say_more_than_one(pipeline):
    """A new version of the source."""
    pipeline.columns(7, retype("total", "bigint"))
    one = pipeline.columns(1, retype("total", "text")).ask("column_type_changed")
    two = pipeline.columns(1, add("utm")).ask("column_type_changed")
    assert two.strength > one.strength


@pytest.mark.parametrize("more", [retype("note", "varchar(99)"), add("utm")])
def test_types_that_were_only_widened_are_no_new_version_of_the_source(pipeline, more):
    """One wider type says no more with another one beside it, and no more beside a new column."""
    pipeline.columns(7, retype("total", "bigint")).columns(7, retype("note", "varchar(10)"))
    one = pipeline.columns(1, retype("total", "numeric(38,0)")).ask("column_type_changed")
    two = pipeline.columns(1, more).ask("column_type_changed")
    assert two.strength == one.strength


def test_the_same_type_in_other_letters_is_no_change(pipeline):
    """Warehouses spell types in either case."""
    pipeline.columns(1, retype("total", "NUMERIC"))
    assert pipeline.ask("column_type_changed") is None


def test_a_new_column_alone_is_how_sources_grow(pipeline):
    """Less than even odds without anybody who stumbled over it."""
    assert pipeline.columns(1, add("utm")).ask("unexpected_column").strength < 0.5


def test_a_new_column_that_broke_its_reader_fires(pipeline):
    """The model built on the dataset worked before and fails since."""
    pipeline.columns(1, add("utm")).node("model.shop.report", 1, status="error", message="syntax")
    answer = pipeline.ask("unexpected_column")
    assert answer.strength > 0.6
    assert answer.evidence.correlated_dbt_failures == ("model.shop.report",)


def test_models_that_failed_over_the_column_are_named(pipeline):
    """A failure since that names the column is correlated; one of before is not."""
    pipeline.columns(1, drop("total")).node(
        MODEL, 1, status="error", message='column "total" does not exist'
    )
    answer = pipeline.ask("column_removed")
    assert answer.strength > 0.98
    assert MODEL in answer.evidence.correlated_dbt_failures


MODEL = "model.shop.orders"


@pytest.mark.parametrize("code", CODES)
def test_one_snapshot_is_no_look(pipeline, code):
    """Without a before there is no change to see."""
    pipeline.document["column_snapshots"] = pipeline.document["column_snapshots"][-1:]
    assert isinstance(pipeline.ask(code), Skipped)


@pytest.mark.parametrize("code", CODES)
def test_columns_in_another_order_are_no_change(pipeline, code):
    """Order means nothing."""
    assert pipeline.columns(1, lambda columns: columns[::-1]).ask(code) is None
