"""Facts about what senders' words mean."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.intake.words import kind_of, number_of, severity_of, tidy, time_of
from rca.case import AnomalyType, Severity


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("volume_anomalies - Row Count", AnomalyType.VOLUME),
        ("OrdersRowCountDropped", AnomalyType.VOLUME),
        ("expect_table_row_count_to_be_between", AnomalyType.VOLUME),
        ("TableFreshness", AnomalyType.FRESHNESS),
        ("event_freshness_anomalies", AnomalyType.FRESHNESS),
        ("schema_changes", AnomalyType.SCHEMA),
        ("Column Removed", AnomalyType.SCHEMA),
        ("expect_column_to_exist", AnomalyType.SCHEMA),
        ("expect_table_columns_to_match_ordered_list", AnomalyType.SCHEMA),
        ("expect_table_column_count_to_equal", AnomalyType.SCHEMA),
        ("dimension_anomalies", AnomalyType.DISTRIBUTION),
        ("column_anomalies - Null Percent", AnomalyType.DISTRIBUTION),
        ("expect_column_kl_divergence_to_be_less_than", AnomalyType.DISTRIBUTION),
        ("expect_column_values_to_not_be_null", None),
        ("not_null_orders_customer_id", None),
        ("refreshed schemata", None),
        ("", None),
        (None, None),
    ],
)
def test_the_kind_of_anomaly_is_told_by_words(text: str | None, kind: AnomalyType | None):
    """Whole words in any spelling decide; a column that a check is about is no schema change."""
    assert kind_of(text) is kind


def test_the_first_text_that_names_a_kind_decides():
    """A check's name counts before the sentence that explains it."""
    assert kind_of(None, "not_null", "row_count", "freshness") is AnomalyType.VOLUME


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("CRITICAL", Severity.CRITICAL),
        ("page", Severity.CRITICAL),
        ("SEV-1", Severity.CRITICAL),
        ("fail", Severity.ERROR),
        ("runtime error", Severity.ERROR),
        (" Warn ", Severity.WARNING),
        ("P5", Severity.INFO),
        ("purple", None),
        ("", None),
        (None, None),
    ],
)
def test_severities_are_known_by_many_names(word: str | None, severity: Severity | None):
    """Known words in any case; an unknown word is no severity."""
    assert severity_of(word) is severity


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        ("4.000", 4.0),
        ("9,800", 9800.0),
        ("12.5 %", 12.5),
        ("-1e3", -1000.0),
        (".5", 0.5),
        (True, None),
        ("", None),
        ("-", None),
        ("1.2.3", None),
        ("nan", None),
        ("1e999", None),
        (10**400, None),
        (math.inf, None),
        (None, None),
        ([1], None),
    ],
)
def test_numbers_are_read_or_none(value: object, number: float | None):
    """Finite numbers, also as text; everything else is no number."""
    assert number_of(value) == number


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-03-02T07:05:00Z", datetime(2026, 3, 2, 7, 5, tzinfo=UTC)),
        ("2026-03-02T08:05:00+01:00", datetime(2026, 3, 2, 7, 5, tzinfo=UTC)),
        ("2025-02-03 13:21:07 UTC", datetime(2025, 2, 3, 13, 21, 7, tzinfo=UTC)),
        ("2026-03-02T07:05:00.123456789Z", datetime(2026, 3, 2, 7, 5, 0, 123456, tzinfo=UTC)),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("1999-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-03-02T07:05:00", None),
        ("2025-02-03 13:21:07 PST", None),
        ("N/A", None),
        ("", None),
        (1700000000, None),
        (None, None),
    ],
)
def test_times_need_a_zone_and_a_sensible_year(value: object, moment: datetime | None):
    """RFC 3339 and Elementary's spelling; a time without a zone or before 2000 is not known."""
    assert time_of(value) == moment


@settings(deadline=None)
@given(st.text(max_size=100))
def test_no_text_breaks_the_readers(text: str):
    """Whatever is written, the answer is one of the known ones or None."""
    assert kind_of(text) is None or isinstance(kind_of(text), AnomalyType)
    assert severity_of(text) is None or isinstance(severity_of(text), Severity)
    number = number_of(text)
    assert number is None or math.isfinite(number)
    moment = time_of(text)
    assert moment is None or moment.tzinfo is UTC


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(1, 40))
def test_tidy_text_fits_and_can_be_stored(text: str, limit: int):
    """Bounded, encodable, without control characters, and tidying again changes nothing."""
    clean = tidy(text, limit)
    assert len(clean) <= limit
    assert clean.encode("utf-8").decode("utf-8") == clean
    assert "\x00" not in clean
    assert tidy(clean, limit) == clean


def test_tidy_says_that_something_was_cut():
    """A cut text ends in an ellipsis; one that fits is left alone."""
    assert tidy("abcdef", 4) == "abc…"
    assert tidy("abcd", 4) == "abcd"
    assert tidy("a\x00b\ud800", 9) == "a�b�"
