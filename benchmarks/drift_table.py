"""Shifted shares from a table in a DuckDB file to a score: the warehouse source's way, Evidently's and SciPy's.

Every way starts at the same closed file and ends at a score; ours also names the ten top movers. What is installed is
imported, and each way has run once, before the clock starts; the ways take turns, so that load hits all of them.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from benchmarks import evidently_rival
from benchmarks.drift_task import (
    DAY,
    SEED,
    START,
    Verdict,
    beside,
    by_distance,
    by_engine,
    by_test,
    of_evidently,
    zipf,
)
from benchmarks.table import say, say_table
from bot.sources.warehouse.counting import Clock, Subject, facts_of, query_of
from bot.sources.warehouse.dialects import parse_address
from bot.sources.warehouse.options import WarehouseOptions
from bot.sources.warehouse.queries import Queries, open_queries
from bot.sources.warehouse.tables import Table
from bot.sources.warehouse.windows import TimeKind, Window
from rca.case import Column, DimensionProfile
from rca.stats.divergence import Counts
from rca.view.dimensions import read_dimensions

THREADS: Final = (1, 2)  # DuckDB's, for every way
ROUNDS: Final = 7
EVIDENTLY_ROUNDS: Final = 3
LIMIT_S: Final = 300.0
KEPT: Final = int(WarehouseOptions.model_fields["max_values"].default)
SCIPY: Final = "SciPy's"
DAYS: Final = tuple(Window(start=START + n * DAY, end=START + (n + 1) * DAY) for n in range(2))
TABLE: Final = Table(
    parts=("main", "orders"),
    columns=(
        Column(name="seen_at", type="TIMESTAMP"),
        Column(name=evidently_rival.COLUMN, type="VARCHAR"),
    ),
)
CLOCK: Final = Clock(column="seen_at", kind=TimeKind.NAIVE, zone=ZoneInfo("UTC"))
SUBJECT: Final = Subject(tenant_id="t", dataset="orders", columns=(evidently_rival.COLUMN,))
FILL: Final = """
INSERT INTO orders
SELECT timestamp '2026-01-01' + to_microseconds(CAST((row_number() OVER () - 1) * ? AS BIGINT)), 'v' || code
FROM read_csv(?, header = true)
"""
COLUMN_OF_A_DAY: Final = "SELECT value FROM orders WHERE seen_at >= ? AND seen_at < ?"
COUNTS_OF_A_DAY: Final = (
    "SELECT value, count(*) AS number FROM orders WHERE seen_at >= ? AND seen_at < ? GROUP BY value"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A verdict, and when (on the performance counter) all that it is made of had arrived from the file."""

    verdict: Verdict
    fetched_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way from the file to a score, with what each round of it took, in seconds.

    ``worked`` is the processor's time, all threads together: other programs on the machine hardly change it.
    """

    title: str
    rounds: int
    call: Callable[[], Awaitable[Found]]
    spans: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    fetches: list[float] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    async def once(self, *, counted: bool) -> None:
        """Take the way; note what it took when *counted*."""
        begun, idle = perf_counter(), process_time()
        found = await self.call()
        if counted:
            self.spans.append(perf_counter() - begun)
            self.worked.append(process_time() - idle)
            self.fetches.append(found.fetched_at - begun)
            self.verdicts.append(found.verdict)


def _fill(path: str, values: int, rows: int) -> None:
    """Write a table of two days, *rows* rows each, drawn from the same shares; the file is closed afterwards."""
    codes = np.random.default_rng(SEED).choice(values, 2 * rows, p=zipf(values))
    text = Path(path).with_suffix(".csv")
    text.write_text("code\n" + "\n".join(map(str, codes.tolist())) + "\n")
    with duckdb.connect(path) as file:
        file.execute("CREATE TABLE orders (seen_at TIMESTAMP, value VARCHAR)")
        file.execute(FILL, [DAY / timedelta(microseconds=1) / rows, str(text)])
    text.unlink()


async def _counted_by_us(
    queries: Queries, days: Sequence[Window], kept: int
) -> list[DimensionProfile]:
    """Ask what the warehouse source asks of *days*, and make its facts."""
    rows = await queries.run(query_of(SUBJECT, TABLE, CLOCK, days, kept))
    facts = [fact for fact, _ in facts_of(SUBJECT, days, rows).values()]
    return [fact for fact in facts if isinstance(fact, DimensionProfile)]


async def _ours(queries: Queries, kept: int, known: Sequence[DimensionProfile] = ()) -> Found:
    """Count the days that are not *known*, oldest first, and read all of them as the engine does."""
    profiles = [*known, *await _counted_by_us(queries, DAYS[len(known) :], kept)]
    fetched_at = perf_counter()
    (view,) = read_dimensions(profiles, DAYS[-1].end, DAYS[-1].end)
    return Found(verdict=by_engine(view), fetched_at=fetched_at)


@contextmanager
def _asked(path: str, threads: int, query: str) -> Iterator[list[Any]]:
    """Yield what *query* finds in each day, not fetched yet."""
    config: dict[str, Any] = {"threads": threads}
    with duckdb.connect(path, read_only=True, config=config) as file:
        spans = [[day.start.replace(tzinfo=None), day.end.replace(tzinfo=None)] for day in DAYS]
        yield [file.sql(query, params=span) for span in spans]


def evidently(path: str, threads: int, fetch: str, *, alone: bool) -> Found:
    """Score by Evidently: fetch both days' column as tables, then a report or only its function."""
    with _asked(path, threads, COLUMN_OF_A_DAY) as days:
        before, now = (evidently_rival.FETCHES[fetch](day) for day in days)
    fetched_at = perf_counter()
    if alone:
        score = evidently_rival.score_alone(before, now)
    else:
        score = evidently_rival.report(*map(evidently_rival.dataset, (before, now)))
    return Found(verdict=of_evidently(score), fetched_at=fetched_at)


