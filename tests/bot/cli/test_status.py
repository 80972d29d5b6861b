"""``rca-bot status`` says how each source is doing, and its exit status says whether anybody has to look."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.stored import with_store
from bot.clock import system_clock
from bot.settings import Settings
from bot.store import Store
from bot.store.polls import PollKey

DIRECTORY = """
[tenants.acme]
name = "Acme"
[sources.main]
kind = "airbyte"
url = "https://airbyte.example"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a directory of one source, and a database of its own."""
    for name in os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)
    (tmp_path / "directory.toml").write_text(DIRECTORY, "utf-8")
    monkeypatch.setenv("DIRECTORY", str(tmp_path / "directory.toml"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    return tmp_path


def note(*problems: str | None) -> None:
    """Note for each dataset that it was read now, or why it could not be."""

    async def noted(store: Store) -> None:
        for number, problem in enumerate(problems):
            key = PollKey(source_id="main", tenant_id="acme", dataset=f"t{number}")
            if problem is None:
                await store.polls.succeeded(key, system_clock())
            else:
                await store.polls.failed(key, system_clock(), problem)

    asyncio.run(with_store(Settings.for_tools(os.environ), noted))


def test_every_dataset_was_read(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All is well: status 0, and the table has the source with its datasets."""
    assert here.is_dir()
    note(None, None)
    assert main(["status", "--datasets"]) == 0
    out = capsys.readouterr().out
    assert "main" in out
    assert "airbyte" in out
    assert "t1" in out


def test_one_could_not_be_read(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, and the reason in full."""
    assert here.is_dir()
    note(None, "asked Airbyte for jobs: 401 Unauthorized")
    assert main(["status"]) == 1
    assert "main: t1: asked Airbyte for jobs: 401 Unauthorized" in capsys.readouterr().out


def test_no_source_at_all(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is wrong with that; it says how facts come then."""
    (here / "directory.toml").write_text('[tenants.acme]\nname = "Acme"\n', "utf-8")
    assert main(["status"]) == 0
    assert "only from webhooks" in capsys.readouterr().out
