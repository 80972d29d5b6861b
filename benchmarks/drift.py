"""Shifted shares: false alarms, power and time of the engine's drift score, beside other rules and Evidently.

A dimension's history is four weeks; the rule under test sees the pooled history and the current day. Real shares are
flights by carrier, origin, destination and hour; what is injected, is injected into a real clean day.
Evidently's time is measured where Evidently is installed (``--only-time`` is for such an environment).
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial.distance import jensenshannon  # type: ignore[import-untyped]  # scipy ships no types
from scipy.stats import chi2_contingency  # type: ignore[import-untyped]  # scipy ships no types

from benchmarks import drift_table, drift_time, evidently_rival
from benchmarks.drift_task import EVIDENTLY_DISTANCE, NOMINAL, SEED, view_of, zipf
from benchmarks.flights import DAYS, load
from benchmarks.table import say, say_table, share
from rca.shift_reading import CAP, read_shift, weight_of
from rca.stats.divergence import Counts

HISTORY: Final = 28  # days
NULLS: Final = 300  # pairs of windows without any drift
NULL_SIZES: Final = ((10, 1_000), (10, 100_000), (1_000, 1_000), (1_000, 100_000), (10_000, 10_000))
HEALTHY: Final = 7_200  # dimensions for each number of values and of older windows
HEALTHY_VALUES: Final = (2, 3, 5, 8, 20, 60)
HEALTHY_WINDOWS: Final = (3, 4, 8, 14, 28)
HEALTHY_ROWS: Final = (300, 3_000, 30_000)
STEEPNESS: Final = (1.0, 0.3)  # Zipf's exponent
STRAYING: Final = (0.0, 0.1, 0.2)  # standard deviation of the logarithm of a share from day to day
STORMY_BELOW: Final = 0.95  # share of the usual flights of that weekday
SPEED_VALUES: Final = (10, 1_000, 100_000)
SPEED_ROWS: Final = 1_000_000
LIMIT_S: Final = 60.0  # of the processor

Score = Callable[[Counts, Counts], float]
"""(a row of counts per day of the history, counts of the judged day) -> a score; the larger, the more they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A score and the bound above which it raises an alarm."""

    score: Score
    bound: float


def weight(history: Counts, current: Counts) -> float:
    """Return the weight of the shift as the engine takes it, in ln units; above 0 more likely a fault than not.

    No less than -CAP: bounds are learnt between weights, and there is nothing between a number and infinity.
    """
    shift = read_shift(view_of(history, current))
    return max(-CAP, weight_of(shift.beyond, shift.fold()))


def distance(history: Counts, current: Counts) -> float:
    """Return the Jensen-Shannon distance to the pooled history, natural logarithm: Evidently's score."""
    return float(jensenshannon(history.sum(axis=0), current))


def surprise(history: Counts, current: Counts) -> float:
    """Return 1 less the chi-squared test's p-value of the two sets of counts."""
    table = np.stack([history.sum(axis=0), current])
    return 1.0 - float(chi2_contingency(table[:, table.sum(axis=0) > 0.0]).pvalue)


RULES: Final[Mapping[str, Rule]] = {
    "engine": Rule(score=weight, bound=0.0),
    "JS distance > .1": Rule(score=distance, bound=EVIDENTLY_DISTANCE),
    "chi-squared p < .01": Rule(score=surprise, bound=1.0 - NOMINAL),
}
"""The engine's bound is where a reading is as likely a fault as not: there its weight is 0."""


def _nulls(values: int, rows: int) -> list[str]:
    draw = np.random.default_rng(SEED)
    alarms = []
    for _ in range(NULLS):
        windows = draw.multinomial(rows, zipf(values), HISTORY + 1).astype(np.float64)
        alarms.append([r.score(windows[:-1], windows[-1]) > r.bound for r in RULES.values()])
    return [f"{values:,}", f"{rows:,}", *(share(rate) for rate in np.mean(alarms, axis=0).tolist())]


