"""A source for tests: it answers as it was told, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, cast

from bot.ports import Ask, Checked, Facts, Notice, Offer, Pace
from rca.case import Dataset, FactKind, Hole

PACE: Final = Pace(
    time_limit=timedelta(milliseconds=50),
    fresh_for=timedelta(minutes=1),
    poll_every=timedelta(minutes=5),
    stale_after=timedelta(minutes=30),
    reach=timedelta(days=90),
)


@dataclass(slots=True, kw_only=True)
class Asked:
    """Gives ``facts``, raises ``error``, or never answers when ``silent``; knows only datasets of a connector.

    ``instead`` is what a source returns that does not keep to its type.
    """

    source_id: str = "airbyte"
    name: str = "Airbyte"
    gives: frozenset[FactKind] = frozenset({FactKind.INGESTION_JOBS})
    pace: Pace = PACE
    facts: Mapping[str, object] = field(default_factory=dict)
    holes: tuple[Hole, ...] = ()
    noticed: tuple[Notice, ...] = ()
    error: Exception | None = None
    silent: bool = False
    instead: object = ...
    asks: list[Ask] = field(default_factory=list)

    def covers(self, dataset: Dataset) -> bool:
        """Whether the dataset has a connector."""
        return dataset.connector_id is not None

    async def read(self, ask: Ask) -> Facts:
        """Answer as told."""
        self.asks.append(ask)
        await asyncio.sleep(0)  # let others ask meanwhile
        if self.silent:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        if self.instead is not ...:
            return cast("Facts", self.instead)
        return Facts(found=self.facts, holes=self.holes, noticed=self.noticed)

    async def check(self) -> tuple[Checked, ...]:
        """Say that all is well."""
        return (Checked(what=self.name),)

    async def offers(self) -> tuple[Offer, ...]:
        """Know nothing that is not known."""
        return ()
