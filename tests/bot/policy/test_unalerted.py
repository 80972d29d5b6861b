"""What nobody alerts of is seen in the syncs alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.policy.unalerted import unalerted
from bot.polling import SCANNED
from rca.case import (
    Anomaly,
    AnomalyType,
    Case,
    Dataset,
    FactKind,
    Hole,
    IngestionJob,
    JobStatus,
    VolumeWindow,
)
from rca.engine import diagnose

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _case(last: timedelta) -> Case:
    """A day of hourly syncs, the newest begun *last* ago, with a month of daily volumes that lost half of a day."""
    jobs = tuple(
        IngestionJob(
            id=str(number),
            connector_id="c-1",
            status=JobStatus.SUCCEEDED,
            started_at=NOON - last - number * HOUR,
            finished_at=NOON - last - number * HOUR + timedelta(minutes=2),
            rows_synced=1_000,
        )
        for number in range(24)
    )
    days = [NOON - timedelta(days=ago) for ago in range(30, 0, -1)]
    volumes = tuple(
        VolumeWindow(window_start=day, window_end=day + timedelta(days=1), rows=rows)
        for day, rows in zip(
            days, [*(24_000 + n % 7 * 100 for n in range(29)), 12_000], strict=True
        )
    )
    return Case(
        case_id="c",
        as_of=NOON,
        anomaly=Anomaly(
            tenant_id="acme",
            dataset="shopify_orders",
            anomaly_type=AnomalyType.FRESHNESS,
            detected_at=NOON,
        ),
        dataset=Dataset(
            name="shopify_orders",
            connector_id="c-1",
            expected_sync_interval_s=3_600,
            sync_grace_s=900,
        ),
        ingestion_jobs=jobs,
        volume_history=volumes,
    )


@pytest.mark.parametrize(("last", "noticed"), [(HOUR / 2, 0), (3 * HOUR, 1)])
def test_the_syncs_alone_say_the_same(last: timedelta, noticed: int) -> None:
    """A missing sync has one notice, and one that came has none; what else the case holds changes neither."""
    whole = _case(last)
    others = [kind for kind in FactKind if kind is not SCANNED]
    holes = tuple(Hole(fact=kind, reason="it was not asked for") for kind in others)
    syncs = whole.model_copy(update={**dict.fromkeys(others), "holes": holes})
    told = unalerted(diagnose(whole))
    assert len(told) == noticed
    assert [notice.key for notice in unalerted(diagnose(syncs))] == [each.key for each in told]
