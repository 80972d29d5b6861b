"""Airbyte's own words: what a failure means, and which instant a number is. Used by its webhook and its APIs. Pure.

The message for users is often empty of meaning while the internal one holds the truth, and a limit may be the
destination's. So a failure is judged by its type, then by each of its texts, then by where it arose.

Source: AirbyteApi config.yaml (FailureReason), the connector kit's default_error_mapping.py, FailureHelper.kt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from rca.case import ErrorCode

CANCELLED: Final = "manual_cancellation"
DESTINATION: Final = "destination"
PLATFORM_ORIGINS: Final = frozenset({"replication", "persistence", "airbyte_platform"})

MAX_TEXT: Final = 4_000  # characters of each text that are looked at
MAX_MESSAGE: Final = 1_000  # characters; a screenful, enough to act on
MAX_NAME: Final = 100  # characters of an origin, a type, a stream
MILLISECONDS_FROM: Final = 1e11  # as seconds this is the year 5138, as milliseconds 1973
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_BY_TYPE: Final = {
    "heartbeat_timeout": ErrorCode.SOURCE_TIMEOUT,
    "destination_timeout": ErrorCode.DESTINATION_TIMEOUT,
    "refresh_schema": ErrorCode.SCHEMA_CHANGE,
}

_WORDS: Final = re.IGNORECASE | re.DOTALL


def _status(code: str) -> str:
    """An HTTP status where it is one, and not a count of rows that happens to be the same number."""
    return (
        rf"(?:status|code|http|error|response)\W{{0,12}}{code}\b|\b{code} client error\b|\[{code}\]"
    )


_SECRET: Final = r"(?:token|credential|secret|password|certificate|api key|session)s?"  # noqa: S105 - a pattern of words
_LIMIT: Final = (
    rf"{_status('429')}|too many requests|rate[ -]?limit|throttl|quota|BulkJobConcurrentError"
)
_AUTH: Final = (
    rf"{_status('40[13]')}|\bunauthori[sz]ed|\bunauthenticated|\bforbidden\b|\baccess denied"
    r"|\binvalid (?:api key|access token|credentials?|client|grant|login|password)|\binvalid_(?:grant|client)"
    r"|authentication (?:failed|error)|\binsufficient (?:permission|scope|privilege)"
    r"|\bpermissions? (?:denied|to access)|\bscopes? (?:are|is) not available|\bmissing (?:the )?scopes?\b"
    rf"|\b{_SECRET}\b.{{0,40}}\b(?:expired|revoked)|\b(?:expired|revoked)\b.{{0,20}}\b{_SECRET}\b"
    r"|checking source connection failed"
)
_SPECIFIC: Final = tuple(
    (code, re.compile(words, _WORDS))
    for code, words in (
        (ErrorCode.RATE_LIMIT, _LIMIT),
        (ErrorCode.AUTH_ERROR, _AUTH),
        (ErrorCode.SCHEMA_CHANGE, r"refresh (?:your|the) source schema"),
        (ErrorCode.SOURCE_TIMEOUT, r"detected that the source didn.t send any records"),
        (ErrorCode.DESTINATION_TIMEOUT, r"detected that the destination didn.t make progress"),
    )
)
_PARTIAL: Final = re.compile(
    r"some streams were unsuccessful|received an incomplete stream status", _WORDS
)
_OF_PLATFORM: Final = re.compile(
    r"within the airbyte platform|could not start the sync process|insufficient system resources"
    r"|size limit exceeded",
    _WORDS,
)
_EMPTY_WORDS: Final = re.compile(
    r"^\s*(?:something went wrong in the connector|some streams were unsuccessful|$)", _WORDS
)

_HIDDEN: Final = (
    (re.compile(r"(?<=://)[^/\s@'\"]+@"), ""),
    (re.compile(r"(?P<url>https?://[^\s?'\"<>]+)\?[^\s'\"<>)]*"), r"\g<url>"),
    (re.compile(r"\b(?P<what>bearer|basic) +[\w.~+/=-]{8,}", re.IGNORECASE), r"\g<what> …"),
    (
        re.compile(
            r"(?P<what>\b[\w-]*(?:token|password|passwd|secret|api[_-]?key|authorization)[\w-]*['\"]?\s*[=:]\s*)"
            r"(?:'[^']*'|\"[^\"]*\"|[^\s,;&'\"}\])]+)",
            re.IGNORECASE,
        ),
        r"\g<what>…",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure as Airbyte reports it; what it did not say is None."""

    origin: str | None = None
    failure_type: str | None = None
    external: str | None = None
    internal: str | None = None
    stacktrace: str | None = None
    stream: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """What it says, for people first."""
        said = (self.external, self.internal, self.stacktrace)
        return tuple(text[:MAX_TEXT] for text in said if text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a sync's failures mean: one code, one message without secrets, where it arose, and of which type."""

    code: ErrorCode | None
    message: str | None
    origin: str | None
    failure_type: str | None

    @property
    def cancelled(self) -> bool:
        """Whether somebody stopped the sync: then nothing is broken."""
        return self.failure_type == CANCELLED


def judge(failures: Sequence[Failure]) -> Verdict | None:
    """Return what *failures* of one sync mean, root first as Airbyte orders them; None when there are none.

    The first one decides; where it only says that streams are missing, or nothing at all, the first that names
    a reason does.
    """
    if not failures:
        return None
    root = failures[0]
    for failure in failures if _is_vague(root) else (root,):
        if _specific(failure) is not None:
            root = failure
            break
    return Verdict(
        code=classify(root),
        message=message_of(root),
        origin=_name(root.origin),
        failure_type=_name(root.failure_type),
    )


def classify(failure: Failure) -> ErrorCode | None:
    """Return the code of one failure; None for a cancellation, which is none.

    A limit or quota of the destination is not the source's: it is ``other``, and the origin tells where it arose.
    """
    if failure.failure_type == CANCELLED:
        return None
    specific = _specific(failure)
    if specific is not None:
        return specific
    said = "\n".join(failure.texts)
    if failure.origin in PLATFORM_ORIGINS or _OF_PLATFORM.search(said):
        return ErrorCode.PLATFORM
    return ErrorCode.PARTIAL_STREAMS if _PARTIAL.search(said) else ErrorCode.OTHER


def _specific(failure: Failure) -> ErrorCode | None:
    """The code that the type or a text names outright."""
    if (by_type := _BY_TYPE.get(failure.failure_type or "")) is not None:
        return by_type
    if failure.failure_type == CANCELLED or failure.origin in PLATFORM_ORIGINS:
        return None
    for text in failure.texts:
        for code, words in _SPECIFIC:
            if words.search(text):
                is_ours = code is not ErrorCode.RATE_LIMIT or failure.origin != DESTINATION
                return code if is_ours else ErrorCode.OTHER
    return None


def _is_vague(failure: Failure) -> bool:
    return (
        failure.failure_type != CANCELLED
        and failure.origin not in PLATFORM_ORIGINS
        and _specific(failure) is None
    )


def message_of(failure: Failure) -> str | None:
    """Return what a person should read of it: the first text that says something, and the stream; secrets are cut."""
    said = [text for text in (failure.external, failure.internal) if text and text.strip()]
    telling = [text for text in said if not _EMPTY_WORDS.match(text)] or said
    if not telling:
        return None
    of_stream = f" (stream {_name(failure.stream)})" if _name(failure.stream) else ""
    return f"{without_secrets(telling[0], MAX_MESSAGE)}{of_stream}"


def without_secrets(text: str, limit: int) -> str:
    """Return *text* on one line, at most *limit* characters, without tokens, passwords and what URLs carry."""
    clean = " ".join(text[:MAX_TEXT].split())
    for pattern, instead in _HIDDEN:
        clean = pattern.sub(instead, clean)
    clean = "".join(c if c.isprintable() else "�" for c in clean)
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def _name(text: str | None) -> str | None:
    return without_secrets(text, MAX_NAME) if text and text.strip() else None


def failure_of(entry: Mapping[str, object]) -> Failure:
    """Return a FailureReason of the Config API; a field of another type counts as not said."""
    stream = entry.get("streamDescriptor")
    return Failure(
        origin=_text(entry.get("failureOrigin")),
        failure_type=_text(entry.get("failureType")),
        external=_text(entry.get("externalMessage")),
        internal=_text(entry.get("internalMessage")),
        stacktrace=_text(entry.get("stacktrace")),
        stream=_text(stream.get("name")) if isinstance(stream, Mapping) else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def instant_of(value: object) -> datetime | None:
    """Return an instant in UTC from epoch seconds, epoch milliseconds or ISO 8601 with an offset.

    None for what is none of them, has no offset, or lies outside 2000 to 2199: a unit that nobody announced.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _of_number(float(value)) if abs(value) < LATEST.timestamp() * 1_000 else None
    return _of_text(value) if isinstance(value, str) else None


def _of_number(value: float) -> datetime | None:
    if not math.isfinite(value):
        return None
    seconds = value / 1_000 if value >= MILLISECONDS_FROM else value
    return _plausible(_EPOCH + timedelta(seconds=seconds))


def _of_text(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value.strip()[:64])
        return _plausible(moment.astimezone(UTC)) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _plausible(moment: datetime) -> datetime | None:
    return moment if EARLIEST <= moment < LATEST else None
