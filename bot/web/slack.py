"""In front of Bolt's HTTP mode: what is not a well-formed request signed by Slack never reaches it.

Bolt parses a body before it checks the signature, so that anybody could make it fail; here the signature comes
first, over the bytes as they came.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.clock import Clock
from bot.web.body import json_object, read_body, unkeepable_text, utf8
from bot.web.errors import ApiError, ErrorBody, bad_request
from rca.expected import expected

PATH: Final = "/slack/events"
WINDOW: Final = timedelta(
    minutes=5
)  # Slack, Verifying requests: older than five minutes is a replay
TIMESTAMP: Final = "X-Slack-Request-Timestamp"
SIGNATURE: Final = "X-Slack-Signature"
UNIX_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MAX_FIELDS: Final = 1_000  # a slash command has about fifteen

HANDED_ON: Final = (
    "Content-Type",
    TIMESTAMP,
    SIGNATURE,
    "X-Slack-Retry-Num",
    "X-Slack-Retry-Reason",
)
"""The headers Bolt sees; they are not signed, and some others would change what Bolt does."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Event(_Part):
    """What happened; Bolt matches listeners by these texts."""

    type: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    channel_type: str | None = None
    message: dict[str, Any] | None = None
    previous_message: dict[str, Any] | None = None


class View(_Part):
    """A modal or the Home tab."""

    type: str
    callback_id: str | None = None


class Action(_Part):
    """A button or a menu that somebody used."""

    action_id: str
    type: str | None = None
    block_id: str | None = None


class Shape(_Part):
    """Where Slack sends objects, Bolt reads them as objects; anything else is refused before it tries.

    A default stands for an absent key. Only where Slack sends null, null is let through: Bolt asks a null event,
    view or action for its keys.
    """

    type: str | None = None
    command: str = ""
    callback_id: str | None = None
    action_id: str | None = None
    team_id: str | None = None
    event: Event = Event()
    view: View = View(type="")
    message: dict[str, Any] | None = None
    container: dict[str, Any] | None = None
    team: dict[str, Any] | str | None = None
    user: dict[str, Any] | str | None = None
    channel: dict[str, Any] | str | None = None
    enterprise: dict[str, Any] | str | None = None
    actions: Annotated[list[Action], Field(min_length=1)] = Field(default_factory=list)
    authorizations: list[dict[str, Any]] | None = None
    response_urls: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackFront:
    """Takes Slack's requests for *bolt*; *signing_secret* is the app's."""

    bolt: AsyncApp = field(repr=False)
    signing_secret: str = field(repr=False)
    clock: Clock

    def routes(self) -> tuple[web.RouteDef, ...]:
        """Return what to add to the application: events, commands and interactions all come here."""
        return (web.post(PATH, self.take),)

    async def take(self, request: web.Request) -> web.Response:
        """Check, then let Bolt answer.

        Raises:
            ApiError: 400, 401, 413 or 415, before Bolt has seen anything.
        """
        raw = await read_body(request)
        self._demand_signed(request, raw)
        text = utf8(raw)
        _demand_shape(_document(request.content_type, text))
        headers: dict[str, str | Sequence[str]] = {
            name: request.headers[name] for name in HANDED_ON if name in request.headers
        }
        answer = await self.bolt.async_dispatch(_for_bolt(text, headers))
        return await to_aiohttp_response(answer)

    def _demand_signed(self, request: web.Request, raw: bytes) -> None:
        timestamp = request.headers.get(TIMESTAMP)
        signature = request.headers.get(SIGNATURE)
        if timestamp is None or signature is None:
            raise _unsigned("The request is not signed.")
        if not UNIX_SECONDS.fullmatch(timestamp):
            raise bad_request("must be a time in seconds", field=TIMESTAMP)
        if abs(self.clock().timestamp() - int(timestamp)) > WINDOW.total_seconds():
            raise _unsigned("The request is older than five minutes.")
        signed = b"v0:" + timestamp.encode() + b":" + raw
        expected = hmac.new(self.signing_secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(
            f"v0={expected}".encode(), signature.encode(errors="surrogateescape")
        ):
            raise _unsigned("The signature does not fit.")


def _unsigned(message: str) -> ApiError:
    return ApiError(HTTPStatus.UNAUTHORIZED, ErrorBody(error="unauthorized", message=message))


def _document(content_type: str, text: str) -> object:
    """What Bolt will read *text* as: it takes a body that starts with a brace for JSON, whatever its type."""
    if content_type not in {JSON, FORM}:
        message = f"Slack sends {JSON} or {FORM}."
        raise ApiError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, ErrorBody(error="content_type", message=message)
        )
    if content_type == JSON or text.startswith("{"):
        return json_object(text)
    fields = _form(text)
    return json_object(fields["payload"], field="payload") if "payload" in fields else fields


def _form(text: str) -> dict[str, str]:
    try:
        fields = dict(
            parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        )
    except ValueError:
        raise bad_request("not a form in UTF-8", field="body") from None
    if not fields:
        raise bad_request("an empty form", field="body")
    if any(unkeepable_text(value) for value in fields.values()):
        raise bad_request("a field holds a NUL character", field="body")
    return fields


def _demand_shape(document: object) -> None:
    try:
        Shape.model_validate(document)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(step) for step in problem["loc"])
        raise bad_request(expected(problem), field=path) from None


def _for_bolt(text: str, headers: dict[str, str | Sequence[str]]) -> AsyncBoltRequest:
    """Bolt reads the whole body here and runs nothing yet, so what fails is the body's fault."""
    try:
        return AsyncBoltRequest(body=text, headers=headers)
    except (TypeError, AttributeError, LookupError, ValueError):
        raise bad_request("not a request that Slack sends", field="body") from None
