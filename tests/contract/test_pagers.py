"""What every pager must hold, whatever it talks to."""

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.directory import Team
from bot.pagers.registry import Means, build, build_all, kinds
from bot.ports import Accepted, BotError, PageOrder, Pager, Refused
from bot.records import Post, PostKind, PostState
from rca.case import Severity

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
CANARY = "c4n4ry0c4n4ry0c4n4ry0c4n4ry0c4n4"
URL_CANARY = "url-canary-31337"
SECRETS = {"ROUTING": CANARY, "SHARED": CANARY}
ORDER = PageOrder(
    dedup_key="rca:acme:inc-1:infra",
    summary="shopify_orders: ingestion failure (93%)",
    severity=Severity.ERROR,
    source="rca-bot/acme/shopify_orders",
    timestamp=NOW,
    details={"dataset": "shopify_orders", "reason": "auth errors persisting > 1 hour"},
    link="https://acme.slack.com/archives/C1/p1",
)


@dataclass
class Service:
    """A paging service that answers as told, and remembers what it was asked."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    asked: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.bodies.append(raw)
        self.asked.append(json.loads(raw))
        return web.Response(status=self.status, headers=self.headers, text=self.body)


@dataclass
class Thread:
    """The Slack side of a mention: one post per dedup key, in whatever state it is put."""

    state: PostState = PostState.POSTED
    asked: list[str] = field(default_factory=list)

    async def mention(self, usergroup: str, order: PageOrder) -> Post:
        self.asked.append(order.dedup_key)
        return Post(
            post_id=f"mention:{order.dedup_key}",
            incident_id="inc-1",
            kind=PostKind.MENTION,
            channel_id="C1",
            message_ts="1.1" if self.state is PostState.POSTED else None,
            state=self.state,
            text=usergroup,
        )


def team_with(pager: str, url: str) -> Team:
    """A team that has a setting for every kind of pager."""
    return Team(
        id="infra",
        name="Infra",
        usergroup="S123",
        pager=pager,
        routing_key_env="ROUTING",
        url=f"{url}/hook?token={URL_CANARY}",
        secret_env="SHARED",
    )


@asynccontextmanager
async def pager_of(kind: str, service: Service, thread: Thread | None = None):
    """The pager of *kind*, set up against *service* on loopback."""
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", service.answer)
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        url = str(server.make_url("")).rstrip("/")
        means = Means(
            session=session,
            secrets=SECRETS,
            mention=(thread or Thread()).mention,
            pagerduty_url=url,
        )
        try:
            yield build(team_with(kind, url), means)
        finally:
            await server.close()


@pytest.fixture(params=sorted(kinds()))
def kind(request) -> str:
    """Each kind there is."""
    return request.param


HTTP_KINDS = ("pagerduty", "webhook")


@pytest.fixture(params=HTTP_KINDS)
def http_kind(request) -> str:
    """Each kind that posts to a service."""
    return request.param


def test_the_four_kinds_are_found():
    """The registry finds every file by its constant."""
    assert {"pagerduty", "webhook", "slack_mention", "log"} <= set(kinds())


async def test_a_page_is_accepted_at_the_time_given(kind):
    """A service that takes the page makes an Accepted with the caller's own time."""
    async with pager_of(kind, Service()) as pager:
        outcome = await pager.page(ORDER, NOW)
    assert isinstance(outcome, Accepted)
    assert outcome.at == NOW


async def test_ten_tries_carry_one_key(kind):
    """However often it is sent, one order has one dedup key, so that it is one page."""
    service, thread = Service(), Thread()
    async with pager_of(kind, service, thread) as pager:
        for _ in range(10):
            await pager.page(ORDER, NOW)
    keys = [one["dedup_key"] for one in service.asked] + thread.asked
    assert set(keys) <= {ORDER.dedup_key}


async def test_a_resolve_carries_the_key_of_its_page(kind):
    """A resolve is accepted and speaks about the same page."""
    service, thread = Service(), Thread()
    async with pager_of(kind, service, thread) as pager:
        outcome = await pager.resolve(ORDER, NOW)
    assert isinstance(outcome, Accepted)
    assert {one["dedup_key"] for one in service.asked} <= {ORDER.dedup_key}
    assert thread.asked == []


RETRY_TABLE = [
    # status, headers, pause in seconds; None means: never again
    (200, {}, "accepted or 2"),
    (204, {}, "accepted or 2"),
    (301, {"Location": "/elsewhere"}, None),
    (302, {"Location": "/elsewhere"}, None),
    (307, {"Location": "/elsewhere"}, None),
    (308, {"Location": "/elsewhere"}, None),
    (400, {}, None),
    (400, {"Retry-After": "5"}, None),
    (401, {}, None),
    (403, {}, None),
    (404, {}, None),
    (408, {}, 2),
    (409, {}, None),
    (410, {}, None),
    (413, {}, None),
    (422, {}, None),
    (425, {}, 2),
    (429, {}, 2),
    (429, {"Retry-After": "7"}, 7),
    (429, {"Retry-After": "0"}, 0),
    (429, {"Retry-After": "-3"}, 0),
    (429, {"Retry-After": "soon"}, 2),
    (429, {"Retry-After": "inf"}, 2),
    (429, {"Retry-After": "nan"}, 2),
    (429, {"Retry-After": "99999999"}, 3600),
    (429, {"Retry-After": "Mon, 02 Mar 2026 07:10:30 GMT"}, 30),
    (429, {"Retry-After": "Mon, 02 Mar 2026 07:09:00 GMT"}, 0),
    (500, {}, 2),
    (502, {}, 2),
    (503, {"Retry-After": "11"}, 11),
    (504, {}, 2),
]


