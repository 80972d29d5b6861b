"""dbt's artifacts in a folder become facts of a case, and what misleads becomes a hole."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.ports import BotError, Facts
from bot.sources.dbt import SOURCE
from rca.case import Dataset, DbtRun, Lineage
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
    manifest,
    opened,
    put,
    run_results,
)

HOUR = timedelta(hours=1)


async def read(folder: Path, *asks: Any, **options: object) -> Facts:
    """What one look at the folder says."""
    async with opened(SOURCE, {"artifacts": str(folder), **options}) as source:
        facts: Facts = await source.read(asks[0] if asks else ask_of())
        return facts


def reasons(facts: Facts) -> dict[str, str]:
    """Why each fact is missing."""
    return {hole.fact: hole.reason for hole in facts.holes}


def runs(facts: Facts) -> tuple[DbtRun, ...]:
    """The runs, oldest first."""
    found = facts.found["dbt_runs"]
    assert isinstance(found, tuple)
    return found


def lineage(facts: Facts) -> Lineage:
    """The graph."""
    found = facts.found["lineage"]
    assert isinstance(found, Lineage)
    return found


def statuses(run: DbtRun) -> dict[str, str]:
    """What each node did."""
    return {result.unique_id: result.status for result in run.results}


async def test_one_build_gives_everything(tmp_path: Path) -> None:
    """Runs, lineage, test results and columns are found, and nothing is missing."""
    put(tmp_path, manifest=manifest(), run_results=run_results(), catalog=catalog())
    facts = await read(tmp_path, ask_of(RAW))
    assert set(facts.found) == {"dbt_runs", "lineage", "dq_results", "column_snapshots"}
    assert facts.holes == ()
    assert [run.invocation_id for run in runs(facts)] == ["inv-1"]
    assert runs(facts)[0].command == "build"


async def test_only_the_part_that_matters(tmp_path: Path) -> None:
    """The graph holds what is above and below the dataset and the tests on the way, the runs the same nodes."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read(tmp_path)
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
    assert set(statuses(runs(facts)[0])) == {RAW, STAGED, ORDERS, REVENUE, NOT_NULL, UNIQUE_RAW} - {
        RAW
    }
    assert CUSTOMERS not in statuses(runs(facts)[0])


async def test_skipped_children_stay_skipped(tmp_path: Path) -> None:
    """Statuses pass through: what failed has failed, what was skipped behind it is no failure."""
    put(
        tmp_path,
        manifest=manifest(),
        run_results=run_results(not_null_stg_orders_id="fail", orders="skipped", revenue="skipped"),
    )
    facts = await read(tmp_path)
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


async def test_docs_generate_hides_nothing_that_was_seen(tmp_path: Path) -> None:
    """Results that docs generate wrote over those of a failed build are not believed; the build's are kept."""
    clock = Ticking()
    put(tmp_path, manifest=manifest(), run_results=run_results(orders="error"))
    async with opened(SOURCE, {"artifacts": str(tmp_path)}, clock) as source:
        await source.read(ask_of())
        later = NOON + timedelta(minutes=5)
        put(tmp_path, run_results=run_results(later, "inv-2", which="generate"))
        clock.now += timedelta(minutes=1)
        facts = await source.read(ask_of())
    assert [run.invocation_id for run in runs(facts)] == ["inv-1"]
    assert statuses(runs(facts)[0])[ORDERS] == "error"


@pytest.mark.parametrize("which", ["generate", "compile", "docs", "list", "parse", "clone"])
async def test_a_command_that_runs_nothing(tmp_path: Path, which: str) -> None:
    """Where only such results are left, runs and test results are holes that say who wrote them."""
    put(tmp_path, manifest=manifest(), run_results=run_results(which=which))
    facts = await read(tmp_path)
    assert "dbt_runs" not in facts.found
    assert reasons(facts)["dbt_runs"] == (
        f"{tmp_path}/run_results.json from 2026-03-02 12:00 UTC was written by dbt {which}, which runs none"
    )
    assert reasons(facts)["dq_results"] == reasons(facts)["dbt_runs"]
    assert set(lineage(facts).parents) > {STAGED}


@pytest.mark.parametrize("which", ["run", "build", "test", "seed", "snapshot", "retry"])
async def test_a_command_that_runs(tmp_path: Path, which: str) -> None:
    """Every command that touches data is believed."""
    put(tmp_path, manifest=manifest(), run_results=run_results(which=which))
    assert runs(await read(tmp_path))[0].command == which


