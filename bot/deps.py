"""What the flow works with, built once by ``bot.app`` and handed down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.catalog import Catalog
from bot.clock import Clock
from bot.collect import Collector
from bot.directory import Directory
from bot.ports import Diagnose, Pager
from bot.render.names import Names, names_of
from bot.store import Store
from rca.case import Dataset
from runbook.load import Runbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The flow's surroundings; ``book`` is asked each time, since a team may edit its pages while we run."""

    store: Store
    directory: Directory
    book: Callable[[], Runbook]
    collector: Collector
    pagers: Mapping[str, Pager]
    clock: Clock
    diagnose: Diagnose

    async def catalog(self, tenant_id: str) -> Catalog:
        """Return the tenant's datasets: those with stored facts, corrected by the directory's entries."""
        entries = {entry.name: entry for entry in await self.store.facts.datasets(tenant_id)}
        for entry in self.directory.datasets(tenant_id):
            known = entries.get(entry.name)
            entries[entry.name] = _corrected(known, entry) if known else entry
        return Catalog(entries.values(), self.directory.aliases(tenant_id))

    def names(self) -> Names:
        """Return how teams and people are called."""
        return names_of(self.directory.teams, self.directory.people)


def _corrected(known: Dataset, by: Dataset) -> Dataset:
    """What people wrote wins over what was collected; what they left out stays."""
    return known.model_copy(update=by.model_dump(exclude_none=True))
