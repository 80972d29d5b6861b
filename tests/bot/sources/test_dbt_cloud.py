"""Runs of dbt Cloud become facts of a case, step by step."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any, Final

import pytest

from bot.payloads.dbt_cloud import command_of, deployers, read_runs, read_steps
from bot.payloads.dbt_document import ArtifactError
from rca.case import Dataset
from tests.bot.sources.dbt_cloud_world import BUILD, CLONE, DOCS, Cloud, read_account, served
from tests.bot.sources.dbt_world import (
    NOON,
    ORDERS,
    RAW,
    STAGED,
    Ticking,
    ask_of,
    manifest,
    reasons,
    run_results,
    runs,
)

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


async def test_runs_give_everything() -> None:
    """Two nights of builds give runs, lineage, test results and columns."""
    cloud = Cloud()
    cloud.add(11, NOON - DAY)
    cloud.add(12)
    facts = await read_account(cloud)
    assert set(facts.found) == {"dbt_runs", "lineage", "dq_results", "column_snapshots"}
    assert facts.holes == ()
    assert [(run.invocation_id, run.git_sha) for run in runs(facts)] == [
        ("inv-11", "sha-1"),
        ("inv-12", "sha-1"),
    ]


async def test_the_last_step_is_not_the_run() -> None:
    """A failed build stays failed although docs generate ran after it and wrote success everywhere."""
    cloud = Cloud()
    run = cloud.add(12, status=20)
    run.artifacts[2, "run_results.json"] = run_results(invocation_id="inv-12", orders="error")
    facts = await read_account(cloud)
    assert [one.invocation_id for one in runs(facts)] == ["inv-12"]
    assert {one.unique_id: one.status for one in runs(facts)[0].results}[ORDERS] == "error"
    assert "runs/12/artifacts/run_results.json" not in cloud.asked
    assert "runs/12/artifacts/run_results.json?step=3" not in cloud.asked


async def test_every_step_is_a_run_of_its_own() -> None:
    """The steps dbt run and dbt test of one job are two invocations with two sets of results."""
    cloud = Cloud()
    run = cloud.add(12)
    run.steps = (CLONE, "Invoke dbt with `dbt run`", "Invoke dbt with `dbt test --select x`", DOCS)
    run.artifacts[2, "run_results.json"] = run_results(NOON - HOUR, "inv-run", "run")
    run.artifacts[3, "run_results.json"] = run_results(
        NOON, "inv-test", "test", source_unique_orders_id="fail"
    )
    facts = await read_account(cloud)
    assert [(one.command, one.invocation_id) for one in runs(facts)] == [
        ("run", "inv-run"),
        ("test", "inv-test"),
    ]


async def test_the_newest_run_has_checksums() -> None:
    """The newest run's own manifest is read, and only that: older ones cost megabytes each."""
    cloud = Cloud()
    cloud.add(11, NOON - DAY)
    cloud.add(12)
    facts = await read_account(cloud)
    assert [any(one.checksum for one in run.results) for run in runs(facts)] == [False, True]
    assert [path for path in cloud.asked if "manifest" in path] == [
        "runs/12/artifacts/manifest.json?step=2"
    ]


async def test_a_run_is_read_once() -> None:
    """A second look asks for the list, and for what is new."""
    cloud, clock = Cloud(), Ticking()
    cloud.add(11, NOON - DAY)
    async with served(cloud, clock) as source:
        await source.read(ask_of(RAW))
        cloud.asked.clear()
        cloud.add(12)
        clock.now += timedelta(minutes=1)
        facts = await source.read(ask_of(RAW))
    assert cloud.asked[0] == "runs/"
    assert not [path for path in cloud.asked if "/11/" in path]
    assert [run.invocation_id for run in runs(facts)] == ["inv-11", "inv-12"]


