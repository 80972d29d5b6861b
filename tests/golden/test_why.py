"""Why a hypothesis is as sure as it is, held against files that review reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.render import plain
from bot.render.why import why
from tests.golden.scenes import SCENES


@pytest.mark.parametrize("name", ["open_act", "investigate_with_deadline", "no_signal"])
def test_why_reads_as_agreed(name: str, golden: Callable[[str, str], None]) -> None:
    """Reason, signals, terms for and against, and their total; or what was looked at without a signal."""
    diagnosis = SCENES[name].diagnosis
    assert diagnosis is not None
    message = why(diagnosis, 1)
    assert message is not None
    golden(f"{name}.why.txt", plain.text(message) + "\n")
