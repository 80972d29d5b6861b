"""Lineage that is sent to us edge by edge: kept beside the graph that a source reads whole."""

from __future__ import annotations

from sqlalchemy import select

from bot.store.fact_rows import Owner, joined
from bot.store.fact_tables import LINEAGES
from bot.store.transaction import Writing
from rca.case import Lineage

MAX_NODES = 5_000  # nodes with parents of one dataset; a sender that invents names fills no disk

NOTHING = Lineage()


async def push_lineage(tx: Writing, owner: Owner, edges: Lineage) -> None:
    """Add *edges* to what was sent about the owner's dataset before; the newest of too many are kept."""
    own = (LINEAGES.c.tenant_id == owner.tenant_id, LINEAGES.c.dataset == owner.dataset)
    empty = owner.key | {"lineage": NOTHING.model_dump(mode="json")}
    # A row that is not there cannot be locked, and of two first senders one would be overwritten.
    await tx.connection.execute(tx.insert(LINEAGES).values(empty).on_conflict_do_nothing())
    found = await tx.connection.execute(select(LINEAGES).where(*own).with_for_update())
    row = found.one()
    before = Lineage.model_validate(row.pushed) if row.pushed else NOTHING
    both = joined(before, edges)
    kept = dict(tuple(both.parents.items())[-MAX_NODES:])
    values = owner.key | {
        "lineage": row.lineage,
        "pushed": both.model_copy(update={"parents": kept}).model_dump(mode="json"),
    }
    await tx.upsert(LINEAGES, [values])
