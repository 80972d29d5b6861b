"""Facts: what was read of each dataset, and what of it was known at one instant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Facts
from bot.store import fact_tables
from bot.store.fact_query import read_fact
from bot.store.fact_rows import Owner, connector_of, rows_of
from bot.store.fact_tables import DATASETS, FACT_HOLES, FACT_READS
from bot.store.pushed_lineage import push_lineage
from bot.store.told_reasons import keep_reasons
from bot.store.transaction import Database, Writing
from rca.case import Anomaly, AnomalyType, Case, Dataset, FactKind, Hole

TABLE_OF: Final[Mapping[FactKind, Table]] = {
    FactKind.INGESTION_JOBS: fact_tables.INGESTION_JOBS,
    FactKind.COLUMN_SNAPSHOTS: fact_tables.COLUMN_SNAPSHOTS,
    FactKind.DBT_RUNS: fact_tables.DBT_RUNS,
    FactKind.LINEAGE: fact_tables.LINEAGES,
    FactKind.DQ_RESULTS: fact_tables.DQ_RESULTS,
    FactKind.VOLUME_HISTORY: fact_tables.VOLUME_WINDOWS,
    FactKind.DIMENSION_PROFILES: fact_tables.DIMENSION_PROFILES,
    FactKind.SEGMENT_PROFILES: fact_tables.SEGMENT_PROFILES,
    FactKind.PEER_ERRORS: fact_tables.PEER_ERRORS,
}

STALE_AFTER: Final = timedelta(
    days=2
)  # ours: twice the usual interval of the slowest daily sources

MISSING_AFTER: Final = timedelta(
    hours=1
)  # ours: how long what was read is believed when its source says that it can give no more

NEVER_READ: Final = "never read for this dataset"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """How many facts of each kind a case brought; a kind it did not know is missing."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    first_at: datetime
    last_at: datetime


class FactStore:
    """Facts per tenant and dataset."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, case: Case, now: datetime) -> LoadReport:
        """Keep the facts of *case*, and its dataset for the catalog; loading it again changes nothing.

        They count as read at the case's ``as_of``, or *now* when that is earlier. A kind of fact that the
        case does not know keeps what was read before.
        """
        entry = case.dataset or Dataset(name=case.anomaly.dataset)
        owner = _owner(case.anomaly.tenant_id, entry, case, min(case.as_of, now))
        async with self._database.writing() as tx:
            known = entry.model_copy(update={"connector_id": owner.connector_id})
            await _load_entry(tx, known, owner)
            counts = await _keep(tx, case, owner)
            await _load_holes(tx, case, owner)
        return LoadReport(counts=counts)

    async def keep(
        self, tenant_id: str, dataset: Dataset, facts: Facts, read_at: datetime
    ) -> LoadReport:
        """Add what a source said about the tenant's dataset at *read_at* to what is known; nothing is lost by it.

        A kind of fact that it did not speak of keeps what was read before, and holes that others left. What it
        knows of the dataset itself is kept for the catalog.

        Raises:
            ValidationError: the facts are not of the case's kinds; nothing is kept.
        """
        case = _as_case(tenant_id, dataset, facts, read_at)
        owner = _owner(tenant_id, dataset, case, read_at)
        async with self._database.writing() as tx:
            counts = await _keep(tx, case, owner)
            await _load_holes(tx, case, owner)
            if facts.dataset:
                await _add_to_entry(tx, facts.dataset, owner)
        return LoadReport(counts=counts)

    async def push(
        self, tenant_id: str, dataset: Dataset, found: Mapping[str, object], at: datetime
    ) -> LoadReport:
        """Add facts that somebody sent about the tenant's dataset; pushed lineage adds edges and removes none.

        Raises:
            ValidationError: the facts are not of the case's kinds; nothing is kept.
        """
        case = _as_case(tenant_id, dataset, Facts(found=found), at)
        owner = _owner(tenant_id, dataset, case, at)
        async with self._database.writing() as tx:
            counts = await _keep(tx, case, owner, pushed=True)
        return LoadReport(counts=counts)

    async def read(
        self,
        tenant_id: str,
        dataset_name: str,
        as_of: datetime,
        *,
        entry: Dataset | None = None,
        kinds: Collection[FactKind] = tuple(FactKind),
    ) -> Facts:
        """Return what was known of the tenant's dataset at *as_of*, by the case's own keys.

        *entry* is what the catalog says of the dataset; without it, what was last kept about it counts. Only
        *kinds* are looked at; of the others there is neither fact nor hole.

        An empty tuple says that somebody looked and found none. A kind of fact that was never read, or not
        within ``STALE_AFTER``, is a hole with that reason and not among those found.
        """
        async with self._database.reading() as connection:
            entry = entry or await _entry(connection, tenant_id, dataset_name)
            reads = await _reads(connection, tenant_id, dataset_name)
            noted_at = await _noted_holes(connection, tenant_id, dataset_name, as_of)
            noted = tuple(noted_at)
            owner = Owner(
                tenant_id=tenant_id,
                dataset=dataset_name,
                connector_id=connector_of(entry or Dataset(name=dataset_name)),
                read_at=as_of,
            )
            found: dict[str, object] = {}
            holes = [hole for hole in noted if hole.fact in kinds]
            told = {
                hole.fact
                for hole, at in noted_at.items()
                if hole.fact in reads and reads[hole.fact].last_at < at
            }
            for fact in (each for each in FactKind if each in kinds):
                reason = _why_unknown(reads.get(fact), as_of, missing=fact in told)
                if reason is None:
                    found[fact.value] = await read_fact(connection, fact, owner, as_of)
                elif all(hole.fact != fact for hole in noted):
                    holes.append(Hole(fact=fact, reason=reason))
            return Facts(found=found, holes=tuple(holes))

    async def datasets(self, tenant_id: str) -> tuple[Dataset, ...]:
        """Return the tenant's datasets, by name."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(DATASETS.c.entry)
                .where(DATASETS.c.tenant_id == tenant_id)
                .order_by(DATASETS.c.name)
            )
            return tuple(Dataset.model_validate(entry) for entry in found.scalars())


