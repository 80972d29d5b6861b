"""``rca-bot calibrate --answers`` learns from what people said in the database, and says when that is too little."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.calibrate import labelled_by_people
from bot.cli.stored import with_store
from bot.clock import system_clock
from bot.records import PersonsAnswer, Reason, Verdict
from bot.settings import Settings
from bot.store import Labelled, Store
from rca.case import parse_case
from rca.engine import diagnose
from rca.evidence import Cause
from rca.model_file import read_model

CASES = Path(__file__).parents[2] / "rca" / "cases" / "sample.cases.jsonl.gz"
MODELS = ("--out", "model.json")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a database of its own."""
    for name in os.environ.keys() - {"PATH"}:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    return tmp_path


async def _answered(store: Store, verdict: Verdict, copies: int) -> int:
    """Diagnose the sample's cases as incidents and have somebody answer each; return how many answers that were."""
    count = 0
    with gzip.open(CASES, "rt", encoding="utf-8") as lines:
        cases = [parse_case(line)[0] for line in lines]
    for copy in range(copies):
        for number, case in enumerate(cases):
            now = system_clock()
            joined = await store.incidents.open_or_join(
                case.anomaly.model_copy(
                    update={"dataset": f"{case.anomaly.dataset}-{copy}-{number}"}
                ),
                inbox_id=f"in-{copy}-{number}",
                position=0,
                place=None,
                title=None,
                alert_url=None,
                now=now,
            )
            diagnosis = diagnose(case)
            diagnosis = diagnosis.model_copy(update={"signal_id": f"s-{copy}-{number}"})
            incident_id = joined.incident.incident_id
            await store.incidents.record(
                incident_id,
                case=case,
                diagnosis=diagnosis,
                deadlines=(),
                posts=(),
                reason=Reason.TOLD_OPENED,
                now=now,
            )
            if diagnosis.top is None:
                continue
            answer = PersonsAnswer(
                incident_id=incident_id,
                signal_id=diagnosis.signal_id,
                tenant_id=case.anomaly.tenant_id,
                cause_type=diagnosis.top.cause_type,
                verdict=verdict,
                by="U0ALICE",
                at=now,
            )
            count += await store.answers.give([answer])
    return count


def answered(verdict: Verdict, copies: int) -> int:
    """Fill the database of the environment."""
    settings = Settings.for_tools(os.environ)
    return asyncio.run(with_store(settings, lambda store: _answered(store, verdict, copies)))


def test_people_who_always_say_wrong_are_believed_a_little(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model is fitted, is better on what was held out, and is written with how many answers it comes from."""
    assert answered(Verdict.WRONG, 4) > 50
    assert main(["calibrate", "--answers", *MODELS]) == 0
    document = read_model((here / "model.json").read_bytes())
    assert document.answers > 20
    assert document.after.log_loss < document.before.log_loss
    assert "set MODEL to it" in capsys.readouterr().out


def test_a_gain_on_few_incidents_may_be_chance(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half as many answers, and the sum of what is held out is better: not written, because not enough gain."""
    assert answered(Verdict.WRONG, 2) > 50
    assert main(["calibrate", "--answers", *MODELS]) == 1
    assert "may be chance; more answers will tell; nothing was written" in capsys.readouterr().err
    assert not (here / "model.json").exists()


def test_too_few_answers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody said anything yet: status 1, the numbers, and no file."""
    assert main(["calibrate", "--answers", *MODELS]) == 1
    assert "0 answers to learn from; 20 are needed" in capsys.readouterr().err
    assert not (here / "model.json").exists()


@pytest.mark.parametrize("given", [[], ["--cases", str(CASES)], ["--truth", str(CASES)]])
def test_nothing_to_learn_from(
    here: Path, capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    """One half of a pair, or nothing at all: status 2, and what is needed."""
    assert here.is_dir()
    assert main(["calibrate", *given, *MODELS]) == 2
    assert "--truth" in capsys.readouterr().err


def test_one_persons_words_are_one_label() -> None:
    """What a person said of several causes of one diagnosis belongs together; "none" means none of them."""
    with gzip.open(CASES, "rt", encoding="utf-8") as lines:
        case = parse_case(next(iter(lines)))[0]

    def said(by: str, cause: str, verdict: Verdict) -> Labelled:
        answer = PersonsAnswer(
            incident_id="i",
            signal_id="s",
            tenant_id="acme",
            cause_type=cause,
            verdict=verdict,
            by=by,
            at=case.as_of,
        )
        return Labelled(answer=answer, case=case)

    found = labelled_by_people(
        [
            said("a", "schema_drift", Verdict.RIGHT),
            said("b", "none", Verdict.RIGHT),
            said("a", "ingestion_failure", Verdict.WRONG),
        ]
    )
    first, second = found
    assert (first.right, first.wrong) == ({Cause.SCHEMA_DRIFT}, {Cause.INGESTION_FAILURE})
    assert (second.right, second.wrong) == (frozenset(), frozenset(Cause))
    assert first.incident == second.incident


def test_the_bot_refuses_a_broken_model(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """MODEL names a file that is none: the start stops with its name and what is wrong in it."""
    (here / "m.json").write_text(json.dumps({"format": "rca.model/9"}), "utf-8")
    monkeypatch.setenv("MODEL", str(here / "m.json"))
    monkeypatch.setenv("SLACK_MODE", "off")
    assert main(["serve"]) == 2
    assert "m.json: format" in capsys.readouterr().err
