"""``rca-bot token create`` makes no token for a tenant that the directory does not know."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.cli import main

ACME = """
[tenants.acme]
name = "Acme"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a database of its own, and no directory."""
    for name in os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    return tmp_path


def create(tenant: str) -> int:
    """Ask for a token and return the status."""
    return main(["token", "create", "--tenant", tenant, "--name", "ci"])


@pytest.mark.parametrize(
    ("directory", "tenant", "status"),
    [(ACME, "acme", 0), (ACME, "acem", 2), (None, "acem", 0)],
)
def test_a_tenant_is_one_of_the_directorys(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    directory: str | None,
    tenant: str,
    status: int,
) -> None:
    """A misspelt tenant is refused with those that are known; without a directory any name is one."""
    if directory is not None:
        (here / "directory.toml").write_text(directory, "utf-8")
        monkeypatch.setenv("DIRECTORY", str(here / "directory.toml"))
    assert create(tenant) == status
    said = capsys.readouterr()
    if status:
        assert said.err == "rca-bot: the directory has no tenant 'acem'; known: acme\n"
    assert bool(said.out.strip()) is not bool(status)


def test_a_token_is_listed_and_revoked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its tenant and role are listed, the token itself never; it is revoked once."""
    assert here.is_dir()
    assert create("acme") == 0
    token = capsys.readouterr().out.strip()
    assert main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert listed.split()[1:] == ["acme", "responder", "ci"]
    assert token not in listed
    token_id = listed.split()[0]
    assert main(["token", "revoke", token_id]) == 0
    assert main(["token", "revoke", token_id]) == 2
    assert f"There is no token {token_id}" in capsys.readouterr().err
