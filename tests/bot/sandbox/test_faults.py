"""Faults on order: each spoils the calls it was ordered for, and no other."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.faults import (
    EVERYTHING,
    Broken,
    Cut,
    Fault,
    RateLimited,
    Slow,
    Twice,
    Unanswered,
)
from bot.sandbox.server import Sandbox


@pytest.fixture
def impatient(sandbox: Sandbox) -> AsyncWebClient:
    """A client that tries nothing again."""
    return AsyncWebClient(
        token=sandbox.credentials.bot_token, base_url=sandbox.api_url, retry_handlers=[], timeout=5
    )


async def test_a_rate_limit_is_answered_with_when_to_come_back(
    sandbox: Sandbox, impatient: AsyncWebClient
) -> None:
    """429 with Retry-After, for the ordered calls of that method only."""
    sandbox.faults.add("chat.postMessage", RateLimited(retry_after_s=7), times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await impatient.chat_postMessage(channel="C0ALERTS", text="x")
        assert caught.value.response["error"] == "ratelimited"
        assert caught.value.response.headers["Retry-After"] == "7"
    assert (await impatient.auth_test())["ok"]
    await impatient.chat_postMessage(channel="C0ALERTS", text="third")
    assert [one.text for one in sandbox.messages("data-alerts")] == ["third"]


async def test_the_client_s_own_handler_comes_back(sandbox: Sandbox) -> None:
    """slack_sdk's rate-limit handler understands our answer."""
    sandbox.faults.add("auth.test", RateLimited(retry_after_s=0))
    client = AsyncWebClient(
        token=sandbox.credentials.bot_token,
        base_url=sandbox.api_url,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=1)],
    )
    assert (await client.auth_test())["ok"]


@pytest.mark.parametrize(
    ("fault", "posted"),
    [(Cut(), 0), (Unanswered(), 1)],
)
async def test_a_cut_line_leaves_the_caller_in_doubt(
    sandbox: Sandbox, impatient: AsyncWebClient, fault: Fault, posted: int
) -> None:
    """The caller sees the same error whether the message was posted or not."""
    sandbox.faults.add("chat.postMessage", fault)
    with pytest.raises(aiohttp.ClientError):
        await impatient.chat_postMessage(channel="C0ALERTS", text="x")
    assert len(sandbox.messages("data-alerts")) == posted


async def test_a_broken_server_has_posted_nothing(
    sandbox: Sandbox, impatient: AsyncWebClient
) -> None:
    """A 503 is a 503."""
    sandbox.faults.add(EVERYTHING, Broken(status=503))
    with pytest.raises(SlackApiError) as caught:
        await impatient.chat_postMessage(channel="C0ALERTS", text="x")
    assert caught.value.response.status_code == 503
    assert sandbox.messages("data-alerts") == ()


async def test_accepted_twice_is_there_twice(sandbox: Sandbox, impatient: AsyncWebClient) -> None:
    """One call, one answer, two messages."""
    sandbox.faults.add("chat.postMessage", Twice())
    assert (await impatient.chat_postMessage(channel="C0ALERTS", text="x"))["ok"]
    assert [one.text for one in sandbox.messages("data-alerts")] == ["x", "x"]


async def test_slow_is_done_before_it_is_answered(sandbox: Sandbox) -> None:
    """A client that hangs up early has posted all the same."""
    sandbox.faults.add("chat.postMessage", Slow(delay_s=1.0))
    hasty = AsyncWebClient(
        token=sandbox.credentials.bot_token, base_url=sandbox.api_url, retry_handlers=[]
    )
    hasty.timeout = 0.1  # type: ignore[assignment]  # the client hands it to aiohttp, which takes fractions
    with pytest.raises(TimeoutError):
        await hasty.chat_postMessage(channel="C0ALERTS", text="x")
    assert len(sandbox.messages("data-alerts")) == 1


def test_faults_are_counted_and_can_be_called_off(sandbox: Sandbox) -> None:
    """What is called off hits nobody."""
    sandbox.faults.add("auth.test", Cut(), times=3)
    assert sandbox.faults.waiting("auth.test") == 3
    sandbox.faults.clear("auth.test")
    assert sandbox.faults.waiting("auth.test") == 0
    sandbox.faults.add("auth.test", Cut())
    sandbox.faults.clear()
    assert sandbox.faults.take("auth.test") is None
