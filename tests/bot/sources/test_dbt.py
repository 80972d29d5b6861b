"""What dbt left in a folder becomes facts of a case."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from bot.ports import BotError
from bot.sources.dbt import SOURCE
from rca.case import Dataset
from tests.bot.sources.dbt_world import (
    CUSTOMERS,
    DASHBOARD,
    NOON,
    NOT_NULL,
    ORDERS,
    RAW,
    REVENUE,
    STAGED,
    UNIQUE_RAW,
    Ticking,
    ask_of,
    catalog,
    lineage,
    manifest,
    opened,
    put,
    read_folder,
    reasons,
    run_results,
    runs,
    statuses,
)

HOUR: Final = timedelta(hours=1)


async def test_one_build_gives_everything(tmp_path: Path) -> None:
    """Runs, lineage, test results and columns are found, and nothing is missing."""
    put(tmp_path, manifest=manifest(), run_results=run_results(), catalog=catalog())
    facts = await read_folder(tmp_path, ask_of(RAW))
    assert set(facts.found) == {"dbt_runs", "lineage", "dq_results", "column_snapshots"}
    assert facts.holes == ()
    assert [run.invocation_id for run in runs(facts)] == ["inv-1"]
    assert runs(facts)[0].command == "build"


async def test_only_the_part_that_matters(tmp_path: Path) -> None:
    """The graph holds what is above and below the dataset and the tests on the way, the runs the same nodes."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read_folder(tmp_path)
    assert set(lineage(facts).parents) == {
        RAW,
        STAGED,
        ORDERS,
        REVENUE,
        DASHBOARD,
        NOT_NULL,
        UNIQUE_RAW,
    }
    assert lineage(facts).parents[ORDERS] == (STAGED,)
    ran = {STAGED, ORDERS, REVENUE, NOT_NULL, UNIQUE_RAW}
    assert set(statuses(runs(facts)[0])) == ran


async def test_skipped_children_stay_skipped(tmp_path: Path) -> None:
    """Statuses pass through: what failed has failed, what was skipped behind it is no failure."""
    put(
        tmp_path,
        manifest=manifest(),
        run_results=run_results(not_null_stg_orders_id="fail", orders="skipped", revenue="skipped"),
    )
    facts = await read_folder(tmp_path)
    found = statuses(runs(facts)[0])
    assert found[NOT_NULL] == "fail"
    assert found[ORDERS] == found[REVENUE] == "skipped"
    results = facts.found["dq_results"]
    assert isinstance(results, tuple)
    only = results[0]
    assert len(results) == 1
    assert (only.check_id, only.status) == ("not_null_stg_orders_id", "failed")
    assert only.context_metadata["failures"] == 3
    assert only.correlation_id == "inv-1"


@pytest.mark.parametrize(("sums", "same"), [(("a", "a"), True), (("a", "b"), False)])
async def test_dated_folders_tell_whether_code_changed(
    tmp_path: Path, sums: tuple[str, str], *, same: bool
) -> None:
    """Each run's checksums are those of the manifest that it wrote itself."""
    for number, one in enumerate(sums):
        at = NOON - (1 - number) * HOUR
        folder = tmp_path / f"{number}"
        document = manifest(at, f"inv-{number}", {ORDERS: one})
        put(folder, manifest=document, run_results=run_results(at, f"inv-{number}"))
        os.utime(folder / "manifest.json", (at.timestamp(), at.timestamp()))
        os.utime(folder / "run_results.json", (at.timestamp(), at.timestamp()))
    facts = await read_folder(tmp_path, folders="*")
    first, second = (
        next(r.checksum for r in run.results if r.unique_id == ORDERS) for run in runs(facts)
    )
    assert first
    assert second
    assert (first == second) is same


async def test_a_manifest_of_another_invocation_tells_no_checksums(tmp_path: Path) -> None:
    """What ``dbt parse`` wrote later is not the code that ran."""
    put(tmp_path, manifest=manifest(invocation_id="inv-parse"), run_results=run_results())
    facts = await read_folder(tmp_path)
    assert {result.checksum for result in runs(facts)[0].results} == {None}