def _why_unknown(read: _Read | None, as_of: datetime, *, missing: bool) -> str | None:
    """Why a kind of fact says nothing about *as_of*; None when it does.

    Args:
        read: when it was read.
        as_of: the instant looked at.
        missing: a source has said since that it has nothing newer to give.
    """
    if read is None:
        return NEVER_READ
    if read.first_at > as_of:
        return f"first read at {read.first_at:%Y-%m-%d %H:%M} UTC, after the instant looked at"
    if as_of - read.last_at > (MISSING_AFTER if missing else STALE_AFTER):
        return f"last read at {read.last_at:%Y-%m-%d %H:%M} UTC, too long before"
    return None


def _as_case(tenant_id: str, dataset: Dataset, facts: Facts, at: datetime) -> Case:
    """Facts in the shape in which they are kept; the anomaly is of no consequence."""
    anomaly = Anomaly(
        tenant_id=tenant_id,
        dataset=dataset.name,
        anomaly_type=AnomalyType.OTHER,
        detected_at=at,
    )
    frame = {"case_id": "kept", "as_of": at, "anomaly": anomaly, "dataset": dataset}
    return Case.model_validate({**facts.found, **frame, "holes": facts.holes})


def _owner(tenant_id: str, dataset: Dataset, case: Case, read_at: datetime) -> Owner:
    return Owner(
        tenant_id=tenant_id,
        dataset=dataset.name,
        connector_id=connector_of(dataset, case.ingestion_jobs or ()),
        read_at=read_at,
    )


