"""Deliveries to the app: signed HTTP requests, or envelopes over Socket Mode, sent again as Slack does."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import aiohttp

from bot.clock import system_clock
from bot.sandbox.records import Json, SlackRefusedError
from bot.sandbox.wire import parse_json

ACK_WITHIN: Final = timedelta(seconds=3)  # Slack waits no longer
RETRY_AFTER: Final = (timedelta(0), timedelta(minutes=1), timedelta(minutes=5))  # events only
EVENTS_PATH: Final = "/slack/events"
NO_ANSWER: Final = 0
"""Status of a delivery that nobody answered in time."""


class DeliveryKind(StrEnum):
    """What a delivery carries."""

    EVENT = "events_api"
    COMMAND = "slash_commands"
    INTERACTION = "interactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something Slack tells the app; the same one may be sent several times."""

    kind: DeliveryKind
    payload: Json

    @property
    def is_event(self) -> bool:
        """Whether Slack tries again when nobody answers."""
        return self.kind is DeliveryKind.EVENT

    def http_body(self) -> tuple[bytes, str]:
        """Return the body and the content type in HTTP mode."""
        if self.is_event:
            return json.dumps(self.payload).encode(), "application/json"
        fields = (
            self.payload
            if self.kind is DeliveryKind.COMMAND
            else {"payload": json.dumps(self.payload)}
        )
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Which try this is; ``number`` 0 is the first."""

    number: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the app answered: the HTTP status (200 for a Socket Mode acknowledgement, 0 for none) and its body."""

    status: int
    body: str = ""
    no_retry: bool = False

    @property
    def ok(self) -> bool:
        """Whether the app acknowledged."""
        return self.status == 200  # noqa: PLR2004 - HTTP OK

    @property
    def reason(self) -> str:
        """Slack's word for what went wrong."""
        return "http_timeout" if self.status == NO_ANSWER else "http_error"

    def fields(self) -> dict[str, Any]:
        """Return the body as an object; plain text becomes its ``text``."""
        if not self.body.strip():
            return {}
        try:
            value = parse_json(self.body, "invalid_json")
        except SlackRefusedError:
            return {"text": self.body}
        return value if isinstance(value, dict) else {"text": self.body}


class Line(Protocol):
    """A way to the app."""

    async def send(self, delivery: Delivery, attempt: Attempt) -> Answer:
        """Send once, and return what came back within three seconds. Never raises for the network."""


class HttpLine:
    """HTTP mode: signed requests to ``{app_url}/slack/events``."""

    def __init__(self, session: aiohttp.ClientSession, app_url: str, signing_secret: str) -> None:
        self._session = session
        self._url = f"{app_url.rstrip('/').removesuffix(EVENTS_PATH)}{EVENTS_PATH}"
        self._secret = signing_secret

    async def send(self, delivery: Delivery, attempt: Attempt) -> Answer:
        """Post the delivery; its signature is of this moment, as the app's verifier wants."""
        body, content_type = delivery.http_body()
        headers = {"Content-Type": content_type, **signature(self._secret, body)}
        if attempt.number:
            headers["X-Slack-Retry-Num"] = str(attempt.number)
            headers["X-Slack-Retry-Reason"] = attempt.reason or "http_timeout"
        timeout = aiohttp.ClientTimeout(total=ACK_WITHIN.total_seconds())
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                text = await response.text(errors="replace")
                no_retry = response.headers.get("X-Slack-No-Retry") == "1"
                return Answer(status=response.status, body=text, no_retry=no_retry)
        except (aiohttp.ClientError, TimeoutError):
            return Answer(status=NO_ANSWER)


def signature(secret: str, body: bytes, timestamp: int | None = None) -> dict[str, str]:
    """Return the headers that prove *body* comes from Slack.

    Source: docs.slack.dev, Verifying requests from Slack: ``v0`` HMAC-SHA256 of ``v0:timestamp:body``.
    """
    moment = int(system_clock().timestamp()) if timestamp is None else timestamp
    digest = hmac.new(secret.encode(), f"v0:{moment}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(moment), "X-Slack-Signature": f"v0={digest}"}


class Deliverer:
    """Sends deliveries over the line there is, tries events again, and remembers what went wrong.

    ``problems`` holds one sentence for each delivery that was not acknowledged.
    """

    def __init__(self, retry_after: Sequence[timedelta] = RETRY_AFTER) -> None:
        self.line: Line | None = None
        self.problems: list[str] = []
        self.sent: list[Delivery] = []
        self._retry_after = retry_after
        self._tasks: set[asyncio.Task[None]] = set()

    async def deliver(self, delivery: Delivery, attempt: Attempt | None = None) -> Answer:
        """Send now and return the answer; an event that was not taken is sent again in the background."""
        if self.line is None:
            return Answer(status=NO_ANSWER)
        first = attempt is None
        if first:
            self.sent.append(delivery)
        answer = await self.line.send(delivery, attempt or Attempt())
        if not answer.ok:
            self.problems.append(
                f"{_name(delivery)} was answered with {answer.status or 'nothing'}"
            )
            if first and delivery.is_event and not answer.no_retry:
                self.spawn(self._again(delivery, answer.reason))
        return answer

    def deliver_later(self, delivery: Delivery) -> None:
        """Send in the background, for what happens while the app itself waits for an answer of ours."""
        if self.line is not None:
            self.spawn(self._deliver_quietly(delivery))

    def spawn(self, work: Any) -> None:  # noqa: ANN401 - a coroutine of any kind
        """Run *work* until it ends or the sandbox stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until everything that was sent in the background has been answered."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def stop(self) -> None:
        """Drop what is still to be sent."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver_quietly(self, delivery: Delivery) -> None:
        await self.deliver(delivery)

    async def _again(self, delivery: Delivery, reason: str) -> None:
        for number, wait in enumerate(self._retry_after, start=1):
            await asyncio.sleep(wait.total_seconds())
            answer = await self.deliver(delivery, Attempt(number=number, reason=reason))
            if answer.ok or answer.no_retry:
                return
            reason = answer.reason


def _name(delivery: Delivery) -> str:
    payload = delivery.payload
    event = payload.get("event")
    inner = event.get("type") if isinstance(event, dict) else None
    return f"{delivery.kind.value} {inner or payload.get('command') or payload.get('type')}"
