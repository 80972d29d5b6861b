"""The stand-in pagers take what the real ones take, ring once per key, and refuse what is malformed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.sandbox.faults import Broken, Cut, RateLimited
from bot.sandbox.pager import CallState, event_problems, signature_holds
from bot.sandbox.server import Sandbox

INFRA_KEY = "a" * 32
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def event(**changed: Any) -> dict[str, Any]:
    return {
        "routing_key": INFRA_KEY,
        "event_action": "trigger",
        "dedup_key": "rca:acme:i1:infra",
        "payload": {"summary": "shopify_orders", "source": "rca-bot", "severity": "error"},
        "links": [{"href": "https://example.com/i1", "text": "incident"}],
        **changed,
    }


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


async def enqueue(
    http: aiohttp.ClientSession, sandbox: Sandbox, body: object
) -> tuple[int, dict[str, Any]]:
    async with http.post(f"{sandbox.url}/pagerduty/v2/enqueue", json=body) as response:
        return response.status, await response.json()


async def test_one_key_rings_once_and_anew_after_it_was_resolved(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    """Triggers of one key collapse; resolve ends the call; the next trigger is a new call."""
    status, answer = await enqueue(http, sandbox, event())
    assert (status, answer["status"], answer["dedup_key"]) == (202, "success", "rca:acme:i1:infra")
    await enqueue(http, sandbox, event())
    call = sandbox.phones.calls[0]
    assert (call.service, call.triggers, call.state) == ("Infra", 2, CallState.TRIGGERED)
    await enqueue(http, sandbox, event(event_action="acknowledge"))
    assert [one.state for one in sandbox.phones.calls] == [CallState.ACKNOWLEDGED]
    await enqueue(http, sandbox, event(event_action="resolve"))
    assert [one.state for one in sandbox.phones.calls] == [CallState.RESOLVED]
    await enqueue(http, sandbox, event())
    assert [one.number for one in sandbox.phones.calls] == [1, 2]
    assert len(sandbox.phones.requests) == 5


async def test_another_routing_key_resolves_nothing(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    """A key belongs to its service."""
    await enqueue(http, sandbox, event())
    await enqueue(http, sandbox, event(event_action="resolve", routing_key="b" * 32))
    assert sandbox.phones.calls[0].state is CallState.TRIGGERED


async def test_a_trigger_without_a_key_gets_one(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    """Without a dedup_key every trigger rings."""
    keyless = event()
    del keyless["dedup_key"]
    keys = {(await enqueue(http, sandbox, keyless))[1]["dedup_key"] for _ in range(2)}
    assert len(keys) == len(sandbox.phones.calls) == 2


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"routing_key": "a" * 31}, "routing_key"),
        ({"routing_key": None}, "routing_key"),
        ({"event_action": "ring"}, "event_action"),
        ({"event_action": []}, "event_action"),
        ({"dedup_key": "k" * 256}, "dedup_key"),
        ({"event_action": "resolve", "dedup_key": None}, "dedup_key"),
        ({"payload": None}, "payload"),
        ({"payload": {"summary": "s" * 1025, "source": "x", "severity": "info"}}, "summary"),
        ({"payload": {"summary": "", "source": "x", "severity": "info"}}, "summary"),
        ({"payload": {"summary": "s", "severity": "info"}}, "source"),
        ({"payload": {"summary": "s", "source": "x", "severity": "fatal"}}, "severity"),
        ({"links": "x"}, "links"),
    ],
)
async def test_a_malformed_event_is_refused_with_its_field(
    sandbox: Sandbox, http: aiohttp.ClientSession, changed: dict[str, Any], named: str
) -> None:
    """400, the field is named, nobody is woken."""
    status, answer = await enqueue(http, sandbox, event(**changed))
    assert status == 400
    assert answer["status"] == "invalid event"
    assert named in " ".join(answer["errors"])
    assert sandbox.phones.calls == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"dedup_key": "k" * 255},
        {"payload": {"summary": "s" * 1024, "source": "x", "severity": "critical"}},
        {"links": None},
        {"event_action": "acknowledge", "payload": None},
    ],
)
def test_the_longest_that_is_allowed_is_taken(changed: dict[str, Any]) -> None:
    """One character less than refused is fine."""
    assert event_problems(event(**changed), 1_000) == []


def test_an_event_of_more_than_512_kb_is_refused() -> None:
    """Size is counted in bytes of the body."""
    assert event_problems(event(), 512_000) == []
    assert event_problems(event(), 512_001) == ["Event is larger than 512 kB"]


def signed(body: bytes, at: datetime, *, by: str = "webhook-secret") -> str:
    moment = int(at.timestamp())
    digest = hmac.new(by.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


@pytest.mark.parametrize(
    ("header", "holds"),
    [
        (signed(b"{}", NOON), True),
        (signed(b"{}", NOON - timedelta(minutes=5)), True),
        (signed(b"{}", NOON - timedelta(minutes=5, seconds=1)), False),
        (signed(b"{ }", NOON), False),
        (signed(b"{}", NOON, by="another"), False),
        ("", False),
        ("t=x,v1=y", False),
        ("t=²,v1=é", False),
        ("t=" + "9" * 5_000 + ",v1=y", False),
    ],
)
def test_a_webhook_s_signature_covers_body_time_and_secret(header: str, *, holds: bool) -> None:
    """Any one of them wrong, or older than five minutes, and it does not hold."""
    assert signature_holds("webhook-secret", b"{}", header, NOON) is holds


async def test_the_webhook_rings_and_stops(http: aiohttp.ClientSession) -> None:
    """A signed page rings, a signed resolve ends it, an unsigned one is 401, another receiver 404."""
    async with Sandbox(clock=lambda: NOON, webhook_secrets={"platform": "webhook-secret"}) as box:

        async def send(body: dict[str, Any], *, sign: bool = True, name: str = "platform") -> int:
            raw = json.dumps(body).encode()
            headers = {"X-Rca-Signature": signed(raw, NOON)} if sign else {}
            async with http.post(f"{box.url}/webhook/{name}", data=raw, headers=headers) as got:
                return got.status

        page = {"event": "page", "dedup_key": "k", "summary": "late", "severity": "error"}
        assert await send(page) == 202
        assert await send(page, sign=False) == 401
        assert await send(page, name="nobody") == 404
        assert await send({"event": "page"}) == 400
        assert await send({"event": "resolve", "dedup_key": "k"}) == 202
        assert [(c.summary, c.state) for c in box.phones.calls] == [("late", CallState.RESOLVED)]


async def test_a_provider_can_be_down_limited_or_broken(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    """Nobody is woken by a call that failed; the one after it rings."""
    sandbox.faults.add("pagerduty", Broken(status=503))
    sandbox.faults.add("pagerduty", RateLimited(retry_after_s=2))
    sandbox.faults.add("pagerduty", Cut())
    url = f"{sandbox.url}/pagerduty/v2/enqueue"
    async with http.post(url, json=event()) as response:
        assert response.status == 503
    async with http.post(url, json=event()) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "2")
    with pytest.raises(aiohttp.ClientError):
        await http.post(url, json=event())
    assert sandbox.phones.calls == ()
    assert (await enqueue(http, sandbox, event()))[0] == 202
    assert len(sandbox.phones.calls) == 1
