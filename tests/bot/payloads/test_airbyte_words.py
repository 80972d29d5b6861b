"""Airbyte's words become codes, and its numbers instants."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.payloads.airbyte import (
    MAX_MESSAGE,
    Failure,
    classify,
    failure_of,
    instant_of,
    judge,
    message_of,
    without_secrets,
)
from rca.case import ErrorCode

VAGUE = "Something went wrong in the connector. See the logs for more details."
UNAUTHORIZED = (
    "HTTP Status Code: 401. Error: Unauthorized. Please ensure you are authenticated correctly."
)
FORBIDDEN = (
    "HTTP Status Code: 403. Error: Forbidden. You don't have permission to access this resource."
)
SHOPIFY = (
    "Reason: Scopes are not available, make sure you're using the correct `Shopify Store` name. Actual response: "
    "{'errors': '[API] Invalid API key or access token (unrecognized login or wrong password)'}."
)
TOO_MANY = "HTTP Status Code: 429. Error: Too many requests."
RETRIES = "Max retry limit reached in 31.309954s. Request: <PreparedRequest [GET]>, Response: <Response [429]>"
BIGQUERY = "Exceeded rate limits: too many api requests per user per method for this user_method."
SILENT_SOURCE = "Airbyte detected that the Source didn't send any records in the last 1 hour 30 minutes 0 seconds"
STUCK_DESTINATION = "Airbyte detected that the Destination didn't make progress in the last 1 hour"
SOME_STREAMS = "Some streams were unsuccessful due to a source error. See logs for details."
CHECK_FAILED = "Checking source connection failed - please review this connection's configuration"
NO_RESOURCES = (
    "Airbyte could not start the sync process. This may be due to insufficient system resources."
)


def failure(
    failure_type: str | None,
    external: str | None,
    internal: str | None = None,
    origin: str | None = "source",
) -> Failure:
    """A failure with these words."""
    return Failure(origin=origin, failure_type=failure_type, external=external, internal=internal)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (failure("config_error", UNAUTHORIZED), ErrorCode.AUTH_ERROR),
        (failure("config_error", FORBIDDEN), ErrorCode.AUTH_ERROR),
        (failure("system_error", VAGUE, SHOPIFY), ErrorCode.AUTH_ERROR),
        (failure("config_error", CHECK_FAILED), ErrorCode.AUTH_ERROR),
        (failure("config_error", "The refresh token has expired"), ErrorCode.AUTH_ERROR),
        (failure("system_error", "The export job has expired"), ErrorCode.OTHER),
        (failure("system_error", "Wrote 401 records, then stopped"), ErrorCode.OTHER),
        (failure("transient_error", TOO_MANY), ErrorCode.RATE_LIMIT),
        (failure("system_error", VAGUE, RETRIES), ErrorCode.RATE_LIMIT),
        (failure("transient_error", "Rate limits hit"), ErrorCode.RATE_LIMIT),
        (failure("transient_error", "BulkJobConcurrentError: one at a time"), ErrorCode.RATE_LIMIT),
        (failure("system_error", "Read 429 records, then stopped"), ErrorCode.OTHER),
        (failure("transient_error", "403: API rate limit exceeded"), ErrorCode.RATE_LIMIT),
        (failure("config_error", BIGQUERY, origin="destination"), ErrorCode.OTHER),
        (failure("config_error", BIGQUERY), ErrorCode.RATE_LIMIT),
        (failure("config_error", UNAUTHORIZED, origin="destination"), ErrorCode.AUTH_ERROR),
        (failure("heartbeat_timeout", SILENT_SOURCE), ErrorCode.SOURCE_TIMEOUT),
        (failure(None, SILENT_SOURCE, origin=None), ErrorCode.SOURCE_TIMEOUT),
        (failure("destination_timeout", STUCK_DESTINATION), ErrorCode.DESTINATION_TIMEOUT),
        (failure(None, STUCK_DESTINATION, origin=None), ErrorCode.DESTINATION_TIMEOUT),
        (failure("refresh_schema", None), ErrorCode.SCHEMA_CHANGE),
        (failure("config_error", "Refresh your source schema"), ErrorCode.SCHEMA_CHANGE),
        (failure("transient_error", SOME_STREAMS), ErrorCode.PARTIAL_STREAMS),
        (failure("transient_error", "received an INCOMPLETE stream status"), ErrorCode.PARTIAL_STREAMS),
        (failure("transient_error", SOME_STREAMS, RETRIES), ErrorCode.RATE_LIMIT),
        (failure("system_error", NO_RESOURCES, origin="airbyte_platform"), ErrorCode.PLATFORM),
        (failure("system_error", NO_RESOURCES, origin=None), ErrorCode.PLATFORM),
        (failure(None, "Something went wrong within the airbyte platform", origin=None), ErrorCode.PLATFORM),
        (failure("system_error", "Size limit exceeded", origin="replication"), ErrorCode.PLATFORM),
        (failure("system_error", "got a 401", "HTTP 401", origin="replication"), ErrorCode.PLATFORM),
        (failure("manual_cancellation", "This attempt was cancelled", origin="unknown"), None),
        (failure("system_error", "HTTP Status Code: 404. Error: Not found."), ErrorCode.OTHER),
        (failure("transient_error", "HTTP Status Code: 503. Error: Service unavailable."), ErrorCode.OTHER),
        (failure("system_error", VAGUE), ErrorCode.OTHER),
        (failure(None, None, origin=None), ErrorCode.OTHER),
    ],
)  # fmt: skip
def test_what_a_failure_means(said: Failure, code: ErrorCode | None) -> None:
    """The type decides, then each text in turn, then the origin; numbers of rows are no HTTP status."""
    assert classify(said) is code


@pytest.mark.parametrize(
    ("failures", "code", "origin"),
    [
        (
            [failure("transient_error", SOME_STREAMS), failure("transient_error", TOO_MANY)],
            ErrorCode.RATE_LIMIT,
            "source",
        ),
        (
            [failure("system_error", VAGUE), failure("config_error", UNAUTHORIZED)],
            ErrorCode.AUTH_ERROR,
            "source",
        ),
        (
            [failure("system_error", VAGUE), failure(None, NO_RESOURCES, origin="replication")],
            ErrorCode.OTHER,
            "source",
        ),
        (
            [
                failure(None, NO_RESOURCES, origin="replication"),
                failure("config_error", UNAUTHORIZED),
            ],
            ErrorCode.PLATFORM,
            "replication",
        ),
        (
            [failure("config_error", UNAUTHORIZED), failure("transient_error", TOO_MANY)],
            ErrorCode.AUTH_ERROR,
            "source",
        ),
    ],
)
def test_the_root_decides(failures: list[Failure], code: ErrorCode, origin: str) -> None:
    """The first failure is the root; only one that says nothing gives way to a later one that does."""
    verdict = judge(failures)
    assert verdict is not None
    assert (verdict.code, verdict.origin, verdict.cancelled) == (code, origin, False)


def test_no_failure_is_no_verdict() -> None:
    """A sync that reports no failure is not judged."""
    assert judge([]) is None


def test_a_cancellation_is_nobodys_failure() -> None:
    """It has no code, also when something else is said after it."""
    verdict = judge(
        [failure("manual_cancellation", "cancelled"), failure("config_error", TOO_MANY)]
    )
    assert verdict is not None
    assert verdict.cancelled
    assert verdict.code is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (failure(None, UNAUTHORIZED, "internal"), UNAUTHORIZED),
        (failure(None, VAGUE, "the truth"), "the truth"),
        (failure(None, VAGUE), VAGUE),
        (failure(None, SOME_STREAMS, "the truth"), "the truth"),
        (failure(None, None, "the truth"), "the truth"),
        (failure(None, "  ", None), None),
        (Failure(external="x", stream="orders"), "x (stream orders)"),
    ],
)
def test_what_people_read(said: Failure, message: str | None) -> None:
    """The first text that says something, and which stream it is about."""
    assert message_of(said) == message


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET https://x.example/a?token=abc&b=1 failed", "GET https://x.example/a failed"),
        ("postgres://user:hunter2@db.example/x", "postgres://db.example/x"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: … …"),
        ("{'access_token': 'abc def', 'shop': 'x'}", "{'access_token': …, 'shop': 'x'}"),
        ("password=hunter2; host=db", "password=…; host=db"),
        ("Invalid API key or access token (wrong password)", "Invalid API key or access token (wrong password)"),
        ("a\n\n  b\x07", "a b�"),
    ],
)  # fmt: skip
def test_secrets_are_cut(text: str, clean: str) -> None:
    """Tokens, passwords and what URLs carry are gone; words that only speak of them stay."""
    assert without_secrets(text, 200) == clean


@given(text=st.text(max_size=3_000), limit=st.integers(min_value=1, max_value=MAX_MESSAGE))
def test_a_message_is_one_printable_line(text: str, limit: int) -> None:
    """Whatever a connector writes, the message is bounded, printable and on one line."""
    clean = without_secrets(text, limit)
    assert len(clean) <= limit
    assert clean.isprintable()


def test_a_failure_reason_is_read_tolerantly() -> None:
    """Fields of another type count as not said; the stream comes from its descriptor."""
    read = failure_of(
        {
            "failureOrigin": "source",
            "failureType": 7,
            "externalMessage": "x",
            "internalMessage": ["y"],
            "streamDescriptor": {"name": "orders"},
            "new": 1,
        }
    )
    assert read == Failure(origin="source", external="x", stream="orders")
    assert failure_of({"streamDescriptor": "orders"}) == Failure()


AT = datetime(2026, 11, 21, 2, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        (1_795_226_405, AT),
        (1_795_226_405.0, AT),
        (1_795_226_405_000, AT),
        ("2026-11-21T02:00:05Z", AT),
        ("2026-11-21T03:00:05+01:00", AT),
        ("2026-11-21T02:00:05", None),
        ("1795226405", None),
        ("soon", None),
        (0, None),
        (-1, None),
        (True, None),
        (None, None),
        ([1], None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        (10**400, None),
        (1_795_226_405_000_000, None),  # microseconds
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_seconds_milliseconds_and_iso_times(value: object, instant: datetime | None) -> None:
    """Each unit is known by its size, and what cannot be an instant of this century is none."""
    assert instant_of(value) == instant


@given(moment=st.datetimes(min_value=datetime(2000, 1, 2), max_value=datetime(2199, 12, 30)))  # noqa: DTZ001 - aware below
def test_every_unit_gives_the_same_instant(moment: datetime) -> None:
    """Seconds, milliseconds and text of one instant are read alike."""
    at = moment.replace(microsecond=0, tzinfo=UTC)
    seconds = int(at.timestamp())
    assert instant_of(seconds) == instant_of(seconds * 1_000) == instant_of(at.isoformat()) == at
