"""Evidence in messages: the runbook's own keys, units by the key, long lists counted."""

from __future__ import annotations

import typing
from datetime import UTC, datetime

import pytest

from bot.render import evidence, plain
from bot.render.message import Fact, Table
from bot.render.plain import plain_line
from rca.case import Column
from rca.diagnosis import BlindSpot
from rca.evidence import (
    CardinalityExplosionEvidence,
    ColumnTypeChangedEvidence,
    Evidence,
    ExecutionTimeRegressionEvidence,
    LongRunningSyncEvidence,
    MissingSyncEvidence,
    MovedDimension,
    Mover,
    NewValue,
    NewValuesEvidence,
    PartialSyncEvidence,
    PassToFailEvidence,
)
from tests.golden.scenes import COLUMN_REMOVED, DRIFT, MODEL_FAILURE, SYNC_FAILURE

AT = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)


def told(facts: tuple[Fact, ...]) -> dict[str, str]:
    return {fact.label: plain_line(fact.value) for fact in facts}


@pytest.mark.parametrize(
    ("shown", "key", "expected"),
    [
        (SYNC_FAILURE, "error_code", "auth_error"),
        (SYNC_FAILURE, "failed_since", "2026-03-02 05:10 UTC"),
        (
            PartialSyncEvidence(rows_synced=1203, expected_rows=9800, drop_pct=87.7),
            "drop_pct",
            "87.7 %",
        ),
        (
            PartialSyncEvidence(rows_synced=1203, expected_rows=9800, drop_pct=87.7),
            "rows_synced",
            "1,203",
        ),
        (
            LongRunningSyncEvidence(job_id="1", running_s=7500, median_s=1800, ratio=4.17),
            "running_s",
            "2 h 5 min",
        ),
        (
            LongRunningSyncEvidence(job_id="1", running_s=7500, median_s=1800, ratio=4.17),
            "ratio",
            "4.17 times",
        ),
        (MissingSyncEvidence(expected_by=AT, overdue_s=59), "overdue_s", "59 s"),
        (
            ExecutionTimeRegressionEvidence(
                model="m", execution_time_s=60, baseline_s=5, ratio=12, dbt_generated_at=AT
            ),
            "baseline_s",
            "5 s",
        ),
        (DRIFT, "jsd", "0.31 bits"),
        (DRIFT, "ingestion_healthy", "false"),
        (
            CardinalityExplosionEvidence(
                dimension="d",
                baseline_cardinality=3,
                current_cardinality=12,
                cardinality_change_pct=300,
            ),
            "cardinality_change_pct",
            "300 %",
        ),
        (MODEL_FAILURE, "code_changed", "false"),
        (COLUMN_REMOVED, "current_columns", "1 column"),
        (COLUMN_REMOVED, "correlated_dbt_failures", "model.shop.stg_orders"),
    ],
)
def test_values_have_their_units(shown: Evidence, key: str, expected: str) -> None:
    """Seconds are spans, percents percents, shares shares, and times points in time."""
    assert told(evidence.facts(shown))[key] == expected


def test_what_is_not_known_is_left_out() -> None:
    """A missing value is not shown as one; a known false is."""
    facts = told(evidence.facts(DRIFT.model_copy(update={"ingestion_healthy": None})))
    assert "ingestion_healthy" not in facts
    assert "ingestion_healthy" in told(evidence.facts(DRIFT))


@pytest.mark.parametrize(
    ("shown", "key", "expected"),
    [
        (DRIFT, "top_movers", "US 53 % → 12 %, CA 10 % → 40 %"),
        (COLUMN_REMOVED, "column_changes", "total_price removed"),
        (
            MODEL_FAILURE,
            "failing_models",
            'model.shop.stg_orders: column "total_price" does not exist',
        ),
        (
            PassToFailEvidence.model_validate(
                {
                    "transitions": [{"unique_id": "test.a", "from": "pass", "to": "fail"}] * 5,
                    "dbt_generated_at": AT,
                }
            ),
            "transitions",
            "test.a pass → fail, test.a pass → fail, test.a pass → fail and 2 more",
        ),
        (
            NewValuesEvidence(
                new_values=(NewValue(dimension="country", value="XX", count=1, share=0.1),),
                dimensions_affected=("country",),
            ),
            "new_values",
            "XX in country: 1 row",
        ),
        (
            ColumnTypeChangedEvidence.model_validate(
                {
                    "column_changes": [
                        {"column": "a", "change": "type_changed", "from": "int", "to": "text"}
                    ],
                    "current_columns": [],
                    "baseline_columns": [],
                }
            ),
            "column_changes",
            "a int → text",
        ),
    ],
)
def test_lists_are_told_in_brief_on_a_card(shown: Evidence, key: str, expected: str) -> None:
    """A card names the first items with their numbers and counts the rest."""
    assert told(evidence.highlights(shown))[key] == expected


def test_the_signal_comes_first_and_a_card_has_six_facts() -> None:
    """Operators look for ``signal`` first; more than six facts are left to the thread."""
    for shown in (SYNC_FAILURE, COLUMN_REMOVED, DRIFT, MODEL_FAILURE):
        facts = evidence.highlights(shown)
        assert facts[0].label == "signal"
        assert len(facts) <= 6


def test_thousands_of_rows_are_six_and_a_number() -> None:
    """A long list in the details shows its head and says how many rows there are beyond it."""
    many = COLUMN_REMOVED.model_copy(
        update={
            "column_changes": COLUMN_REMOVED.column_changes * 2_000,
            "current_columns": (Column(name="x"),) * 3_000,
        }
    )
    parts = evidence.parts(many)
    table = next(part for part in parts if isinstance(part, Table))
    assert (table.caption, len(table.rows), table.more) == ("Column changes (2,000)", 6, 1_994)
    assert table.header == ("column", "change", "from", "to")
    assert told(evidence.facts(many))["current_columns"] == "3,000 columns"


def test_every_kind_of_evidence_has_its_keys() -> None:
    """Every declared key of every signal is either a fact or a table in the details, unless it is not known."""
    for shown in (SYNC_FAILURE, COLUMN_REMOVED, DRIFT, MODEL_FAILURE):
        known = {
            key for key, value in shown.model_dump(by_alias=True).items() if value not in (None, ())
        }
        drawn = plain.text(plain.Message(parts=evidence.parts(shown), fallback=""))
        for key in known:
            assert key in drawn or key.replace("_", " ").capitalize() in drawn
    assert len(typing.get_args(typing.get_args(Evidence)[0])) == 13


def test_blind_spots_are_no_evidence() -> None:
    """A document without a signal is shown all the same, so a new kind of evidence needs no change here."""
    assert told(evidence.facts(BlindSpot(detector="d", reason="r"))) == {
        "detector": "d",
        "reason": "r",
    }


def test_other_dimensions_that_moved_are_told_with_their_first_mover():
    """On the card in brief, in the details with every value; and not at all when there is none."""
    mover = Mover(value="pos", baseline_share=0.25, current_share=0.31, delta=0.06)
    moved = DRIFT.model_copy(
        update={
            "also_moved": (
                MovedDimension(dimension="channel", jsd=0.01, top_movers=(mover, mover)),
            )
        }
    )
    assert told(evidence.highlights(moved))["also_moved"] == "channel (pos 25 % → 31 %)"
    table = next(p for p in evidence.parts(moved) if isinstance(p, Table) and "Also" in p.caption)
    assert table.rows == (("channel", "0.01 bits", "pos 25 % → 31 %, pos 25 % → 31 %"),)
    assert "also_moved" not in told(evidence.facts(DRIFT))
