"""A line per event, that one reader can trust: no secrets, no customer's rows, nothing that looks like another line."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from bot.logs import LONGEST_VALUE, JsonLines, TextLines

MAIL = "jane" + "@example.com"  # in no line of source that a traceback shows


def record(
    message: str = "an event", error: BaseException | None = None, **extra: Any
) -> logging.LogRecord:
    """A record as the library makes it."""
    made = logging.LogRecord("bot.flow", logging.INFO, __file__, 1, message, (), None)
    if error is not None:
        made.exc_info = (type(error), error, error.__traceback__)
    made.__dict__.update(extra)
    return made


class Row(BaseModel):
    """Something that is validated."""

    amount: int


def refused() -> ValidationError:
    """What pydantic raises for somebody's data."""
    try:
        Row.model_validate({"amount": MAIL})
    except ValidationError as error:
        return error
    raise AssertionError


def failed() -> SQLAlchemyError:
    """What SQLAlchemy raises for a statement with somebody's data."""
    try:
        with create_engine("sqlite://").connect() as connection:
            connection.execute(
                text("SELECT * FROM gone WHERE mail = :m"), {"m": "jane@example.com"}
            )
    except SQLAlchemyError as error:
        return error
    raise AssertionError


def test_json() -> None:
    """When, how bad, where, what, and the details beside them."""
    line = json.loads(JsonLines().format(record(dataset="shopify_orders", count=3)))
    assert line["event"] == "an event"
    assert (line["level"], line["logger"]) == ("INFO", "bot.flow")
    assert (line["dataset"], line["count"]) == ("shopify_orders", 3)
    assert line["at"].endswith("+00:00")


def test_details_do_not_take_our_own_names() -> None:
    """An extra called ``event`` or ``level`` stands beside ours, not in its place."""
    line = json.loads(JsonLines().format(record(level="low", event="other")))
    assert (line["level"], line["level_"]) == ("INFO", "low")
    assert (line["event"], line["event_"]) == ("an event", "other")


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
@pytest.mark.parametrize("error", [refused(), failed()], ids=["pydantic", "sqlalchemy"])
def test_a_traceback_quotes_no_data(lines: logging.Formatter, error: Exception) -> None:
    """The libraries put what they refused into their words; the log keeps the rest."""
    said = lines.format(record(error=error))
    assert MAIL not in said
    assert type(error).__name__ in said
    assert "…" in said


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
def test_a_secret_stays_one(lines: logging.Formatter) -> None:
    """A secret that got into the details is stars."""
    assert "hunter2" not in lines.format(record(token=SecretStr("hunter2")))


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
def test_a_long_value_is_cut(lines: logging.Formatter) -> None:
    """Whatever somebody sends, a line stays a line."""
    said = lines.format(record(dataset="x" * 100_000))
    assert len(said) < LONGEST_VALUE + 200
    assert "100000 characters" in said


@given(value=st.text(max_size=60) | st.text(alphabet="\n\r\x1b\ud800\u2028a", max_size=20))
def test_one_event_is_one_line_that_can_be_written(value: str) -> None:
    """No value begins a line of its own, and every line can be encoded."""
    for lines in (JsonLines(), TextLines()):
        said = lines.format(record(dataset=value))
        assert "\n" not in said
        assert "\r" not in said
        assert said.encode()


@given(value=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_json_says_what_was_said(value: str) -> None:
    """What can be read at all reads the same afterwards."""
    assert json.loads(JsonLines().format(record(dataset=value)))["dataset"] == value
