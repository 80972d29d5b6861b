"""Any bytes to any endpoint: a clean answer below 500, and nothing stored that could not be read."""

import asyncio
import contextlib
import json
from collections import Counter
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.web.site import build_site

ACME = b"Authorization: Bearer rca_acme_responder"
TARGETS = st.sampled_from(
    [
        b"/api/admin/diagnostics/shopify_orders",
        b"/api/admin/diagnostics/shopify_orders/analyze?anomaly_type=volume_anomaly",
        b"/alerts/native",
        b"/alerts/alertmanager",
        b"/healthz",
        b"/readyz",
        b"/openapi.json",
        b"/",
        b"*",
    ]
)
METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"BREW"])
NAMES = st.sampled_from(
    [
        b"Authorization",
        b"Content-Type",
        b"Content-Encoding",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Idempotency-Key",
        b"Accept",
        b"Expect",
        b"Cookie",
        b"Host",
        b"X-Forwarded-For",
        b"Range",
        b"If-None-Match",
        b"Upgrade",
        b"Connection",
    ]
)
LINES = st.binary(max_size=40).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
FEW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


PATIENCE_S = (
    0.5  # for a request that promises more body than it sends: we are to wait, so nobody answers
)


async def exchange(client, raw: bytes) -> int | None:
    """Send *raw* on a connection of its own; return the status, None when there was no answer to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(raw)
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = await reader.readline()
    except (TimeoutError, ConnectionResetError):
        line = b""
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()
    return int(line.split()[1]) if line else None


@FEW
@given(METHODS, TARGETS, st.lists(st.tuples(NAMES, LINES), max_size=4), st.binary(max_size=200))
async def test_any_headers_and_any_body(client, method, target, headers, body):
    """Whatever the headers claim about whatever the body is, it is never our fault."""
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: x", ACME]
    lines += [name + b": " + value for name, value in headers]
    if not any(name in {b"Content-Length", b"Transfer-Encoding"} for name, _ in headers):
        lines.append(b"Content-Length: %d" % len(body))
    status = await exchange(client, b"\r\n".join(lines) + b"\r\n\r\n" + body)
    assert status is None or status < 500


@FEW
@given(st.binary(max_size=60), st.sampled_from(["", "/analyze"]), st.binary(max_size=60))
async def test_any_name_and_any_query(client, name, tail, query):
    """Any percent-encoded bytes as dataset and parameters are answered below 500."""
    path = f"/api/admin/diagnostics/{quote_from_bytes(name)}{tail}?{quote_from_bytes(query, '=&')}"
    method = b"POST" if tail else b"GET"
    raw = method + b" " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n" + ACME + b"\r\n\r\n"
    status = await exchange(client, raw)
    assert status is not None
    assert status < 500


@FEW
@given(st.binary(max_size=200))
async def test_any_bytes_at_all(client, raw):
    """What is not even HTTP is answered 400 or hung up on."""
    status = await exchange(client, raw + b"\r\n\r\n")
    assert status is None or status < 500


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


@FEW
@given(JSON_VALUES)
async def test_whatever_is_kept_every_database_can_keep(client, world, value):
    """Any JSON is answered 202 or 400; what was kept is strict JSON in UTF-8 without NUL."""
    world.kept.clear()
    body = json.dumps({"dataset": "x", "value": value}).encode()
    headers = {"Authorization": "Bearer rca_acme_responder"}
    answer = await client.post("/alerts/native", data=body, headers=headers)
    assert answer.status in {202, 400}
    assert (answer.status == 202) == bool(world.kept)
    for item in world.kept.values():
        text = json.dumps(item.payload, allow_nan=False, ensure_ascii=False)
        assert "\x00" not in text
        text.encode()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n", 400),
        (b"Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}", 415),
        (b"Content-Length: -1\r\n\r\n", 400),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400),
        (b"Content-Length: 10000000\r\n\r\n{}", 413),
        (b"Expect: tea\r\nContent-Length: 2\r\n\r\n{}", 417),
        (b"X-Long: " + b"y" * 20_000 + b"\r\n\r\n", 400),
    ],
)
async def test_broken_framing_is_the_senders(client, world, raw, status):
    """Lengths, chunks and encodings that do not fit are refused, and nothing is kept."""
    head = b"POST /alerts/native HTTP/1.1\r\nHost: x\r\n" + ACME + b"\r\n"
    assert await exchange(client, head + raw) == status
    assert not world.kept


async def test_errors_are_json_wherever_they_come_from(client):
    """404 and 405 of the router have the same shape as our own."""
    seen = Counter()
    for method, path in [("GET", "/nowhere"), ("DELETE", "/healthz"), ("GET", "/alerts/native")]:
        answer = await client.request(method, path)
        body = await answer.json()
        assert {"error", "message"} <= set(body)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        seen[answer.status] += 1
    assert seen == {404: 1, 405: 2}


def test_a_site_without_rooms_is_a_site():
    """The pieces are independent: none is needed for another."""
    (nowhere,) = build_site().router.resources()
    assert nowhere.canonical == "/"


async def test_a_client_that_waits_for_100_continue_gets_it(client):
    """A client like curl sends Expect: 100-continue with a large body, and waits."""
    headers = {"Authorization": "Bearer rca_acme_responder"}
    answer = await client.post(
        "/alerts/native", data=b'{"dataset": "x"}', headers=headers, expect100=True
    )
    assert answer.status == 202


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"GET", b"/healthz"),
        (b"GET", b"http://x/healthz"),
        (b"GET", b"/alerts/native"),
        (b"POST", b"/alerts/native"),
        (b"GET", b"/nowhere"),
        (b"OPTIONS", b"*"),
    ],
)
async def test_an_expectation_that_is_no_text_is_a_417(client, method, target):
    """On every path there is, with the right method or not, and on those that are not."""
    raw = method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nExpect: \x80\r\n\r\n"
    assert await exchange(client, raw) == 417


async def test_http_1_0_knows_no_expectations(client):
    """An older client's header is ignored, as it was before the header existed."""
    raw = b"GET /healthz HTTP/1.0\r\nExpect: tea\r\n\r\n"
    assert await exchange(client, raw) == 200
