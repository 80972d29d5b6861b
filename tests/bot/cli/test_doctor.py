"""``rca-bot doctor`` tries as much as it can, also where serve would not start."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bot.cli.main import main
from bot.sandbox.stage import environment, new_sandbox


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("changed", "said", "unsaid"),
    [
        ({}, "ok       Slack takes the bot token", "nothing of Slack"),
        ({"INFRA_ROUTING_KEY": ""}, "ok       Slack takes the bot token", "nothing of Slack"),
        ({"SLACK_MODE": "off"}, "nothing of Slack was tried: SLACK_MODE is off", "takes the bot"),
        ({"SLACK_BOT_TOKEN": ""}, "nothing of Slack was tried: it has no token yet", "takes the"),
        ({"SLACK_MODE": "sometimes"}, "SLACK_MODE: ", "takes the bot token"),
    ],
    ids=["a whole environment", "a pager's key is missing", "off", "no token", "no such mode"],
)
async def test_a_missing_secret_keeps_nobody_from_trying_slack(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str],
    said: str,
    unsaid: str,
) -> None:
    """What is wrong elsewhere is named, and Slack is tried; what was not tried says why."""
    async with new_sandbox() as sandbox:
        env = environment(sandbox, tmp_path, f"sqlite:///{tmp_path / 'rca.sqlite3'}") | changed
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        await asyncio.to_thread(main, ["doctor"])
    printed = capsys.readouterr().out
    assert said in printed
    assert unsaid not in printed


async def test_slack_that_cannot_be_reached_blames_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody answered, so what is to be checked is the way there."""
    async with new_sandbox() as sandbox:
        env = environment(sandbox, tmp_path, f"sqlite:///{tmp_path / 'rca.sqlite3'}")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    await asyncio.to_thread(main, ["doctor"])
    printed = capsys.readouterr().out
    assert "Slack could not be reached" in printed
    assert "SLACK_API_URL" in printed
    assert "check SLACK_BOT_TOKEN" not in printed
