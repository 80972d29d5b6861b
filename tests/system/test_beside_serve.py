"""What people run beside a serving bot: a token, facts, requests; and a second bot, which is refused on SQLite."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from tests.system.program import Ended, rca_bot, started
from tests.system.test_verbs import TRACE, case_file

PATH = "/api/admin/diagnostics/shopify_orders"

ENV = {"SLACK_MODE": "off", "HTTP_PORT": "0", "DATABASE_URL": "sqlite:///rca-bot.sqlite3"}


async def test_from_nothing_to_an_answer(tmp_path: Path) -> None:
    """An empty folder: serve makes its database, a token is made and facts are loaded beside it, the API answers."""
    case = case_file(tmp_path)
    async with started(folder=tmp_path, env=ENV) as bot:
        address = (await bot.says("rca-bot is running"))["address"]
        made, loaded, second = await asyncio.gather(
            asyncio.to_thread(
                beside, tmp_path, "token", "create", "--tenant", "acme", "--name", "ci"
            ),
            asyncio.to_thread(beside, tmp_path, "load", "--now", case),
            asyncio.to_thread(beside, tmp_path, "serve"),
        )
        assert (made.status, made.err, loaded.status, loaded.err) == (0, "", 0, "")
        assert "acme/shopify_orders:" in loaded.out
        assert second.status == 2
        assert "Another rca-bot is serving" in second.err
        assert "postgresql://" in second.err
        assert TRACE not in second.err
        token = made.out.split()[-1]
        status, document = await ask(
            "POST", f"{address}{PATH}/analyze?anomaly_type=freshness_anomaly", token
        )
        assert (status, document["top_cause_type"]) == (200, "ingestion_failure")
        status, listed = await ask("GET", f"{address}{PATH}?active_only=true", token)
        assert status == 200
        assert [one["signal_id"] for one in listed["diagnoses"]] == [document["signal_id"]]
        assert (await ask("GET", f"{address}{PATH}", "not-a-token"))[0] == 401
        assert (await ask("GET", f"{address}/readyz", token))[0] == 200
        assert await bot.stop() == 0
        assert bot.complaints == []


def beside(folder: Path, *arguments: str | Path) -> Ended:
    """Run a verb on the database of the serving bot."""
    return rca_bot(*arguments, folder=folder, env=ENV)


async def ask(method: str, url: str, token: str) -> tuple[int, Any]:
    """Return the status and the document of one request."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, url) as response,
    ):
        return response.status, await response.json()
