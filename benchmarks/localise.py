"""Where a change sits: F1 over elements and cost on public sets, on families S and L, and on incident cases.

Every file set is cut into a part that parameters were chosen on and a part that was left alone; families are drawn
anew. Times are of one process;
the ratio is to a bare ``bincount`` of the leaves per cuboid, which any search by sums has to pay.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import numpy as np

from benchmarks.localise_data import Named, Question, Score, read_robustspot, read_squeeze
from benchmarks.localise_shifts import ShiftQuestion, read_shifts
from benchmarks.localise_synthetic import FAMILY_L, FAMILY_S, Family, draw
from benchmarks.table import say, say_table, share
from rca.stats.localise import localise
from rca.stats.localise_additive import MOST_ELEMENTS
from rca.stats.localise_cube import cuboids
from rca.stats.localise_leaves import RateLeaves, combined
from rca.stats.localise_rate import DEEPEST
from rca.stats.localise_table import read_leaves

FIRST_SEED: Final = 20_261_122  # of the drawn questions; parameters were chosen on other draws
MS: Final = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question as it was answered: how well, and what it cost in milliseconds."""

    found: frozenset[Named]
    truth: frozenset[Named]
    wall_ms: float
    cpu_ms: float
    bare_ms: float


def main(argv: Sequence[str]) -> int:
    """Measure what the arguments name; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks localise", description=__doc__)
    parser.add_argument("--squeeze", type=Path, help="a folder of files with labels.csv")
    parser.add_argument("--robustspot", type=Path, help="a tar archive with anomaly.yaml")
    parser.add_argument("--cases", type=Path, help="a folder with dev.cases.jsonl.gz and its truth")
    parser.add_argument("--synthetic", type=int, default=100, help="questions drawn per family")
    chosen = parser.parse_args(argv)
    rows: list[Sequence[str]] = []
    if chosen.squeeze:
        rows += _measured("Squeeze B0", "every second file", _squeeze(chosen.squeeze))
    for family in (FAMILY_S, FAMILY_L):
        rows += _measured(family.name, "", _family(family, chosen.synthetic))
    if chosen.robustspot:
        rows += _measured("RobustSpot RS", "every second case", _robustspot(chosen.robustspot))
    say(f"Load while it was measured, over a minute: {os.getloadavg()[0]:.1f}.\n")
    say_table(HEAD, rows)
    if chosen.cases:
        _say_shifts(list(read_shifts(chosen.cases)))
    return 0


HEAD: Final = (
    "set",
    "part",
    "n",
    "F1",
    "precision",
    "recall",
    "exact",
    "mean ms",
    "p95 ms",
    "cpu ms",
    "cpu p95 ms",
    "times bare",
)


def _measured(name: str, cut: str, answers: Iterable[tuple[bool, Asked]]) -> list[Sequence[str]]:
    parts: dict[bool, list[Asked]] = {True: [], False: []}
    for tuning, asked in answers:
        parts[tuning].append(asked)
    labels = {True: f"tuning ({cut})", False: "held out"}
    return [_row(name, labels[tuning], part) for tuning, part in parts.items() if part]


def _row(name: str, part: str, answers: Sequence[Asked]) -> Sequence[str]:
    score = Score()
    for asked in answers:
        score.add(asked.found, asked.truth)
    walls = [asked.wall_ms for asked in answers]
    bare = statistics.fmean(asked.bare_ms for asked in answers)
    return (
        name,
        part,
        str(score.questions),
        share(score.f1),
        share(score.precision),
        share(score.recall),
        share(score.exact / score.questions),
        f"{statistics.fmean(walls):.1f}",
        f"{float(np.quantile(walls, 0.95)):.1f}",
        f"{statistics.fmean(asked.cpu_ms for asked in answers):.1f}",
        f"{float(np.quantile([asked.cpu_ms for asked in answers], 0.95)):.1f}",
        f"{statistics.fmean(walls) / bare:.1f}",
    )


def _squeeze(folder: Path) -> Iterator[tuple[bool, Asked]]:
    reading, coding = [], []
    for index, (name, text, truth) in enumerate(read_squeeze(folder)):
        begun = process_time()
        leaves = read_leaves(text)
        reading.append(MS * (process_time() - begun))
        coding.append(_coding_ms(text))
        yield index % 2 == 0, _asked(Question(name=name, leaves=leaves, truth=truth))
    say(f"Processor time of reading a file as rca-bot localise does: {_spread(reading)} ms.")
    say(f"Of that, turning names into codes: {_spread(coding)} ms.\n")


def _coding_ms(text: str) -> float:
    """Return what coding costs when columns of text and of numbers are there, in ms of processor time."""
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    columns = dict(zip(head, zip(*rows, strict=True), strict=True))
    numbers = [np.array(columns.pop(name), dtype=np.float64) for name in ("real", "predict")]
    begun = process_time()
    combined(columns, numbers)
    return MS * (process_time() - begun)


def _spread(spent: Sequence[float]) -> str:
    return f"{statistics.fmean(spent):.1f} on average, p95 {float(np.quantile(spent, 0.95)):.1f}"


def _family(family: Family, held_out: int) -> Iterator[tuple[bool, Asked]]:
    for seed in range(FIRST_SEED, FIRST_SEED + held_out):
        yield False, _asked(draw(family, seed))


def _robustspot(archive: Path) -> Iterator[tuple[bool, Asked]]:
    for index, question in enumerate(read_robustspot(archive)):
        yield index % 2 == 0, _asked(question)


def _asked(question: Question) -> Asked:
    names, rate = question.leaves.names, isinstance(question.leaves, RateLeaves)
    cpu, wall = process_time(), perf_counter()
    found = localise(question.leaves, limit=MOST_ELEMENTS)  # some questions have nine elements
    wall, cpu = perf_counter() - wall, process_time() - cpu
    above = cuboids(names.codes, names.sizes, DEEPEST if rate else None)
    ones = np.ones(len(names.codes))
    begun = perf_counter()
    for cuboid in above:
        np.bincount(cuboid.ids, ones, cuboid.size)
    bare = perf_counter() - begun
    return Asked(
        found=frozenset(frozenset(place.elements.items()) for place in found),
        truth=question.truth,
        wall_ms=MS * wall,
        cpu_ms=MS * cpu,
        bare_ms=MS * bare,
    )


def _say_shifts(questions: Sequence[ShiftQuestion]) -> None:
    """Print how often what moved is in the list, and how often something is named where nothing was made to move."""
    counts: dict[str, Counter[str]] = {}
    for question in questions:
        kinds = [question.kind] if question.truth is None else [question.kind, "all that moved"]
        begun = perf_counter()
        named = [dict(segment.elements) for segment in question.answer()]
        spent = MS * (perf_counter() - begun)
        for kind in kinds:
            count = counts.setdefault(kind, Counter())
            count["n"] += 1
            count["us"] += round(MS * spent)
            count["named"] += len(named)
            count["any"] += bool(named)
            count["found"] += question.truth in named
            count["first"] += bool(named) and named[0] == question.truth
    rows = [
        (
            kind,
            str(count["n"]),
            str(count["any"]),
            "-" if kind.startswith("negative") else share(count["found"] / count["n"]),
            "-" if kind.startswith("negative") else share(count["first"] / count["n"]),
            f"{count['named'] / count['n']:.1f}",
            f"{count['us'] / count['n'] / MS:.1f}",
        )
        for kind, count in sorted(counts.items())
    ]
    say_table(("cases", "n", "something named", "in the list", "first", "names", "mean ms"), rows)
