"""``rca-bot calibrate`` writes a model only when it helps, and every verb that reads one says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.cli import main
from rca.causal import SHIPPED
from rca.model_file import read_model

HERE = Path(__file__).parent / "cases"
CASES, TRUTH = HERE / "sample.cases.jsonl.gz", HERE / "sample.truth.jsonl"


def calibrate(out: Path, truth: Path = TRUTH) -> int:
    return main(["calibrate", "--cases", str(CASES), "--truth", str(truth), "--out", str(out)])


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


def test_truth_that_is_always_something_else_moves_the_model(tmp_path):
    """Where every first hypothesis was wrong, the fitted model helps, is written, and moves the weights."""
    truth = tmp_path / "truth.jsonl"
    lines = [json.loads(line) for line in TRUTH.read_text("utf-8").splitlines()]
    truth.write_text("".join(json.dumps({**one, "causes": []}) + "\n" for one in lines), "utf-8")
    out = tmp_path / "model.json"
    assert calibrate(out, truth) == 0
    document = read_model(out.read_bytes())
    assert document.after.log_loss < document.before.log_loss
    assert document.model != SHIPPED


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
