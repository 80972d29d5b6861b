"""The queries: which columns there are, and how many rows per window and value; compiled by each dialect.

Nothing here is glued: names are elements that the dialect's own preparer quotes, instants are bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.sql.selectable import FromClause

from bot.sources.warehouse.dialects import Warehouse
from bot.sources.warehouse.relation import RelationName
from bot.sources.warehouse.windows import TimeKind

MAX_VALUE: Final = 200  # characters of a value; what differs only after them is one value
BUCKET: Final = "rca_window"
ROWS: Final = "rca_rows"
REST: Final = "rca_rest"

Bounds = Sequence[date | datetime]
_TYPES: Final[dict[TimeKind, sa.types.TypeEngine[Any]]] = {
    TimeKind.DATE: sa.Date(),
    TimeKind.NAIVE: sa.DateTime(),
    TimeKind.AWARE: sa.TIMESTAMP(timezone=True),
}


class Qualified(sa.TableClause):
    """A table by all parts of its name; each is quoted by itself, so that no dot or quote in one can end it."""

    inherit_cache = False

    def __init__(self, parts: Sequence[str], *columns: str) -> None:
        super().__init__(parts[-1], *(sa.column(name) for name in columns))
        self.parts = tuple(parts)


@compiles(Qualified)
def _compile_qualified(element: Qualified, compiler: SQLCompiler, **_: object) -> str:
    return ".".join(compiler.preparer.quote_identifier(part) for part in element.parts)


def named(column: str) -> ColumnElement[Any]:
    """Return a column by its exact name, quoted whatever it is."""
    return sa.column(quoted_name(column, quote=True))


# ── which columns there are ───────────────────────────────────────────────────────────────────────────────


def columns_of(
    warehouse: Warehouse, name: RelationName | None, *, one_table: bool, limit: int
) -> sa.Select[Any]:
    """Return the query of (database, schema, table, column, type), in the order of the columns.

    Args:
        warehouse: the kind of warehouse.
        name: the relation looked for; None: every relation that is not the warehouse's own.
        one_table: only the relation itself; otherwise all relations of its schema.
        limit: the most rows.
    """
    listed = _pg_columns() if warehouse.backend == "postgresql" else _view(warehouse, name)
    database, schema, table, position = (
        listed.c[key] for key in ("table_catalog", "table_schema", "table_name", "ordinal_position")
    )
    query = sa.select(database, schema, table, listed.c.column_name, listed.c.data_type)
    query = query.where(sa.func.lower(schema).not_in(warehouse.hides))
    if name is not None and one_table:
        query = query.where(sa.func.lower(table) == name.table.text.lower())
    if name is not None and name.schema is not None:
        query = query.where(sa.func.lower(schema) == name.schema.text.lower())
    if name is not None and name.database is not None:
        query = query.where(sa.func.lower(database) == name.database.text.lower())
    return query.order_by(schema, table, position).limit(limit)


_LISTED: Final = (
    "table_catalog", "table_schema", "table_name", "column_name", "data_type", "ordinal_position",
)  # fmt: skip


def _view(warehouse: Warehouse, name: RelationName | None) -> FromClause:
    outer = []
    if name is not None and warehouse.backend in ("snowflake", "bigquery", "databricks"):
        schema = (name.schema,) if warehouse.below_schema else ()
        outer = [
            part.in_case(warehouse.upper) for part in (name.database, *schema) if part is not None
        ]
    return Qualified((*outer, *warehouse.columns_view), *_LISTED).alias("listed")


def _pg_columns() -> FromClause:
    """The catalog itself: information_schema leaves out materialized views, and what may not be read."""
    relation = _pg("pg_class", "oid", "relname", "relnamespace", "relkind")
    space = _pg("pg_namespace", "oid", "nspname")
    attribute = _pg(
        "pg_attribute", "attrelid", "attname", "atttypid", "atttypmod", "attnum", "attisdropped"
    )
    return (
        sa.select(
            sa.func.current_database().label("table_catalog"),
            space.c.nspname.label("table_schema"),
            relation.c.relname.label("table_name"),
            attribute.c.attname.label("column_name"),
            sa.func.format_type(attribute.c.atttypid, attribute.c.atttypmod).label("data_type"),
            attribute.c.attnum.label("ordinal_position"),
        )
        .join_from(relation, space, space.c.oid == relation.c.relnamespace)
        .join(attribute, attribute.c.attrelid == relation.c.oid)
        .where(
            relation.c.relkind.in_([sa.literal_column(f"'{kind}'") for kind in "rvmfp"]),
            attribute.c.attnum > 0,
            sa.not_(attribute.c.attisdropped),
            sa.not_(space.c.nspname.like("pg\\_toast%")),
        )
        .subquery("listed")
    )


def _pg(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(each) for each in columns), schema="pg_catalog")


# ── how many rows ─────────────────────────────────────────────────────────────────────────────────────────


def rows_per_window(
    relation: Sequence[str], time_column: str, kind: TimeKind, bounds: Bounds
) -> sa.Select[Any]:
    """Return the query of (window, rows): window *i* begins at ``bounds[i]`` and ends before ``bounds[i + 1]``.

    Windows without rows are left out. Only rows between the first and the last bound are looked at.
    """
    inner = _placed(relation, time_column, kind, bounds, ()).subquery("rca_placed")
    bucket = inner.c[BUCKET]
    return sa.select(bucket, sa.func.count().label(ROWS)).group_by(bucket)


def rows_per_value(
    relation: Sequence[str],
    time_column: str,
    kind: TimeKind,
    bounds: Bounds,
    values: Sequence[ColumnElement[Any]],
    *,
    most: int,
) -> sa.Select[Any]:
    """Return the query of (window, value …, rest, rows): per window the *most* frequent combinations of values.

    The others of a window are one row, with rest = 1 and no values.
    """
    placed = _placed(relation, time_column, kind, bounds, values).subquery("rca_placed")
    keys = [placed.c[_key(i)] for i in range(len(values))]
    counted = (
        sa.select(placed.c[BUCKET], *keys, sa.func.count().label(ROWS))
        .group_by(placed.c[BUCKET], *keys)
        .subquery("rca_counted")
    )
    rank = sa.func.row_number().over(
        partition_by=counted.c[BUCKET],
        order_by=[counted.c[ROWS].desc(), *(counted.c[_key(i)] for i in range(len(values)))],
    )
    ranked = sa.select(counted, rank.label("rca_rank")).subquery("rca_ranked")
    kept = ranked.c.rca_rank <= _number(most)
    folded = sa.select(
        ranked.c[BUCKET],
        *(
            sa.case((kept, ranked.c[_key(i)]), else_=sa.null()).label(_key(i))
            for i in range(len(values))
        ),
        sa.case((kept, _number(0)), else_=_number(1)).label(REST),
        ranked.c[ROWS],
    ).subquery("rca_folded")
    keys = [folded.c[BUCKET], *(folded.c[_key(i)] for i in range(len(values))), folded.c[REST]]
    windows = len(bounds) - 1
    query = sa.select(*keys, sa.func.sum(folded.c[ROWS]).label(ROWS)).group_by(*keys)
    return query.limit(windows * (most + 1))


def value_of(column: str, type_name: str | None) -> ColumnElement[Any]:
    """Return a column's value as a text of at most ``MAX_VALUE`` characters; null stays null."""
    if (type_name or "").strip().lower() in ("bool", "boolean"):  # Redshift casts none to text
        truth: ColumnElement[Any] = sa.literal_column("'true'")
        return sa.case(
            (named(column), truth),
            (sa.not_(named(column)), sa.literal_column("'false'")),
            else_=sa.null(),
        )
    return sa.func.substring(sa.cast(named(column), sa.String()), _number(1), _number(MAX_VALUE))


