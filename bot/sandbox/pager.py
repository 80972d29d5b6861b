"""Stand-ins for services that wake people: PagerDuty's Events API v2, and a receiver of our signed webhook."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.faults import Faults, answered
from bot.sandbox.records import Json, SlackRefusedError
from bot.sandbox.wire import parse_json

ROUTING_KEY_LENGTH: Final = 32  # PagerDuty Events API v2
MAX_DEDUP_KEY: Final = 255
MAX_SUMMARY: Final = 1_024
MAX_EVENT_BYTES: Final = 512_000
SEVERITIES: Final = ("critical", "error", "warning", "info")
ACTIONS: Final = ("trigger", "acknowledge", "resolve")
SIGNATURE_LIVES: Final = timedelta(minutes=5)


class CallState(StrEnum):
    """How far a call is on the phone of whoever is on call."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCall:
    """One call that rang; triggers of the same key while it is open only count up."""

    number: int
    provider: str
    service: str
    dedup_key: str
    summary: str
    severity: str
    state: CallState
    at: datetime
    triggers: int = 1
    link: str | None = None
    details: Json | None = None


class Phones:
    """Every call that rang, oldest first; ``requests`` counts what reached the providers, repeats included."""

    def __init__(self, clock: Clock) -> None:
        self.requests: list[tuple[str, Json]] = []
        self.watchers: list[Callable[[], None]] = []
        self._clock = clock
        self._calls: list[PhoneCall] = []

    @property
    def calls(self) -> tuple[PhoneCall, ...]:
        """The calls, oldest first."""
        return tuple(self._calls)

    def trigger(self, provider: str, service: str, event: Json) -> PhoneCall:
        """Ring, or count up the open call of this key; a resolved one is not opened again but rings anew."""
        open_one = self._open(provider, service, str(event["dedup_key"]))
        if open_one is not None:
            return self._put(replace(open_one, triggers=open_one.triggers + 1))
        made = PhoneCall(
            number=len(self._calls) + 1,
            provider=provider,
            service=service,
            dedup_key=str(event["dedup_key"]),
            summary=str(event.get("summary", "")),
            severity=str(event.get("severity", "critical")),
            state=CallState.TRIGGERED,
            at=self._clock(),
            link=_text_or_none(event.get("link")),
            details=event.get("details") if isinstance(event.get("details"), dict) else None,
        )
        self._calls.append(made)
        self._tell()
        return made

    def move(self, provider: str, service: str, dedup_key: str, state: CallState) -> None:
        """Acknowledge or resolve the open call of this key; without one nothing happens, as at PagerDuty."""
        open_one = self._open(provider, service, dedup_key)
        if open_one is not None:
            self._put(replace(open_one, state=state))

    def _open(self, provider: str, service: str, dedup_key: str) -> PhoneCall | None:
        for call in reversed(self._calls):
            if (call.provider, call.service, call.dedup_key) == (provider, service, dedup_key):
                return None if call.state is CallState.RESOLVED else call
        return None

    def _put(self, call: PhoneCall) -> PhoneCall:
        self._calls[call.number - 1] = call
        self._tell()
        return call

    def _tell(self) -> None:
        for watcher in tuple(self.watchers):
            watcher()