@pytest.mark.parametrize(("test_says", "believed"), [("pass", True), ("success", False)])
async def test_results_that_do_not_say_their_command(
    tmp_path: Path, test_says: str, *, believed: bool
) -> None:
    """A test that passed says pass; one that says success was only compiled."""
    results = run_results(
        which=None, not_null_stg_orders_id=test_says, source_unique_orders_id=test_says
    )
    put(tmp_path, manifest=manifest(), run_results=results)
    assert ("dbt_runs" in (await read(tmp_path)).found) is believed


@pytest.mark.parametrize(("age", "believed"), [(36 * HOUR, True), (36.01 * HOUR, False)])
async def test_old_results(tmp_path: Path, age: timedelta, *, believed: bool) -> None:
    """Results of the day before yesterday say nothing about now: a run that cannot start writes none."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read(tmp_path, ask_of(as_of=NOON + age))
    assert ("dbt_runs" in facts.found) is believed
    if not believed:
        assert reasons(facts)["dbt_runs"] == (
            f"{tmp_path}: the newest results of a dbt run are from 2026-03-02 12:00 UTC, over 36 h before"
        )


async def test_how_old_is_too_old_can_be_said(tmp_path: Path) -> None:
    """A project that runs weekly is given more time."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read(tmp_path, ask_of(as_of=NOON + timedelta(days=6)), stale_after_h=24 * 8)
    assert "dbt_runs" in facts.found


async def test_nothing_later_than_the_instant(tmp_path: Path) -> None:
    """A case of an earlier instant sees neither the run that was over later nor a later manifest."""
    clock = Ticking()
    put(tmp_path, manifest=manifest(NOON - 2 * HOUR), run_results=run_results(NOON - HOUR, "inv-0"))
    async with opened(SOURCE, {"artifacts": str(tmp_path)}, clock) as source:
        await source.read(ask_of())
        put(tmp_path, run_results=run_results(NOON, "inv-1", orders="error"))
        clock.now += HOUR
        before = await source.read(ask_of(as_of=NOON - timedelta(seconds=1)))
        at = await source.read(ask_of(as_of=NOON))
        put(tmp_path, manifest=manifest(NOON))
        clock.now += HOUR
        too_early = await source.read(ask_of(as_of=NOON - timedelta(seconds=1)))
    assert [run.invocation_id for run in runs(before)] == ["inv-0"]
    assert [run.invocation_id for run in runs(at)] == ["inv-0", "inv-1"]
    assert too_early.found == {}
    assert "written at 2026-03-02 12:00 UTC, after" in reasons(too_early)["lineage"]


async def test_runs_about_other_things(tmp_path: Path) -> None:
    """A run that did nothing about the dataset is left out; one that did nothing at all is not."""
    only_customers = run_results(NOON, "inv-b")
    only_customers["results"] = [
        one for one in only_customers["results"] if one["unique_id"] == CUSTOMERS
    ]
    nothing = run_results(NOON + timedelta(minutes=1), "inv-c") | {"results": []}
    put(tmp_path, manifest=manifest(NOON - HOUR))
    put(tmp_path / "a", run_results=run_results(NOON - HOUR, "inv-a"))
    put(tmp_path / "b", run_results=only_customers)
    put(tmp_path / "c", run_results=nothing)
    facts = await read(tmp_path, folders="*")
    assert [run.invocation_id for run in runs(facts)] == ["inv-a", "inv-c"]


async def test_ids_of_absurd_length(tmp_path: Path) -> None:
    """What no dbt writes is passed over, and the rest is given."""
    long = "model.shop." + "x" * 600
    document = manifest()
    document["nodes"][long] = {"name": "y" * 600, "depends_on": {"nodes": [STAGED]}}
    document["nodes"]["model.shop.z"] = {"name": "y" * 600, "depends_on": {"nodes": [STAGED, long]}}
    results = run_results()
    results["results"] += [{"unique_id": long, "status": "error"}]
    results["results"] += [{"unique_id": "model.shop.z", "status": "s" * 600}, 3]
    put(tmp_path, manifest=document, run_results=results)
    facts = await read(tmp_path)
    assert lineage(facts).parents["model.shop.z"] == (STAGED,)
    assert long not in str(facts)


