"""Every statement of the runbook runs as it is written, on both databases, and finds what it should."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from rca.case import Case, DqResult, IngestionJob, JobStatus
from tests.bot.store.world import NOW, World, anomaly

RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "INCIDENT_RUNBOOK.md"
STATEMENTS = re.findall(r"```sql\n(.*?)```", RUNBOOK.read_text(encoding="utf-8"), re.DOTALL)
VALUES = {"tenant_id": "acme", "connector_id": "conn-1", "signal_id": "s-1"}


@pytest.fixture
async def told(world: World) -> World:
    """Two tenants with the same story: a failed sync, a failed check and a diagnosis."""
    for tenant_id, signal_id in (("acme", "s-1"), ("globex", "s-2")):
        incident = await world.open(tenant_id=tenant_id)
        await world.record(incident, signal_id)
        job = IngestionJob(
            id="8812",
            connector_id="conn-1",
            status=JobStatus.FAILED,
            error_message="HTTP 401",
            started_at=NOW,
        )
        check = DqResult(
            id="r-1",
            check_id="not_null_total_price",
            status="failed",
            severity="error",
            context_metadata={"failures": 12},
            executed_at=NOW,
            correlation_id="c-81",
        )
        case = Case(
            case_id="c",
            as_of=NOW,
            anomaly=anomaly(tenant_id=tenant_id),
            ingestion_jobs=(job,),
            dq_results=(check,),
        )
        await world.store.facts.load(case, NOW)
    return world


def test_the_runbook_has_its_statements() -> None:
    """All five, or the test below would prove nothing."""
    assert len(STATEMENTS) == 5


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda text: text.split("FROM")[1].split()[0])
async def test_a_statement_of_the_runbook_runs(
    told: World, engine: AsyncEngine, statement: str
) -> None:
    """With the placeholders filled in and not a character changed, it finds this tenant's row."""
    filled = re.sub(r"<(\w+)>", lambda match: VALUES[match[1]], statement)
    assert "<" not in filled
    async with engine.connect() as connection:
        found = [dict(row) for row in (await connection.exec_driver_sql(filled)).mappings()]
    assert told.now == NOW
    (row,) = {str(row): row for row in found}.values()
    assert expected(row).items() <= row.items()


def expected(row: dict[str, Any]) -> dict[str, Any]:
    """Return what the row must hold, by what was asked for."""
    if "error_message" in row:
        return {"id": "8812", "status": "failed", "error_message": "HTTP 401"}
    if "signal_id" in row:
        return {"signal_id": "s-1", "check_id": "not_null_total_price", "severity": "error"}
    if "check_id" in row:
        return {"check_id": "not_null_total_price", "status": "failed"}
    return {"id": "s-1"}
