"""Diagnoses, as the runbook's table ``root_cause_signals`` keeps them."""

from __future__ import annotations

from sqlalchemy import select

from bot.store import rows
from bot.store.tables import ROOT_CAUSE_SIGNALS
from bot.store.transaction import Database
from rca.case import Case
from rca.diagnosis import Diagnosis

_DIAGNOSIS = (ROOT_CAUSE_SIGNALS.c.diagnosis, ROOT_CAUSE_SIGNALS.c.is_active)


class Signals:
    """What was diagnosed, and from what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, tenant_id: str, dataset: str, *, active_only: bool, limit: int
    ) -> tuple[Diagnosis, ...]:
        """Return at most *limit* diagnoses of the tenant's dataset, the newest first."""
        statement = (
            select(*_DIAGNOSIS)
            .where(
                ROOT_CAUSE_SIGNALS.c.tenant_id == tenant_id,
                ROOT_CAUSE_SIGNALS.c.dataset == dataset,
            )
            .order_by(
                ROOT_CAUSE_SIGNALS.c.created_at.desc(),
                ROOT_CAUSE_SIGNALS.c.detected_at.desc(),
                ROOT_CAUSE_SIGNALS.c.id,
            )
            .limit(limit)
        )
        if active_only:
            statement = statement.where(ROOT_CAUSE_SIGNALS.c.is_active)
        async with self._database.reading() as connection:
            found = await connection.execute(statement)
            return tuple(rows.diagnosis(row.diagnosis, is_active=row.is_active) for row in found)

    async def get(self, tenant_id: str, signal_id: str) -> Diagnosis | None:
        """Return one diagnosis of the tenant, or None."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(*_DIAGNOSIS).where(
                    ROOT_CAUSE_SIGNALS.c.tenant_id == tenant_id,
                    ROOT_CAUSE_SIGNALS.c.id == signal_id,
                )
            )
            row = found.first()
            return rows.diagnosis(row.diagnosis, is_active=row.is_active) if row else None

    async def active_of(self, incident_id: str) -> Diagnosis | None:
        """Return the diagnosis of the incident that is in force, or None."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(*_DIAGNOSIS)
                .where(
                    ROOT_CAUSE_SIGNALS.c.incident_id == incident_id,
                    ROOT_CAUSE_SIGNALS.c.is_active,
                )
                .order_by(ROOT_CAUSE_SIGNALS.c.created_at.desc())
                .limit(1)
            )
            row = found.first()
            return rows.diagnosis(row.diagnosis, is_active=row.is_active) if row else None

    async def case(self, tenant_id: str, signal_id: str) -> Case | None:
        """Return everything that the tenant's diagnosis looked at, or None."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(ROOT_CAUSE_SIGNALS.c.case_document).where(
                    ROOT_CAUSE_SIGNALS.c.tenant_id == tenant_id,
                    ROOT_CAUSE_SIGNALS.c.id == signal_id,
                )
            )
            document = found.scalar()
            return Case.model_validate(document) if document else None
