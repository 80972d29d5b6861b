"""What the flow works with, for tests below the stories: a real store, a small directory, obedient pagers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.collect import Collector
from bot.deps import Deps
from bot.directory import Directory
from bot.jobs import submit_only
from bot.ports import Accepted, PageOrder, PageOutcome, Pager, Source
from bot.records import Incident, Place
from bot.store import Store
from bot.testing import FrozenClock
from rca.case import Anomaly, AnomalyType
from rca.engine import diagnose
from runbook.load import load_runbook

NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PLACE: Final = Place(channel_id="C0ALERTS", thread_ts="1772452800.000100")
BOOK: Final = load_runbook()


@dataclass(slots=True, kw_only=True)
class Telephone:
    """A pager that answers as it was told, and remembers what it was asked; it takes what nobody spoke of."""

    outcomes: list[PageOutcome] = field(default_factory=list)
    paged: list[PageOrder] = field(default_factory=list)
    ended: list[PageOrder] = field(default_factory=list)

    async def page(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Ring."""
        self.paged.append(order)
        return self.outcomes.pop(0) if self.outcomes else Accepted(at=now)

    async def resolve(self, order: PageOrder, now: datetime) -> PageOutcome:
        """Stop ringing."""
        self.ended.append(order)
        return self.outcomes.pop(0) if self.outcomes else Accepted(at=now)


def directory_of(teams: Mapping[str, Mapping[str, Any]], **tables: object) -> Directory:
    """Return a directory of tenant ``acme`` with *teams*; their pager is the log unless they name one."""
    entries = {key: {"id": key, "name": key, "pager": "log", **team} for key, team in teams.items()}
    return Directory.model_validate(
        {
            "tenants": {"acme": {"id": "acme", "name": "Acme"}},
            "channels": {"C0ALERTS": {"tenant": "acme"}},
            "teams": entries,
            **tables,
        }
    )


def deps_of(
    engine: AsyncEngine,
    directory: Directory,
    pagers: Mapping[str, Pager] | None = None,
    *,
    clock: FrozenClock | None = None,
    sources: tuple[Source, ...] = (),
) -> Deps:
    """Return surroundings on *engine*, at noon unless *clock* says otherwise."""
    clock = clock or FrozenClock(NOON)
    store = Store(engine, submit_only(engine, clock))
    return Deps(
        store=store,
        directory=directory,
        book=lambda: BOOK,
        collector=Collector(sources=sources, store=store, directory=directory),
        pagers=pagers or {},
        clock=clock,
        diagnose=diagnose,
    )


async def opened(
    deps: Deps,
    dataset: str = "shopify_orders",
    *,
    tenant_id: str = "acme",
    kind: AnomalyType = AnomalyType.VOLUME,
    place: Place | None = PLACE,
    inbox_id: str = "inbox-1",
) -> Incident:
    """Return an incident of one alert."""
    now = deps.clock()
    anomaly = Anomaly(tenant_id=tenant_id, dataset=dataset, anomaly_type=kind, detected_at=now)
    joined = await deps.store.incidents.open_or_join(
        anomaly, inbox_id=inbox_id, position=0, place=place, title=None, alert_url=None, now=now
    )
    return joined.incident
