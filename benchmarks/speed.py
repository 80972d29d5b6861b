"""One diagnosis: time of the typical case, and of the largest ones beside the least that any program must do.

The least is reading the same JSON with the standard library and one NumPy pass over the numbers in it.
What pydantic asks for the same objects without one rule on a field tells how much of the rest our rules cost.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import numpy as np
from pydantic import BaseModel, create_model

from benchmarks.large_cases import LARGE, document
from benchmarks.table import fastest_s, say, say_table
from rca.case import Case, parse_case
from rca.engine import diagnose
from rca.reading import nothing_collected

TYPICAL: Final = Path("tests/rca/cases")
SETS: Final = ("examples", "sample")
ROUNDS: Final = 15
KIB: Final = 1_024
PARSE_ROUNDS: Final = 6
"""Of each way of parsing, in turn, as the machine's speed varies; to and fro, as each reuses the memory of the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Seconds of each part for one large case, and the memory that reading and diagnosing took, in MiB."""

    json_s: float
    bare_s: float
    numpy_s: float
    parse_s: float
    diagnose_s: float
    memory_mib: float
    document_mib: float


def typical(name: str, rounds: int) -> list[str]:
    """Return the median over all cases of a set: each case's own median in a warm process, in milliseconds."""
    raws = gzip.decompress((TYPICAL / f"{name}.cases.jsonl.gz").read_bytes()).splitlines()
    for raw in raws:
        diagnose(parse_case(raw)[0])
    both = [_case_s(raw, rounds) for raw in raws]
    parse, alone = ([1e3 * b[i] for b in both] for i in range(2))
    total = [p + d for p, d in zip(parse, alone, strict=True)]
    size = median(len(raw) for raw in raws) / KIB
    spans = [
        f"{median(parse):.2f}",
        f"{median(alone):.2f}",
        f"{median(total):.2f}",
        f"{max(total):.2f}",
    ]
    return [name, str(len(raws)), f"{size:.0f}", *spans]


def _case_s(raw: bytes, rounds: int) -> tuple[float, float]:
    parse, alone = [], []
    for _ in range(rounds):
        begun = perf_counter()
        case = parse_case(raw)[0]
        read = perf_counter()
        diagnose(case)
        alone.append(perf_counter() - read)
        parse.append(read - begun)
    return median(parse), median(alone)


def large(name: str) -> Spans:
    """Return what the large case *name* costs; run it in a process of its own, for its memory."""
    raw = document(LARGE[name]())
    diagnose(parse_case(b'{"case_id":"x",' + _head(raw))[0])
    before = _peak_mib()
    begun = perf_counter()
    case = parse_case(raw)[0]
    read = perf_counter()
    diagnose(case)
    first = perf_counter() - read
    memory = _peak_mib() - before
    numbers = _numbers(case)
    read_json, read_bare, read_ours = parsing(raw)
    return Spans(
        json_s=read_json,
        bare_s=read_bare,
        numpy_s=fastest_s(lambda: numpy_pass(numbers), rounds=3),
        parse_s=min(read - begun, read_ours),
        diagnose_s=min(first, fastest_s(lambda: diagnose(case), rounds=2)),
        memory_mib=memory,
        document_mib=len(raw) / KIB**2,
    )


def parsing(raw: bytes) -> tuple[float, float, float]:
    """Return the fastest seconds of the standard library, of objects without rules, and of our own parsing."""
    without = without_rules(Case)

    def bare() -> BaseModel:
        with nothing_collected():
            return without.model_validate_json(raw)

    ways: tuple[Callable[[], object], ...] = (
        lambda: json.loads(raw),
        bare,
        lambda: parse_case(raw),
    )
    spans: list[list[float]] = [[] for _ in ways]
    for turn in range(PARSE_ROUNDS):
        order = range(len(ways)) if turn % 2 == 0 else range(len(ways) - 1, -1, -1)
        for way in order:
            spans[way].append(fastest_s(ways[way], rounds=1))
    read_json, read_bare, read_ours = map(min, spans)
    return read_json, read_bare, read_ours


def without_rules(model: type[BaseModel]) -> type[BaseModel]:
    """Return a model of the same fields and types, none of which has a bound, a length or a validator of ours."""
    fields: dict[str, Any] = {
        name: (_plain(field.annotation), ... if field.is_required() else None)
        for name, field in model.model_fields.items()
    }
    return create_model(f"Bare{model.__name__}", **fields)


def _plain(annotation: Any) -> Any:  # noqa: ANN401 - a type form has no type of its own
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _plain(inner[0])
    if origin in (Union, UnionType):
        return Union[tuple(_plain(each) for each in inner)]  # noqa: UP007 - the members are known only here
    if origin in (tuple, dict):
        return origin[tuple(each if each is ... else _plain(each) for each in inner)]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return without_rules(annotation)
    return annotation


def _head(raw: bytes) -> bytes:
    """Return the document without its large fact, to warm up every detector that does not need it."""
    document_read = json.loads(raw)
    kept = {k: document_read[k] for k in ("as_of", "anomaly", "dataset")}
    return json.dumps(kept).encode()[1:]


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB


def _numbers(case: Case) -> list[Sequence[float]]:
    """Return the numbers of the large fact as they stand in the case, a list per window, run or kind."""
    profiles = [list(p.counts.values()) for p in case.dimension_profiles or ()]
    runs = [[r.execution_time_s or 0.0 for r in run.results] for run in case.dbt_runs or ()]
    rows = [[float(j.rows_synced or 0) for j in case.ingestion_jobs or ()]]
    return [*profiles, *runs, *rows]


def numpy_pass(numbers: Sequence[Sequence[float]]) -> float:
    """Return something of every number, at the price of turning it into an array and reading it once."""
    total = 0.0
    for values in numbers:
        column = np.array(values, dtype=np.float64)
        total += float(np.log1p(column).sum())
    return total


def _row(name: str, spans: Spans) -> list[str]:
    least = spans.json_s + spans.numpy_s
    whole = spans.parse_s + spans.diagnose_s
    bare = spans.bare_s + spans.numpy_s
    own = spans.parse_s + spans.numpy_s
    seconds = [spans.json_s, spans.bare_s, spans.numpy_s, spans.parse_s, spans.diagnose_s]
    return [
        name,
        f"{spans.document_mib:.1f}",
        *(f"{span:.4f}" for span in seconds),
        f"{whole / least:.2f}",
        f"{whole / bare:.2f}",
        f"{whole / own:.2f}",
        f"{spans.parse_s / spans.bare_s:.2f}",
        f"{spans.memory_mib:.0f}",
    ]


def main(argv: Sequence[str]) -> int:
    """Measure the typical cases, then each large one in a fresh process."""
    parser = argparse.ArgumentParser(prog="benchmarks speed", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of each typical case")
    rounds = parser.parse_args(argv).rounds
    say("Typical cases, warm: median over the cases, milliseconds\n")
    head = ["cases", "n", "KiB", "parse", "diagnose", "both", "slowest case, both"]
    say_table(head, [typical(name, rounds) for name in SETS])
    say("Large cases: seconds, fastest of a few\n")
    rows = []
    for name in LARGE:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(_row(name, pool.apply(large, (name,))))
    head = ["case", "MiB", "json.loads", "no rules", "NumPy pass", "our parse", "diagnose"]
    ratios = [
        "ours / (json.loads + NumPy)",
        "ours / (no rules + NumPy)",
        "ours / (our parse + NumPy)",
        "our parse / no rules",
    ]
    say_table([*head, *ratios, "memory MiB"], rows)
    say("No rules: pydantic makes the same objects, without a bound, a length or a validator.")
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
