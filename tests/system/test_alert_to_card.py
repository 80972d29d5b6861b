"""The real program between a Slack and its pagers: an alert goes in, a card comes out, and it stops when asked."""

from __future__ import annotations

import pytest

from bot.records import PostState
from bot.sandbox.world import buttons, words
from tests.system.conftest import ALERTS, DATASET, WITHIN_S, Scene


# Every pair once: SQLite by HTTP is killed and started anew in test_crashes, PostgreSQL by a socket is asked below.
@pytest.mark.parametrize(("backend", "transport"), [("sqlite", "socket"), ("postgresql", "http")])
async def test_an_alert_is_answered_in_its_thread(scene: Scene, transport: str) -> None:
    """An alert is answered by a card and its details; Escalate pages; SIGTERM ends the program with status 0."""
    async with scene.bot(SLACK_MODE=transport) as bot:
        message = await scene.alert()
        card, details = await scene.answered(message)
        assert "ngestion failure" in words(card)
        assert words(details)
        await scene.sandbox.click("alice", card, "incident_escalate:infra")
        await scene.sandbox.until(lambda: scene.sandbox.phones.calls, WITHIN_S)
        await scene.sandbox.until(
            lambda: "Paged Infra" in words(scene.thread(message)[0]), WITHIN_S
        )
        assert await bot.stop() == 0
        assert bot.complaints == []
    view = await scene.incident()
    assert {post.state for post in view.posts} == {PostState.POSTED}
    assert len(scene.thread(message)) == 2
    assert [call.service for call in scene.sandbox.phones.calls] == ["Infra"]
    assert scene.sandbox.unexpected == ()


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_command_over_a_socket(scene: Scene) -> None:
    """/rca in Socket Mode: a word for the asker with the acknowledgement, and the card in the channel."""
    async with scene.bot(SLACK_MODE="socket"):
        answer = await scene.sandbox.command("alice", ALERTS, f"/rca {DATASET}")
        assert answer.ok
        assert DATASET in words(scene.sandbox.ephemerals("alice")[-1])
        cards = await scene.sandbox.until(lambda: scene.sandbox.messages(ALERTS), WITHIN_S)
        assert "ngestion failure" in words(cards[0])
        assert "incident_escalate:infra" in buttons(cards[0])
        await scene.sandbox.until(lambda: scene.thread(cards[0]), WITHIN_S)
    assert scene.sandbox.unexpected == ()
