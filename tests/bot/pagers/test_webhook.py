"""The signed webhook: a receiver can check it with nothing but the shared secret."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pagers.webhook import WebhookPager, signature
from bot.ports import Accepted

SECRET = "shared-secret"


@pytest.fixture
def pager(provider, session) -> WebhookPager:
    return WebhookPager(url=f"{provider.url}/hook", secret=SECRET, session=session)


def genuine(body: bytes, header: str, secret: str = SECRET) -> bool:
    """What a receiver does, written from the documentation and not from our code."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256)
    return hmac.compare_digest(expected.hexdigest(), parts["v1"])


async def test_the_body_says_everything(pager, provider, order, now):
    """A page carries the order; the receiver needs to ask nobody."""
    await pager.page(order, now)
    assert provider.sent == [
        {
            "event": "page",
            "dedup_key": "rca:acme:inc-1:infra",
            "summary": "shopify_orders: ingestion failure (93%)",
            "severity": "critical",
            "source": "rca-bot/acme/shopify_orders",
            "timestamp": "2026-03-02T07:10:00+00:00",
            "details": {"dataset": "shopify_orders"},
            "link": "https://acme.slack.com/archives/C1/p1",
        }
    ]
    assert provider.headers[0]["Content-Type"] == "application/json"


async def test_the_signature_covers_time_and_body(pager, provider, order, now):
    """The receiver's own check passes, and fails for another body, secret or time."""
    await pager.page(order, now)
    body, header = provider.bodies[0], provider.headers[0]["X-Rca-Signature"]
    assert header.startswith(f"t={int(now.timestamp())},v1=")
    assert genuine(body, header)
    assert not genuine(body + b" ", header)
    assert not genuine(body, header, secret="another")
    assert not genuine(body, header.replace("t=1", "t=2", 1))


async def test_the_idempotency_key_is_the_dedup_key(pager, provider, order, now):
    """Page and resolve of one incident and team carry one key, whatever number of tries."""
    await pager.page(order, now)
    await pager.page(order, now)
    await pager.resolve(order, now)
    assert {headers["Idempotency-Key"] for headers in provider.headers} == {order.dedup_key}
    assert [one["event"] for one in provider.sent] == ["page", "page", "resolve"]


@pytest.mark.parametrize(
    ("key", "header"),
    [
        ("rca:acme:inc-1:infra", "rca:acme:inc-1:infra"),
        ("rca:ácme:1:infra", "rca:%C3%A1cme:1:infra"),
        ("rca:a\r\nX-Evil: 1:t", "rca:a%0D%0AX-Evil: 1:t"),
        ("rca:\ud800:t", "rca:%3F:t"),
    ],
)
async def test_no_key_can_break_a_header(pager, provider, order, now, key, header):
    """A tenant's name with line ends or accents is percent-encoded in the header and exact in the body."""
    assert isinstance(await pager.page(replace(order, dedup_key=key), now), Accepted)
    assert provider.headers[0]["Idempotency-Key"] == header
    assert "X-Evil" not in provider.headers[0]
    assert provider.sent[0]["dedup_key"] == key


@pytest.mark.parametrize(
    ("reply", "reference", "url"),
    [
        ({}, None, None),
        (
            {"reference": "P-1", "url": "https://pager.example/P-1"},
            "P-1",
            "https://pager.example/P-1",
        ),
        ({"reference": 5, "url": "javascript:alert(1)"}, None, None),
    ],
)
async def test_the_receiver_may_say_where_to_look(
    pager, provider, order, now, reply, reference, url
):
    """A reference and an http(s) address are shown to people; anything else is left out."""
    provider.reply = reply
    outcome = await pager.page(order, now)
    assert outcome == Accepted(at=now, reference=reference or order.dedup_key, url=url)


@given(
    st.text(min_size=1),
    st.binary(),
    st.datetimes(min_value=datetime(1971, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
)
def test_every_signature_checks_out(secret, body, at):
    """For any secret, body and time the receiver's check agrees with ours."""
    try:
        secret.encode()
    except UnicodeEncodeError:
        return
    assert genuine(body, signature(secret, body, at), secret)
