"""The program is killed in the middle of its work: one card, one page under its own key, and nothing is lost."""

from __future__ import annotations

import pytest

from bot.escalation import MATRIX_RULE
from bot.records import DeadlineState, PageState, PostState
from bot.sandbox.faults import Slow
from bot.sandbox.world import words
from tests.system.conftest import WITHIN_S, Scene, hasty_runbook

FOR_EVER = Slow(delay_s=3600)


@pytest.mark.parametrize("backend", ["sqlite"])
async def test_killed_at_every_step(scene: Scene) -> None:
    """One alert, three kill -9: after it was kept, while Slack takes the card, while the page is sent. One of each."""
    sandbox, pages = scene.sandbox, hasty_runbook(scene.folder, "4s")
    async with scene.bot(RUNBOOK_DIR=pages) as bot:
        message = await scene.alert()
        await bot.kill()
    assert sandbox.sender.problems == []

    sandbox.faults.add("chat.postMessage", FOR_EVER)
    async with scene.bot(RUNBOOK_DIR=pages) as bot:
        await sandbox.until(lambda: scene.thread(message), WITHIN_S)
        await bot.kill()

    await scene.claims_lapse()
    sandbox.faults.add("pagerduty", FOR_EVER)
    async with scene.bot(RUNBOOK_DIR=pages) as bot:
        await scene.answered(message)
        call = (await sandbox.until(lambda: sandbox.phones.calls, WITHIN_S))[0]
        assert call.triggers == 1
        await bot.kill()

    await scene.claims_lapse()
    async with scene.bot(RUNBOOK_DIR=pages) as bot:
        await sandbox.until(lambda: "Paged Infra" in words(scene.thread(message)[0]), WITHIN_S)
        assert await bot.stop() == 0

    assert len(scene.thread(message)) == 2
    view = await scene.incident()
    assert view.incident.alert_count == 1
    assert {post.state for post in view.posts} == {PostState.POSTED}
    states = {deadline.rule: deadline.state for deadline in view.deadlines}
    assert states[MATRIX_RULE] is DeadlineState.FIRED
    assert [page.state for page in view.pages] == [PageState.ACCEPTED]
    assert [(one.service, one.triggers) for one in sandbox.phones.calls] == [("Infra", 2)]
    assert sandbox.phones.calls[0].dedup_key == view.pages[0].dedup_key


async def test_asked_to_stop_while_slack_hangs(scene: Scene) -> None:
    """SIGTERM during a post that nobody answers: the program says what it leaves behind, and ends in time with 0."""
    scene.sandbox.faults.add("chat.postMessage", FOR_EVER)
    async with scene.bot() as bot:
        message = await scene.alert()
        await scene.sandbox.until(lambda: scene.thread(message), WITHIN_S)
        assert await bot.stop() == 0
        left = "running jobs were interrupted; they are due again at the next start"
        assert bot.complaints == [left]
