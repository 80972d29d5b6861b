"""How long the drift task takes from two windows in memory: the same pandas tables for ours, SciPy and Evidently.

The tables are built beforehand, for all. Every way has run once before the clock starts, may use both cores, and ends
at a score and a verdict; ours also names the top movers. The ways take turns, so that load hits all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np

from benchmarks import evidently_rival
from benchmarks.drift_counting import COUNTERS, counted
from benchmarks.drift_task import (
    TOP,
    Verdict,
    beside,
    by_distance,
    by_test,
    from_counts,
    of_evidently,
    windows,
)
from benchmarks.table import say, say_table
from rca.stats.divergence import Counts

ROUNDS: Final = 7
EVIDENTLY_ROUNDS: Final = 3
OURS: Final = "ours"
COUNTING: Final = "counting alone, "
REPORT: Final = "Evidently's report"
ALONE: Final = "Evidently's function alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the rounds of one way took, in seconds by the clock and of the processor, and what it said last."""

    clock: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    said: list[object] = field(default_factory=list)

    def once(self, call: Callable[[], object]) -> None:
        """Take the way once."""
        begun, idle = perf_counter(), process_time()
        said = call()
        self.clock.append(perf_counter() - begun)
        self.worked.append(process_time() - idle)
        self.said.append(said)


def take_turns(calls: Mapping[str, Callable[[], object]]) -> dict[str, Spent]:
    """Let the ways take turns and return what each took."""
    spent = {name: Spent() for name in calls}
    for round_ in range(-1, ROUNDS):
        for name, call in calls.items():
            if round_ < 0:
                call()
            elif round_ < EVIDENTLY_ROUNDS or not name.startswith("Evidently"):
                spent[name].once(call)
    return spent


def _frames(form: str, values: int, rows: int) -> tuple[Any, Any]:
    before, now = (evidently_rival.FRAMES[form](codes) for codes in windows(values, rows))
    return before, now


def evidently(form: str, values: int, rows: int) -> float:
    """Make the windows in one of the forms and score them by Evidently's report."""
    return evidently_rival.report(*map(evidently_rival.dataset, _frames(form, values, rows)))


def _calls(form: str, values: int, rows: int, limit_s: float) -> dict[str, Callable[[], object]]:
    """Return every way from the same two tables, by name."""
    frames = _frames(form, values, rows)
    counters = COUNTERS[form]
    fast, plain = next(iter(counters.values())), counters["pandas value_counts"]
    calls: dict[str, Callable[[], object]] = {
        OURS: lambda: from_counts(*counted(fast, *frames)),
        "SciPy's distance": lambda: by_distance(*counted(plain, *frames)),
        "SciPy's chi-squared test": lambda: by_test(*counted(plain, *frames)),
    }
    calls |= {f"{COUNTING}{name}": partial(counted, count, *frames) for name, count in counters.items()}  # fmt: skip
    if evidently_rival.finishes(evidently, form, values, rows, limit_s=limit_s):
        sets = tuple(map(evidently_rival.dataset, frames))
        calls[REPORT] = lambda: of_evidently(evidently_rival.report(*sets))
        calls[ALONE] = lambda: of_evidently(evidently_rival.score_alone(*frames))
    return calls


HEAD: Final = (
    "two tables in memory, as",
    "ours, s",
    "counting alone by the fastest, s",
    "Evidently's report, s",
    "times ours",
    "of the processor",
    "times counting alone",
    "its function alone",
    "SciPy's distance",
    "SciPy's chi-squared test",
    "score, drift",
)