async def test_many_datasets_are_one_look() -> None:
    """Fifty questions at once ask for the runs once; within ten seconds nobody asks again."""
    cloud, clock = Cloud(), Ticking()
    cloud.add(12)
    async with served(cloud, clock) as source:
        await asyncio.gather(*(source.read(ask_of(RAW)) for _ in range(50)))
        clock.now += timedelta(seconds=9)
        await source.read(ask_of(RAW))
        assert cloud.asked.count("runs/") == 1
        clock.now += timedelta(seconds=1)
        await source.read(ask_of(RAW))
    assert cloud.asked.count("runs/") == 2


async def test_a_look_survives_whoever_asked_for_it() -> None:
    """A question that ran out of time does not end the look; the next one gets its answer."""
    cloud = Cloud(pause=asyncio.Event())
    cloud.add(12)
    async with served(cloud) as source:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(source.read(ask_of(RAW)), 0.05)
        assert cloud.pause is not None
        cloud.pause.set()
        facts = await source.read(ask_of(RAW))
    assert [run.invocation_id for run in runs(facts)] == ["inv-12"]
    assert cloud.asked.count("runs/") == 1


async def test_a_run_that_could_not_start() -> None:
    """After a parse error there are no results: the run is known, with its commit and without results."""
    cloud = Cloud()
    cloud.add(11, NOON - DAY)
    run = cloud.add(12, status=20, git_sha="sha-2", status_message="dbt command failed")
    run.artifacts.clear()
    facts = await read_account(cloud)
    last = runs(facts)[-1]
    assert (last.invocation_id, last.git_sha, last.results) == ("dbt-cloud-run-12", "sha-2", ())
    assert last.dbt_generated_at == NOON


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"status": 10}, True),
        ({"status": 20}, True),
        ({"status": 30}, False),
        ({"status": 3, "finished_at": None}, False),
        ({"status": 1, "finished_at": None}, False),
        ({"trigger": {"github_pull_request_id": 4}}, False),
        ({"trigger": {"gitlab_merge_request_id": 4}}, False),
        ({"trigger": {"azure_pull_request_id": 4}}, False),
        ({"trigger": {"github_pull_request_id": None}}, True),
        ({"job": {"job_type": "ci"}}, False),
        ({"job": {"job_type": "scheduled"}}, True),
        ({"environment_id": 3}, True),
        ({"environment_id": 4}, False),
    ],
)
async def test_which_runs_count(fields: dict[str, Any], *, counts: bool) -> None:
    """Runs that ended in the wanted environment; those of pull requests build elsewhere."""
    cloud = Cloud()
    cloud.add(11, NOON - HOUR)
    cloud.add(12, **fields)
    facts = await read_account(cloud, environment_id=3)
    expected = ["inv-11", "inv-12"] if counts else ["inv-11"]
    assert [run.invocation_id for run in runs(facts)] == expected


async def test_jobs_that_are_named() -> None:
    """Only the named jobs are asked for, each by itself."""
    cloud = Cloud()
    cloud.add(11, NOON - HOUR, job_definition_id=8)
    cloud.add(12, job_definition_id=9)
    cloud.add(13, job_definition_id=10)
    facts = await read_account(cloud, job_ids=[8, 9], project_id=None)
    assert [run.invocation_id for run in runs(facts)] == ["inv-11", "inv-12"]
    assert cloud.asked.count("runs/") == 2


async def test_who_deployed() -> None:
    """The one who started the first run of a new commit is named, and nobody else is."""
    by_hand = {"cause": "Kicked off from the UI by dana@acme.example"}
    cloud = Cloud()
    cloud.add(10, NOON - 3 * HOUR, trigger=by_hand)
    cloud.add(11, NOON - 2 * HOUR, trigger=by_hand)
    cloud.add(12, NOON - HOUR, git_sha="sha-2", trigger=by_hand)
    cloud.add(13, git_sha="sha-3")
    facts = await read_account(cloud)
    assert [(run.git_sha, run.deployed_by) for run in runs(facts)] == [
        ("sha-1", None),
        ("sha-1", None),
        ("sha-2", "dana@acme.example"),
        ("sha-3", None),
    ]


