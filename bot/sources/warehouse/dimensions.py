"""Which columns make good dimensions, where the warehouse knows it without a scan: PostgreSQL's own statistics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from bot.sources.warehouse.failures import QueryError
from bot.sources.warehouse.queries import Queries

FEWEST: Final = 2  # values; a column of one value never shifts
MOST: Final = 50  # values; more make a long list on a card, and small counts
MOST_NULL: Final = 0.5  # share of rows without a value
PROPOSED: Final = 4  # dimensions of one table
MOST_ROWS: Final = 20_000  # of statistics
WORDS: Final = ("character varying", "text", "character", "boolean", "USER-DEFINED")
"""Types whose values are names of something; a number that has few values is rarely one."""

_STATS: Final = sa.table(
    "pg_stats",
    sa.column("schemaname"),
    sa.column("tablename"),
    sa.column("attname"),
    sa.column("n_distinct"),
    sa.column("null_frac"),
    schema="pg_catalog",
)
_COLUMNS: Final = sa.table(
    "columns",
    sa.column("table_schema"),
    sa.column("table_name"),
    sa.column("column_name"),
    sa.column("data_type"),
    schema="information_schema",
)


async def known_dimensions(queries: Queries) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of few values by (schema, table), those with the fewest values first.

    Empty where the statistics cannot be read: a proposal is worth no error. Only for PostgreSQL.
    """
    try:
        rows = await queries.run(_statement())
    except QueryError:
        return {}
    found: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for schema, table, column in rows:
        found[str(schema), str(table)].append(str(column))
    return {key: tuple(names[:PROPOSED]) for key, names in found.items()}


def _statement() -> sa.Select[tuple[str, str, str]]:
    s, c = _STATS.c, _COLUMNS.c
    same = sa.and_(
        c.table_schema == s.schemaname, c.table_name == s.tablename, c.column_name == s.attname
    )
    return (
        sa.select(s.schemaname, s.tablename, s.attname)
        .join_from(_STATS, _COLUMNS, same)
        .where(
            s.n_distinct.between(FEWEST, MOST),
            s.null_frac < MOST_NULL,
            c.data_type.in_(WORDS),
            s.schemaname.not_in(("pg_catalog", "information_schema")),
        )
        .order_by(s.schemaname, s.tablename, s.n_distinct, s.attname)
        .limit(MOST_ROWS)
    )
