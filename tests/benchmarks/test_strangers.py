"""The incidents of other places keep to the contract and to their own truth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.strangers.blemishes import DECIDES
from benchmarks.strangers.command import main, write
from benchmarks.strangers.making import incidents
from rca.case import parse_case
from rca.evaluation import Truth, read_truths

NUMBER = 60


@pytest.fixture(scope="module")
def made():
    return list(incidents(11, NUMBER))


def test_every_case_keeps_to_the_contract(made):
    """Each document is a case without an unknown key, and each truth is one of the evaluation's."""
    for case, truth in made:
        parsed, unknown = parse_case(case)
        assert unknown == ()
        assert parsed.case_id == Truth.model_validate(truth).case_id


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path):
    """Two folders written from one seed hold the same bytes; another seed gives others."""
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write(tmp_path / name, list(incidents(seed, 12)))
    for file in ("cases.jsonl.gz", "truth.jsonl"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b != c


def test_the_alert_is_never_before_what_it_is_about(made):
    """The alert comes after the end of a counted window and is not later than the instant of diagnosis."""
    for case, _ in made:
        parsed, _ = parse_case(case)
        assert parsed.anomaly.detected_at <= parsed.as_of
        ends = [window.window_end for window in parsed.volume_history or ()]
        assert not ends or max(ends) <= parsed.anomaly.detected_at


def test_a_cause_whose_deciding_fact_is_gone_is_not_to_be_found(made):
    """``diagnosable`` is false exactly when no cause has its deciding fact left."""
    for case, truth in made:
        gone = [case[DECIDES[cause]] is None for cause in truth["causes"]]
        assert truth["diagnosable"] == (not gone or not all(gone))


def test_a_symptom_is_never_a_cause(made):
    """What shows only as a consequence is not also written down as true."""
    for _, truth in made:
        assert not set(truth["symptoms"]) & set(truth["causes"])


def test_the_command_writes_what_the_evaluation_reads(tmp_path: Path):
    """The folder holds as many truths as cases, joined by their ids."""
    assert main(["--seed", "3", "--number", "9", "--out", str(tmp_path)]) == 0
    truths = read_truths((tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines())
    assert len(truths) == 9


def test_the_report_names_every_measure(capsys):
    """Without a folder the engine is measured, over all and by tag."""
    assert main(["--seed", "3", "--number", "9", "--errors", "9"]) == 0
    told = capsys.readouterr().out
    assert "| top1_diagnosable |" in told
    assert "| strength:" in told


def test_most_incidents_can_be_found(made):
    """Fewer than one in ten positive cases is called hard for any other reason than a missing fact."""
    positives = [t for _, t in made if t["causes"] and t["diagnosable"]]
    assert sum(t["difficulty"] == "hard" for t in positives) < len(positives) / 10
    assert json.dumps(positives)
