"""The verbs of ``rca-bot``, each as a process in an environment that knows nothing."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.sandbox.stage import environment, new_sandbox
from rca.case import parse_case
from rca.engine import diagnose
from rca.evaluation import evaluate, read_truths
from tests.system.conftest import NAME
from tests.system.program import rca_bot

SAMPLE = Path(__file__).parents[1] / "rca" / "cases"
NO_TRACE = "Traceback"


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


def left_in(folder: Path) -> list[Path]:
    """Return what a command has left in *folder*."""
    return list(folder.iterdir())


async def test_the_contract_is_printed_as_json_schema(tmp_path: Path) -> None:
    """``schema case`` and ``schema diagnosis`` print one JSON Schema each, which names the documents' own fields."""
    documents = await asyncio.gather(
        rca_bot("schema", "case", folder=tmp_path),
        rca_bot("schema", "diagnosis", folder=tmp_path),
    )
    assert [(one.status, one.err) for one in documents] == [(0, ""), (0, "")]
    case, diagnosis = (json.loads(one.out) for one in documents)
    assert case["$schema"] == diagnosis["$schema"]
    assert {"anomaly", "ingestion_jobs", "holes"} <= case["properties"].keys()
    assert {"top_cause_type", "hypotheses"} <= diagnosis["properties"].keys()


async def test_one_case_for_people_and_for_programs(tmp_path: Path) -> None:
    """``diagnose --case`` shows the verdict; from standard input with --json it prints the document, and no more."""
    path = case_file(tmp_path)
    seen, printed = await asyncio.gather(
        rca_bot("diagnose", "--case", path, folder=tmp_path),
        rca_bot("diagnose", "--case", "-", "--json", folder=tmp_path, said=path.read_bytes()),
    )
    assert (seen.status, printed.status) == (0, 0)
    assert "ngestion failure" in seen.out
    document = json.loads(printed.out)
    assert document["format"] == "rca.diagnosis/1"
    assert document["top_cause_type"] == "ingestion_failure"
    assert document["hypotheses"][0]["first_action"]


async def test_a_broken_line_costs_that_line_only(tmp_path: Path) -> None:
    """``diagnose --cases``: the broken line is named with its field, the others are done in order, status 1."""
    path = case_file(tmp_path)
    good = json.dumps(json.loads(path.read_text("utf-8"))).encode()
    lines = tmp_path / "cases.jsonl.gz"
    lines.write_bytes(gzip.compress(b"\n".join([good, without_zone(path), b"", good]) + b"\n"))
    out = tmp_path / "diagnoses.jsonl"
    ended = await rca_bot(
        "diagnose", "--cases", lines, "--out", out, "--workers", "2", folder=tmp_path
    )
    assert ended.status == 1
    assert f"{lines}:2:" in ended.err
    assert "anomaly.detected_at" in ended.err
    assert NO_TRACE not in ended.err
    diagnoses = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [one["top_cause_type"] for one in diagnoses] == ["ingestion_failure"] * 2


async def test_a_broken_file_is_refused_with_its_field(tmp_path: Path) -> None:
    """``diagnose --case``: a time without a zone is named by its field's path, a missing file by name; status 2."""
    path = case_file(tmp_path)
    path.write_bytes(without_zone(path))
    broken, missing = await asyncio.gather(
        rca_bot("diagnose", "--case", path, "--json", folder=tmp_path),
        rca_bot("diagnose", "--case", tmp_path / "none.json", folder=tmp_path),
    )
    assert (broken.status, missing.status) == (2, 2)
    assert broken.out == missing.out == ""
    assert str(path) in broken.err
    assert "anomaly.detected_at" in broken.err
    assert "none.json" in missing.err
    assert NO_TRACE not in broken.err + missing.err


async def test_eval_agrees_with_the_library(tmp_path: Path) -> None:
    """``eval --json`` prints the very numbers that scoring the same cases in process gives."""
    truths = read_truths((SAMPLE / "sample.truth.jsonl").read_text("utf-8").splitlines())
    with gzip.open(SAMPLE / "sample.cases.jsonl.gz", "rb") as packed:
        diagnoses = [diagnose(parse_case(line)[0]) for line in packed]
    expected = asdict(evaluate(diagnoses, truths).summary)
    ended = await rca_bot(
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


async def test_a_runbook_is_checked(tmp_path: Path) -> None:
    """``runbook check``: the shipped pages have no problem; a folder with a broken condition is named, status 1."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for page in files("runbook").joinpath("pages").iterdir():
        (shipped / page.name).write_text(page.read_text("utf-8"), "utf-8")
    broken = tmp_path / "broken"
    shutil.copytree(shipped, broken)
    page_path = broken / "ingestion_failure.md"
    text = page_path.read_text("utf-8")
    assert "evidence.error_code ==" in text
    page_path.write_text(
        text.replace("evidence.error_code ==", "evidence.no_such_thing =="), "utf-8"
    )
    fine, wrong = await asyncio.gather(
        rca_bot("runbook", "check", shipped, folder=tmp_path),
        rca_bot("runbook", "check", broken, folder=tmp_path),
    )
    assert (fine.status, fine.err) == (0, "")
    assert "no problems" in fine.out
    assert wrong.status == 1
    assert "ingestion_failure" in wrong.err
    assert "no_such_thing" in wrong.err
    assert NO_TRACE not in wrong.err


async def test_a_start_that_cannot_be_says_why(tmp_path: Path) -> None:
    """``serve`` without tokens names all of them; with a database that is not there it says so; both end with 2."""
    async with new_sandbox() as sandbox:
        url = "postgresql://nobody@127.0.0.1:1/none"
        bare, alone = await asyncio.gather(
            rca_bot("serve", folder=tmp_path),
            rca_bot("serve", folder=tmp_path, env=environment(sandbox, tmp_path, url)),
        )
    assert (bare.status, alone.status) == (2, 2)
    assert "SLACK_BOT_TOKEN: missing" in bare.err
    assert "SLACK_APP_TOKEN: missing" in bare.err
    assert "127.0.0.1" in alone.err
    assert NO_TRACE not in bare.err + alone.err


async def test_the_demo_tells_the_story(tmp_path: Path) -> None:
    """``demo --terminal`` plays from the alerts to the resolved incident, and ends with 0 by itself."""
    ended = await rca_bot("demo", "--terminal", folder=tmp_path, within_s=90)
    assert (ended.status, ended.err) == (0, "")
    story = [
        "an alert about shopify_orders arrives",
        "Most likely: Ingestion failure",
        "alice types /rca shopify_orders",
        "alice clicks Escalate",
        "Infra is paged",
        "alice acknowledges it",
        "alice resolves it",
        "Resolved by",
        "what next",
    ]
    places = [ended.out.find(words) for words in story]
    assert -1 not in places, story[places.index(-1)]
    assert places == sorted(places)
    assert "Paged Infra by" in ended.out[places[5] :]
    assert left_in(tmp_path) == []
