"""Facts from our own tables: what was collected or loaded before the alert came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.ports import Facts
from bot.store import Store
from rca.case import Anomaly, Dataset, FactKind, Hole

UNKNOWN_DATASET: Final = "the dataset is not in the catalog, so nothing is collected for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFacts:
    """Reads what the store knew about the dataset at the instant of diagnosis."""

    store: Store
    name: str = "stored"

    async def read(self, anomaly: Anomaly, dataset: Dataset | None, as_of: datetime) -> Facts:
        """Return the stored facts known at *as_of*; every list never loaded is a hole.

        A dataset outside the catalog has no facts at all: each kind of fact is then a hole with that reason.
        """
        if dataset is None:
            return Facts(
                found={},
                holes=tuple(Hole(fact=kind, reason=UNKNOWN_DATASET) for kind in FactKind),
            )
        return await self.store.facts.read(anomaly.tenant_id, dataset.name, as_of)
