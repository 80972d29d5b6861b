"""How a paging service's answer is read."""

import asyncio
import string
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.pagers import http
from bot.pagers.http import LONGEST_PAUSE, Answer, address, post, refusal, retry_after, spoken
from bot.ports import BotError, Refused

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)


@given(st.text())
def test_any_retry_after_is_a_pause_within_bounds(header):
    """No header can make us wait for ever, or backwards."""
    assert timedelta(0) <= retry_after(header, NOW) <= LONGEST_PAUSE


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 2),
        ("", 2),
        ("0", 0),
        ("1.5", 1.5),
        (" 4 ", 4),
        ("3600", 3600),
        ("3601", 3600),
        ("1e400", 2),
        ("Mon, 02 Mar 2026 07:10:20 GMT", 20),
        ("Mon, 02 Mar 2026 08:10:20 +0100", 20),
        ("Mon, 02 Mar 2026 07:10:20 -0000", 20),
        ("Mon, 02 Mar 99999 07:10:20 GMT", 2),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    """Both forms of the header are read; what is neither gives the default."""
    assert retry_after(header, NOW) == timedelta(seconds=seconds)


@given(st.integers(100, 599))
def test_a_refusal_is_retried_unless_the_request_is_at_fault(status):
    """5xx, 408, 425, 429 and an unexpected 2xx are retried; every other status is final."""
    outcome = refusal(Answer(status=status, body=b"", retry_after=None), NOW)
    again = status >= 500 or 200 <= status < 300 or status in {408, 425, 429}
    assert (outcome.retry_after is not None) == again


SECRET = st.text(string.ascii_letters + string.digits, min_size=8, max_size=40)


@given(st.text(), SECRET, st.text())
def test_a_secret_is_blotted_out_wherever_it_stands(before, secret, after):
    """What people read never holds the secret, is one line and is short."""
    text = spoken(f"{before}{secret}{after}", (secret,))
    assert secret not in text
    assert text.isprintable()
    assert len(text) <= http.MAX_REASON_CHARS


def test_a_secret_inside_another_is_blotted_out_too():
    """The longer one goes first, so that no tail of it is left."""
    assert spoken("abcdefgh and abcd", ("abcd", "abcdefgh")) == "[secret] and [secret]"


@pytest.mark.parametrize("url", ["https://x.example/y", "http://127.0.0.1:8080"])
def test_an_http_address_is_usable(url):
    """Both schemes pass, with a host."""
    assert address(url, "this") == url


@pytest.mark.parametrize(
    "url", [None, "", "ftp://x", "https://", "//x", "x", "http://[::1", "file:///etc/passwd"]
)
def test_every_other_address_is_refused_without_being_repeated(url):
    """The address may hold a token, so the sentence names only who needs it."""
    with pytest.raises(BotError) as caught:
        address(url, "team infra")
    assert str(caught.value) == "team infra needs an address that starts with https:// or http://"


async def test_a_service_that_never_answers_is_left(provider, session, monkeypatch):
    """The time limit turns silence into a refusal with a pause."""
    monkeypatch.setattr(http, "TIME_LIMIT_S", 0.05)

    over = asyncio.Event()

    async def silent(_: web.Request, __: bytes) -> web.Response:
        await over.wait()
        return web.Response()

    provider.answer = silent
    outcome = await post(session, provider.url, b"{}", {})
    over.set()
    assert isinstance(outcome, Refused)
    assert outcome.retry_after == timedelta(seconds=2)
    assert outcome.reason.startswith("no answer within")


async def test_a_body_that_never_ends_does_not_hide_the_status(provider, session, monkeypatch):
    """A 202 whose body drips for ever is a 202."""
    monkeypatch.setattr(http, "BODY_TIME_LIMIT_S", 0.05)

    over = asyncio.Event()

    async def drip(request: web.Request, _: bytes) -> web.StreamResponse:
        response = web.StreamResponse(status=202)
        await response.prepare(request)
        await response.write(b"{")
        await over.wait()
        return response

    provider.answer = drip
    outcome = await post(session, provider.url, b"{}", {})
    over.set()
    assert isinstance(outcome, Answer)
    assert outcome.status == 202


async def test_a_huge_body_is_cut(provider, session):
    """Memory stays bounded, whatever a service sends."""

    async def flood(_: web.Request, __: bytes) -> web.Response:
        return web.Response(status=400, body=b"x" * 5_000_000)

    provider.answer = flood
    outcome = await post(session, provider.url, b"{}", {})
    assert isinstance(outcome, Answer)
    assert len(outcome.body) == http.MAX_ANSWER_BYTES
