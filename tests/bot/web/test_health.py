"""Probes: alive whatever happens, ready only when everything answers."""

import asyncio

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.web import health
from bot.web.health import HealthApi
from bot.web.site import build_site


async def test_alive_asks_nobody(client, world):
    """A dead database does not restart the process."""
    world.checks["database"] = RuntimeError("gone")
    answer = await client.get("/healthz")
    assert (answer.status, await answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [
        (None, 200, "ok"),
        ("0002 is not applied", 503, "0002 is not applied"),
        (RuntimeError("postgres://u:hunter2@db"), 503, "failed; the log says why"),
    ],
)
async def test_ready_when_every_check_is_fine(client, world, outcome, status, said):
    """One check that is not fine makes 503 and is named; an exception's words stay in the log."""
    world.checks["migrations"] = outcome
    answer = await client.get("/readyz")
    body = await answer.json()
    assert answer.status == status
    assert body == {
        "status": "ready" if status == 200 else "not_ready",
        "checks": {"database": "ok", "migrations": said},
    }


async def test_a_check_that_hangs_is_not_fine(monkeypatch):
    """A database that never answers makes 503 in time for the probe."""
    monkeypatch.setattr(health, "CHECK_LIMIT_S", 0.05)
    never = asyncio.Event()

    async def hang() -> str | None:
        await never.wait()
        return None

    site = build_site(HealthApi(checks={"database": hang}).routes())
    async with TestClient(TestServer(site)) as client:
        answer = await client.get("/readyz")
        assert answer.status == 503
        assert "no answer within" in (await answer.json())["checks"]["database"]
