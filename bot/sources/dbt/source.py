"""The source of facts behind a folder of dbt's artifacts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import Field

from bot.clock import Clock
from bot.payloads.dbt_history import can_read_sql
from bot.payloads.dbt_known import GIVES, Known, facts_of, offers_of, report, why_no_runs
from bot.ports import Ask, Checked, Facts, Offer, Pace, Source
from bot.sources.dbt.files import Files, open_files
from bot.sources.dbt.looker import Looker
from bot.sources.registry import Opening, Options, SourceKind
from rca.case import Dataset, FactKind

LOOK_AGAIN: Final = timedelta(seconds=5)  # one look serves all; an alert must see its run
ASK_AGAIN: Final = timedelta(hours=1)  # a relation that the manifest lacks may be in the next one
PACE: Final = Pace(
    time_limit=timedelta(seconds=20),
    fresh_for=timedelta(seconds=20),
    poll_every=timedelta(minutes=5),
    stale_after=timedelta(hours=1),
    reach=timedelta(days=90),
)


class DbtOptions(Options):
    """``artifacts``: a folder or a URL; ``folders``: a pattern below it, where each run has a folder of its own."""

    artifacts: Annotated[str, Field(min_length=1, max_length=2_000)]
    folders: Annotated[str, Field(pattern=r"^[^/\s][^\n]{0,500}$")] | None = None
    stale_after_h: Annotated[float, Field(gt=0, le=24 * 366)] = 36.0
    storage: dict[str, str | int | bool] = Field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class DbtSource:
    """Reads dbt's artifacts; one look at them serves all datasets."""

    source_id: str
    looker: Looker
    stale_after: timedelta
    clock: Clock
    name: str = "dbt"
    gives: frozenset[FactKind] = GIVES
    pace: Pace = PACE
    looking: asyncio.Task[Known] | None = field(default=None, repr=False)
    looked_at: datetime | None = None
    reading: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def covers(self, dataset: Dataset) -> bool:
        """Return whether the dataset names a node, or a relation that the project has as far as known."""
        if dataset.dbt_node is not None:
            return True
        project = self.looker.history.project
        if dataset.relation is None or project is None or self.looked_at is None:
            return dataset.relation is not None
        due = self.clock() - self.looked_at > ASK_AGAIN
        return due or project.node_of(None, dataset.relation) is not None

    async def read(self, ask: Ask) -> Facts:
        """Return what the artifacts say of the dataset."""
        known = await self._look()
        async with self.reading:  # the SQL of a model is read once, not by two threads
            return await asyncio.to_thread(self._facts, known, ask)

    def _facts(self, known: Known, ask: Ask) -> Facts:
        columns_used = self.looker.history.columns_used(known.catalogs)
        return facts_of(known, ask, stale_after=self.stale_after, columns_used=columns_used)

    async def check(self) -> tuple[Checked, ...]:
        """Look at each artifact, and say whether columns that models read can be told."""
        known = await self._look()
        why_not = why_no_runs(known, self.clock(), self.stale_after)
        return report(known, why_not, can_read_sql=can_read_sql())

    async def offers(self) -> tuple[Offer, ...]:
        """Return every table of the project."""
        return offers_of(self.source_id, await self._look())

    async def _look(self) -> Known:
        """Look, unless somebody just did or is at it; a look is not ended by whoever stops waiting for it."""
        now = self.clock()
        done = self.looking is None or self.looking.done()
        old = self.looked_at is None or not timedelta() <= now - self.looked_at < LOOK_AGAIN
        if self.looking is None or (done and old):
            self.looking = asyncio.create_task(asyncio.to_thread(self.looker.look, now))
            self.looked_at = now
        return await asyncio.shield(self.looking)


@asynccontextmanager
async def _open(opening: Opening) -> AsyncIterator[Source]:
    options: DbtOptions = opening.options
    files: Files = open_files(options.artifacts, options.folders, options.storage)
    source = DbtSource(
        source_id=opening.source_id,
        looker=Looker(files=files),
        stale_after=timedelta(hours=options.stale_after_h),
        clock=opening.clock,
    )
    yield source
    if source.looking is not None:
        source.looking.cancel()


SOURCE: Final = SourceKind(
    kind="dbt",
    about="dbt's artifacts in a folder or an object store: runs, tests, lineage, columns",
    options=DbtOptions,
    open=_open,
)