async def test_results_that_are_still_being_saved() -> None:
    """A run whose artifacts are not there yet is a hole, not its predecessor's success; then it is read."""
    cloud, clock = Cloud(), Ticking(NOON + timedelta(minutes=1))
    cloud.add(11, NOON - DAY)
    run = cloud.add(12, status=20, artifacts_saved=False)
    kept = dict(run.artifacts)
    run.artifacts.clear()
    async with served(cloud, clock) as source:
        early = await source.read(ask_of(RAW))
        run.artifacts.update(kept)
        clock.now += timedelta(minutes=1)
        then = await source.read(ask_of(RAW))
    assert "run 12 has ended, and its results are not there yet" in reasons(early)["dbt_runs"]
    assert [run.invocation_id for run in runs(then)] == ["inv-11", "inv-12"]


async def test_results_that_never_come() -> None:
    """Ten minutes after its end a run without artifacts is what it is: one that wrote none."""
    cloud, clock = Cloud(), Ticking(NOON + timedelta(minutes=10, seconds=1))
    run = cloud.add(12, status=20, artifacts_saved=False)
    run.artifacts = {(2, "manifest.json"): manifest()}
    cloud.add(11, NOON - HOUR)
    async with served(cloud, clock) as source:
        facts = await source.read(ask_of(RAW))
    assert runs(facts)[-1].invocation_id == "dbt-cloud-run-12"


async def test_nothing_later_than_the_instant() -> None:
    """A case of an earlier instant does not see a run that ended later."""
    cloud = Cloud()
    run = cloud.add(11, NOON - DAY)
    late = cloud.add(12)
    late.artifacts[2, "manifest.json"] = run.artifacts[2, "manifest.json"]
    async with served(cloud) as source:
        facts = await source.read(ask_of(RAW, as_of=NOON - timedelta(seconds=1)))
    assert [one.invocation_id for one in runs(facts)] == ["inv-11"]


async def test_check_and_offers() -> None:
    """A good account has no problem and offers its tables."""
    cloud = Cloud()
    cloud.add(12)
    async with served(cloud) as source:
        checked = await source.check()
        offers = await source.offers()
        assert source.covers(Dataset(name="o", relation="shop.main.stg_orders"))
        assert not source.covers(Dataset(name="o", relation="shop.main.other"))
    assert [one.problem for one in checked] == [None, None]
    assert STAGED in {offer.dbt_node for offer in offers}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        (BUILD, "build"),
        ("Invoke dbt with `dbt --warn-error build --select tag:x`", "build"),
        ("Invoke dbt with `dbt --target prod run`", "run"),
        ("Invoke dbt with `dbt source freshness`", "source"),
        ("Invoke dbt with `dbt run-operation x`", "run-operation"),
        (DOCS, "docs"),
        ("Invoke dbt with `dbt deps`", "deps"),
        (CLONE, None),
        ("Create profile from connection `prod`", None),
        ("Invoke dbt with `dbt something-new`", None),
        ("", None),
    ],
)
def test_the_command_of_a_step(name: str, command: str | None) -> None:
    """What a step ran is in its name, between backticks, whatever flags come first."""
    assert command_of(name) == command


@pytest.mark.parametrize("value", [None, 3, "x", [], {}, {"index": "1"}, {"index": 0}])
def test_odd_entries_are_passed_over(value: object) -> None:
    """A run or a step of another shape costs itself, not the list."""
    good = {"id": 1, "status": 10, "index": 1, "name": BUILD}
    assert len(read_runs(json.dumps({"data": [value, good]}), "x")) == 1
    steps = read_steps(json.dumps({"data": {"run_steps": [value, good]}}), "x")
    assert [step.command for step in steps] == ["build"]
    with pytest.raises(ArtifactError, match=r"x: data.run_steps is not a list"):
        read_steps(json.dumps({"data": {"run_steps": "none"}}), "x")


def test_nobody_deployed_without_a_comparison() -> None:
    """The first run that is known says nothing about who brought its commit."""
    raw = '{"data": [{"id": 1, "status": 10, "git_sha": "a", "trigger": {"cause": "by a@b.example"}}]}'
    assert deployers(read_runs(raw, "x")) == {}
