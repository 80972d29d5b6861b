"""One POST to a paging service, and how its answer is read: the retry table all HTTP pagers share."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.ports import BotError, Refused

TIME_LIMIT_S: Final = (
    10.0  # several attempts must fit into the 60 s after which a page is undelivered
)
BODY_TIME_LIMIT_S: Final = 2.0  # the status decides; its words are for people and may be missing
MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_REASON_CHARS: Final = 500
DEFAULT_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(hours=1)  # a provider that asks for more is as good as gone

RETRIED: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
"""The 4xx that ask for another try; every other one means that our request is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service said; ``body`` is cut at ``MAX_ANSWER_BYTES``."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str | None

    def document(self) -> Mapping[str, object]:
        """Return the JSON object of the body, or an empty one when it is something else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


async def post(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str]
) -> Answer | Refused:
    """Send *body* once, following no redirect.

    Returns:
        The answer, or a refusal worth retrying when the service could not be reached in ``TIME_LIMIT_S``.
        The refusal never quotes the URL or the library's own words, since both may hold a secret.
    """
    try:
        async with (
            asyncio.timeout(TIME_LIMIT_S),
            session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json", **headers},
                allow_redirects=False,
            ) as response,
        ):
            answer = await _read(response)
            return Answer(
                status=response.status, body=answer, retry_after=response.headers.get("Retry-After")
            )
    except TimeoutError:
        return _unreachable(f"no answer within {TIME_LIMIT_S:.0f} s")
    except (aiohttp.ClientError, OSError) as error:
        return _unreachable(f"could not be reached ({type(error).__name__})")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """At most ``MAX_ANSWER_BYTES``; an endless, slow or broken body takes nothing away from the status."""
    body = bytearray()
    with contextlib.suppress(aiohttp.ClientPayloadError, TimeoutError):
        async with asyncio.timeout(BODY_TIME_LIMIT_S):
            async for part in response.content.iter_any():
                body += part
                if len(body) >= MAX_ANSWER_BYTES:
                    break
    return bytes(body[:MAX_ANSWER_BYTES])


def _unreachable(reason: str) -> Refused:
    return Refused(reason=reason, retry_after=DEFAULT_PAUSE)


def refusal(
    answer: Answer, now: datetime, *, said: str = "", hide: Collection[str] = ()
) -> Refused:
    """Read an answer that is not the acceptance we wanted.

    Args:
        answer: of any status.
        now: what a ``Retry-After`` date is counted from.
        said: the provider's own words, for people.
        hide: secrets to blot out, should the provider quote them.

    Returns:
        A refusal with a pause after 408, 425, 429, 5xx and an unexpected 2xx; without one for the rest, since
        the same request will be refused again.
    """
    words = f"answered {answer.status}" + (f": {said}" if said else "")
    return Refused(reason=spoken(words, hide), retry_after=_pause(answer, now))


def _pause(answer: Answer, now: datetime) -> timedelta | None:
    status = answer.status
    server = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    odd = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    if not (server or odd or status in RETRIED):
        return None
    return retry_after(answer.retry_after, now)


def retry_after(header: str | None, now: datetime) -> timedelta:
    """Return the pause a ``Retry-After`` header asks for: seconds or a date, from 0 to ``LONGEST_PAUSE``.

    A missing or unreadable header gives ``DEFAULT_PAUSE``.
    """
    if header is None:
        return DEFAULT_PAUSE
    seconds = _seconds(header.strip(), now)
    if seconds is None or not math.isfinite(seconds):
        return DEFAULT_PAUSE
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_PAUSE.total_seconds()))


def _seconds(text: str, now: datetime) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()


def spoken(text: str, hide: Collection[str] = ()) -> str:
    """Return *text* for people: one line, printable, at most ``MAX_REASON_CHARS``, each secret blotted out."""
    for secret in sorted(filter(None, hide), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MAX_REASON_CHARS else line[: MAX_REASON_CHARS - 1] + "…"


def address(url: str | None, what: str) -> str:
    """Return *url* when a POST can go there.

    Raises:
        BotError: it is missing, or not an http(s) address with a host; the text does not repeat it.
    """
    try:
        parts = urlsplit(url or "")
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or url is None:
        raise BotError(f"{what} needs an address that starts with https:// or http://")
    return url
