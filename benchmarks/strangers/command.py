"""Writes the incidents to a folder, or lets the engine have a go at them."""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.strangers.making import incidents
from benchmarks.strangers.places import places
from benchmarks.strangers.story import Facts
from benchmarks.strangers.where import report_places
from benchmarks.table import say, say_table
from rca.case import parse_case
from rca.engine import diagnose
from rca.evaluation import Summary, Truth, evaluate, judge

MEASURES: Final = (
    "n", "top1", "top1_diagnosable", "top1_positives", "negatives_quiet", "mrr", "signal_accuracy", "symptom_errors",
    "false_confident", "coverage_act", "precision_act", "precision_act_all", "ece", "brier", "holes_reported",
    "places_found",
)  # fmt: skip
BY_TAG: Final = (
    "n",
    "top1_diagnosable",
    "signal_accuracy",
    "symptom_errors",
    "false_confident",
    "places_found",
)


def main(argv: Sequence[str]) -> int:
    """Make ``--number`` incidents from ``--seed``; with ``--out`` write them, else print how the engine fares."""
    parser = argparse.ArgumentParser(prog="benchmarks strangers", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--number", type=int, default=600)
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--errors", type=int, default=0, metavar="N", help="name the first N failures"
    )
    parser.add_argument(
        "--places", action="store_true", help="incidents about where a change of shares sits"
    )
    asked = parser.parse_args(argv)
    make = places if asked.places else incidents
    made = list(make(asked.seed, asked.number))
    if asked.out is not None:
        write(asked.out, made)
    elif asked.places:
        report_places(made, asked.errors)
    else:
        report(made, asked.errors)
    return 0


def write(folder: Path, made: Sequence[tuple[Facts, Facts]]) -> None:
    """Write ``cases.jsonl.gz`` and ``truth.jsonl`` into *folder*; the same incidents give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = "".join(f"{json.dumps(case, ensure_ascii=False)}\n" for case, _ in made)
    truths = "".join(f"{json.dumps(truth, ensure_ascii=False)}\n" for _, truth in made)
    (folder / "cases.jsonl.gz").write_bytes(gzip.compress(cases.encode(), mtime=0))
    (folder / "truth.jsonl").write_text(truths, encoding="utf-8")


def report(made: Sequence[tuple[Facts, Facts]], errors: int) -> None:
    """Diagnose every case and print the measures, of all and by tag."""
    truths = [Truth.model_validate(truth) for _, truth in made]
    found = {case["case_id"]: diagnose(parse_case(case)[0]) for case, _ in made}
    scores = evaluate(found.values(), truths)
    say_table(["measure", "all"], [[name, _cell(scores.summary, name)] for name in MEASURES])
    say_table(
        ["tag", *BY_TAG],
        [[tag, *(_cell(one, name) for name in BY_TAG)] for tag, one in scores.by_tag.items()],
    )
    wrong = [
        t
        for t in truths
        if (t.diagnosable or not t.causes) and not judge(t, [found[t.case_id]]).right
    ]
    for truth in wrong[:errors]:
        first = [
            f"{h.cause_type}/{h.evidence.signal} {h.confidence:.2f}"
            for h in found[truth.case_id].hypotheses
        ]
        say(f"{truth.case_id} {list(map(str, truth.causes))} {' '.join(truth.tags)} -> {first}")


def _cell(summary: Summary, name: str) -> str:
    value = getattr(summary, name)
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
