"""How right the shipped model is on cases with known truth, and what it is worth when facts are poorer.

Prints the tables of docs/accuracy.md. The cases are split by a hash of their id: weights are chosen on two thirds, the
last third is only looked at. Poorer facts and holes are measured on the two thirds.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.poorer_facts import POORER
from benchmarks.table import say, say_table
from rca.case import FactKind, parse_case
from rca.diagnosis import ACT_ABOVE, Diagnosis
from rca.engine import diagnose
from rca.evaluation import Scores, Summary, Truth, evaluate, read_truths

LEFT_ALONE: Final = 3  # one case in so many
ROUNDING: Final = 5e-4  # confidence; told with four decimals
CLEARLY: Final = 0.05  # confidence
SEED: Final = 1
EMPTIABLE: Final = (
    FactKind.INGESTION_JOBS, FactKind.COLUMN_SNAPSHOTS, FactKind.DBT_RUNS, FactKind.DIMENSION_PROFILES
)  # fmt: skip
"""Facts of which an empty list says that there was nothing."""
MEASURES: Final = (
    "n", "top1", "top1_diagnosable", "top1_positives", "negatives_quiet", "mrr", "signal_accuracy",
    "signal_given_top1", "symptom_errors", "false_confident", "coverage_act", "precision_act",
    "precision_act_all", "ece", "brier", "holes_reported",
    "places", "places_found",
)  # fmt: skip
SHORT: Final = (
    "top1_diagnosable", "signal_accuracy", "negatives_quiet", "symptom_errors", "false_confident",
    "coverage_act", "ece",
)  # fmt: skip

Facts = dict[str, Any]


def split(cases: Mapping[str, Facts]) -> tuple[list[str], list[str]]:
    """Return the ids to choose weights with and those left alone, each in the order of the file."""
    by_hash = sorted(cases, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    alone = frozenset(by_hash[: len(cases) // LEFT_ALONE])
    return [n for n in cases if n not in alone], [n for n in cases if n in alone]


def _lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from lines


def _cells(summary: Summary, names: Sequence[str]) -> list[str]:
    values = (getattr(summary, name) for name in names)
    return ["-" if v is None else f"{v:.3f}" if isinstance(v, float) else str(v) for v in values]


def _measures(whole: Mapping[str, Scores]) -> None:
    columns = [_cells(one.summary, MEASURES) for one in whole.values()]
    rows = [[f"`{name}`", *cells] for name, *cells in zip(MEASURES, *columns, strict=True)]
    say_table(["measure", *whole], rows)


def _kinds(scores: Scores) -> None:
    names = ("n", "top1", "signal_accuracy")
    say_table(
        ["injected", "n", "top-1", "signal"],
        [
            [f"`{tag}`", *_cells(summary, names)]
            for tag, summary in scores.by_tag.items()
            if tag.startswith(("kind:", "negative:"))
        ],
    )


def _poorer(cases: Sequence[Facts], truths: Sequence[Truth]) -> None:
    rows = []
    for name, change in POORER.items():
        draw = Random(SEED)  # noqa: S311 - a repeatable disturbance, no secret
        changed = [json.loads(json.dumps(facts)) for facts in cases]
        for facts in changed:
            change(facts, draw)
        found = evaluate([_diagnosis(facts) for facts in changed], truths).summary
        rows.append([name, *_cells(found, SHORT)])
    say_table(["taken away", *SHORT], rows)


def _holes(cases: Sequence[Facts]) -> None:
    """Say how often the loss of a whole fact makes the first hypothesis surer, clearly so, and sure enough to act."""
    rows = []
    for fact in FactKind:
        known = [facts for facts in cases if facts.get(fact.value) is not None]
        raised = [
            (after - before, before, after)
            for facts in known
            for before, after in [(_confidence(facts), _confidence(_without(facts, fact.value)))]
            if after > before + ROUNDING
        ]
        clearly = sum(by > CLEARLY for by, _, _ in raised)
        act = sum(before <= ACT_ABOVE < after for _, before, after in raised)
        rows.append([f"`{fact.value}`", str(len(known)), str(len(raised)), str(clearly), str(act)])
    say_table(["lost", "cases", "surer", f"by more than {CLEARLY:g}", "now acted on"], rows)


def _holes_and_nothing(cases: Sequence[Facts]) -> None:
    """Say how often any hypothesis is surer without a fact than with the same fact read and empty."""
    rows = []
    for fact in EMPTIABLE:
        known = [facts for facts in cases if facts.get(fact.value) is not None]
        surer = 0
        for facts in known:
            empty, lost = (
                _diagnosis(facts | {fact.value: []}),
                _diagnosis(_without(facts, fact.value)),
            )
            had = {h.cause_type: h.confidence for h in empty.hypotheses}
            surer += any(
                h.confidence > had.get(h.cause_type, 0.0) + ROUNDING for h in lost.hypotheses
            )
        rows.append([f"`{fact.value}`", str(len(known)), str(surer)])
    say_table(["lost", "cases", "a hypothesis is surer than with the fact read and empty"], rows)


def _without(facts: Facts, fact: str) -> Facts:
    hole = {"fact": fact, "reason": "the source did not answer"}
    kept = {key: value for key, value in facts.items() if key != fact}
    return kept | {"holes": [*(facts.get("holes") or []), hole]}


def _diagnosis(facts: Facts) -> Diagnosis:
    return diagnose(parse_case(facts)[0])


def _confidence(facts: Facts) -> float:
    return _diagnosis(facts).top_confidence


def main(argv: Sequence[str]) -> int:
    """Measure on the cases of ``--cases`` against ``--truth``."""
    parser = argparse.ArgumentParser(prog="benchmarks accuracy", description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, metavar="F.jsonl[.gz]")
    parser.add_argument("--truth", type=Path, required=True, metavar="T.jsonl[.gz]")
    asked = parser.parse_args(argv)
    cases = {facts["case_id"]: facts for facts in map(json.loads, _lines(asked.cases))}
    truths = {truth.case_id: truth for truth in read_truths(_lines(asked.truth))}
    diagnoses = {name: _diagnosis(facts) for name, facts in cases.items()}
    tuning, alone = split(cases)
    groups = {"tuning": tuning, "untouched": alone, "all": [*tuning, *alone]}
    whole = {
        name: evaluate([diagnoses[n] for n in ids], [truths[n] for n in ids])
        for name, ids in groups.items()
    }
    _measures(whole)
    _kinds(whole["all"])
    _poorer([cases[n] for n in tuning], [truths[n] for n in tuning])
    say("The first hypothesis when one fact of the case is lost\n")
    _holes([cases[n] for n in tuning])
    _holes_and_nothing(list(cases.values()))
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
