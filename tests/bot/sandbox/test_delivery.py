"""Deliveries over HTTP as an app without a framework sees them: signed, retried, and reported when lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.server import Sandbox


@dataclass(kw_only=True)
class Peer:
    """Keeps every request, and answers with the statuses it is given, then 200."""

    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        if self.hold is not None:
            await self.hold.wait()
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers=self.headers)


@pytest.fixture
async def peer(sandbox: Sandbox) -> AsyncIterator[Peer]:
    """An app that says nothing of its own."""
    made = Peer()
    served = web.Application()
    served.add_routes([web.post("/slack/events", made.answer)])
    runner = web.AppRunner(served)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sandbox.connect(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    yield made
    await runner.cleanup()


async def test_every_kind_of_delivery_is_signed(sandbox: Sandbox, peer: Peer) -> None:
    """Slack's own verifier accepts event, command and interaction, and their bodies have Slack's encoding."""
    alert = await sandbox.alert("data-alerts", "Failure")
    await sandbox.command("alice", "data-alerts", "/rca list")
    await sandbox.shortcut("alice", alert, "diagnose_message")
    verifier = SignatureVerifier(sandbox.credentials.signing_secret)
    assert [verifier.is_valid_request(body, headers) for headers, body in peer.requests] == [
        True
    ] * 3
    event, command, interaction = (body for _, body in peer.requests)
    assert json.loads(event)["event"]["text"] == "Failure"
    assert parse_qs(command.decode())["text"] == ["list"]
    assert json.loads(parse_qs(interaction.decode())["payload"][0])["type"] == "message_action"
    wrong = SignatureVerifier("another secret")
    assert not wrong.is_valid_request(peer.requests[0][1], peer.requests[0][0])


async def test_an_event_that_fails_is_sent_three_times_more(sandbox: Sandbox, peer: Peer) -> None:
    """The retries carry their number and the reason, and stop at the first 200."""
    peer.statuses = [500, 500]
    await sandbox.alert("data-alerts", "Failure")
    await sandbox.settle()
    tries = [
        (headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason"))
        for headers, _ in peer.requests
    ]
    assert tries == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert len({json.loads(body)["event_id"] for _, body in peer.requests}) == 1
    peer.statuses, peer.requests = [500] * 9, []
    await sandbox.alert("data-alerts", "Failure")
    await sandbox.settle()
    assert len(peer.requests) == 4


async def test_no_retry_means_no_retry(sandbox: Sandbox, peer: Peer) -> None:
    """The header stops Slack from trying again."""
    peer.statuses, peer.headers = [500], {"X-Slack-No-Retry": "1"}
    await sandbox.alert("data-alerts", "Failure")
    await sandbox.settle()
    assert len(peer.requests) == 1


async def test_a_command_that_fails_is_told_to_its_asker_and_not_retried(
    sandbox: Sandbox, peer: Peer
) -> None:
    """Slackbot says so, as in Slack; the sandbox reports it as unexpected."""
    peer.statuses = [500]
    answer = await sandbox.command("alice", "data-alerts", "/rca list")
    await sandbox.settle()
    assert answer.status == 500
    assert len(peer.requests) == 1
    assert [one.text for one in sandbox.ephemerals("alice")] == [
        '/rca failed with the error "dispatch_failed"'
    ]
    assert sandbox.unexpected == ("slash_commands /rca was answered with 500",)


async def test_an_app_that_does_not_answer_in_three_seconds_has_not_answered(
    sandbox: Sandbox, peer: Peer
) -> None:
    """The asker reads about a timeout, and nobody waits longer."""
    peer.hold = asyncio.Event()
    answer = await sandbox.command("alice", "data-alerts", "/rca list")
    peer.hold.set()
    assert answer.status == 0
    assert "operation_timeout" in sandbox.ephemerals("alice")[0].text


async def test_redelivery_says_that_it_is_one(sandbox: Sandbox, peer: Peer) -> None:
    """The same body again, with a retry number."""
    await sandbox.alert("data-alerts", "Failure")
    await sandbox.redeliver_last()
    assert peer.requests[0][1] == peer.requests[1][1]
    assert peer.requests[1][0]["X-Slack-Retry-Num"] == "1"


async def test_the_address_is_verified_with_a_challenge(sandbox: Sandbox, peer: Peer) -> None:
    """The request has the type that Slack uses for it."""
    await sandbox.verify_url("prove it")
    assert json.loads(peer.requests[0][1])["challenge"] == "prove it"


async def test_an_app_that_is_not_there_is_reported(sandbox: Sandbox) -> None:
    """A closed port is no answer, and no exception."""
    sandbox.connect("http://127.0.0.1:9")
    answer = await sandbox.command("alice", "data-alerts", "/rca list")
    assert answer.status == 0
    assert "slash_commands /rca was answered with nothing" in sandbox.unexpected
