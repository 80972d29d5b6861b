"""``rca-bot eval``: how right, how calibrated and how honest the diagnoses are, against known truth."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from bot.cli.diagnose import diagnose_lines, model_in
from bot.cli.files import lines_in, truths_in
from bot.cli.verb import Verb
from bot.render.text import one_line
from rca.diagnosis import Diagnosis
from rca.evaluation import Scores, Summary, evaluate

GROUP_SHOWN: Final = 80  # characters of a group; tags are whatever the truth says
SHOWN: Final = (
    ("n", "n"), ("top1_diagnosable", "top-1"), ("signal_accuracy", "signal"),
    ("symptom_errors", "symptom first"), ("false_confident", "wrong > 0.85"),
    ("coverage_act", "acted on"), ("precision_act", "of those right"), ("ece", "ECE"),
)  # fmt: skip
"""The columns of the tables by group: a measure's name, and how it is headed."""


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cases", required=True, metavar="F.jsonl[.gz]")
    parser.add_argument("--truth", required=True, metavar="T.jsonl[.gz]")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument("--model", metavar="FILE", help="weights written by rca-bot calibrate")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")


def _run(arguments: argparse.Namespace) -> int:
    truths = truths_in(arguments.truth)
    broken: list[str] = []
    diagnoses = _diagnoses(arguments, len(truths), broken)
    scores = evaluate(diagnoses, truths)
    for problem in broken:
        print(f"rca-bot: {problem}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(_flat(scores)))
    else:
        _print(scores, Console())
    return 1 if broken else 0


def _diagnoses(arguments: argparse.Namespace, total: int, broken: list[str]) -> Iterator[Diagnosis]:
    """Yield each case's diagnosis; what cannot be read is collected in *broken* and counts as wrong."""
    lines = lines_in(arguments.cases)
    answers = diagnose_lines(lines, arguments.workers, model_in(arguments.model))
    if sys.stderr.isatty():
        console = Console(stderr=True)
        answers = iter(track(answers, "Diagnosing", total=total, console=console))
    for line in answers:
        if line.diagnosis is None:
            broken.append(f"{Path(arguments.cases).name}:{line.number}: {line.problem}")
        else:
            yield Diagnosis.model_validate_json(line.diagnosis)


def _flat(scores: Scores) -> Mapping[str, object]:
    """The summary's measures at the top, the groups below, as one object."""
    return {
        **asdict(scores.summary),
        "unknown_cases": scores.unknown_cases,
        **{
            name: {group: asdict(summary) for group, summary in groups.items()}
            for name, groups in _groups(scores).items()
        },
    }


def _groups(scores: Scores) -> Mapping[str, Mapping[str, Summary]]:
    return {
        "by_cause": scores.by_cause,
        "by_difficulty": scores.by_difficulty,
        "by_tag": scores.by_tag,
    }


def _print(scores: Scores, console: Console) -> None:
    whole = Table(title="All cases", title_justify="left")
    whole.add_column("measure")
    whole.add_column("value", justify="right")
    for name, value in asdict(scores.summary).items():
        whole.add_row(name, _said(value))
    console.print(whole)
    for title, groups in _groups(scores).items():
        table = Table(title=title.replace("_", " "), title_justify="left")
        table.add_column("group")
        for _, head in SHOWN:
            table.add_column(head, justify="right")
        for group, summary in groups.items():
            table.add_row(
                Text(one_line(group, GROUP_SHOWN)),
                *(_said(getattr(summary, name)) for name, _ in SHOWN),
            )
        console.print(table)


def _said(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


VERB: Final = Verb(
    name="eval", help="score the diagnoses of cases with known truth", declare=_declare, run=_run
)