class PagerApi:
    """The providers' HTTP side.

    Args:
        phones: where calls ring.
        faults: targets ``pagerduty`` and ``webhook``.
        clock: against which a webhook's signature is too old.
        services: name of the team behind each routing key; any other key of 32 characters is taken too.
        webhook_secrets: secret of each webhook receiver by the name in its path.
    """

    def __init__(
        self,
        *,
        phones: Phones,
        faults: Faults,
        clock: Clock,
        services: Mapping[str, str],
        webhook_secrets: Mapping[str, str],
    ) -> None:
        self._phones = phones
        self._faults = faults
        self._clock = clock
        self._services = services
        self._secrets = webhook_secrets

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve."""
        return [
            web.post("/pagerduty/v2/enqueue", self._enqueue),
            web.post("/webhook/{service}", self._webhook),
        ]

    async def _enqueue(self, request: web.Request) -> web.StreamResponse:
        fault = self._faults.take("pagerduty")
        return await answered(request, fault, lambda: self._enqueued(request))

    async def _enqueued(self, request: web.Request) -> web.Response:
        raw = await request.read()
        try:
            event = parse_json(raw, "invalid_json")
        except SlackRefusedError:
            return _invalid(["Invalid JSON"])
        problems = event_problems(event, len(raw))
        if problems:
            return _invalid(problems)
        service = self._services.get(event["routing_key"], "a service the sandbox has no name for")
        dedup_key = event.get("dedup_key") or f"generated-{len(self._phones.requests) + 1}"
        self._phones.requests.append(("pagerduty", event))
        self._apply("pagerduty", service, dedup_key, event)
        answer = {"status": "success", "message": "Event processed", "dedup_key": dedup_key}
        return web.json_response(answer, status=202)

    def _apply(self, provider: str, service: str, dedup_key: str, event: Json) -> None:
        match event["event_action"]:
            case "trigger":
                payload, links = event["payload"], event.get("links") or [{}]
                flat = {
                    "dedup_key": dedup_key,
                    "summary": payload["summary"],
                    "severity": payload["severity"],
                    "details": payload.get("custom_details"),
                    "link": links[0].get("href"),
                }
                self._phones.trigger(provider, service, flat)
            case "acknowledge":
                self._phones.move(provider, service, dedup_key, CallState.ACKNOWLEDGED)
            case _:
                self._phones.move(provider, service, dedup_key, CallState.RESOLVED)

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        fault = self._faults.take("webhook")
        return await answered(request, fault, lambda: self._hooked(request))

    async def _hooked(self, request: web.Request) -> web.Response:
        service = request.match_info["service"]
        raw = await request.read()
        secret = self._secrets.get(service)
        if secret is None:
            return web.json_response({"error": "no such receiver"}, status=404)
        if not signature_holds(
            secret, raw, request.headers.get("X-Rca-Signature", ""), self._clock()
        ):
            return web.json_response({"error": "bad signature"}, status=401)
        try:
            event = parse_json(raw, "invalid_json")
        except SlackRefusedError:
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("dedup_key"), str):
            return web.json_response(
                {"error": "an object with a dedup_key is expected"}, status=400
            )
        self._phones.requests.append(("webhook", event))
        if event.get("event") == "resolve":
            self._phones.move("webhook", service, event["dedup_key"], CallState.RESOLVED)
        else:
            self._phones.trigger("webhook", service, event)
        return web.json_response(
            {"status": "accepted", "dedup_key": event["dedup_key"]}, status=202
        )


def event_problems(event: object, size: int) -> list[str]:
    """Return what PagerDuty would not take about an Events API v2 event, in sentences; none when it takes it."""
    if not isinstance(event, dict):
        return ["Event object is not an object"]
    problems = []
    key, dedup_key = event.get("routing_key"), event.get("dedup_key")
    action = event.get("event_action")
    if size > MAX_EVENT_BYTES:
        problems.append("Event is larger than 512 kB")
    if not isinstance(key, str) or len(key) != ROUTING_KEY_LENGTH:
        problems.append(f"'routing_key' must be a string of {ROUTING_KEY_LENGTH} characters")
    if action not in ACTIONS:
        problems.append(f"'event_action' must be one of {', '.join(ACTIONS)}")
    if dedup_key is not None and (not isinstance(dedup_key, str) or len(dedup_key) > MAX_DEDUP_KEY):
        problems.append(f"'dedup_key' must be a string of at most {MAX_DEDUP_KEY} characters")
    if action in ACTIONS[1:] and not dedup_key:
        problems.append("'dedup_key' is missing")
    links = event.get("links")
    if links is not None and not _are_objects(links):
        problems.append("'links' must be a list of objects")
    return problems + (_payload_problems(event.get("payload")) if action == "trigger" else [])


def signature_holds(secret: str, body: bytes, header: str, now: datetime) -> bool:
    """Return whether ``t=<unix>,v1=<hex>`` signs *body* with *secret*, not more than five minutes from *now*."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    moment, given = parts.get("t", ""), parts.get("v1", "")
    if not moment.isdecimal() or not moment.isascii() or not given.isascii():
        return False
    if abs(now.timestamp() - int(moment[:20])) > SIGNATURE_LIVES.total_seconds():
        return False
    right = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(right, given)


def _payload_problems(payload: Any) -> list[str]:  # noqa: ANN401 - JSON of any shape
    if not isinstance(payload, dict):
        return ["'payload' is missing"]
    problems = []
    summary, source = payload.get("summary"), payload.get("source")
    if not isinstance(summary, str) or not 0 < len(summary) <= MAX_SUMMARY:
        problems.append(f"'payload.summary' must be a string of 1 to {MAX_SUMMARY} characters")
    if not isinstance(source, str) or not source:
        problems.append("'payload.source' is missing")
    if payload.get("severity") not in SEVERITIES:
        problems.append(f"'payload.severity' must be one of {', '.join(SEVERITIES)}")
    return problems


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _invalid(problems: Sequence[str]) -> web.Response:
    body = {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": list(problems),
    }
    return web.json_response(body, status=400)


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
