"""What the sources of dbt's facts share: one look at a project serves every dataset that is asked about meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from bot.clock import Clock
from bot.payloads.dbt_history import History, can_read_sql
from bot.payloads.dbt_known import GIVES, Known, facts_of, offers_of, report, why_no_runs
from bot.ports import Ask, Checked, Facts, Offer, Pace
from rca.case import Dataset, FactKind

ASK_AGAIN: Final = timedelta(hours=1)  # a relation that the manifest lacks may be in the next one


class Looker(Protocol):
    """Looks at a project and remembers what it saw."""

    @property
    def history(self) -> History:
        """What was seen so far."""

    async def look(self, now: datetime) -> Known:
        """Return what is known at *now*; what cannot be read is in it, with the reason."""


L = TypeVar("L", bound=Looker)


@dataclass(slots=True, kw_only=True)
class DbtProject(Generic[L]):
    """Reads one dbt project through a looker; ``look_again``: a look is good for that long."""

    source_id: str
    name: str
    looker: L
    stale_after: timedelta
    look_again: timedelta
    clock: Clock
    pace: Pace
    gives: frozenset[FactKind] = GIVES
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
        """Return what the project's runs and manifest say of the dataset."""
        known = await self._look()
        async with self.reading:  # the SQL of a model is read once, not by two threads
            return await asyncio.to_thread(self._facts, known, ask)

    def _facts(self, known: Known, ask: Ask) -> Facts:
        columns_used = self.looker.history.columns_used(known.catalogs)
        return facts_of(known, ask, stale_after=self.stale_after, columns_used=columns_used)

    async def check(self) -> tuple[Checked, ...]:
        """Look at the runs and the manifest, and say whether columns that models read can be told."""
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
        old = self.looked_at is None or not timedelta() <= now - self.looked_at < self.look_again
        if self.looking is None or (done and old):
            self.looking = asyncio.create_task(self.looker.look(now))
            self.looked_at = now
        return await asyncio.shield(self.looking)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[DbtProject[L]]:
        """Yield the source; a look that is still going on ends with it."""
        try:
            yield self
        finally:
            if self.looking is not None:
                self.looking.cancel()
