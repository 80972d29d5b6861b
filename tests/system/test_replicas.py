"""Several processes on one PostgreSQL: each does whatever is due, and takes over what a dead one left behind."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.records import PageState
from bot.sandbox.deliver import Attempt, HttpLine
from bot.sandbox.faults import Slow
from bot.sandbox.world import words
from tests.system.conftest import WITHIN_S, Scene

pytestmark = pytest.mark.parametrize("backend", ["postgresql"])

GIVES_UP_WITHIN_S = (
    20.0  # so soon a process that lost its database must have ended or be at work again
)


async def test_an_alert_that_reaches_two_gets_one_card(scene: Scene) -> None:
    """The same delivery at both replicas at once, and again later: one card. Both take alerts, both stop with 0."""
    sandbox = scene.sandbox
    async with scene.bot() as one, scene.bot() as other:
        message = await scene.alert()
        addresses = [await scene.address(bot) for bot in (one, other)]
        async with aiohttp.ClientSession() as session:
            lines = [
                HttpLine(session, address, sandbox.credentials.signing_secret)
                for address in addresses
            ]
            delivery = sandbox.deliveries[0]
            again = Attempt(number=1, reason="http_timeout")
            answers = await asyncio.gather(*(line.send(delivery, again) for line in lines))
        assert all(answer.ok for answer in answers)
        await scene.answered(message)
        sandbox.connect(addresses[0])
        second = await scene.alert("02_removed_column")
        await scene.answered(second)
        assert tuple(await asyncio.gather(one.stop(), other.stop())) == (0, 0)
        assert one.complaints + other.complaints == []
    assert len(scene.thread(message)) == len(scene.thread(second)) == 2
    assert (await scene.incident()).incident.alert_count == 1
    assert sandbox.unexpected == ()


async def test_what_a_dead_one_left_is_taken_over(scene: Scene) -> None:
    """One is killed while it posts; the other, there all the time, completes the thread and keeps the deadlines."""
    sandbox = scene.sandbox
    sandbox.faults.add("chat.postMessage", Slow(delay_s=3600))
    async with scene.bot() as one:
        message = await scene.alert()
        await sandbox.until(lambda: scene.thread(message), WITHIN_S)
        async with scene.bot() as other:
            await one.kill()
            await scene.claims_lapse()
            await scene.answered(message)
            await scene.deadlines_pass()
            await sandbox.until(lambda: "Paged Infra" in words(scene.thread(message)[0]), WITHIN_S)
            assert await other.stop() == 0
    assert len(scene.thread(message)) == 2
    assert [page.state for page in (await scene.incident()).pages] == [PageState.ACCEPTED]
    assert [(call.service, call.triggers) for call in sandbox.phones.calls] == [("Infra", 1)]


async def test_a_database_that_goes_away(scene: Scene) -> None:
    """The server drops every connection after an alert: one line of log, status 1, and the next process answers it."""
    async with scene.bot() as bot:
        message = await scene.alert()
        await _drop_connections(scene.engine)
        assert await bot.ends(GIVES_UP_WITHIN_S) == 1
        line = await bot.says("rca-bot cannot go on and ends; start it anew")
        assert line["level"] == "CRITICAL"
        assert "Error" in line["error"]
        assert bot.rest == []
    await scene.claims_lapse()
    async with scene.bot():
        await scene.answered(message)
    assert len(scene.thread(message)) == 2


async def _drop_connections(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
