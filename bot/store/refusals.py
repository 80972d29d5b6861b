"""Refusals: how many webhook bodies each format refused, and why the first of them was; never a body."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select

from bot.records import Refusal
from bot.store.tables import REFUSALS
from bot.store.transaction import Database

MAX_PROBLEM: Final = 300  # characters; names the fields, and a person reads it in Slack


class Refusals:
    """What webhooks said that no format could read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, *, tenant_id: str, format_name: str, problem: str, now: datetime) -> None:
        """Count one more refused body."""
        async with self._database.writing() as tx:
            insert = tx.insert(REFUSALS).values(
                tenant_id=tenant_id,
                format=format_name,
                bodies=1,
                first_at=now,
                last_at=now,
                problem=problem[:MAX_PROBLEM],
            )
            await tx.connection.execute(
                insert.on_conflict_do_update(
                    index_elements=[REFUSALS.c.tenant_id, REFUSALS.c.format],
                    set_={"bodies": REFUSALS.c.bodies + 1, "last_at": now},
                )
            )

    async def list(self, tenant_id: str) -> tuple[Refusal, ...]:
        """Return the tenant's, the latest first."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(REFUSALS)
                .where(REFUSALS.c.tenant_id == tenant_id)
                .order_by(REFUSALS.c.last_at.desc(), REFUSALS.c.format)
            )
            return tuple(
                Refusal(
                    format_name=row.format,
                    count=row.bodies,
                    last_at=row.last_at,
                    problem=row.problem,
                )
                for row in found
            )
