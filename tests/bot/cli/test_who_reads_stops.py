"""Whoever reads what a verb prints may stop at any line, as ``head`` does: nothing is wrong then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "expired_credentials.json"
PROGRAM = (sys.executable, "-c", "import sys, bot.cli; sys.exit(bot.cli.main())")
VERBS = {
    "one case": ["diagnose", "--case", str(EXAMPLE)],
    "many cases": ["diagnose", "--cases", "cases.jsonl", "--workers", "1"],
    "scores": ["eval", "--cases", "cases.jsonl", "--truth", "truth.jsonl", "--workers", "1"],
    "terms": ["why", "--case", str(EXAMPLE)],
    "help": ["--help"],
}


@pytest.mark.parametrize("asked", VERBS)
def test_a_reader_who_left_is_no_fault(tmp_path: Path, asked: str) -> None:
    """Status 0 and nothing to read, whether the verb notices at its first line or only as it ends."""
    case = json.loads(EXAMPLE.read_bytes())
    truth = {"case_id": case["case_id"], "causes": ["ingestion_failure"]}
    (tmp_path / "cases.jsonl").write_text(json.dumps(case))
    (tmp_path / "truth.jsonl").write_text(json.dumps(truth))
    heard, said = os.pipe()
    os.close(heard)
    try:
        ended = subprocess.run(
            [*PROGRAM, *VERBS[asked]],
            cwd=tmp_path,
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(said)
    assert (ended.returncode, ended.stderr) == (0, b"")
