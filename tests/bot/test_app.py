"""What the start demands before anything runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import runbook
from bot.app import built
from bot.settings import Settings
from runbook.problem import RunbookError

DIRECTORY = """
[tenants.acme]
name = "Acme"
[teams.infra]
name = "Infra"
pager = "log"
"""


async def test_pages_that_page_a_team_nobody_knows_stop_the_start(tmp_path: Path) -> None:
    """A team's own runbook names data_eng, the directory has only Infra: found out at the start, not at night."""
    pages = tmp_path / "pages"
    shutil.copytree(Path(str(runbook.__file__)).parent / "pages", pages)
    (tmp_path / "directory.toml").write_text(DIRECTORY, "utf-8")
    settings = Settings.from_env(
        {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'app.sqlite3'}",
            "DIRECTORY": str(tmp_path / "directory.toml"),
            "RUNBOOK_DIR": str(pages),
            "SLACK_MODE": "off",
        }
    )
    with pytest.raises(RunbookError, match="data_eng"):
        async with built(settings):
            pass
