"""From rows in a warehouse to a cause: the source, the collector, the store and the engine together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from rca.case import Anomaly, AnomalyType, Case, Dataset
from rca.engine import diagnose
from tests.bot.sources.warehouse_world import World, opened
from tests.bot.surroundings import NOON, deps_of, directory_of

DAYS = 40
MIDNIGHT = NOON.replace(hour=0)
FIRST = MIDNIGHT - timedelta(days=DAYS)
DATASET = Dataset(name="shopify_orders", relation="shopify.orders")
ROWS = f"""INSERT INTO shopify.orders
SELECT timestamptz '{FIRST:%Y-%m-%d} 00:00:00+00' + i * interval '30 seconds',
  CASE WHEN hash(i) % 10 < 6 THEN 'US' WHEN hash(i) % 10 < 9 THEN 'CA' ELSE NULL END
FROM generate_series(0, {DAYS * 2880 - 1}) AS g(i)"""  # noqa: S608 - the test's own numbers


@pytest.fixture
async def shop(tmp_path: Path) -> World:
    """Forty days of 2,880 orders each, in DuckDB."""
    made = World(url=f"duckdb:///{tmp_path / 'shop.duckdb'}")
    await made.run(
        "CREATE SCHEMA shopify",
        "CREATE TABLE shopify.orders (loaded_at timestamptz, country varchar)",
        ROWS,
    )
    return made


async def case_of(engine: AsyncEngine, shop: World) -> Case:
    """The case of an alert about the shop's orders, as the collector builds it."""
    entry = {
        "name": "shopify_orders",
        "tenant": "acme",
        "relation": "shopify.orders",
        "time_column": "loaded_at",
        "dimensions": ["country"],
    }
    anomaly = Anomaly(
        tenant_id="acme",
        dataset="shopify_orders",
        anomaly_type=AnomalyType.DISTRIBUTION,
        detected_at=NOON,
    )
    async with opened(shop.url, NOON) as source:
        deps = deps_of(
            engine, directory_of({}, datasets={"shopify_orders": entry}), sources=(source,)
        )
        return await deps.collector.case(anomaly, DATASET, case_id="c", as_of=NOON)


async def test_a_shift_of_yesterday_is_found(engine: AsyncEngine, shop: World) -> None:
    """When half of a country's rows of the last whole day become another's, the shift is the top cause."""
    yesterday = MIDNIGHT - timedelta(days=1)
    await shop.run(
        "UPDATE shopify.orders SET country = 'MX' WHERE country = 'US' AND hash(loaded_at) % 2 = 0"  # noqa: S608 - the test's own
        f" AND loaded_at >= timestamptz '{yesterday:%Y-%m-%d} 00:00:00+00'"
    )
    case = await case_of(engine, shop)
    assert case.volume_history is not None
    assert len(case.volume_history) == DAYS
    diagnosis = diagnose(case)
    assert diagnosis.top_cause_type == "upstream_data_shift"
    signals = {each.signal for each in diagnosis.hypotheses[0].signals}
    assert signals >= {"new_values_appearing"}


async def test_usual_days_show_nothing(engine: AsyncEngine, shop: World) -> None:
    """The same shop without a shift gives no hypothesis of one, and the kinds that were not asked for are holes."""
    case = await case_of(engine, shop)
    diagnosis = diagnose(case)
    assert "upstream_data_shift" not in {each.cause_type for each in diagnosis.hypotheses}
    reasons = {hole.fact: hole.reason for hole in case.holes}
    assert reasons["segment_profiles"] == "no segments in datasets.shopify_orders: none are counted"
    assert case.column_snapshots
