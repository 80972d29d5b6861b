"""``pytest tests/golden --bless`` rewrites the golden files; review reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

CARDS = Path(__file__).parent / "cards"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite the golden files")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with its golden file, or write the file when asked to bless."""

    def compare(name: str, text: str) -> None:
        path = CARDS / name
        if request.config.getoption("--bless", default=False):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), (
            f"{name} differs; bless it if that is right"
        )

    return compare
