"""Recorded runs of a real dbt, from its folder to a diagnosis."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.sources.dbt import SOURCE
from rca.case import Anomaly, AnomalyType, Case, Dataset
from rca.diagnosis import Diagnosis
from rca.engine import diagnose
from tests.bot.sources.dbt_world import Ticking, opened
from tests.bot.surroundings import deps_of, directory_of

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "dbt"
FAILED_TEST: Final = datetime(2026, 11, 22, 19, 4, tzinfo=UTC)
FAILED_MODEL: Final = datetime(2026, 11, 22, 19, 4, 46, tzinfo=UTC)
ALL_WELL: Final = datetime(2026, 11, 22, 19, 5, tzinfo=UTC)


async def case_at(engine: AsyncEngine, folder: Path, dataset: Dataset, clock: Ticking) -> Case:
    """The case of a dataset as the program collects it."""
    async with opened(SOURCE, {"artifacts": str(folder)}, clock) as source:
        deps = deps_of(engine, directory_of({}), sources=(source,))
        anomaly = Anomaly(
            tenant_id="acme",
            dataset=dataset.name,
            anomaly_type=AnomalyType.QUALITY_CHECK,
            detected_at=clock.now,
        )
        return await deps.collector.case(anomaly, dataset, case_id="c", as_of=clock.now)


def put(folder: Path, name: str) -> None:
    """Let dbt's target folder be as it was after one of the recorded runs."""
    folder.mkdir(exist_ok=True)
    for path in (SAMPLES / name).glob("*.json"):
        shutil.copy(path, folder / path.name)


def signals(diagnosis: Diagnosis) -> Mapping[str, Any]:
    """What fired, by its code."""
    return {
        signal.evidence.signal: signal.evidence
        for hypothesis in diagnosis.hypotheses
        for signal in hypothesis.signals
    }


DATASET: Final = Dataset(name="orders_daily", relation="SHOP.MAIN.ORDERS_DAILY")


async def test_a_model_that_failed(engine: AsyncEngine, tmp_path: Path) -> None:
    """A failed model in the dataset's line is found with dbt's own message."""
    put(tmp_path, "build_test_fail")
    put(tmp_path, "run_model_fail")
    dataset = DATASET.model_copy(update={"dbt_node": "model.shop_demo.orders_daily"})
    case = await case_at(engine, tmp_path, dataset, Ticking(FAILED_MODEL))
    found = signals(diagnose(case))
    assert "dbt_model_failure" in found
    failing = found["dbt_model_failure"].failing_models
    assert [model.unique_id for model in failing] == ["model.shop_demo.orders_daily"]
    assert failing[0].message.startswith("Runtime Error in model orders_daily")


async def test_a_dataset_that_names_its_relation_only(engine: AsyncEngine, tmp_path: Path) -> None:
    """The first look finds its node by the relation, and the catalog knows it from then on."""
    put(tmp_path, "build_pass")
    await case_at(engine, tmp_path, DATASET, Ticking(ALL_WELL))
    known = await deps_of(engine, directory_of({})).store.facts.datasets("acme")
    assert [(one.name, one.dbt_node) for one in known] == [
        ("orders_daily", "model.shop_demo.orders_daily")
    ]


async def test_the_run_after_it_went_well(engine: AsyncEngine, tmp_path: Path) -> None:
    """Once the next build has repaired it, no dbt signal is left."""
    put(tmp_path, "build_pass")
    dataset = DATASET.model_copy(update={"dbt_node": "model.shop_demo.orders_daily"})
    case = await case_at(engine, tmp_path, dataset, Ticking(ALL_WELL))
    assert case.dbt_runs
    assert case.lineage is not None
    assert not {"dbt_model_failure", "pass_to_fail"} & set(signals(diagnose(case)))


async def test_what_was_skipped_is_no_failure(engine: AsyncEngine, tmp_path: Path) -> None:
    """A failing test made dbt skip the dataset's model: no model has failed."""
    put(tmp_path, "build_test_fail")
    dataset = DATASET.model_copy(update={"dbt_node": "model.shop_demo.orders_daily"})
    case = await case_at(engine, tmp_path, dataset, Ticking(FAILED_TEST))
    assert case.dbt_runs is not None
    statuses = {result.unique_id: result.status for result in case.dbt_runs[0].results}
    assert statuses["model.shop_demo.orders_daily"] == "skipped"
    assert "dbt_model_failure" not in signals(diagnose(case))


@pytest.mark.parametrize("hours", [37, 24 * 30])
async def test_nothing_ran_since(engine: AsyncEngine, tmp_path: Path, hours: int) -> None:
    """Old results are a hole of the case that says how old they are."""
    put(tmp_path, "build_test_fail")
    dataset = DATASET.model_copy(update={"dbt_node": "model.shop_demo.orders_daily"})
    clock = Ticking(FAILED_TEST + timedelta(hours=hours))
    case = await case_at(engine, tmp_path, dataset, clock)
    assert case.dbt_runs is None
    reasons = {hole.fact: hole.reason for hole in case.holes}
    assert "from 2026-11-22 19:03 UTC, over 36 h before" in reasons["dbt_runs"]
