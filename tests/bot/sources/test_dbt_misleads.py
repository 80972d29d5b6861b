"""Results that mislead are not believed, and each run is told as what it was."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from bot.sources.dbt import SOURCE
from tests.bot.sources.dbt_world import (
    CUSTOMERS,
    NOON,
    ORDERS,
    STAGED,
    Ticking,
    ask_of,
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
    facts = await read_folder(tmp_path)
    assert "dbt_runs" not in facts.found
    name = "docs generate" if which == "generate" else which
    assert reasons(facts)["dbt_runs"] == (
        f"{tmp_path}/run_results.json from 2026-03-02 12:00 UTC was written by dbt {name}, which runs no models"
    )
    assert reasons(facts)["dq_results"] == reasons(facts)["dbt_runs"]
    assert set(lineage(facts).parents) > {STAGED}


@pytest.mark.parametrize("which", ["run", "build", "test", "seed", "snapshot", "retry"])
async def test_a_command_that_runs(tmp_path: Path, which: str) -> None:
    """Every command that touches data is believed."""
    put(tmp_path, manifest=manifest(), run_results=run_results(which=which))
    assert runs(await read_folder(tmp_path))[0].command == which


@pytest.mark.parametrize(("test_says", "believed"), [("pass", True), ("success", False)])
async def test_results_that_do_not_say_their_command(
    tmp_path: Path, test_says: str, *, believed: bool
) -> None:
    """A test that passed says pass; one that says success was only compiled."""
    results = run_results(
        which=None, not_null_stg_orders_id=test_says, source_unique_orders_id=test_says
    )
    put(tmp_path, manifest=manifest(), run_results=results)
    assert ("dbt_runs" in (await read_folder(tmp_path)).found) is believed


@pytest.mark.parametrize(("age", "believed"), [(36 * HOUR, True), (36.01 * HOUR, False)])
async def test_old_results(tmp_path: Path, age: timedelta, *, believed: bool) -> None:
    """Results of the day before yesterday say nothing about now: a run that cannot start writes none."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read_folder(tmp_path, ask_of(as_of=NOON + age))
    assert ("dbt_runs" in facts.found) is believed
    if not believed:
        assert reasons(facts)["dbt_runs"] == (
            f"dbt's artifacts in {tmp_path}: the newest results of a dbt run"
            " are from 2026-03-02 12:00 UTC, over 36 h before"
        )


async def test_how_old_is_too_old_can_be_said(tmp_path: Path) -> None:
    """A project that runs weekly is given more time."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read_folder(
        tmp_path, ask_of(as_of=NOON + timedelta(days=6)), stale_after_h=24 * 8
    )
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
    facts = await read_folder(tmp_path, folders="*")
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
    facts = await read_folder(tmp_path)
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
