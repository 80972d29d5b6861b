"""Why a hypothesis is as sure as it is: the terms add up, and nothing that speaks against it is left out."""

from __future__ import annotations

import gzip
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import main
from bot.render import limits, plain
from bot.render.block_kit import blocks, mrkdwn
from bot.render.why import no_such_rank, why
from bot.slack.commands.why import read_rank
from rca.case import Case, parse_case
from rca.diagnosis import Factor
from rca.engine import diagnose
from tests.bot.render.strategies import NASTY
from tests.golden.scenes import HOLE, INVESTIGATE, NO_SIGNAL, SYNC_FAILURE, diagnosis, hypothesis

CASES = Path(__file__).parents[2] / "rca" / "cases" / "examples.cases.jsonl.gz"
TERM = re.compile(r"^([+-]\d+\.\d\d)  ", re.MULTILINE)
TOGETHER = re.compile(r"^Together ([+-]\d+\.\d\d) ", re.MULTILINE)
ROUNDING = 0.005  # of one term as it is shown


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    with gzip.open(CASES) as lines:
        return tuple(parse_case(line)[0] for line in lines)


def test_the_terms_add_up_to_the_confidence(cases: tuple[Case, ...]) -> None:
    """Of every recorded case: what is printed of a hypothesis adds up to the log odds of its confidence."""
    ranks = set()
    for case in cases:
        for found in diagnose(case).hypotheses:
            printed = [float(f"{factor.value:+.2f}") for factor in found.factors]
            sure = min(1.0 - 5e-5, max(5e-5, found.confidence))
            assert round(sum(printed), 2) == round(math.log(sure / (1.0 - sure)), 2)
            assert printed == [factor.value for factor in found.factors]
            ranks.add(found.rank)
    assert {1, 2} <= ranks


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=20))
def test_what_is_shown_adds_up(values: list[float]) -> None:
    """Whatever the terms are, those that people read add up to the total that they read."""
    factors = tuple(Factor(name=f"term {n}", value=value) for n, value in enumerate(values))
    message = why(diagnosis(hypothesis(1, 0.9, SYNC_FAILURE, "it failed.", factors=factors)), 1)
    assert message is not None
    text = plain.text(message)
    shown = [float(found) for found in TERM.findall(text)]
    together = TOGETHER.search(text)
    assert together is not None
    assert len(shown) == len(values)
    assert sum(shown) == pytest.approx(float(together[1]), abs=ROUNDING * (len(values) + 2))


@given(
    st.lists(st.builds(Factor, name=NASTY, value=st.floats(-9, 9), text=st.none() | NASTY)), NASTY
)
def test_any_words_stay_words_within_limits(factors: list[Factor], because: str) -> None:
    """Names and reasons from data write no mention, and the message stays within Slack's limits."""
    found = diagnosis(hypothesis(1, 0.9, SYNC_FAILURE, because, factors=tuple(factors)))
    message = why(found, 1)
    assert message is not None
    assert limits.validate(blocks(message, revision="1").blocks) == ()
    assert "<!" not in mrkdwn(message)
    assert "<@" not in mrkdwn(message)


def test_rivals_and_blind_spots_speak_against_it() -> None:
    """What is no term is told too: another cause that is possible, and a check that could not look."""
    rivals = why(INVESTIGATE, 1)
    blind = why(HOLE, 1)
    assert rivals is not None
    assert blind is not None
    assert "is possible as well" in plain.text(rivals)
    assert "could not look" in plain.text(blind)


def test_no_signal_tells_what_was_looked_at() -> None:
    """Without a hypothesis rank 1 tells what looked and found nothing; there is no rank 2."""
    message = why(NO_SIGNAL, 1)
    assert message is not None
    assert "no signal detected" in plain.text(message)
    assert why(NO_SIGNAL, 2) is None
    assert "0 hypotheses" in no_such_rank(NO_SIGNAL, 2)


@pytest.mark.parametrize(
    ("words", "rank", "rest"),
    [
        ((), 1, ()),
        (("2",), 2, ()),
        (("2", "orders"), 2, ("orders",)),
        (("orders",), 1, ("orders",)),
        (("2024_orders",), 1, ("2024_orders",)),
        (("0",), 0, ()),
        (("20240101",), 1, ("20240101",)),
        (("²",), 1, ("²",)),
    ],
)
def test_the_number_comes_first_or_not_at_all(
    words: tuple[str, ...], rank: int, rest: tuple[str, ...]
) -> None:
    """A short number is a rank; anything else is the name of a dataset."""
    assert read_rank(words) == (rank, rest)


def test_the_verb_prints_it_or_says_that_there_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``rca-bot why`` prints the terms of a case file; a rank that is not there is one line and status 2."""
    path = tmp_path / "case.json"
    with gzip.open(CASES) as lines:
        path.write_bytes(next(iter(lines)))
    assert main(["why", "--case", str(path)]) == 0
    assert "Speaks for it:" in capsys.readouterr().out
    assert main(["why", "--case", str(path), "--hypothesis", "9"]) == 2
    assert "no hypothesis 9" in capsys.readouterr().err
    path.write_text("{}", encoding="utf-8")
    assert main(["why", "--case", str(path)]) == 2
    assert str(path) in capsys.readouterr().err
