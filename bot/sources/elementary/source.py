"""Elementary as a source: outcomes of tests, columns, and counts that its monitors have made already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import Field

from bot.catalog import parts_of
from bot.directory import EnvName
from bot.payloads import elementary
from bot.ports import Ask, BotError, Checked, Facts, Offer, Pace
from bot.sources.elementary.tables import COLUMNS, Rows, TableError, Tables, open_tables
from bot.sources.registry import Opening, Options, SourceKind
from rca.case import Dataset, FactKind, Hole

KINDS_OF: Final = {
    "elementary_test_results": (FactKind.DQ_RESULTS,),
    "schema_columns_snapshot": (FactKind.COLUMN_SNAPSHOTS,),
    "data_monitoring_metrics": (FactKind.VOLUME_HISTORY, FactKind.DIMENSION_PROFILES),
}
"""What each of Elementary's tables tells."""

LEFT_TO_TELL: Final = timedelta(seconds=5)  # of the read's time, beside its queries


class ElementaryOptions(Options):
    """Options of Elementary's tables.

    ``url_env`` names the environment variable that holds SQLAlchemy's URL of the warehouse. ``schema``: where
    Elementary's dbt package builds its models.
    """

    url_env: EnvName
    schema_name: str = Field(alias="schema", min_length=1, max_length=200)
    statement_timeout_s: float = Field(default=10.0, ge=0.1, le=600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementarySource:
    """One schema with Elementary's tables."""

    source_id: str
    tables: Tables
    url_env: str

    @property
    def name(self) -> str:
        """What people call it."""
        return f"Elementary ({self.source_id})"

    @property
    def gives(self) -> frozenset[FactKind]:
        """Outcomes, columns and counts."""
        return frozenset(kind for kinds in KINDS_OF.values() for kind in kinds)

    @property
    def pace(self) -> Pace:
        """Its tables change when dbt has run."""
        limit = timedelta(seconds=2 * self.tables.limit_s) + LEFT_TO_TELL
        return Pace(time_limit=limit, stale_after=timedelta(hours=6))

    def covers(self, dataset: Dataset) -> bool:
        """Return whether the dataset has a relation: that is what Elementary names."""
        return bool(parts_of(dataset.relation or ""))

    async def read(self, ask: Ask) -> Facts:
        """Return what Elementary had written by ``ask.as_of``; a monitor that never ran leaves a hole."""
        parts = parts_of(ask.dataset.relation or "")
        names = tuple(KINDS_OF)
        read = await asyncio.gather(*(self._rows(name, parts) for name in names))
        found: dict[str, object] = {}
        holes: list[Hole] = []
        for table, rows in zip(names, read, strict=True):
            if isinstance(rows, str):
                holes.extend(Hole(fact=kind, reason=rows) for kind in KINDS_OF[table])
                continue
            facts = await asyncio.to_thread(_facts, table, rows, ask)
            for kind, values in facts.items():
                if values or kind is FactKind.DQ_RESULTS:
                    found[kind.value] = values
                else:
                    reason = f"{self.name} has nothing in {table} about {ask.dataset.relation}"
                    holes.append(Hole(fact=kind, reason=reason))
        return Facts(found=found, holes=tuple(holes))

    async def _rows(self, table: str, parts: tuple[str, ...]) -> Rows | str:
        try:
            return await self.tables.of_relation(table, parts)
        except TableError as error:
            return self._asked(table, error)

    def _asked(self, table: str, error: TableError) -> str:
        url = self.tables.url
        place = f"{url.host or 'localhost'}/{url.database}" if url.host else "its database"
        return f"asked {self.name} at {place} for {self.tables.schema}.{table}: {error}"

    async def check(self) -> tuple[Checked, ...]:
        """Try to read a row of each table."""
        return tuple([await self._checked(table) for table in COLUMNS])

    async def _checked(self, table: str) -> Checked:
        what = f"{self.name} reads {self.tables.schema}.{table}"
        try:
            await self.tables.one(table)
        except TableError as error:
            fix = f"look at {self.url_env}, at the schema's name, and grant select on its tables"
            return Checked(what=what, problem=str(error), fix=fix)
        return Checked(what=what)

    async def offers(self) -> tuple[Offer, ...]:
        """Return every table that has a test, with its dbt node.

        Raises:
            BotError: the tables could not be read, and why.
        """
        try:
            rows = await self.tables.relations()
        except TableError as error:
            raise BotError(self._asked("elementary_test_results", error)) from None
        found: dict[str, str | None] = {}
        for row in rows:
            names = (row["database_name"], row["schema_name"], row["table_name"])
            relation = ".".join(name.casefold() for name in names if name)
            if row["table_name"]:
                found[relation] = found.get(relation) or row["model_unique_id"]
        return tuple(
            Offer(source_id=self.source_id, title=relation, relation=relation, dbt_node=node)
            for relation, node in sorted(found.items())
        )


def _facts(table: str, rows: Rows, ask: Ask) -> dict[FactKind, tuple[object, ...]]:
    if table == "elementary_test_results":
        return {FactKind.DQ_RESULTS: elementary.outcomes(rows, ask.since, ask.as_of)}
    if table == "schema_columns_snapshot":
        return {FactKind.COLUMN_SNAPSHOTS: elementary.snapshots(rows, ask.as_of)}
    volumes, profiles = elementary.counts(rows, ask.as_of)
    return {FactKind.VOLUME_HISTORY: volumes, FactKind.DIMENSION_PROFILES: profiles}


@asynccontextmanager
async def _open(opening: Opening) -> AsyncIterator[ElementarySource]:
    options: ElementaryOptions = opening.options
    where = f"sources.{opening.source_id}"
    url = opening.secret(options.url_env)
    tables = open_tables(url, options.schema_name, options.statement_timeout_s, where)
    try:
        yield ElementarySource(source_id=opening.source_id, tables=tables, url_env=options.url_env)
    finally:
        await tables.close()


SOURCE: Final = SourceKind(
    kind="elementary",
    about="outcomes of tests, columns and counts from the tables of Elementary's dbt package",
    options=ElementaryOptions,
    open=_open,
)
