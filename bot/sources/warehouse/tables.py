"""Which relations the warehouse has, with their columns: a schema is listed once for all of its datasets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from bot.ports import BotError
from bot.sources.warehouse.dialects import Warehouse
from bot.sources.warehouse.failures import QueryError
from bot.sources.warehouse.queries import Queries
from bot.sources.warehouse.relation import RelationName, parse_relation
from bot.sources.warehouse.statements import columns_of
from rca.case import Column

HOLDS: Final = timedelta(seconds=30)  # ours: as long as one round of polls takes
MOST_LISTED: Final = 20_000  # columns of one schema; a larger one is asked about table by table
MOST_OFFERED: Final = 50_000  # columns of the whole warehouse, for discover
MOST_COLUMNS: Final = 2_000  # of one table; the widest warehouse allows about as many
MAX_NAME: Final = 1_000  # characters, as in a case


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A relation by the exact names that the warehouse has for it."""

    parts: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def title(self) -> str:
        """Schema and table, as people say it."""
        return ".".join(self.parts[-2:])

    def column(self, name: str) -> Column:
        """Return the column of this name, in any case when none has exactly this one.

        Raises:
            QueryError: there is none, or several differ only in their case.
        """
        exact = [each for each in self.columns if each.name == name]
        alike = [each for each in self.columns if each.name.casefold() == name.casefold()]
        found = exact or alike
        if len(found) != 1:
            problem = "has no column" if not found else "has several columns"
            raise QueryError(f"{self.title} {problem} {name[:100]!r}")
        return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    at: datetime
    tables: tuple[Table, ...] | None  # None: too many to list


@dataclass(slots=True, kw_only=True)
class Tables:
    """The relations of one warehouse."""

    warehouse: Warehouse
    queries: Queries
    listings: dict[tuple[str, str], _Listing] = field(default_factory=dict)
    locks: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)

    async def find(self, written: str, now: datetime) -> Table:
        """Return the relation that *written* names, as it is now or was a moment ago.

        Raises:
            QueryError: there is none, or several; or the warehouse did not answer.
        """
        name = self._parsed(written)
        tables = await self._listed(name, now) if name.schema is not None else None
        if tables is None:
            query = columns_of(self.warehouse, name, one_table=True, limit=MOST_COLUMNS)
            tables = _tables(await self.queries.run(query))
        return _the_one(name, tables)

    async def everything(self) -> tuple[Table, ...]:
        """Return every relation that is not the warehouse's own, of at most ``MOST_OFFERED`` columns.

        Raises:
            QueryError: the warehouse did not answer.
        """
        query = columns_of(self.warehouse, None, one_table=False, limit=MOST_OFFERED)
        rows = await self.queries.run(query)
        tables = _tables(rows)
        return tables[:-1] if len(rows) == MOST_OFFERED else tables  # the last may be cut off

    def _parsed(self, written: str) -> RelationName:
        try:
            name = parse_relation(written)
        except BotError as error:
            raise QueryError(str(error)) from None
        parts = [part.text for part in (name.database, name.schema, name.table) if part]
        if self.warehouse.quote == "`" and any("`" in text or "\\" in text for text in parts):
            raise QueryError(f"the relation {written[:100]!r} has a part that cannot be a name")
        if self.warehouse.below_schema and name.schema is None:
            raise QueryError(f"write the relation {written[:100]!r} as project.dataset.table")
        return name

    async def _listed(self, name: RelationName, now: datetime) -> tuple[Table, ...] | None:
        """All relations of the name's schema, asked for once by all who want them at a time."""
        schema = name.schema.text if name.schema else ""
        key = ((name.database.text if name.database else "").lower(), schema.lower())
        async with self.locks.setdefault(key, asyncio.Lock()):
            known = self.listings.get(key)
            if known is None or not timedelta(0) <= now - known.at < HOLDS:
                query = columns_of(self.warehouse, name, one_table=False, limit=MOST_LISTED)
                rows = await self.queries.run(query)
                tables = _tables(rows) if len(rows) < MOST_LISTED else None
                known = self.listings[key] = _Listing(at=now, tables=tables)
            return known.tables


def _tables(rows: Iterable[tuple[Any, ...]]) -> tuple[Table, ...]:
    found = []
    for key, columns in groupby(rows, key=lambda row: (row[0], row[1], row[2])):
        named = (
            Column(name=str(row[3])[:MAX_NAME], type=None if row[4] is None else str(row[4]))
            for row in columns
            if row[3]
        )
        found.append(Table(parts=tuple(str(part) for part in key if part), columns=tuple(named)))
    return tuple(found)


def _the_one(name: RelationName, tables: Iterable[Table]) -> Table:
    """The relation that is called exactly so, else the only one that is when case does not count."""
    wanted = [part.text for part in (name.database, name.schema, name.table) if part]
    alike = [t for t in tables if _tail(t, wanted, str.lower) == [p.lower() for p in wanted]]
    exact = [t for t in alike if _tail(t, wanted, str) == wanted]
    found = exact if len(exact) == 1 else alike
    if not found:
        raise QueryError(
            f"there is no relation {name.written[:100]!r}, or its columns may not be seen"
        )
    if len(found) > 1:
        which = ", ".join(table.title for table in found[:3])
        raise QueryError(f"{name.written[:100]!r} may be any of {which}")
    return found[0]


def _tail(table: Table, wanted: list[str], case: Any) -> list[str]:  # noqa: ANN401 - str or str.lower
    return [case(part) for part in table.parts[-len(wanted) :]]