async def _keep(tx: Writing, case: Case, owner: Owner, *, pushed: bool = False) -> dict[str, int]:
    """Write kind by kind in one order, so that two who write of one dataset wait for each other and never for ever."""
    counts: dict[str, int] = {}
    for fact in FactKind:
        rows = rows_of(fact, case, owner)
        if rows is None:
            continue
        if pushed and fact is FactKind.LINEAGE and case.lineage is not None:
            await push_lineage(tx, owner, case.lineage)
        else:
            choose = keep_reasons if fact is FactKind.INGESTION_JOBS else None
            await tx.upsert(TABLE_OF[fact], rows, keep=("pushed",), choose=choose)
        await _mark_read(tx, fact, owner)
        counts[fact.value] = len(rows)
    return counts


async def _load_entry(tx: Writing, entry: Dataset, owner: Owner) -> None:
    await tx.upsert(
        DATASETS,
        [
            {
                "tenant_id": owner.tenant_id,
                "name": owner.dataset,
                "entry": entry.model_dump(mode="json", exclude_none=True),
                "read_at": owner.read_at,
            }
        ],
    )


async def _add_to_entry(tx: Writing, known: Mapping[str, object], owner: Owner) -> None:
    """What a source knows of the dataset itself joins what is kept of it; its name is never another."""
    kept = await _entry(tx.connection, owner.tenant_id, owner.dataset)
    fields = kept.model_dump(exclude_none=True) if kept else {}
    entry = Dataset.model_validate({**fields, **known, "name": owner.dataset})
    if entry != (kept or Dataset(name=owner.dataset)):  # a bare name is no news
        await _load_entry(tx, entry, owner)


async def _mark_read(tx: Writing, fact: FactKind, owner: Owner) -> None:
    reads = await _reads(tx.connection, owner.tenant_id, owner.dataset)
    known = reads.get(fact)
    values = owner.key | {
        "fact": fact,
        "first_read_at": min(known.first_at, owner.read_at) if known else owner.read_at,
        "last_read_at": max(known.last_at, owner.read_at) if known else owner.read_at,
    }
    await tx.upsert(FACT_READS, [values])


async def _load_holes(tx: Writing, case: Case, owner: Owner) -> None:
    """The case's holes replace those of the same facts; a fact that was found has none left."""
    spoken_of = {fact.value for fact in FactKind if getattr(case, fact) is not None}
    spoken_of |= {hole.fact for hole in case.holes}
    await tx.connection.execute(
        delete(FACT_HOLES).where(
            FACT_HOLES.c.tenant_id == owner.tenant_id,
            FACT_HOLES.c.dataset == owner.dataset,
            FACT_HOLES.c.fact.in_(spoken_of),
        )
    )
    rows = [
        owner.key
        | {
            "fact": hole.fact,
            "position": position,
            "reason": hole.reason,
            "noted_at": owner.read_at,
        }
        for position, hole in enumerate(case.holes)
    ]
    await tx.upsert(FACT_HOLES, rows)


async def _entry(connection: AsyncConnection, tenant_id: str, name: str) -> Dataset | None:
    found = await connection.execute(
        select(DATASETS.c.entry).where(DATASETS.c.tenant_id == tenant_id, DATASETS.c.name == name)
    )
    entry = found.scalar()
    return Dataset.model_validate(entry) if entry else None


async def _reads(connection: AsyncConnection, tenant_id: str, dataset: str) -> dict[str, _Read]:
    found = await connection.execute(
        select(FACT_READS).where(
            FACT_READS.c.tenant_id == tenant_id, FACT_READS.c.dataset == dataset
        )
    )
    return {row.fact: _Read(first_at=row.first_read_at, last_at=row.last_read_at) for row in found}


async def _noted_holes(
    connection: AsyncConnection, tenant_id: str, dataset: str, as_of: datetime
) -> dict[Hole, datetime]:
    """What could not be read, with when that was last said."""
    found = await connection.execute(
        select(FACT_HOLES)
        .where(
            FACT_HOLES.c.tenant_id == tenant_id,
            FACT_HOLES.c.dataset == dataset,
            FACT_HOLES.c.noted_at <= as_of,
        )
        .order_by(FACT_HOLES.c.fact, FACT_HOLES.c.position)
    )
    return {Hole(fact=row.fact, reason=row.reason): row.noted_at for row in found}
