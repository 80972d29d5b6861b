"""Our pagers against stand-ins that were written without them, from the providers' documentation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.directory import Team
from bot.pagers.registry import Means, build
from bot.ports import Accepted, PageOrder, Pager, Refused
from bot.records import Post
from bot.sandbox.faults import Faults
from bot.sandbox.pager import CallState, PagerApi, Phones

KEY = "0123456789abcdef0123456789abcdef"
SECRET = "shared-secret"


async def no_mention(_: str, __: PageOrder) -> Post:
    raise AssertionError("nobody is mentioned here")


@dataclass
class Providers:
    """The stand-ins on loopback, and pagers for them."""

    url: str
    phones: Phones
    session: aiohttp.ClientSession

    def pager(self, kind: str, *, secret: str = SECRET) -> Pager:
        team = Team(
            id="infra",
            name="Infra",
            pager=kind,
            routing_key_env="ROUTING",
            url=f"{self.url}/webhook/infra",
            secret_env="SHARED",
        )
        means = Means(
            session=self.session,
            secrets={"ROUTING": KEY, "SHARED": secret},
            mention=no_mention,
            pagerduty_url=f"{self.url}/pagerduty",
        )
        return build(team, means)


@pytest.fixture
async def providers(session, now) -> AsyncIterator[Providers]:
    phones = Phones(lambda: now)
    api = PagerApi(
        phones=phones,
        faults=Faults(),
        clock=lambda: now,
        services={KEY: "Infra"},
        webhook_secrets={"infra": SECRET},
    )
    app = web.Application()
    app.add_routes(api.routes())
    server = TestServer(app)
    await server.start_server()
    yield Providers(url=str(server.make_url("")).rstrip("/"), phones=phones, session=session)
    await server.close()


@pytest.mark.parametrize("kind", ["pagerduty", "webhook"])
async def test_ten_tries_ring_once_and_a_resolve_ends_it(providers, order, now, kind):
    """One order, however often sent, is one call on the phone; the resolve closes that call."""
    pager = providers.pager(kind)
    for _ in range(10):
        assert isinstance(await pager.page(order, now), Accepted)
    (call,) = providers.phones.calls
    assert (call.dedup_key, call.triggers, call.state) == (
        order.dedup_key,
        10,
        CallState.TRIGGERED,
    )
    assert call.summary == order.summary
    assert isinstance(await pager.resolve(order, now), Accepted)
    assert [one.state for one in providers.phones.calls] == [CallState.RESOLVED]


async def test_a_receiver_with_another_secret_refuses_for_good(providers, order, now):
    """A wrong secret is a setting to fix, not something to try again."""
    outcome = await providers.pager("webhook", secret="another").page(order, now)
    assert outcome == Refused(reason="the webhook answered 401", retry_after=None)
    assert not providers.phones.calls


async def test_a_signature_does_not_live_for_ever(providers, order, now):
    """A page signed more than five minutes ago is refused by the receiver."""
    outcome = await providers.pager("webhook").page(order, now - timedelta(seconds=301))
    assert isinstance(outcome, Refused)
