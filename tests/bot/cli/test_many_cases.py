"""Many cases on all cores: in order, and with no more of them in memory than the workers need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.diagnose import AHEAD, CHUNK, diagnose_lines

ROOT = Path(__file__).parents[3]
EXAMPLE = json.loads((ROOT / "examples" / "expired_credentials.json").read_bytes())
WORKERS = 2
LINES = 400


class Source:
    """Lines that count how many of them were taken."""

    def __init__(self) -> None:
        self.taken = 0

    def lines(self) -> Iterator[bytes]:
        for number in range(1, LINES + 1):
            self.taken = number
            yield b"{}\n" if number % 3 else json.dumps(EXAMPLE).encode()


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_the_first_answer_comes_before_the_last_line_is_read(workers: int) -> None:
    """A file of any length is read as fast as it is worked off; who stops early, stops all of it."""
    source = Source()
    answers = diagnose_lines(source.lines(), workers)
    assert next(answers).number == 1
    assert source.taken <= (AHEAD * workers + 1) * CHUNK
    answers.close()
    assert source.taken < LINES


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_every_line_is_answered_in_its_order(workers: int) -> None:
    """None is lost or told twice, broken ones are where they were."""
    answers = list(diagnose_lines(Source().lines(), workers))
    assert [one.number for one in answers] == list(range(1, LINES + 1))
    assert all((one.diagnosis is None) == bool(one.number % 3) for one in answers)
