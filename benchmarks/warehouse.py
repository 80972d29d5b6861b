"""Counting in the warehouse: the source's query beside the GROUP BY a person would write, on a million rows.

DuckDB in a file of its own; PostgreSQL too when ``--postgres`` names a database that may be filled. Both queries
count thirty days by one dimension; ours also ranks the values, folds the rare ones and bounds the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from benchmarks.table import say, say_table
from bot.sources.warehouse.dialects import parse_address
from bot.sources.warehouse.queries import Queries, open_queries
from bot.sources.warehouse.statements import rows_per_value, rows_per_window, value_of
from bot.sources.warehouse.windows import TimeKind, bound

ROWS: Final = 1_000_000
DAYS: Final = 30
ROUNDS: Final = 5
MOST: Final = 1_000
LIMIT_S: Final = 300.0
TABLE: Final = "rca_bench_orders"
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
FILL: Final = """
CREATE TABLE rca_bench_orders AS SELECT
  timestamp '2026-01-01' + i * interval '2.592 seconds' AS seen_at,
  'country ' || cast(i % 40 AS varchar) AS country,
  'note ' || cast((cast(i AS bigint) * 7919) % 100000 AS varchar) AS note
FROM generate_series(0, {last}) AS g(i)
"""


def bare(column: str | None) -> Any:  # noqa: ANN401 - text of our own, run as a query
    """Return the query as a person would write it."""
    keys = f", {column}" if column else ""
    return sa.text(
        f"SELECT date_trunc('day', seen_at){keys}, count(*) FROM {TABLE} "  # noqa: S608 - our own names
        f"WHERE seen_at >= '2026-01-01' AND seen_at < '2026-01-31' GROUP BY date_trunc('day', seen_at){keys}"
    )


def ours(column: str | None) -> sa.Select[Any]:
    """Return the source's query."""
    instants = [START + timedelta(days=n) for n in range(DAYS + 1)]
    bounds = [bound(instant, TimeKind.NAIVE, ZoneInfo("UTC")) for instant in instants]
    if column is None:
        return rows_per_window((TABLE,), "seen_at", TimeKind.NAIVE, bounds)
    values = [value_of(column, "varchar")]
    return rows_per_value((TABLE,), "seen_at", TimeKind.NAIVE, bounds, values, most=MOST)


async def _fastest_s(queries: Queries, query: Any) -> tuple[float, int]:  # noqa: ANN401 - either query
    spans, rows = [], 0
    for _ in range(ROUNDS):
        begun = perf_counter()
        rows = len(await queries.run(query))
        spans.append(perf_counter() - begun)
    return min(spans), rows


async def _measure(url: str) -> list[list[str]]:
    address = parse_address(url, "benchmarks")
    found = []
    async with open_queries(address, 1, LIMIT_S) as queries:
        for column in (None, "country", "note"):
            person, person_rows = await _fastest_s(queries, bare(column))
            source, source_rows = await _fastest_s(queries, ours(column))
            title = f"{address.warehouse.title}, {column or 'rows alone'}"
            cells = [f"{person:.3f}", f"{source:.3f}", f"{source / person:.1f}"]
            found.append([title, *cells, f"{person_rows:,}", f"{source_rows:,}"])
    return found


async def _on_duckdb(rows: int) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"duckdb:///{Path(folder) / 'bench.duckdb'}"
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(FILL.format(last=rows - 1))
        engine.dispose()
        return await _measure(url)


async def _on_postgres(url: str, rows: int) -> list[list[str]]:
    import asyncpg  # noqa: PLC0415 - only when PostgreSQL is measured

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(FILL.format(last=rows - 1))
        await connection.execute(f"ANALYZE {TABLE}")
        return await _measure(url)
    finally:
        await connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
        await connection.close()


def main(argv: Sequence[str]) -> int:
    """Measure both queries and print their ratio."""
    parser = argparse.ArgumentParser(prog="benchmarks warehouse", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--postgres", metavar="URL", help="a database that may be filled")
    arguments = parser.parse_args(argv)
    table = asyncio.run(_on_duckdb(arguments.rows))
    if arguments.postgres:
        table += asyncio.run(_on_postgres(arguments.postgres, arguments.rows))
    say(f"{arguments.rows:,} rows, {DAYS} days, the fastest of {ROUNDS}, in seconds\n")
    say_table(["", "a person's", "ours", "ratio", "rows back", "ours"], table)
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