@pytest.mark.parametrize(("status", "headers", "pause"), RETRY_TABLE)
async def test_the_retry_table(http_kind, status, headers, pause):
    """What is tried again, and when, follows from the status and Retry-After; a redirect is never followed."""
    service = Service(status=status, headers=headers)
    async with pager_of(http_kind, service) as pager:
        outcome = await pager.page(ORDER, NOW)
    assert len(service.asked) == 1
    if pause == "accepted or 2":
        if isinstance(outcome, Accepted):
            return
        pause = 2
    assert isinstance(outcome, Refused)
    expected = None if pause is None else timedelta(seconds=pause)
    assert outcome.retry_after == expected
    assert str(status) in outcome.reason


async def test_nobody_there_is_worth_another_try(http_kind):
    """A connection that is refused is a refusal with a pause, never an exception."""
    async with pager_of(http_kind, Service()) as pager:
        pass  # the service is gone, and the session is closed below
    async with aiohttp.ClientSession() as session:
        again = _with_session(pager, session)
        outcome = await again.page(ORDER, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.retry_after == timedelta(seconds=2)
    assert "could not be reached" in outcome.reason


def _with_session(pager: Pager, session: aiohttp.ClientSession) -> Pager:
    fields = {name: getattr(pager, name) for name in type(pager).__slots__}
    return type(pager)(**{**fields, "session": session})


async def test_a_service_that_hangs_up_is_worth_another_try(http_kind):
    """A connection that is cut without an answer is a refusal with a pause."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with pager_of(http_kind, Service()) as pager, aiohttp.ClientSession() as session:
        fields = {name: getattr(pager, name) for name in type(pager).__slots__}
        url = f"http://127.0.0.1:{port}/x"
        outcome = await type(pager)(**{**fields, "session": session, "url": url}).page(ORDER, NOW)
    server.close()
    await server.wait_closed()
    assert isinstance(outcome, Refused)
    assert outcome.retry_after == timedelta(seconds=2)


@pytest.mark.parametrize("status", [202, 302, 400, 429, 500])
async def test_no_secret_gets_out(kind, status, caplog):
    """A service that quotes our secret back does not get it into a reason, a repr or the log."""
    caplog.set_level(logging.DEBUG)
    said = json.dumps({"message": f"key {CANARY} is wrong", "errors": [CANARY, f"a{CANARY}b"]})
    service = Service(status=status, body=said, headers={"Location": f"/?{CANARY}"})
    async with pager_of(kind, service) as pager:
        outcomes = [await pager.page(ORDER, NOW), await pager.resolve(ORDER, NOW)]
        shown = f"{outcomes!r} {pager!r} {caplog.text} {[vars(r) for r in caplog.records]}"
    ours = [record for record in caplog.records if record.name.startswith("bot.")]
    assert CANARY not in repr(outcomes)
    assert CANARY not in repr(pager)
    assert URL_CANARY not in repr(outcomes) + repr(pager)
    assert CANARY not in repr([vars(record) for record in ours])
    assert CANARY not in shown


@pytest.mark.parametrize("missing", ["ROUTING", "SHARED"])
async def test_a_missing_secret_stops_the_start_and_is_named(missing):
    """All teams that cannot be paged are named at once, by team and variable, without any secret."""
    async with aiohttp.ClientSession() as session:
        secrets = {name: value for name, value in SECRETS.items() if name != missing}
        means = Means(session=session, secrets=secrets, mention=Thread().mention)
        teams = [team_with(kind, "http://127.0.0.1") for kind in sorted(kinds())]
        with pytest.raises(BotError, match=missing) as caught:
            build_all(teams, means)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(means)


async def test_an_unknown_kind_names_the_known_ones():
    """A misspelt pager in the directory is answered with the list."""
    async with aiohttp.ClientSession() as session:
        means = Means(session=session, secrets=SECRETS, mention=Thread().mention)
        with pytest.raises(BotError, match=r"no pager named carrier_pigeon.*log, pagerduty"):
            build(team_with("carrier_pigeon", "http://127.0.0.1"), means)


async def test_every_team_gets_its_own_pager():
    """build_all gives one pager per team id."""
    async with aiohttp.ClientSession() as session:
        means = Means(session=session, secrets=SECRETS, mention=Thread().mention)
        pagers = build_all([team_with("log", "http://127.0.0.1")], means)
    assert set(pagers) == {"infra"}
