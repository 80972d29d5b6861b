"""The shipped runbook, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.load import Runbook, load_runbook, read_folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def book() -> Runbook:
    """The runbook as it is shipped."""
    return load_runbook()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a copy of the shipped pages, to be changed."""
    for name, text in read_folder().pages.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def document() -> str:
    """The runbook that people are given, as it is documented."""
    return (ROOT / "docs" / "INCIDENT_RUNBOOK.md").read_text(encoding="utf-8")
