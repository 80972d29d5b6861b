"""How many cases a second ``rca-bot diagnose --cases`` gets through, alone and on all cores, start included."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

from benchmarks.table import say, say_table

SAMPLE: Final = Path("tests/rca/cases/sample.cases.jsonl.gz")
COPIES: Final = 12


def many(copies: int) -> list[str]:
    """Return the sample's cases *copies* times, each with an id of its own, as JSON."""
    cases = [json.loads(line) for line in gzip.decompress(SAMPLE.read_bytes()).splitlines()]
    return [
        json.dumps(case | {"case_id": f"{case['case_id']}-{copy}"})
        for copy in range(copies)
        for case in cases
    ]


def run_s(cases: Path, out: Path, workers: int) -> tuple[float, float]:
    """Return wall and processor seconds of one run of the program.

    Raises:
        subprocess.CalledProcessError: the program failed, or left out a broken line.
    """
    program = [sys.executable, "-c", "import sys; from bot.cli import main; sys.exit(main())"]
    words = ["diagnose", "--cases", str(cases), "--out", str(out), "--workers", str(workers)]
    spent, begun = _children_s(), perf_counter()
    subprocess.run([*program, *words], check=True)  # noqa: S603 - our own program
    return perf_counter() - begun, _children_s() - spent


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(argv: Sequence[str]) -> int:
    """Measure with one worker, then with one per core."""
    parser = argparse.ArgumentParser(prog="benchmarks throughput", description=__doc__)
    parser.add_argument(
        "--copies", type=int, default=COPIES, help="how often the sample is repeated"
    )
    lines = many(parser.parse_args(argv).copies)
    cores = os.cpu_count() or 1
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        cases, out = Path(folder) / "cases.jsonl", Path(folder) / "out.jsonl"
        cases.write_text("\n".join(lines), encoding="utf-8")
        for workers in sorted({1, cores}):
            wall_s, used_s = run_s(cases, out, workers)
            rate = len(lines) / wall_s
            rows.append(
                [str(workers), f"{wall_s:.2f}", f"{rate:.0f}", f"{1e3 * used_s / len(lines):.2f}"]
            )
    size = sum(map(len, lines)) / len(lines) / 1_024
    say(
        f"{len(lines)} cases of {size:.0f} KiB on average; {cores} cores, load {os.getloadavg()[0]:.1f}\n"
    )
    say_table(["workers", "wall s", "cases/s", "processor ms per case"], rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
