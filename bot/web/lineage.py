"""``POST /api/v1/lineage``: OpenLineage's own address, so that its clients need nothing but our URL and a token.

The same inbox and the same door as ``POST /alerts/openlineage``. A pipeline sends many events that say nothing is
wrong and hold no fact; they are answered and not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from bot.clock import Clock
from bot.policy.who_may import Act
from bot.ports import BotError
from bot.records import InboxKind
from bot.web.alerts import CountRefusal, Keep, sender_id
from bot.web.auth import Caller, Door
from bot.web.body import json_object, read_body, utf8
from bot.web.errors import bad_request

PATH: Final = "/api/v1/lineage"
BATCH_PATH: Final = "/api/v1/lineage/batch"
FORMAT: Final = "openlineage"
ENCODINGS: Final = frozenset({"identity", "gzip"})  # what the clients send

Reads = Callable[[str, Mapping[str, Any]], Sequence[object]]
Facts = Callable[[str, Mapping[str, Any], datetime], Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageApi:
    """Takes OpenLineage events; the tenant is the token's own."""

    door: Door
    keep: Keep
    read: Reads
    pushed: Facts
    refused: CountRefusal
    clock: Clock

    def routes(self) -> tuple[web.RouteDef, ...]:
        """Return what to add to the application."""
        return web.post(PATH, self.take), web.post(BATCH_PATH, self.take_batch)

    async def take(self, request: web.Request) -> web.Response:
        """Keep one event, then answer 201 as OpenLineage's own server does."""
        caller = await self.door.admit(request, Act.DIAGNOSE)
        raw = await read_body(request, encodings=ENCODINGS)
        await self._keep(caller, raw, json_object(utf8(raw)))
        return web.Response(status=HTTPStatus.CREATED)

    async def take_batch(self, request: web.Request) -> web.Response:
        """Keep a list of events, all or none."""
        caller = await self.door.admit(request, Act.DIAGNOSE)
        raw = await read_body(request, encodings=ENCODINGS)
        text = utf8(raw).strip()
        if not text.startswith("["):
            raise bad_request("must be a JSON list of events", field="body")
        body = json_object(f'{{"events": {text}}}')
        await self._keep(caller, raw, {"events": body["events"]})
        count = len(body["events"])
        summary = {"received": count, "successful": count, "failed": 0, "retriable": 0}
        return web.json_response({"status": "success", "summary": summary, "failed_events": []})

    async def _keep(self, caller: Caller, raw: bytes, body: Mapping[str, Any]) -> None:
        now = self.clock()
        try:
            says = self.read(FORMAT, body) or self.pushed(FORMAT, body, now)
        except BotError as error:
            await self.refused(
                tenant_id=caller.tenant_id, format_name=FORMAT, problem=str(error), now=now
            )
            raise bad_request(str(error), field="body") from None
        if not says:
            return
        await self.keep(
            kind=InboxKind.WEBHOOK,
            sender_id=sender_id(caller.tenant_id, FORMAT, None, raw, now),
            tenant_id=caller.tenant_id,
            payload={"format": FORMAT, "body": body},
            now=now,
        )