def _row(form: str, spent: Mapping[str, Spent]) -> list[str]:
    took = {name: median(each.clock) for name, each in spent.items()}
    worked = {name: median(each.worked) for name, each in spent.items()}
    counting = min((name for name in took if name.startswith(COUNTING)), key=took.__getitem__)
    return [
        form,
        f"{took[OURS]:.4f}",
        f"{took[counting]:.4f} ({counting.removeprefix(COUNTING)})",
        f"{took[REPORT]:.3f}" if REPORT in took else "too long",
        _times(took, REPORT, OURS),
        _times(worked, REPORT, OURS),
        _times(took, REPORT, counting),
        *(_times(took, n, OURS) for n in (ALONE, "SciPy's distance", "SciPy's chi-squared test")),
        "; ".join(dict.fromkeys(_said(each) for n, each in spent.items() if n in (OURS, REPORT))),
    ]


def _times(took: Mapping[str, float], theirs: str, ours: str) -> str:
    return f"{took[theirs] / took[ours]:.1f}" if theirs in took else "-"


def _said(spent: Spent) -> str:
    last = spent.said[-1]
    return f"{last.score:.4f}, {'yes' if last.drifted else 'no'}" if isinstance(last, Verdict) else ""  # fmt: skip


def _from_counts(values: int, rows: int, limit_s: float) -> list[str]:
    """Return seconds from two windows' counts by value, as a case holds them: ours, SciPy's and Evidently's.

    Evidently reads rows only, so the counts are made rows again, in each form that it reads.
    """
    first, second = (_held(codes, values) for codes in windows(values, rows))
    calls: dict[str, Callable[[], object]] = {
        judge.__name__: partial(_judged, judge, first, second)
        for judge in (from_counts, by_distance, by_test)
    }
    rivals = [f"Evidently, {form}" for form in _expandable()]
    for name, form in zip(rivals, _expandable(), strict=True):
        if evidently_rival.finishes(_expanded, form, first, second, limit_s=limit_s):
            calls[name] = partial(_expanded, form, first, second)
    took = {name: median(each.clock) for name, each in take_turns(calls).items()}
    ended = [took[name] for name in rivals if name in took]
    told = (from_counts.__name__, by_distance.__name__, by_test.__name__, *rivals)
    return [
        f"{values:,}",
        *(f"{took[name]:.5f}" if name in took else "too long" for name in told),
        f"{min(ended) / took[from_counts.__name__]:,.0f}" if ended else "-",
    ]


def _expandable() -> tuple[str, ...]:
    return tuple(evidently_rival.EXPANDED) if evidently_rival.is_installed() else ()


def _held(codes: Any, values: int) -> dict[str, int]:  # noqa: ANN401 - NumPy's integers
    counts = np.bincount(codes, minlength=values).tolist()
    return {f"v{code}": count for code, count in enumerate(counts) if count}


def _judged(
    judge: Callable[[Counts, Counts], Verdict], first: Mapping[str, int], second: Mapping[str, int]
) -> Verdict:
    sides = ((list(side), list(side.values())) for side in (first, second))
    return judge(*beside(*sides))


def _expanded(form: str, first: Mapping[str, int], second: Mapping[str, int]) -> Verdict:
    expand = evidently_rival.EXPANDED[form]
    before, now = (evidently_rival.dataset(expand(side)) for side in (first, second))
    return of_evidently(evidently_rival.report(before, now))


def tell(values: Sequence[int], rows: int, limit_s: float) -> None:
    """Measure from counts, then from each form of table for each number of distinct values, and print them."""
    say(f"Seconds from counts of 2 x {rows:,} rows; ours with the top {TOP} movers\n")
    head = ["values", "ours", "SciPy's distance", "SciPy's chi-squared test"]
    head += [f"{REPORT}, made {form}" for form in _expandable()] + ["least of them, times ours"]
    say_table(head, [_from_counts(distinct, rows, limit_s) for distinct in values])
    for distinct in values if evidently_rival.is_installed() else ():
        say(
            f"{distinct:,} values, 2 x {rows:,} rows in memory, by the clock; "
            f"medians of {ROUNDS}, Evidently's of {EVIDENTLY_ROUNDS}\n"
        )
        forms = evidently_rival.FRAMES
        table = [_row(form, take_turns(_calls(form, distinct, rows, limit_s))) for form in forms]
        say_table(HEAD, table)