def _healthy(values: int) -> list[str]:
    """Return the share of false alarms by the engine's bound for each number of older windows."""
    draw = np.random.default_rng(SEED)
    kinds = list(itertools.product(HEALTHY_ROWS, STEEPNESS, STRAYING))
    told = []
    for windows in HEALTHY_WINDOWS:
        alarms = 0
        for rows, steepness, straying in kinds * (HEALTHY // len(kinds)):
            usual = np.arange(1, values + 1) ** -steepness
            shares = usual * np.exp(draw.normal(0.0, straying, (windows + 1, values)))
            sizes = rows * np.exp(draw.normal(0.0, 0.1, windows + 1))
            counts = draw.multinomial(
                sizes.astype(int), shares / shares.sum(axis=1, keepdims=True)
            ).astype(np.float64)
            alarms += weight(counts[:-1], counts[-1]) > 0.0
        told.append(f"{alarms / HEALTHY:.4f}")
    return [str(values), *told]


def halved(current: Counts, _draw: np.random.Generator) -> Counts:
    """Take away half of the value whose share is nearest to 5 %."""
    touched = current.copy()
    at = int(np.argmin(np.abs(current / current.sum() - 0.05)))
    touched[at] //= 2
    return touched


def vanished(current: Counts, _draw: np.random.Generator) -> Counts:
    """Take away the whole of the value whose share is nearest to 5 %."""
    touched = current.copy()
    touched[int(np.argmin(np.abs(current / current.sum() - 0.05)))] = 0.0
    return touched


def newcomer(current: Counts, draw: np.random.Generator) -> Counts:
    """Give two percent of the rows to a value that was never seen: the last, which is empty in every day."""
    touched = current.copy()
    moved = draw.binomial(current.astype(np.int64), 0.02)
    touched -= moved
    touched[-1] += moved.sum()
    return touched


def swapped(current: Counts, draw: np.random.Generator) -> Counts:
    """Move twenty points of share from the largest value to the second, as far as it has them."""
    touched = current.copy()
    first, second = np.argsort(-current)[:2]
    part = min(1.0, 0.2 * current.sum() / current[first])
    moved = draw.binomial(int(current[first]), part)
    touched[first] -= moved
    touched[second] += moved
    return touched


def _untouched(current: Counts, _draw: np.random.Generator) -> Counts:
    return current


EFFECTS: Final[Mapping[str, Callable[[Counts, np.random.Generator], Counts]]] = {
    "false": _untouched,
    "5 % value halved": halved,
    "5 % value gone": vanished,
    "new 2 % value": newcomer,
    "20 points swapped": swapped,
}


def _real(name: str, days: Sequence[Mapping[str, int]]) -> list[list[str]]:
    """Return one row per rule: its alarms on clean days, then on each effect, by its own bound and by a matched one."""
    values = sorted({value for day in days for value in day})
    counts = np.array([[*(day.get(v, 0) for v in values), 0] for day in days], dtype=np.float64)
    judged = [d for d in range(HISTORY, DAYS) if _is_clean(counts, d)]
    rows = []
    for rule_name, rule in RULES.items():
        draw = np.random.default_rng(SEED)
        scores = [
            np.array([rule.score(counts[d - HISTORY : d], effect(counts[d], draw)) for d in judged])
            for effect in EFFECTS.values()
        ]
        matched = float(np.quantile(scores[0], 1.0 - NOMINAL))
        pairs = [[share(float((s > b).mean())) for b in (rule.bound, matched)] for s in scores]
        rows.append([name, str(len(values)), rule_name, *(" / ".join(pair) for pair in pairs)])
    return rows


def _is_clean(counts: Counts, day: int) -> bool:
    alike = counts[day - HISTORY : day : 7].sum(axis=1)
    return float(counts[day].sum()) >= STORMY_BELOW * float(np.median(alike))


def main(argv: Sequence[str]) -> int:
    """Measure false alarms on drawn windows, then power on real days, then time."""
    parser = argparse.ArgumentParser(prog="benchmarks drift", description=__doc__)
    parser.add_argument(
        "--flights", metavar="FILE", help="the package file; fetched with pip when left out"
    )
    parser.add_argument(
        "--rows", type=int, default=SPEED_ROWS, help="rows of each window, for the time"
    )
    parser.add_argument("--only-time", action="store_true", help="leave out false alarms and power")
    parser.add_argument(
        "--values", type=int, nargs="*", default=SPEED_VALUES, help="distinct values, for the time"
    )
    parser.add_argument(
        "--limit-s",
        type=float,
        default=LIMIT_S,
        help="seconds of the processor for Evidently, then it is given up",
    )
    arguments = parser.parse_args(argv)
    if not arguments.only_time:
        _quality(arguments.flights)
    if not evidently_rival.is_installed():
        say("Evidently is not installed here: it is left out.\n")
    drift_time.tell(arguments.values, arguments.rows, arguments.limit_s)
    drift_table.tell(arguments.values, arguments.rows, arguments.limit_s)
    return 0


def _quality(path: str | None) -> None:
    say(
        f"Windows without any drift, {HISTORY} of history, Zipf's law: share of alarms in {NULLS}\n"
    )
    say_table(["values", "rows", *RULES], [_nulls(values, rows) for values, rows in NULL_SIZES])
    say(f"Healthy windows of few values: share of alarms in {HEALTHY}, by older windows\n")
    say_table(
        ["values", *map(str, HEALTHY_WINDOWS)], [_healthy(values) for values in HEALTHY_VALUES]
    )
    say(
        f"Real days, {HISTORY} of history: alarms by the rule's bound / by the bound with {NOMINAL:.0%} false ones\n"
    )
    shares = load(path).shares
    rows = [row for name, days in shares.items() for row in _real(name, days)]
    say_table(["dimension", "values", "rule", *EFFECTS], rows)


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
