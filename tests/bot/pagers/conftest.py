"""A paging service on loopback that answers as told, for the tests of single pagers."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.ports import PageOrder
from rca.case import Severity

Answerer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass
class Provider:
    """Remembers each request's raw body and headers."""

    url: str = ""
    answer: Answerer | None = None
    status: int = 202
    reply: dict[str, Any] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.bodies.append(raw)
        self.headers.append(dict(request.headers))
        if self.answer is not None:
            return await self.answer(request, raw)
        return web.json_response(self.reply, status=self.status)

    @property
    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", made.take)
    server = TestServer(app)
    await server.start_server()
    made.url = str(server.make_url("")).rstrip("/")
    yield made
    await server.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 2, 7, 10, tzinfo=UTC)


@pytest.fixture
def order(now: datetime) -> PageOrder:
    return PageOrder(
        dedup_key="rca:acme:inc-1:infra",
        summary="shopify_orders: ingestion failure (93%)",
        severity=Severity.CRITICAL,
        source="rca-bot/acme/shopify_orders",
        timestamp=now,
        details={"dataset": "shopify_orders"},
        link="https://acme.slack.com/archives/C1/p1",
    )
