"""``POST /alerts/{format}``: an alert by webhook, answered only once it is kept.

Who posts shows a token, in a header or in the address, or signs the body with a secret of the directory's
``[webhooks.NAME]``; then the signature decides the tenant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from bot.clock import Clock
from bot.policy.who_may import Act
from bot.ports import BotError
from bot.records import InboxKind, Kept
from bot.web.auth import Caller, Door
from bot.web.body import json_object, read_body, utf8
from bot.web.errors import ApiError, bad_request, not_found
from bot.web.signed import Hooks

PATH: Final = "/alerts/{format}"
KEY_HEADER: Final = "Idempotency-Key"
MAX_KEY_CHARS: Final = 255

REDELIVERY: Final = timedelta(minutes=10)
"""Within this the same body is taken for a second delivery; later for the same thing happening again.

Senders try again within seconds to minutes, and some have no time in their body: without an end, such an
alert would be heard once and never again. A retry across the edge joins the incident it opened.
"""


class AlertKept(BaseModel):
    """The alert is ours now; ``fresh`` is false when this delivery repeats an earlier one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inbox_id: str
    fresh: bool


class Keep(Protocol):
    """Writes an inbox row and commits it; the signature is the inbox's own."""

    async def __call__(
        self,
        *,
        kind: InboxKind,
        sender_id: str,
        tenant_id: str,
        payload: Mapping[str, Any],
        now: datetime,
    ) -> Kept:
        """Return the row, and whether it is new."""


ReadAlerts = Callable[[str, Mapping[str, Any]], object]
"""Reads a payload as the format named; raises BotError naming the field when it is something else."""


Unwrap = Callable[[str, Mapping[str, str], Mapping[str, Any]], Mapping[str, Any]]
"""Returns the body with what the format's sender says in headers; raises BotError naming the header."""

DeliveryOf = Callable[[str, Mapping[str, Any]], str | None]
"""Returns the sender's own id of the delivery, or None."""


class CountRefusal(Protocol):
    """Counts a body that its format refused; keeps nothing of the body."""

    async def __call__(
        self, *, tenant_id: str, format_name: str, problem: str, now: datetime
    ) -> None:
        """Count one more, and remember *problem* while it is the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsApi:
    """Takes webhooks in the formats that are known; the tenant is the token's or the signature's own."""

    door: Door
    keep: Keep
    read: ReadAlerts
    unwrap: Unwrap
    delivery_of: DeliveryOf
    refused: CountRefusal
    hooks: Hooks
    formats: Collection[str]
    clock: Clock

    def routes(self) -> tuple[web.RouteDef, ...]:
        """Return what to add to the application."""
        return (web.post(PATH, self.take),)

    async def take(self, request: web.Request) -> web.Response:
        """Keep the alert, then answer 202; what the format cannot read is refused and not kept."""
        name = request.match_info["format"]
        caller, raw = await self._admit(request, name)
        if name not in self.formats:
            raise not_found("There is no such alert format.", allowed=sorted(self.formats))
        key = _key_of(request)
        if raw is None:
            raw = await read_body(request)
        now = self.clock()
        payload = await self._read(request, caller, name, raw, now)
        kept = await self.keep(
            kind=InboxKind.WEBHOOK,
            sender_id=sender_id(
                caller.tenant_id, name, key or self.delivery_of(name, payload), raw, now
            ),
            tenant_id=caller.tenant_id,
            payload={"format": name, "body": payload},
            now=now,
        )
        answer = AlertKept(inbox_id=kept.item.inbox_id, fresh=kept.fresh)
        return web.Response(
            status=HTTPStatus.ACCEPTED,
            text=answer.model_dump_json(),
            content_type="application/json",
        )

    async def _admit(self, request: web.Request, name: str) -> tuple[Caller, bytes | None]:
        """Who posts, and the body where it had to be read for its signature."""
        if not self.hooks.may_sign(name, request):
            return await self.door.admit_by_address(request, Act.DIAGNOSE), None
        raw = await read_body(request)
        return self.hooks.demand_signer(name, request, raw), raw

    async def _read(
        self, request: web.Request, caller: Caller, name: str, raw: bytes, now: datetime
    ) -> Mapping[str, Any]:
        """Return the body as its format reads it; what cannot be read is counted before it is refused."""
        try:
            return self._readable(request, name, raw)
        except ApiError as error:
            await self.refused(
                tenant_id=caller.tenant_id,
                format_name=name,
                problem=error.body.message,
                now=now,
            )
            raise

    def _readable(self, request: web.Request, name: str, raw: bytes) -> Mapping[str, Any]:
        """Return the body as its format reads it.

        Raises:
            ApiError: 400, it is no JSON that can be kept, or not of the format.
        """
        body = json_object(utf8(raw))
        headers = {key.lower(): value for key, value in request.headers.items()}
        try:
            payload = self.unwrap(name, headers, body)
            self.read(name, payload)
        except BotError as error:
            raise bad_request(str(error), field="body") from None
        return payload


def sender_id(tenant_id: str, name: str, key: str | None, raw: bytes, now: datetime) -> str:
    """Return what makes two deliveries one: the sender's own key, or the body within ``REDELIVERY``.

    The tenant is part of it, so that no tenant's alert can hide another's.
    """
    window = int(now.timestamp() // REDELIVERY.total_seconds())
    own = f"key\n{key}".encode() if key is not None else f"body\n{window}\n".encode() + raw
    digest = hashlib.sha256(f"{tenant_id}\n{name}\n".encode() + own).hexdigest()
    return f"{name}:{digest}"


def _key_of(request: web.Request) -> str | None:
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (key.isascii() and 0 < len(key) <= MAX_KEY_CHARS):
        raise bad_request(f"must be 1 to {MAX_KEY_CHARS} plain characters", field=KEY_HEADER)
    return key
