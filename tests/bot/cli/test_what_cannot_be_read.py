"""What a verb is given that it cannot use: one line that says which file and why, status 2, and no traceback."""

from __future__ import annotations

import codecs
import errno
import gzip
import json
import os
from pathlib import Path
from typing import NoReturn

import pytest
from rich.console import Console

from bot.cli import files, main

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "expired_credentials.json"
COMMANDS_A_TERMINAL = "\x1b[2J\x07\x9b\u202e\u2066\n\x00"


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)


def one_line() -> bytes:
    """The example as one line of JSON."""
    return json.dumps(json.loads(EXAMPLE.read_bytes())).encode() + b"\n"


def truth(folder: Path, **more: object) -> Path:
    """Write the truth about the example into *folder*."""
    path = folder / "truth.jsonl"
    case_id = json.loads(EXAMPLE.read_bytes())["case_id"]
    path.write_text(json.dumps({"case_id": case_id, "causes": ["ingestion_failure"], **more}))
    return path


BROKEN = {
    "cut": gzip.compress(one_line())[:200],
    "garbled": gzip.compress(one_line())[:100] + b"\xff" * 400,
    "not packed": one_line(),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("verb", ["diagnose", "eval", "calibrate", "truth"])
def test_packed_lines_that_are_cut_or_broken_are_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, broken: str
) -> None:
    """A download that broke off names its file, whichever verb reads it and whether it holds cases or truths."""
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(BROKEN[broken])
    known = ["--truth", str(truth(tmp_path))]
    given = {
        "diagnose": ["diagnose", "--cases", str(path), "--workers", "1"],
        "eval": ["eval", "--cases", str(path), *known, "--workers", "1"],
        "calibrate": ["calibrate", "--cases", str(path), *known, "--out", str(tmp_path / "m")],
        "truth": ["eval", "--cases", str(path), "--truth", str(path), "--workers", "1"],
    }[verb]
    assert main(given) == 2
    said = capsys.readouterr().err
    assert said == f"rca-bot: {path}: the packed file is cut or broken: pack it again\n"


@pytest.mark.parametrize("verb", ["eval", "calibrate"])
def test_a_truth_that_is_none_is_named_with_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """Bytes that are no text, like any line that is no truth: file, line and what is wrong."""
    path, cases = tmp_path / "truth.jsonl", tmp_path / "cases.jsonl"
    path.write_bytes(truth(tmp_path).read_bytes() + b"\n\xff\xfe\n")
    cases.write_bytes(one_line())
    out = ["--out", str(tmp_path / "m")] if verb == "calibrate" else []
    assert main([verb, "--cases", str(cases), "--truth", str(path), *out]) == 2
    assert f"rca-bot: {path}: line 2: document: must be JSON" in capsys.readouterr().err


def test_a_line_without_end_is_not_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packed file of kilobytes may hold one line of gigabytes: no more than the bound of it is read."""
    monkeypatch.setattr(files, "MOST_BYTES", 2**20)
    path = tmp_path / "cases.jsonl.gz"
    path.write_bytes(gzip.compress(one_line() + b"[" * (2**20 + 1)))
    assert main(["diagnose", "--cases", str(path), "--workers", "1"]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"rca-bot: {path}:2: longer than 1 MiB")
    assert len(printed.out.splitlines()) == 1
    path.write_bytes(gzip.compress(b"[" * (2**20 + 1)))
    assert main(["why", "--case", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"rca-bot: {path}: larger than 1 MiB")


def test_a_packed_case_is_read_like_a_plain_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--case`` takes what ``--cases`` takes."""
    packed = tmp_path / "case.json.gz"
    packed.write_bytes(gzip.compress(EXAMPLE.read_bytes()))
    for verb in ("diagnose", "why"):
        answers = []
        for path in (EXAMPLE, packed):
            assert main([verb, "--case", str(path)]) == 0
            answers.append(capsys.readouterr().out)
        assert answers[0] == answers[1]


def test_a_file_without_a_name_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """An unset variable in a script is an empty name."""
    assert main(["diagnose", "--cases", ""]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_keys_of_a_document_cannot_command_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys come from data too: unknown ones that are ignored, and those on the way to a field that is refused."""
    path = tmp_path / "case.json"
    case = json.loads(EXAMPLE.read_bytes())
    path.write_text(json.dumps({**case, f"x{COMMANDS_A_TERMINAL}": 1, "y" * 100_000: 1}))
    assert main(["diagnose", "--case", str(path)]) == 0
    ignored = capsys.readouterr().err
    refused = {**case, "lineage": {"parents": {f"x{COMMANDS_A_TERMINAL}": 1}}}
    path.write_text(json.dumps(refused))
    assert main(["diagnose", "--case", str(path)]) == 2
    for said in (ignored, capsys.readouterr().err):
        assert r"x\x1b[2J\x07\x9b\u202e\u2066\n\x00" in said
        assert not set(said) & set(COMMANDS_A_TERMINAL) - {"\n"} - set("[2J")
        assert said.count("\n") == 1
        assert len(said) < 1_000


def test_tags_of_a_truth_are_shown_and_not_obeyed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tag is neither a control code nor markup of ours."""
    path, cases = truth(tmp_path, tags=["[bold]late[/bold]\x1b[2J"]), tmp_path / "cases.jsonl"
    cases.write_bytes(one_line())
    assert main(["eval", "--cases", str(cases), "--truth", str(path), "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]" in out


def test_a_full_disk_is_said_without_the_systems_number(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system refuses of no file in particular is said in words as well."""

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Console, "print", full)
    assert main(["diagnose", "--case", str(EXAMPLE)]) == 2
    assert capsys.readouterr().err == "rca-bot: no space left on device\n"


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize("verb", ["diagnose", "why"])
def test_a_time_at_the_end_of_the_calendar_is_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, at: str
) -> None:
    """UTC has no date for it; its own is shown."""
    case = json.loads(EXAMPLE.read_bytes())
    case["as_of"] = case["anomaly"]["detected_at"] = at
    for job in case["ingestion_jobs"]:
        job["started_at"] = job["finished_at"] = at
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case))
    assert main([verb, "--case", str(path)]) in (0, 2)  # 2: no hypothesis to ask about
    printed = capsys.readouterr()
    assert "Ingestion failure" in printed.out or "hypothes" in printed.err


@pytest.mark.parametrize("verb", ["case", "cases", "eval", "why"])
def test_a_mark_before_utf8_is_no_part_of_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """Some programs write one at the start of every file; what they wrote is read all the same."""
    path = tmp_path / "marked.jsonl"
    path.write_bytes(codecs.BOM_UTF8 + one_line())
    told = truth(tmp_path)
    told.write_bytes(codecs.BOM_UTF8 + told.read_bytes())
    given = {
        "case": ["diagnose", "--case", str(path)],
        "cases": ["diagnose", "--cases", str(path), "--workers", "1"],
        "eval": ["eval", "--cases", str(path), "--truth", str(told), "--workers", "1"],
        "why": ["why", "--case", str(path)],
    }[verb]
    assert main(given) == 0
    said = capsys.readouterr()
    assert "ingestion" in said.out.casefold() or verb == "eval"
    assert "1" in said.out
    assert said.err == ""
