"""The warehouse as a source: what it covers, how often it is asked, and what people hear who ask about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.directory import DatasetEntry, Directory
from bot.ports import Ask, BotError, Checked, Facts, Offer, Pace
from bot.sources.registry import Opening, SourceKind
from bot.sources.warehouse.counting import Subject, query_of
from bot.sources.warehouse.dialects import parse_address
from bot.sources.warehouse.dimensions import known_dimensions
from bot.sources.warehouse.failures import QueryError
from bot.sources.warehouse.options import Unit, WarehouseOptions
from bot.sources.warehouse.queries import open_queries
from bot.sources.warehouse.reading import GIVES, LEFT_TO_TELL, Reader
from bot.sources.warehouse.tables import Tables
from bot.sources.warehouse.windows import closed
from rca.case import Dataset, FactKind

QUERIES_PER_READ: Final = (
    2.0  # limits of one query that a whole read may take; the rest comes with the next
)
REACH: Final = {
    Unit.DAY: timedelta(days=90),  # the reach of a case
    Unit.HOUR: timedelta(
        days=14
    ),  # two of every weekday; a quarter of hours is more than is looked at
}
CHECKED_DATASETS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseSource:
    """One warehouse."""

    source_id: str
    reader: Reader
    directory: Directory

    @property
    def name(self) -> str:
        """What people call it."""
        return self.reader.name

    @property
    def gives(self) -> frozenset[FactKind]:
        """Columns and counts."""
        return GIVES

    @property
    def pace(self) -> Pace:
        """Counting costs the warehouse work: it is asked rarely, and not again for each alert of a storm."""
        return self.reader.pace

    def covers(self, dataset: Dataset) -> bool:
        """Return whether the dataset has a relation, and one of those that the options speak of."""
        if dataset.relation is None:
            return False
        relation = dataset.relation.lower()
        prefixes = [prefix.lower() for prefix in self.reader.options.relations]
        return not prefixes or any(relation.startswith(prefix) for prefix in prefixes)

    async def read(self, ask: Ask) -> Facts:
        """Return the columns, and the counts of windows that were over at ``ask.as_of``."""
        return await self.reader.read(ask)

    async def check(self) -> tuple[Checked, ...]:
        """Try to list columns, and of each dataset in the directory whether it can be counted."""
        entries = [entry for entry in self._entries() if self.covers(entry)]
        if not entries:
            return (await self._checked_alone(),)
        checks = (self._checked(entry) for entry in entries[:CHECKED_DATASETS])
        return tuple(await asyncio.gather(*checks))

    def _entries(self) -> Iterable[DatasetEntry]:
        entry = self.directory.sources.get(self.source_id)
        tenant = entry.tenant if entry else None
        return (each for each in self.directory.entries.values() if tenant in (None, each.tenant))

    async def _checked_alone(self) -> Checked:
        what = f"{self.name} at {self.reader.address.place} lists its relations"
        try:
            await self.reader.tables.everything()
        except QueryError as error:
            fix = f"look at the address in {self.reader.options.url_env}, and at the user's rights"
            return Checked(what=what, problem=str(error), fix=fix)
        return Checked(what=what)

    async def _checked(self, entry: DatasetEntry) -> Checked:
        """Whether rows of now can be counted: the columns are there, and may be read."""
        what = f"{self.name} at {self.reader.address.place} counts {entry.relation}"
        fix = f"look at datasets.{entry.name}, and at the rights of the user in {self.reader.options.url_env}"
        now = self.reader.now()
        try:
            table = await self.reader.tables.find(entry.relation or "", now)
            clock = self.reader.time_of(table, entry.name, entry.time_column)
            last = closed(
                self.reader.options.window,
                self.reader.options.time_zone,
                now - timedelta(days=2),
                now,
            )
            columns = {name for names in (entry.dimensions, *entry.segments) for name in names}
            wanted = tuple(sorted(columns))
            subject = Subject(tenant_id=entry.tenant, dataset=entry.name, columns=wanted)
            await self.reader.queries.run(query_of(subject, table, clock, last[-1:], 1))
        except QueryError as error:
            return Checked(what=what, problem=str(error), fix=fix)
        return Checked(what=what)

    async def offers(self) -> tuple[Offer, ...]:
        """Return the relations with their columns.

        Raises:
            BotError: the warehouse could not be asked, and why.
        """
        try:
            tables = await self.reader.tables.everything()
        except QueryError as error:
            raise BotError(self.reader.asked("its relations", error)) from None
        is_postgres = self.reader.address.warehouse.backend == "postgresql"
        few = await known_dimensions(self.reader.queries) if is_postgres else {}
        return tuple(
            Offer(
                source_id=self.source_id,
                title=table.title,
                relation=".".join(_written(part) for part in table.parts),
                columns=table.columns,
                dimensions=few.get(table.parts[-2:]),
            )
            for table in tables
        )


def _written(part: str) -> str:
    """A part of a name as a directory can hold it: in quotes when it holds what would end it."""
    plain = not set(part) & set('."`[]')
    return part if plain else '"' + part.replace('"', '""') + '"'


@asynccontextmanager
async def _open(opening: Opening) -> AsyncIterator[WarehouseSource]:
    options: WarehouseOptions = opening.options
    where = f"sources.{opening.source_id}"
    address = parse_address(opening.secret(options.url_env), where)
    limit_s = options.statement_timeout_s
    async with open_queries(address, options.max_queries, limit_s) as queries:
        reader = Reader(
            name=f"{address.warehouse.title} ({opening.source_id})",
            address=address,
            options=options,
            pace=_pace(options),
            queries=queries,
            tables=Tables(warehouse=address.warehouse, queries=queries),
            now=opening.clock,
        )
        yield WarehouseSource(
            source_id=opening.source_id, reader=reader, directory=opening.directory
        )


def _pace(options: WarehouseOptions) -> Pace:
    limit = timedelta(seconds=options.statement_timeout_s * QUERIES_PER_READ)
    poll_every = timedelta(seconds=options.poll_every_s)
    return Pace(
        time_limit=limit + 2 * LEFT_TO_TELL,
        fresh_for=timedelta(minutes=2),
        poll_every=poll_every,
        stale_after=max(timedelta(hours=6), 3 * poll_every),
        reach=REACH[options.window],
    )


SOURCE: Final = SourceKind(
    kind="warehouse",
    about="columns, and rows per day, dimension and segment, counted where they lie",
    options=WarehouseOptions,
    open=_open,
)
