"""What reached us: kept before anybody is told that we have it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update

from bot.ports import Job, JobKind
from bot.records import InboxItem, InboxKind, InboxState, Kept, Reason
from bot.store import rows
from bot.store.tables import INBOX
from bot.store.transaction import Database

UNRECOGNISED: Final = INBOX.c.reason == Reason.QUIET_UNRECOGNISED


class Inbox:
    """Deliveries, unique by their sender's own id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(
        self,
        *,
        kind: InboxKind,
        sender_id: str,
        tenant_id: str,
        payload: Mapping[str, Any],
        now: datetime,
        state: InboxState = InboxState.NEW,
        reason: Reason | None = None,
    ) -> Kept:
        """Keep a delivery; the same one again returns the first row and changes nothing.

        A fresh row in state NEW is handed to the intake lane.
        """
        inbox_id = str(uuid.uuid4())
        async with self._database.writing(urgent=True) as tx:
            insert = tx.insert(INBOX).values(
                inbox_id=inbox_id,
                kind=kind,
                sender_id=sender_id,
                tenant_id=tenant_id,
                payload=dict(payload),
                received_at=now,
                state=state,
                reason=reason,
                closed_at=None if state is InboxState.NEW else now,
            )
            fresh = await tx.connection.execute(
                insert.on_conflict_do_nothing().returning(INBOX.c.inbox_id)
            )
            is_fresh = fresh.first() is not None
            if is_fresh and state is InboxState.NEW:
                tx.wake(Job(kind=JobKind.INBOX, row_id=inbox_id))
            row = await tx.connection.execute(
                select(INBOX).where(
                    INBOX.c.tenant_id == tenant_id,
                    INBOX.c.kind == kind,
                    INBOX.c.sender_id == sender_id,
                )
            )
            return Kept(item=rows.inbox_item(row.one()), fresh=is_fresh)

    async def get(self, inbox_id: str) -> InboxItem | None:
        """Return one delivery, or None."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(INBOX).where(INBOX.c.inbox_id == inbox_id))
            row = found.first()
            return rows.inbox_item(row) if row else None

    async def close(
        self, inbox_id: str, *, state: InboxState, reason: Reason | None, now: datetime
    ) -> None:
        """Say what came of a delivery; the first word stands."""
        async with self._database.writing() as tx:
            await tx.connection.execute(
                update(INBOX)
                .where(INBOX.c.inbox_id == inbox_id, INBOX.c.state == InboxState.NEW)
                .values(state=state, reason=reason, closed_at=now)
            )

    async def count_attempt(self, inbox_id: str) -> int:
        """Count one more attempt and return how many there were; 0 for a row that is not there."""
        async with self._database.writing() as tx:
            counted = await tx.connection.execute(
                update(INBOX)
                .where(INBOX.c.inbox_id == inbox_id)
                .values(attempts=INBOX.c.attempts + 1)
                .returning(INBOX.c.attempts)
            )
            return int(counted.scalar() or 0)

    async def unrecognised(self, tenant_id: str, limit: int) -> tuple[InboxItem, ...]:
        """Return the tenant's newest deliveries that no format knew."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(INBOX)
                .where(INBOX.c.tenant_id == tenant_id, UNRECOGNISED)
                .order_by(INBOX.c.received_at.desc(), INBOX.c.inbox_id)
                .limit(limit)
            )
            return tuple(rows.inbox_item(row) for row in found)

    async def count_unrecognised(self, tenant_id: str) -> int:
        """Return how many of the tenant's deliveries no format knew."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(func.count()).where(INBOX.c.tenant_id == tenant_id, UNRECOGNISED)
            )
            return int(found.scalar_one())
