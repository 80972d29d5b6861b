"""The verbs of ``rca-bot``: each as a process in an environment that knows nothing, its other cases in this one."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from bot.sandbox.stage import ROUTING_KEYS
from rca.case import parse_case
from rca.engine import diagnose
from rca.evaluation import evaluate, read_truths
from tests.system.conftest import NAME
from tests.system.program import rca_bot

SAMPLE = Path(__file__).parents[1] / "rca" / "cases"
TRACE = "Traceback"
STORY = (
    "an alert about shopify_orders arrives",
    "Ingestion failure (sync failure)",
    "alice types /rca shopify_orders",
    "alice clicks Escalate",
    "Infra is paged",
    "Paged Infra by @alice",
    "alice acknowledges it",
    "alice resolves it",
    "Resolved by",
    "what next",
)


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)


def case_file(folder: Path) -> Path:
    """Write one recorded case into *folder* and return where."""
    page = files("bot.sandbox").joinpath("library", f"{NAME}.json").read_text("utf-8")
    path = folder / "case.json"
    path.write_text(json.dumps(json.loads(page)["case"]), "utf-8")
    return path


def without_zone(path: Path) -> bytes:
    """Return the case with a time that has no offset, as one line."""
    case: dict[str, Any] = json.loads(path.read_text("utf-8"))
    case["anomaly"]["detected_at"] = "2026-03-02T07:05:00"
    return json.dumps(case).encode()


def test_the_contract_is_printed_as_json_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``schema case`` and ``schema diagnosis`` print one JSON Schema each, which names the documents' own fields."""
    case = rca_bot("schema", "case", folder=tmp_path)
    assert (case.status, case.err) == (0, "")
    assert {"anomaly", "ingestion_jobs", "holes"} <= json.loads(case.out)["properties"].keys()
    assert main(["schema", "diagnosis"]) == 0
    diagnosis = json.loads(capsys.readouterr().out)
    assert {"top_cause_type", "hypotheses"} <= diagnosis["properties"].keys()
    assert diagnosis["$schema"] == json.loads(case.out)["$schema"]


def test_one_case_for_people_and_for_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``diagnose --case`` shows the verdict; from standard input with --json it prints the document, and no more."""
    path = case_file(tmp_path)
    printed = rca_bot("diagnose", "--case", "-", "--json", folder=tmp_path, said=path.read_bytes())
    assert (printed.status, printed.err) == (0, "")
    document = json.loads(printed.out)
    assert document["format"] == "rca.diagnosis/1"
    assert document["top_cause_type"] == "ingestion_failure"
    assert document["hypotheses"][0]["first_action"]
    assert main(["diagnose", "--case", str(path)]) == 0
    assert "ngestion failure" in capsys.readouterr().out


def test_a_broken_line_costs_that_line_only(tmp_path: Path) -> None:
    """``diagnose --cases``: the broken line is named with its field, the others are done in order, status 1."""
    path = case_file(tmp_path)
    good = path.read_bytes()
    lines = tmp_path / "cases.jsonl.gz"
    lines.write_bytes(gzip.compress(b"\n".join([good, without_zone(path), b"", good]) + b"\n"))
    out = tmp_path / "diagnoses.jsonl"
    ended = rca_bot("diagnose", "--cases", lines, "--out", out, "--workers", "2", folder=tmp_path)
    assert ended.status == 1
    assert f"{lines}:2:" in ended.err
    assert "anomaly.detected_at" in ended.err
    assert TRACE not in ended.err
    diagnoses = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [one["top_cause_type"] for one in diagnoses] == ["ingestion_failure"] * 2


def test_a_broken_file_is_refused_with_its_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``diagnose --case``: a time without a zone is named by its field's path, a missing file by name; status 2."""
    path = case_file(tmp_path)
    path.write_bytes(without_zone(path))
    broken = rca_bot("diagnose", "--case", path, "--json", folder=tmp_path)
    assert (broken.status, broken.out) == (2, "")
    assert str(path) in broken.err
    assert "anomaly.detected_at" in broken.err
    assert TRACE not in broken.err
    assert main(["diagnose", "--case", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_eval_agrees_with_the_library(tmp_path: Path) -> None:
    """``eval --json`` prints the very numbers that scoring the same cases in process gives."""
    truths = read_truths((SAMPLE / "sample.truth.jsonl").read_text("utf-8").splitlines())
    with gzip.open(SAMPLE / "sample.cases.jsonl.gz", "rb") as packed:
        diagnoses = [diagnose(parse_case(line)[0]) for line in packed]
    expected = asdict(evaluate(diagnoses, truths).summary)
    ended = rca_bot(
        "eval",
        "--cases", SAMPLE / "sample.cases.jsonl.gz",
        "--truth", SAMPLE / "sample.truth.jsonl",
        "--json",
        folder=tmp_path,
    )  # fmt: skip
    assert (ended.status, ended.err) == (0, "")
    scores = json.loads(ended.out)
    assert {name: scores[name] for name in expected} == expected
    assert scores["n"] == len(truths)


def test_a_runbook_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``runbook check``: the shipped pages have no problem; a folder with a broken condition is named, status 1."""
    shipped, broken = tmp_path / "shipped", tmp_path / "broken"
    shipped.mkdir()
    for page in files("runbook").joinpath("pages").iterdir():
        (shipped / page.name).write_text(page.read_text("utf-8"), "utf-8")
    shutil.copytree(shipped, broken)
    wrong_page = broken / "ingestion_failure.md"
    text = wrong_page.read_text("utf-8")
    assert "evidence.error_code ==" in text
    wrong_page.write_text(text.replace("evidence.error_code ==", "evidence.no_such ==", 1), "utf-8")
    wrong = rca_bot("runbook", "check", broken, folder=tmp_path)
    assert wrong.status == 1
    assert "ingestion_failure" in wrong.err
    assert "no_such" in wrong.err
    assert TRACE not in wrong.err
    assert main(["runbook", "check", str(shipped)]) == 0
    assert "no problems" in capsys.readouterr().out


def test_a_start_that_cannot_be_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``serve`` with a database that is not there says so; without its tokens it names all of them; both end with 2."""
    url = "postgresql://nobody@127.0.0.1:1/none"
    env = {"DATABASE_URL": url, "SLACK_MODE": "off", "HTTP_PORT": "0"}
    alone = rca_bot("serve", folder=tmp_path, env=env)
    assert (alone.status, TRACE in alone.err) == (2, False)
    assert "127.0.0.1" in alone.err
    assert main(["serve"]) == 2
    said = capsys.readouterr().err
    assert "SLACK_BOT_TOKEN: missing" in said
    assert "SLACK_APP_TOKEN: missing" in said


def test_the_demo_tells_the_story(tmp_path: Path) -> None:
    """``demo --terminal`` plays from the alerts to the resolved incident, ends with 0 and leaves nothing behind."""
    ended = rca_bot("demo", "--terminal", folder=tmp_path, within_s=90)
    assert (ended.status, ended.err) == (0, "")
    place = 0
    for words in STORY:
        place = ended.out.find(words, place)
        assert place >= 0, f"{words!r} is not told, or not in its place:\n{ended.out}"
    assert list(tmp_path.iterdir()) == []
    assert not any(key in ended.out for key in ROUTING_KEYS.values())
