"""A check's kind is told by its own words, never by what the table or the column that it looks at is called."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rca.case import Anomaly
from rca.subject import MAX_NAME, checked_subject, echoes, subject_of

MORNING = datetime(2026, 3, 4, 7, 5, tzinfo=UTC)
VOLUME = ("volume_up", "volume_down")


def alert(kind, **said):
    facts = {"tenant_id": "acme", "dataset": "raw.orders", "detected_at": MORNING}
    return Anomaly.model_validate({**facts, "anomaly_type": kind, **said})


@pytest.mark.parametrize(
    ("check", "subject"),
    [
        ("test.shop.dbt_expectations_expect_table_row_count_to_be_between_orders_1.9f", VOLUME),
        ("test.shop.dbt_utils_equal_rowcount_orders_ref_stg_orders_.9f", VOLUME),
        ("test.shop.elementary_volume_anomalies_orders_.9f", VOLUME),
        ("test.shop.dbt_utils_recency_orders_day__at__1.9f", ("freshness",)),
        ("test.shop.elementary_schema_changes_orders_.9f", ("schema",)),
        ("test.shop.dbt_expectations_expect_column_to_exist_orders_id.9f", ("schema",)),
        ("test.shop.elementary_dimension_anomalies_orders_volume.9f", ("distribution",)),
        ("test.shop.orders_row_count_is_stable.9f", VOLUME),
        ("test.shop.assert_orders_row_count", VOLUME),
        ("ExpectTableRowCountToBeBetween", VOLUME),
        ("Row count of orders", VOLUME),
        ("test.shop.not_null_orders_volume_discount.9f", ()),
        ("test.shop.source_not_null_raw_orders_freshness.9f", ()),
        ("test.shop.dbt_utils_accepted_range_orders_volume.9f", ()),
        ("test.shop.dbt_utils_unique_combination_of_columns_orders_id__day.9f", ()),
        ("test.shop.elementary_all_columns_anomalies_orders_.9f", ()),
        ("test.volume_shop.dbt_utils_accepted_range_orders_id.9f", ()),
        ("unit_test.shop.orders.volume_is_summed", ()),
        ("not_null_volume", ()),
        ("distinctive_name", ()),
        ("", ()),
        ("...", ()),
    ],
)
def test_what_a_check_says_of_its_subject(check, subject):
    """Words of the kind before the table's name count, columns after it do not."""
    assert subject_of(check, ["orders", "raw_orders"]) == subject


@pytest.mark.parametrize(
    "table", ["fct_volume", "fct_row_count", "schema_migrations", "customer_dimension", "ÄÖ"]
)
def test_a_table_s_name_is_no_subject(table):
    """Whatever the table is called, its tests are about what they are about."""
    assert subject_of(f"test.shop.dbt_utils_not_constant_{table}_id.9f", [table]) == ()
    assert subject_of(f"test.shop.dbt_utils_recency_{table}_at.9f", [table]) == ("freshness",)
    assert subject_of(f"assert_{table}_is_positive", ["fct", "customer", table]) == ()


def test_an_alert_s_own_table_and_column_are_no_subject():
    """The check looks at positive amounts; that the table counts volumes is only its name."""
    check = {"check_id": "positive volume in fct_volume", "dataset": "mart.fct_volume"}
    assert checked_subject(alert("quality_check_failure", **check, column="volume")) == ()
    assert checked_subject(alert("quality_check_failure", check_id="row_count")) == VOLUME
    assert checked_subject(alert("volume_anomaly", check_id="recency_orders")) == ()


@pytest.mark.parametrize(
    ("kind", "check", "echo"),
    [
        ("volume_anomaly", "test.shop.row_count_orders.9f", True),
        ("volume_anomaly", "test.shop.recency_orders.9f", False),
        ("freshness_anomaly", "test.shop.recency_orders.9f", True),
        ("schema_anomaly", "test.shop.schema_changes_orders.9f", True),
        ("distribution_anomaly", "test.shop.dimension_anomalies_orders.9f", True),
        ("quality_check_failure", "test.shop.row_count_orders.9f", False),
        ("other", "test.shop.row_count_orders.9f", False),
    ],
)
def test_a_check_of_the_alert_s_own_subject_is_its_echo(kind, check, echo):
    """But for alerts that a check raised: its failure is what they are about."""
    assert echoes(check, alert(kind), ["orders"]) is echo


def test_only_the_beginning_of_a_long_name_is_read():
    """The words are there; a sender's essay of a megabyte costs no more than a name."""
    assert subject_of("row_count " + "volume_" * 200_000, ["volume"]) == VOLUME
    assert subject_of("x" * MAX_NAME + " row_count") == ()