async def test_a_retry_is_a_run_of_its_own(tmp_path: Path) -> None:
    """Two invocations of one pipeline are two runs, in the order of their times."""
    clock = Ticking()
    put(tmp_path, manifest=manifest(), run_results=run_results(orders="error"))
    async with opened(SOURCE, {"artifacts": str(tmp_path)}, clock) as source:
        await source.read(ask_of())
        put(tmp_path, run_results=run_results(NOON + HOUR, "inv-2", which="retry"))
        clock.now += HOUR
        facts = await source.read(ask_of(as_of=NOON + 2 * HOUR))
    assert [(run.command, statuses(run)[ORDERS]) for run in runs(facts)] == [
        ("build", "error"),
        ("retry", "success"),
    ]


async def test_only_what_is_new_is_sent_again(tmp_path: Path) -> None:
    """Runs before ``since`` were read before; the newest one is always said, since it tells how things are."""
    for number in range(3):
        at = NOON - number * 24 * HOUR
        folder = tmp_path / f"run-{number}"
        put(
            folder,
            manifest=manifest(at, f"inv-{number}"),
            run_results=run_results(at, f"inv-{number}"),
        )
        os.utime(folder / "manifest.json", (at.timestamp(), at.timestamp()))
    async with opened(SOURCE, {"artifacts": str(tmp_path), "folders": "run-*"}) as source:
        all_of_them = await source.read(ask_of())
        yesterday = await source.read(ask_of(since=NOON - 25 * HOUR))
        none = await source.read(ask_of(since=NOON + timedelta(minutes=1)))
    assert [run.invocation_id for run in runs(all_of_them)] == ["inv-2", "inv-1", "inv-0"]
    assert [run.invocation_id for run in runs(yesterday)] == ["inv-1", "inv-0"]
    assert [run.invocation_id for run in runs(none)] == ["inv-0"]


async def test_what_was_told_is_not_told_for_ever(tmp_path: Path) -> None:
    """A poll every few minutes gets a run for three hours; whoever has not asked for long gets all since then."""
    clock = Ticking()
    day = 24 * HOUR
    for name, at in (("a", NOON - 2 * HOUR), ("b", NOON)):
        put(tmp_path / name, run_results=run_results(at, name))
    put(tmp_path, manifest=manifest(NOON - 3 * HOUR))
    async with opened(SOURCE, {"artifacts": str(tmp_path), "folders": "*"}, clock) as source:
        found = []
        for after, since in ((0, day), (3, day), (4, day), (4, day + 2 * HOUR)):
            clock.now = NOON + timedelta(minutes=10) + after * HOUR
            asked = ask_of(as_of=clock.now, since=clock.now - since)
            found.append([run.invocation_id for run in runs(await source.read(asked))])
    assert found == [["a", "b"], ["a", "b"], ["b"], ["a", "b"]]


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
    facts = await read(tmp_path, folders="*")
    first, second = (
        next(r.checksum for r in run.results if r.unique_id == ORDERS) for run in runs(facts)
    )
    assert first
    assert second
    assert (first == second) is same


async def test_a_manifest_of_another_invocation_tells_no_checksums(tmp_path: Path) -> None:
    """What ``dbt parse`` wrote later is not the code that ran."""
    put(tmp_path, manifest=manifest(invocation_id="inv-parse"), run_results=run_results())
    facts = await read(tmp_path)
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
        facts = await read(tmp_path)
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
        facts = await read(tmp_path)
        sums.append({r.unique_id: r.checksum for r in runs(facts)[0].results}[ORDERS])
    assert sums[0] == sums[1]


async def test_who_deployed_what(tmp_path: Path) -> None:
    """The environment of dbt says the commit, who deployed it and when."""
    env = {"GIT_SHA": "abc123", "DEPLOYED_BY": "dana@acme.example"}
    env |= {"DEPLOYED_AT": "2026-03-02T11:30:00+01:00", "OTHER_SECRET": "s3cret"}
    put(tmp_path, manifest=manifest(), run_results=run_results(env=env))
    facts = await read(tmp_path)
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
    facts = await read(tmp_path)
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
    assert lineage(await read(tmp_path)).critical_models == expected


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


async def test_a_node_that_was_renamed(tmp_path: Path) -> None:
    """A node that the project lacks is found again by its relation, and its new name is said."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read(tmp_path, ask_of("model.shop.old", relation="shop.main.stg_orders"))
    assert facts.dataset["dbt_node"] == STAGED
    assert "dbt_runs" in facts.found


async def test_a_node_that_is_gone(tmp_path: Path) -> None:
    """A node that the directory names and the project lacks leaves holes that say both."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read(tmp_path, ask_of("model.shop.renamed"))
    assert facts.found == {}
    assert set(reasons(facts)) == {"dbt_runs", "lineage", "dq_results", "column_snapshots"}
    assert reasons(facts)["lineage"] == (
        f"{tmp_path}: manifest.json from 2026-03-02 12:00 UTC has no node model.shop.renamed among its 8"
    )


