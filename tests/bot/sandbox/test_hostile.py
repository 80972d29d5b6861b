"""Whatever is sent to the sandbox, it answers; none of it is an internal error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sandbox.api import METHODS
from bot.sandbox.server import Sandbox

PATHS = (
    "/api/chat.postMessage",
    "/api/views.open",
    "/api/files.completeUploadExternal",
    "/response/r1",
    "/upload/F1",
    "/pagerduty/v2/enqueue",
    "/webhook/platform",
    "/ui/send",
    "/ui/view/submit",
)
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/json; charset=x",
)
NAMES = (
    "as", "attachments", "blocks", "channel", "cursor", "dedup_key", "event_action", "external_id", "filename", "files",
    "hash", "initial_comment", "latest", "length", "limit", "links", "metadata", "oldest", "payload", "response_type",
    "routing_key", "text", "thread_ts", "token", "trigger_id", "ts", "types", "user", "users", "view", "view_id",
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(("C0ALERTS", "U0ALICE", "xoxb-sandbox", "modal", "home", "section", "trigger", "9" * 5_000))
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from((*NAMES, "type", "elements", "title")), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)

bounded = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def internal_errors(
    send: Callable[[Sandbox, aiohttp.ClientSession], Awaitable[list[int]]],
) -> list[int]:
    """Run *send* against a fresh sandbox, which must be alive afterwards, and return the internal errors."""

    async def run() -> list[int]:
        async with Sandbox() as sandbox, aiohttp.ClientSession(sandbox.url) as http:
            statuses = await send(sandbox, http)
            async with http.get("/ui/state", params={"as": "U0ALICE"}) as response:
                assert response.status == 200
                await response.json()
            return [one for one in statuses if one >= 500]

    return asyncio.run(run())


@bounded
@given(body=st.binary(max_size=60), kind=st.sampled_from(TYPES), path=st.sampled_from(PATHS))
def test_any_bytes_are_answered(body: bytes, kind: str, path: str) -> None:
    """Bytes that are no text, no JSON and no form are refused."""

    async def send(_: Sandbox, http: aiohttp.ClientSession) -> list[int]:
        async with http.post(path, data=body, headers={"Content-Type": kind}) as response:
            return [response.status]

    assert internal_errors(send) == []


@bounded
@given(body=OBJECTS, path=st.sampled_from(PATHS))
def test_any_object_is_answered(body: dict[str, object], path: str) -> None:
    """Objects of any shape, with known names and a good token, are taken or refused."""

    async def send(_: Sandbox, http: aiohttp.ClientSession) -> list[int]:
        raw = json.dumps(body)
        headers = {"Content-Type": "application/json", "Authorization": "Bearer xoxb-sandbox"}
        async with http.post(path, data=raw, headers=headers) as response:
            return [response.status]

    assert internal_errors(send) == []


@bounded
@given(body=OBJECTS)
def test_any_arguments_to_every_method_are_answered(body: dict[str, object]) -> None:
    """Every method of the Web API takes or refuses them, and says which in JSON."""

    async def send(_: Sandbox, http: aiohttp.ClientSession) -> list[int]:
        statuses = []
        raw = json.dumps({"channel": "C0ALERTS", **body})
        headers = {"Content-Type": "application/json", "Authorization": "Bearer xoxb-sandbox"}
        for name in METHODS:
            async with http.post(f"/api/{name}", data=raw, headers=headers) as response:
                statuses.append(response.status)
                assert "ok" in await response.json()
        return statuses

    assert internal_errors(send) == []


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/api/auth.test", b"[" * 100_000, {"Content-Type": "application/json"}),
        ("/api/auth.test", b'"\\ud800"', {"Content-Type": "application/json"}),
        ("/api/auth.test", b"a=%ff", {"Content-Type": "application/x-www-form-urlencoded"}),
        (
            "/api/auth.test",
            b"&".join([b"a=1"] * 10_000),
            {"Content-Type": "application/x-www-form-urlencoded"},
        ),
        ("/api/auth.test?text=%ff%fe", b"", {}),
        ("/api/auth.test", b"x", {"Content-Encoding": "gzip"}),
        ("/api/%2e%2e%2f", b"", {}),
        ("/api/auth.test", b"", {"Authorization": "Bearer \xe9"}),
        ("/webhook/platform", b"{}", {"X-Rca-Signature": "t=\xb2,v1=\xe9"}),
    ],
)
async def test_known_ways_to_break_a_server_do_not(
    sandbox: Sandbox, path: str, body: bytes, headers: dict[str, str]
) -> None:
    """Deep nesting, half surrogates, bad encodings, floods of fields, false compression."""
    async with (
        aiohttp.ClientSession(sandbox.url) as http,
        http.post(path, data=body, headers=headers, skip_auto_headers=["Content-Type"]) as response,
    ):
        assert response.status < 500


async def test_a_socket_needs_a_ticket(sandbox: Sandbox) -> None:
    """A plain request, and one with a made-up ticket, are refused."""
    async with aiohttp.ClientSession(sandbox.url) as http:
        for path in ("/link/", "/link/?ticket=mine"):
            async with http.get(path) as response:
                assert response.status == 401
        ticket = sandbox.sockets.new_ticket()
        async with http.get(f"/link/?ticket={ticket}") as response:
            assert response.status == 426


async def test_nonsense_on_a_socket_is_ignored(sandbox: Sandbox) -> None:
    """The socket stays open, and still takes a real acknowledgement."""
    async with aiohttp.ClientSession(sandbox.url) as http:
        ticket = sandbox.sockets.new_ticket()
        async with http.ws_connect(f"/link/?ticket={ticket}") as socket:
            assert (await socket.receive_json())["type"] == "hello"
            for nonsense in ("{", "[]", '{"envelope_id": []}', '"x"', "NaN"):
                await socket.send_str(nonsense)
            command = asyncio.ensure_future(sandbox.command("alice", "data-alerts", "/rca list"))
            envelope = await socket.receive_json()
            await socket.send_json(
                {"envelope_id": envelope["envelope_id"], "payload": {"text": "here"}}
            )
            assert (await command).fields() == {"text": "here"}
    assert [one.text for one in sandbox.ephemerals("alice")] == ["here"]
