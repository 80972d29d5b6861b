"""The reason of a failed sync outlives a poorer telling of it."""

from __future__ import annotations

import pytest

from bot.ports import Facts
from rca.case import Dataset, ErrorCode, IngestionJob, JobStatus
from tests.bot.store.world import MINUTE, NOW, World

ORDERS = Dataset(name="shopify_orders", connector_id="conn-1")
TOLD = {
    "error_code": ErrorCode.AUTH_ERROR,
    "error_message": "401",
    "failure_origin": "source",
    "failure_type": "config_error",
}
OTHER = TOLD | {"error_message": "403"}
POOR = {"error_message": "the public API does not say"}


def sync(status: JobStatus, reason: dict[str, object]) -> IngestionJob:
    """One sync of conn-1 that ended now."""
    whole = {"id": "1", "status": status, "started_at": NOW - MINUTE, "finished_at": NOW}
    return IngestionJob.model_validate(whole | reason)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ((JobStatus.FAILED, TOLD), (JobStatus.FAILED, POOR), TOLD),
        ((JobStatus.FAILED, TOLD), (JobStatus.INCOMPLETE, {}), TOLD),
        ((JobStatus.FAILED, POOR), (JobStatus.FAILED, TOLD), TOLD),
        ((JobStatus.FAILED, TOLD), (JobStatus.FAILED, OTHER), OTHER),
        ((JobStatus.FAILED, TOLD), (JobStatus.SUCCEEDED, {}), {}),
        ((JobStatus.FAILED, TOLD), (JobStatus.CANCELLED, {}), {}),
        ((JobStatus.RUNNING, TOLD), (JobStatus.FAILED, POOR), POOR),
        ((JobStatus.FAILED, POOR), (JobStatus.FAILED, {}), {}),
    ],
)  # fmt: skip
async def test_a_reason_that_was_told_stays(
    world: World,
    first: tuple[JobStatus, dict[str, object]],
    second: tuple[JobStatus, dict[str, object]],
    kept: dict[str, object],
) -> None:
    """Only a sync that is told to have failed again keeps it, and only from who knows less; the state is the last."""
    for status, reason in (first, second):
        facts = Facts(found={"ingestion_jobs": (sync(status, reason),)})
        await world.store.facts.keep("acme", ORDERS, facts, NOW)
    found = (await world.store.facts.read("acme", ORDERS.name, NOW, entry=ORDERS)).found
    jobs = found["ingestion_jobs"]
    assert isinstance(jobs, tuple)
    (job,) = jobs
    assert job.model_dump(include=set(TOLD), exclude_none=True) == kept
    assert job.status is second[0]
