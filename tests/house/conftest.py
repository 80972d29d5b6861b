"""What the house tests look at: every Python file and every document of the repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.rules import Source, read

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("rca", "runbook", "bot", "migrations", "benchmarks", ".ci")
UNREAD = frozenset({".venv", ".git", "build", "dist", "out", "__pycache__", ".hypothesis", ".demo"})


def _python(*folders: str) -> Iterator[Source]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not UNREAD & set(path.relative_to(ROOT).parts):
                yield read(path.relative_to(ROOT), path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def program() -> tuple[Source, ...]:
    """Every Python file that is not a test."""
    return tuple(_python(*PROGRAM))


@pytest.fixture(scope="session")
def tests() -> tuple[Source, ...]:
    """Every Python file of the tests, these house tests included."""
    return tuple(_python("tests"))


@pytest.fixture(scope="session")
def documents() -> tuple[Path, ...]:
    """Every Markdown file, as a path from the root."""
    found = (path.relative_to(ROOT) for path in sorted(ROOT.rglob("*.md")))
    return tuple(path for path in found if not UNREAD & set(path.parts))
