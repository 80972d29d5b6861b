"""``rca-bot calibrate`` writes a model only when it helps, and every verb that reads one says when it cannot."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bot.cli import main
from rca.evidence import Cause
from rca.model_file import read_model

HERE = Path(__file__).parent / "cases"
CASES, TRUTH = HERE / "sample.cases.jsonl.gz", HERE / "sample.truth.jsonl"


def calibrate(out: Path, truth: Path = TRUTH, cases: Path = CASES) -> int:
    return main(["calibrate", "--cases", str(cases), "--truth", str(truth), "--out", str(out)])


def test_a_model_is_written_only_when_the_held_out_part_is_no_worse(tmp_path, capsys):
    """Status 0 and a file that is no worse, or status 1, a sentence and no file; the scores are told either way."""
    out = tmp_path / "model.json"
    status = calibrate(out)
    said = capsys.readouterr()
    assert "before: ECE" in said.out
    assert out.exists() is (status == 0)
    if status == 0:
        document = read_model(out.read_bytes())
        assert document.after.log_loss <= document.before.log_loss
    else:
        assert "nothing was written" in said.err


def copies(folder: Path, times: int) -> tuple[Path, Path]:
    """The sample several times over, in which an ingestion failure is never what it was."""
    cases, truth = folder / "cases.jsonl", folder / "truth.jsonl"
    with gzip.open(CASES, "rt", encoding="utf-8") as packed:
        known = [json.loads(line) for line in packed]
    truths = [json.loads(line) for line in TRUTH.read_text("utf-8").splitlines()]
    with cases.open("w", encoding="utf-8") as to_cases, truth.open("w", encoding="utf-8") as out:
        for copy in range(times):
            for one in known:
                to_cases.write(json.dumps({**one, "case_id": f"{one['case_id']}-{copy}"}) + "\n")
            for one in truths:
                causes = [cause for cause in one["causes"] if cause != "ingestion_failure"]
                named = {"case_id": f"{one['case_id']}-{copy}", "causes": causes}
                out.write(json.dumps({**one, **named}) + "\n")
    return cases, truth


def test_a_cause_that_is_never_right_is_believed_less(tmp_path, capsys, monkeypatch):
    """Where one cause is always wrong, the fitted model is written and trusts it less; the same again adds nothing."""
    cases, truth = copies(tmp_path, 3)
    out = tmp_path / "model.json"
    assert calibrate(out, truth, cases) == 0
    document = read_model(out.read_bytes())
    assert document.after.log_loss < document.before.log_loss
    assert document.model.offsets[Cause.INGESTION_FAILURE] < 0
    monkeypatch.setenv("MODEL", str(out))
    again = tmp_path / "again.json"
    assert calibrate(again, truth, cases) == 1
    assert "no better; nothing was written" in capsys.readouterr().err
    assert not again.exists()


def test_eight_held_out_incidents_that_do_not_all_gain_write_nothing(tmp_path, capsys):
    """Every first hypothesis was wrong, and what is learnt of twenty answers need not hold for the next eight."""
    truth = tmp_path / "truth.jsonl"
    lines = [json.loads(line) for line in TRUTH.read_text("utf-8").splitlines()]
    truth.write_text("".join(json.dumps({**one, "causes": []}) + "\n" for one in lines), "utf-8")
    out = tmp_path / "model.json"
    assert calibrate(out, truth) == 1
    said = capsys.readouterr()
    assert "held out 8 of 8 incidents" in said.out
    assert "explains the held-out answers no better; nothing was written" in said.err
    assert not out.exists()


def test_too_few_answers_write_nothing(tmp_path, capsys):
    """Below the number from which learning starts: status 1, and the numbers."""
    truth = tmp_path / "truth.jsonl"
    truth.write_text("\n".join(TRUTH.read_text("utf-8").splitlines()[:5]), "utf-8")
    out = tmp_path / "model.json"
    assert calibrate(out, truth) == 1
    assert "20 are needed; nothing was written" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("verb", ["eval", "diagnose"])
def test_a_broken_model_stops_the_verb(tmp_path, capsys, verb):
    """A file that is no model: status 2, its name and what is wrong in it."""
    path = tmp_path / "model.json"
    path.write_text('{"format": "rca.model/9"}', "utf-8")
    truth = ["--truth", str(TRUTH)] if verb == "eval" else ["--out", str(tmp_path / "d.jsonl")]
    assert main([verb, "--cases", str(CASES), *truth, "--workers", "1", "--model", str(path)]) == 2
    assert f"{path}: format" in capsys.readouterr().err


def test_answers_that_contradict_the_facts_are_doubted_aloud(tmp_path, capsys):
    """Whoever calls everything a schema drift teaches the model that, but not without a word."""
    cases, truth = copies(tmp_path, 3)
    lines = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    said = [json.dumps(one | {"causes": ["schema_drift"]}) for one in lines]
    truth.write_text("\n".join(said), encoding="utf-8")
    assert calibrate(tmp_path / "model.json", truth, cases) == 0
    assert "read some of their answers before you use it" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named_in_plain_words(tmp_path, capsys):
    """Its name and why, and no number of the system's."""
    missing = tmp_path / "none.json"
    assert main(["why", "--case", str(missing)]) == 2
    assert capsys.readouterr().err == f"rca-bot: {missing}: no such file or directory\n"
