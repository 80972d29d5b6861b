"""What `runbook show` prints, and how values read in reasons and commands."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from rca.case import Document
from rca.evidence import Cause
from runbook.load import Runbook, RunbookError
from runbook.placeholders import fill, fill_command, readable
from runbook.show import show, span
from tests.runbook.build import NOW


def test_overview_shows_every_page_and_band(book: Runbook) -> None:
    """The overview has the quick reference, the matrix with its deadlines, and the useful queries."""
    text = show(book)
    for cause in (*Cause, "no_signal"):
        assert f"| {cause} |" in text
    assert "| investigate_top | Investigate top 2 hypotheses | after 30m: " in text
    assert "| manual | Full manual investigation required | at once: data_eng_lead |" in text
    assert "WHERE id = :signal_id" in text


@pytest.mark.parametrize("topic", [*Cause, "no_signal"])
def test_page_shows_what_is_obeyed_and_what_is_read(book: Runbook, topic: str) -> None:
    """A page shows its first action, every step, every rule with its condition, and its text."""
    page = book.no_signal if topic == "no_signal" else book.pages[Cause(topic)]
    text = show(book, topic)
    assert page.quick_reference.first_action in text
    assert page.body in text
    for rule in page.rules:
        assert f"`{rule.rule_id}`" in text
        assert rule.when.source in text
    for step in page.steps:
        assert step.title in text


def test_page_marks_what_changes_things_and_when_a_rule_is_due(book: Runbook) -> None:
    """The dbt run is marked; the hour after the first failure is said."""
    assert "or run it again (changes things)" in show(book, Cause.TRANSFORMATION_REGRESSION)
    assert "infra (now, 1h after `evidence.failed_since`)" in show(book, Cause.INGESTION_FAILURE)


def test_unknown_page_names_those_there_are(book: Runbook) -> None:
    """A misspelt cause is answered with the list."""
    with pytest.raises(RunbookError, match="has no page ingestion; there are ingestion_failure, "):
        show(book, "ingestion")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(0), "0"),
        (timedelta(minutes=30), "30m"),
        (timedelta(hours=1, minutes=30), "1h30m"),
        (timedelta(days=2, seconds=5), "2d5s"),
    ],
)
def test_span_reads_as_the_pages_write_it(value: timedelta, text: str) -> None:
    """A span is shown in the pages' own notation."""
    assert span(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not known"),
        (True, "yes"),
        (False, "no"),
        (0.5001, "0.5"),
        (10.44, "10.4"),
        (99.96, "100"),
        (12345.6, "12,346"),
        (-0.25, "-0.25"),
        (7, "7"),
        (1611, "1,611"),
        (NOW.astimezone(timezone(timedelta(hours=2))), "2026-03-02 07:10 UTC"),
        ((), "none"),
        (("a", "b"), "a, b"),
        (tuple("abcdefg"), "a, b, c, d, e and 2 more"),
        ("two\n lines ", "two lines"),
        ("x" * 300, "x" * 199 + "…"),
        (Cause.SCHEMA_DRIFT, "schema_drift"),
    ],
)
def test_value_reads_plainly(value: object, text: str) -> None:
    """Values in a reason read as people write them, on one short line."""
    assert readable(value) == text


class _Facts(Document):
    name: str | None = None
    cause: Cause = Cause.SCHEMA_DRIFT


@pytest.mark.parametrize(
    ("template", "name", "reason", "command"),
    [
        ("plain", "x", "plain", "plain"),
        ("{facts.name}", "orders", "orders", "orders"),
        ("{facts.name}", None, "not known", "NAME"),
        ("{facts.cause}", None, "schema_drift", "schema_drift"),
        ("{facts.name}", "a b&c", "a b&c", "a%20b%26c"),
        ("{facts.name}", "{facts.cause}", "{facts.cause}", "%7Bfacts.cause%7D"),
        ("${HOME} {}", "x", "${HOME} {}", "${HOME} {}"),
    ],
)
def test_placeholders(template: str, name: str | None, reason: str, command: str) -> None:
    """A placeholder takes its value once; in a command the value cannot leave its place."""
    documents = {"facts": _Facts(name=name)}
    if "HOME" not in template:
        assert fill(template, documents) == reason
        assert fill_command(template, documents) == command