def _placed(
    relation: Sequence[str],
    time_column: str,
    kind: TimeKind,
    bounds: Bounds,
    values: Sequence[ColumnElement[Any]],
) -> sa.Select[Any]:
    """The rows between the bounds, each with its window and its values.

    The windows are grouped by their names outside: drivers that number their parameters would not see that an
    expression in GROUP BY is the one that was selected.
    """
    time = named(time_column)
    at = [
        sa.bindparam(f"rca_at_{i}", value, type_=_TYPES[kind], unique=False)
        for i, value in enumerate(bounds)
    ]
    return (
        sa.select(
            _place(time, at, 0, len(bounds) - 1).label(BUCKET),
            *(value.label(_key(i)) for i, value in enumerate(values)),
        )
        .select_from(Qualified(relation))
        .where(time >= at[0], time < at[-1])
    )


def _place(
    time: ColumnElement[Any], at: Sequence[ColumnElement[Any]], first: int, last: int
) -> ColumnElement[Any]:
    """The window's number, found by halves: a zone's own midnights need no function of the dialect."""
    if last - first == 1:
        return _number(first)
    middle = (first + last) // 2
    return sa.case(
        (time < at[middle], _place(time, at, first, middle)), else_=_place(time, at, middle, last)
    )


def _number(number: int) -> ColumnElement[Any]:
    """A number of our own that the dialect writes as it is."""
    return sa.literal_column(str(int(number)), sa.Integer)


def _key(index: int) -> str:
    return f"rca_value_{index}"
