"""From Airbyte's answers to the diagnosis: over real HTTP, through the real tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.deps import Deps
from bot.intake.registry import read_pushed
from bot.payloads.airbyte_jobs import NOT_TOLD
from bot.polling import agree, poll
from bot.ports import Source
from bot.testing import FrozenClock
from rca.case import Anomaly, AnomalyType, Case, Dataset, ErrorCode
from rca.engine import diagnose
from rca.evidence import SyncFailureEvidence
from tests.bot.sources.airbyte_world import CONNECTION, NOW, AirbyteWorld, failed, item, world
from tests.bot.surroundings import deps_of, directory_of

ORDERS: dict[str, Any] = {
    "name": "shopify_orders",
    "tenant": "acme",
    "connector_id": CONNECTION,
    "stream": "orders",
}


@pytest_asyncio.fixture
async def airbyte() -> AsyncIterator[AirbyteWorld]:
    """A stand-in of its own for each test."""
    async with world() as stand_in:
        yield stand_in


def surroundings(engine: AsyncEngine, source: Source, **said: object) -> Deps:
    """A bot whose only source is this Airbyte, at the stand-in's time."""
    directory = directory_of({}, datasets={"shopify_orders": ORDERS | said})
    return deps_of(engine, directory, clock=FrozenClock(NOW), sources=(source,))


async def catalogued(deps: Deps) -> Dataset:
    """The dataset as the catalog has it now."""
    found = (await deps.catalog("acme")).resolve(("shopify_orders",))
    assert found is not None
    return found


async def case_of(deps: Deps) -> Case:
    """The case of an alert that comes now: the dataset is stale."""
    anomaly = Anomaly(
        tenant_id="acme",
        dataset="shopify_orders",
        anomaly_type=AnomalyType.FRESHNESS,
        detected_at=NOW,
    )
    return await deps.collector.case(anomaly, await catalogued(deps), case_id="c", as_of=NOW)


def failure(case: Case) -> SyncFailureEvidence:
    """What the diagnosis shows first."""
    evidence = diagnose(case).hypotheses[0].evidence
    assert isinstance(evidence, SyncFailureEvidence)
    return evidence


async def test_a_stale_dataset_is_explained_by_its_failed_syncs(
    airbyte: AirbyteWorld, engine: AsyncEngine
) -> None:
    """The key that expired on Friday is the first hypothesis, with Airbyte's own words."""
    async with airbyte.source() as source:
        evidence = failure(await case_of(surroundings(engine, source)))
    assert evidence.error_code is ErrorCode.AUTH_ERROR
    assert evidence.consecutive_failures == 2
    assert "Unauthorized" in (evidence.error_message or "")


@pytest.mark.parametrize(
    ("said", "interval_s"), [({}, 86_400.0), ({"expected_sync_interval_s": 60.0}, 60.0)]
)
async def test_the_schedule_reaches_the_catalog(
    airbyte: AirbyteWorld, engine: AsyncEngine, said: dict[str, object], interval_s: float
) -> None:
    """Airbyte's schedule is the expected interval, unless the directory says another."""
    async with airbyte.source() as source:
        deps = surroundings(engine, source, **said)
        await case_of(deps)
        assert (await catalogued(deps)).expected_sync_interval_s == interval_s
        case = await case_of(deps)
    assert case.dataset is not None
    assert case.dataset.expected_sync_interval_s == interval_s


@pytest.mark.parametrize(("hours_ago", "noticed"), [(3, ["No sync in the expected window"]), (1, [])])  # fmt: skip
async def test_a_sync_that_never_came_is_noticed_by_a_poll(
    airbyte: AirbyteWorld, engine: AsyncEngine, hours_ago: int, noticed: list[str]
) -> None:
    """Nobody alerts of it: an hourly connection last began three hours ago, by Airbyte's own schedule."""
    hourly = {"basicSchedule": {"timeUnit": "hours", "units": 1}}
    airbyte.connections = [item(CONNECTION, scheduleData=hourly)]
    airbyte.jobs = [
        failed(n, CONNECTION, NOW - timedelta(hours=hours_ago + n), "x") for n in range(30)
    ]
    for entry in airbyte.jobs:
        entry["job"]["status"] = "succeeded"
    async with airbyte.source() as source:
        deps = surroundings(engine, source)
        await case_of(deps)
        later = FrozenClock(NOW + timedelta(minutes=10))
        polled = deps_of(engine, deps.directory, clock=later, sources=(source,))
        airbyte.clock.now = later()
        await agree(polled)
        later.advance(timedelta(minutes=2))
        assert await poll(source, polled) == 1
    due = await polled.store.due(later.advance(timedelta(minutes=2)), 100)
    kept = [await polled.store.inbox.get(each.row_id) for each in due]
    assert [row.payload["body"]["title"] for row in kept if row] == noticed


async def test_a_reason_from_the_webhook_outlives_the_public_api(
    airbyte: AirbyteWorld, engine: AsyncEngine
) -> None:
    """Where only the public API is open, the notification's error is what the diagnosis shows."""
    airbyte.closed["/api/v1/jobs"] = 403
    told = {
        "connection": {"id": CONNECTION},
        "success": False,
        "jobId": 20441149,
        "startedAt": "2026-11-21T02:00:05Z",
        "finishedAt": "2026-11-21T02:03:12Z",
        "errorMessage": "HTTP Status Code: 401. Error: Unauthorized.",
        "errorType": "config_error",
        "errorOrigin": "source",
    }
    async with airbyte.source() as source:
        deps = surroundings(engine, source)
        (pushed,) = read_pushed("airbyte", {"data": told}, NOW)
        await deps.store.facts.push("acme", await catalogued(deps), pushed.found, NOW)
        case = await case_of(deps)
    messages = {job.id: job.error_message for job in case.ingestion_jobs or ()}
    assert messages["20441148"] == NOT_TOLD
    assert failure(case).error_code is ErrorCode.AUTH_ERROR
