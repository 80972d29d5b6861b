"""A sandbox per test, and a real Slack client that talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import Sandbox

INFRA_KEY = "a" * 32


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A sandbox whose events are tried again at once."""
    made = Sandbox(
        retry_after=(timedelta(0),) * 3,
        services={INFRA_KEY: "Infra"},
        webhook_secrets={"platform": "webhook-secret"},
    )
    async with made:
        yield made


@pytest.fixture
def slack(sandbox: Sandbox) -> AsyncWebClient:
    """The bot's own client."""
    return AsyncWebClient(token=sandbox.credentials.bot_token, base_url=sandbox.api_url)