def _counted(path: str, threads: int) -> tuple[Counts, Counts]:
    """Count both days by the query a person would write, and put the counts of a value beside one another."""
    with _asked(path, threads, COUNTS_OF_A_DAY) as days:
        found = [day.fetchnumpy() for day in days]
    first, second = ((day["value"].tolist(), day["number"]) for day in found)
    return beside(first, second)


def _scipy_distance(path: str, threads: int) -> Found:
    before, now = _counted(path, threads)
    fetched_at = perf_counter()
    return Found(verdict=by_distance(before, now), fetched_at=fetched_at)


def _scipy_chi2(path: str, threads: int) -> Found:
    before, now = _counted(path, threads)
    fetched_at = perf_counter()
    return Found(verdict=by_test(before, now), fetched_at=fetched_at)


async def _at_once(call: Callable[[], Found]) -> Found:
    return call()


@asynccontextmanager
async def _our_ways(path: str, threads: int, values: int) -> AsyncIterator[list[Way]]:
    address = parse_address(f"duckdb:///{path}?threads={threads}", "benchmarks")
    async with open_queries(address, 1, LIMIT_S) as queries:
        calls: dict[str, Callable[[], Awaitable[Found]]] = {
            f"ours, {KEPT:,} values kept": partial(_ours, queries, KEPT)
        }
        if values > KEPT:
            calls["ours, all kept"] = partial(_ours, queries, values)
        known = await _counted_by_us(queries, DAYS[:1], KEPT)
        calls["ours on the next day: the older one is counted"] = partial(
            _ours, queries, KEPT, known
        )
        yield [Way(title=title, rounds=ROUNDS, call=call) for title, call in calls.items()]


def _rival_ways(path: str, threads: int, able: Sequence[tuple[str, bool]]) -> list[Way]:
    scipy = {
        f"{SCIPY} distance, a person's `GROUP BY`": _scipy_distance,
        f"{SCIPY} chi-squared test, a person's `GROUP BY`": _scipy_chi2,
    }
    calls: dict[str, Callable[[], Found]] = {
        _title(fetch, alone=alone): partial(evidently, path, threads, fetch, alone=alone)
        for fetch, alone in able
    }
    calls |= {title: partial(call, path, threads) for title, call in scipy.items()}
    return [
        Way(
            title=title,
            rounds=EVIDENTLY_ROUNDS if title.startswith("Evidently") else ROUNDS,
            call=partial(_at_once, call),
        )
        for title, call in calls.items()
    ]


def _title(fetch: str, *, alone: bool) -> str:
    return f"Evidently's {'function alone' if alone else 'report'}, {fetch}"


async def _measure(
    path: str, threads: int, values: int, able: Sequence[tuple[str, bool]]
) -> list[list[str]]:
    """Let all ways take turns and return a row for each: seconds, of which fetching, and by how many times ours."""
    async with _our_ways(path, threads, values) as ours:
        ways = [*ours, *_rival_ways(path, threads, able)]
        for round_ in range(-1, ROUNDS):
            for way in ways:
                if round_ < way.rounds:
                    await way.once(counted=round_ >= 0)
    counting = min(median(way.fetches) for way in ways if way.title.startswith(SCIPY))
    return [_row(way, ours, counting) for way in ways]


def _row(way: Way, ours: Sequence[Way], counting: float) -> list[str]:
    took, worked = median(way.spans), median(way.worked)
    return [
        way.title,
        *(f"{seconds:.3f}" for seconds in (took, median(way.fetches), min(way.spans), worked)),
        _times(took, (median(our.spans) for our in ours)),
        _times(min(way.spans), (min(our.spans) for our in ours)),
        _times(worked, (median(our.worked) for our in ours)),
        _times(took, [counting]),
        f"{way.verdicts[-1].score:.4f}, {'yes' if way.verdicts[-1].drifted else 'no'}",
    ]


def _times(theirs: float, ours: Iterable[float]) -> str:
    return " / ".join(f"{theirs / each:.1f}" for each in ours)


HEAD: Final = (
    "from the file to a score",
    "seconds",
    "of which fetching",
    "fastest",
    "of the processor",
    "times ours",
    "fastest to fastest",
    "processor to processor",
    "times opening the file and counting alone",
    "score, drift",
)


def _able(path: str, limit_s: float) -> list[tuple[str, bool]]:
    """Return which of Evidently's ways come to an end in time, and say which do not."""
    if not evidently_rival.is_installed():
        return []
    found = []
    for fetch in evidently_rival.FETCHES:
        for alone in (False, True):
            call = partial(evidently, path, 1, fetch, alone=alone)
            if evidently_rival.finishes(call, limit_s=limit_s):
                found.append((fetch, alone))
            else:
                title = _title(fetch, alone=alone)
                say(
                    f"{title}: no result after {limit_s:g} s of the processor, killed; imports included\n"
                )
    return found


def tell(values: Sequence[int], rows: int, limit_s: float) -> None:
    """Measure every way for each number of distinct values and each number of threads, and print them."""
    for distinct in values:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "orders.duckdb")
            _fill(path, distinct, rows)
            able = _able(path, limit_s)
            for threads in THREADS:
                load = os.getloadavg()[0]
                table = asyncio.run(_measure(path, threads, distinct, able))
                say(
                    f"{distinct:,} values, 2 x {rows:,} rows, DuckDB with {threads} of its threads, "
                    f"load {load:.1f} before: medians of {ROUNDS}, Evidently's of {EVIDENTLY_ROUNDS}\n"
                )
                say_table(HEAD, table)