async def test_a_macro_that_changed_changes_its_callers(tmp_path: Path) -> None:
    """The file of a model is the same, a macro behind it is not: its code changed."""
    sums = []
    for text in ("{% macro a() %} 1 {% endmacro %}", "{% macro a() %} 2 {% endmacro %}"):
        document = manifest(orders={"depends_on": {"nodes": [STAGED], "macros": ["macro.shop.b"]}})
        document["macros"] = {
            "macro.shop.b": {"macro_sql": "b", "depends_on": {"macros": ["macro.shop.a"]}},
            "macro.shop.a": {"macro_sql": text, "depends_on": {"macros": ["macro.shop.b"]}},
        }
        put(tmp_path, manifest=document, run_results=run_results())
        facts = await read_folder(tmp_path)
        sums.append({r.unique_id: r.checksum for r in runs(facts)[0].results})
    assert sums[0][ORDERS] != sums[1][ORDERS]
    assert sums[0][STAGED] == sums[1][STAGED]


async def test_a_macro_of_dbt_itself_changes_nothing(tmp_path: Path) -> None:
    """A new version of dbt or of its adapter is not a change of every model."""
    sums = []
    for text in ("1", "2"):
        used = ["macro.dbt.x", "macro.dbt_postgres.y"]
        document = manifest(orders={"depends_on": {"nodes": [STAGED], "macros": used}})
        document["macros"] = {one: {"macro_sql": text} for one in used}
        put(tmp_path, manifest=document, run_results=run_results())
        facts = await read_folder(tmp_path)
        sums.append({r.unique_id: r.checksum for r in runs(facts)[0].results}[ORDERS])
    assert sums[0] == sums[1]


async def test_who_deployed_what(tmp_path: Path) -> None:
    """The environment of dbt says the commit, who deployed it and when."""
    env = {"GIT_SHA": "abc123", "DEPLOYED_BY": "dana@acme.example"}
    env |= {"DEPLOYED_AT": "2026-03-02T11:30:00+01:00", "OTHER_SECRET": "s3cret"}
    put(tmp_path, manifest=manifest(), run_results=run_results(env=env))
    facts = await read_folder(tmp_path)
    run = runs(facts)[0]
    assert (run.git_sha, run.deployed_by) == ("abc123", "dana@acme.example")
    assert run.deployed_at == datetime.fromisoformat("2026-03-02T10:30:00+00:00")
    assert "s3cret" not in repr(facts)


MARKS: list[tuple[dict[str, object], bool | None]] = [
    ({}, None),
    ({"meta": {"merchant_facing": True}}, True),
    ({"config": {"meta": {"merchant_facing": "yes"}}}, True),
    ({"meta": {"merchant_facing": False}}, False),
    ({"tags": ["merchant-facing"]}, True),
    ({"config": {"tags": "merchant_facing"}}, True),
    ({"tags": ["internal"]}, None),
    ({"meta": {"merchant_facing": ["odd"]}}, None),
]


@pytest.mark.parametrize(("entry", "expected"), MARKS)
async def test_what_merchants_see(
    tmp_path: Path, entry: dict[str, object], *, expected: bool | None
) -> None:
    """An exposure is merchant-facing when its meta or a tag says so, and unknown when nothing does."""
    put(tmp_path, manifest=manifest(gmv=entry), run_results=run_results())
    facts = await read_folder(tmp_path)
    exposures = lineage(facts).exposures
    assert exposures is not None
    assert [(one.unique_id, one.depends_on, one.merchant_facing) for one in exposures] == [
        (DASHBOARD, (REVENUE,), expected)
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, None),
        ({"meta": {"critical": True}}, (REVENUE,)),
        ({"meta": {"critical": False}}, ()),
    ],
)
async def test_critical_models(tmp_path: Path, entry: dict[str, object], expected: object) -> None:
    """A project that marks nothing does not know which models are critical; one that does knows of all."""
    put(tmp_path, manifest=manifest(revenue=entry), run_results=run_results())
    assert lineage(await read_folder(tmp_path)).critical_models == expected