BROKEN: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "no folder content": (
        {},
        {"lineage": "looked into {at}: there is no manifest.json"},
    ),
    "a cut manifest": (
        {"manifest": '{"metadata": {"generated_at"'},
        {"lineage": "{at}/manifest.json is not JSON, or was cut off"},
    ),
    "no results": (
        {"manifest": manifest()},
        {"dbt_runs": "looked into {at}: there is no run_results.json"},
    ),
    "cut results": (
        {"manifest": manifest(), "run_results": "{"},
        {"dbt_runs": "{at}/run_results.json is not JSON, or was cut off"},
    ),
    "odd results": (
        {"manifest": manifest(), "run_results": {"metadata": {"generated_at": 3}, "results": []}},
        {
            "dq_results": "{at}/run_results.json: metadata.generated_at is missing or not a time",
        },
    ),
    "no catalog": (
        {"manifest": manifest(), "run_results": run_results()},
        {"column_snapshots": "looked into {at}: there is no catalog.json"},
    ),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_what_is_missing_is_named(tmp_path: Path, case: str) -> None:
    """A file that is missing or cannot be used leaves a hole that names it; the rest is given."""
    artifacts, expected = BROKEN[case]
    put(tmp_path, **artifacts)
    facts = await read(tmp_path)
    found = reasons(facts)
    for fact, reason in expected.items():
        assert found[fact] == reason.replace("{at}", str(tmp_path))
    assert set(found) | set(facts.found) == {
        "dbt_runs",
        "lineage",
        "dq_results",
        "column_snapshots",
    }


async def test_no_such_folder(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    facts = await read(tmp_path / "nowhere")
    assert set(reasons(facts).values()) == {
        f"dbt's artifacts: there is no folder {tmp_path}/nowhere"
    }


async def test_a_file_half_written_leaves_the_old_one(tmp_path: Path) -> None:
    """While dbt writes its manifest, the one before is in use."""
    clock = Ticking()
    put(tmp_path, manifest=manifest(), run_results=run_results())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}, clock) as source:
        await source.read(ask_of())
        put(tmp_path, manifest=json.dumps(manifest())[:500])
        clock.now += timedelta(minutes=1)
        facts = await source.read(ask_of())
        checked = await source.check()
    assert STAGED in lineage(facts).parents
    assert checked[0].problem == f"{tmp_path}/manifest.json is not JSON, or was cut off"


async def test_many_datasets_are_one_look(tmp_path: Path) -> None:
    """A hundred questions at once read each file once; the next look is after five seconds."""
    clock = Ticking()
    put(tmp_path, manifest=manifest(), run_results=run_results())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}, clock) as source:
        counted = Counted(source.looker.files)
        source.looker.files = counted
        await asyncio.gather(*(source.read(ask_of()) for _ in range(100)))
        clock.now += timedelta(seconds=4)
        await source.read(ask_of())
        assert (counted.lists, len(counted.reads)) == (1, 2)
        clock.now += timedelta(seconds=1)
        await source.read(ask_of())
    assert (counted.lists, len(counted.reads)) == (2, 2)


class Counted:
    """Files that remember what was asked of them."""

    def __init__(self, files: Any) -> None:
        self.files = files
        self.place = files.place
        self.lists = 0
        self.reads: list[str] = []

    def list(self) -> Any:
        self.lists += 1
        return self.files.list()

    def read(self, file: Any) -> bytes:
        self.reads.append(file.path)
        content: bytes = self.files.read(file)
        return content


async def test_check_says_what_is_there(tmp_path: Path) -> None:
    """A good folder has no problem; one without results has, with what to do about it."""
    put(tmp_path, manifest=manifest(), run_results=run_results(), catalog=catalog())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as source:
        good = await source.check()
    put(tmp_path, run_results=run_results(which="generate"))
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as source:
        bad = await source.check()
    assert [one.problem for one in good] == [None, None]
    assert good[0].what == (
        f"manifest.json of {tmp_path}: 8 nodes, written at 2026-03-02 12:00 UTC"
    )
    assert bad[1].problem is not None
    assert bad[1].fix is not None


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
    facts = await read(tmp_path, ask_of(RAW))
    results = facts.found["dq_results"]
    assert isinstance(results, tuple)
    found = {result.check_id: result.status for result in results}
    assert found == {"source_unique_orders_id": "passed", "source_freshness_orders": "failed"}
