"""Lineage that OpenLineage sent is the lineage of a dataset without a dbt node."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.intake.registry import read_pushed
from rca.case import Anomaly, AnomalyType, Case, Dataset
from rca.view.case_view import view_of
from tests.bot.surroundings import NOON, deps_of, directory_of

GMV = Dataset(name="gmv", relation="Mart.GMV")


async def case_after(engine: AsyncEngine, dataset: Dataset, *outputs: str) -> Case:
    """The case of *dataset* after one run has told what it makes of shop.raw.orders."""
    event = {
        "eventType": "COMPLETE",
        "eventTime": NOON.isoformat(),
        "run": {"runId": "r-1"},
        "job": {"namespace": "airflow", "name": "shop.load"},
        "inputs": [{"namespace": "n", "name": "shop.raw.orders"}],
        "outputs": [{"namespace": "n", "name": name} for name in outputs],
    }
    deps = deps_of(engine, directory_of({}))
    for pushed in read_pushed("openlineage", event, NOON):
        await deps.store.facts.push("acme", dataset, pushed.found, NOON)
    anomaly = Anomaly(
        tenant_id="acme", dataset="gmv", anomaly_type=AnomalyType.VOLUME, detected_at=NOON
    )
    return await deps.collector.known(anomaly, dataset, case_id="c", as_of=NOON)


async def test_the_engine_sees_what_it_is_made_of(engine: AsyncEngine) -> None:
    """The relation is its node, and the run's input lies one step upstream of it."""
    view = view_of(await case_after(engine, GMV, "shop.mart.gmv"))
    assert view.lineage.known
    assert view.lineage.upstream == {"shop.mart.gmv": 0, "shop.raw.orders": 1}


async def test_a_name_that_two_relations_end_with_is_no_place(engine: AsyncEngine) -> None:
    """Then the engine says that it knows no lineage, and is less sure."""
    view = view_of(await case_after(engine, GMV, "shop.mart.gmv", "test.mart.gmv"))
    assert not view.lineage.known