NAMES = [
    ('"SHOP"."MAIN"."STG_ORDERS"', STAGED),
    ("shop.main.stg_orders", STAGED),
    ("`main`.`stg_orders`", STAGED),
    ("stg_orders", STAGED),
    ("raw.shopify.orders", RAW),
    ("orders", None),  # a model and a source end so
    ("other.main.stg_orders", None),
    ("shop.main.stg", None),
]


@pytest.mark.parametrize(("relation", "node"), NAMES)
async def test_a_relation_in_any_writing(tmp_path: Path, relation: str, node: str | None) -> None:
    """A dataset without a node is found by its relation when that is clear, and says its node from then on."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as source:
        dataset = Dataset(name="o", relation=relation)
        assert source.covers(dataset)
        facts = await source.read(ask_of(None, relation=relation))
        assert source.covers(dataset) is (node is not None)
    assert facts.dataset.get("dbt_node") == node
    assert bool(facts.found) is (node is not None)
    assert facts.holes == () or set(reasons(facts)) == {"column_snapshots"}


async def test_a_relation_of_a_later_manifest(tmp_path: Path) -> None:
    """What the project lacks is asked about again after an hour: it may be new."""
    clock = Ticking()
    put(tmp_path, manifest=manifest(), run_results=run_results())
    dataset = Dataset(name="o", relation="shop.main.brand_new")
    async with opened(SOURCE, {"artifacts": str(tmp_path)}, clock) as source:
        await source.read(ask_of())
        assert not source.covers(dataset)
        clock.now += HOUR + timedelta(seconds=1)
        assert source.covers(dataset)


async def test_a_dataset_that_names_nothing(tmp_path: Path) -> None:
    """Without a node and a relation dbt is not asked."""
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as source:
        assert not source.covers(Dataset(name="o"))


async def test_offers(tmp_path: Path) -> None:
    """Every table is offered with its node, owner and what is marked; without a manifest it says why not."""
    marked = manifest(
        gmv={"meta": {"merchant_facing": True}},
        stg_orders={"config": {"meta": {"owner": "dana@acme.example"}}},
        revenue={"meta": {"critical": True}, "group": "finance"},
    )
    marked["groups"] = {
        "group.shop.finance": {"name": "finance", "owner": {"email": "fin@acme.example"}}
    }
    put(tmp_path, manifest=marked, run_results=run_results(), catalog=catalog())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as source:
        found = {offer.dbt_node: offer for offer in await source.offers()}
    assert set(found) == {RAW, STAGED, ORDERS, REVENUE, CUSTOMERS}
    assert found[RAW].relation == "RAW.shopify.orders"
    assert found[STAGED].owner == "dana@acme.example"
    assert (found[REVENUE].owner, found[REVENUE].critical) == ("fin@acme.example", True)
    assert [column.name for column in found[RAW].columns or ()] == ["id", "total_price"]
    assert found[RAW].merchant_facing is True
    async with opened(SOURCE, {"artifacts": str(tmp_path / "none")}) as source:
        with pytest.raises(BotError, match="there is no folder"):
            await source.offers()


async def test_freshness_of_sources(tmp_path: Path) -> None:
    """What dbt source freshness said of the dataset's source is one more check."""
    checked = {
        "metadata": {"generated_at": "2026-03-02T11:00:00Z", "invocation_id": "fresh"},
        "results": [
            {
                "unique_id": RAW,
                "status": "error",
                "max_loaded_at": "2026-03-01T00:00:00+00:00",
                "snapshotted_at": "2026-03-02T11:00:00+00:00",
                "max_loaded_at_time_ago_in_s": 126000.0,
            },
            {"unique_id": "source.shop.other.t", "error": "boom", "status": "runtime error"},
        ],
    }
    put(tmp_path, manifest=manifest(), run_results=run_results(), sources=checked)
    facts = await read_folder(tmp_path, ask_of(RAW))
    results = facts.found["dq_results"]
    assert isinstance(results, tuple)
    found = {result.check_id: result.status for result in results}
    assert found == {"source_unique_orders_id": "passed", "source_freshness_orders": "failed"}
