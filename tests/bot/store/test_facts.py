"""Facts come out as they went in, and only what was known at the instant that is asked about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from pydantic import BaseModel

from bot.ports import Facts
from bot.store.fact_query import MOST_JOBS, REACH
from bot.store.facts import STALE_AFTER
from rca.case import (
    Case,
    Column,
    ColumnSnapshot,
    Dataset,
    DbtRun,
    DqResult,
    FactKind,
    Hole,
    IngestionJob,
    JobStatus,
    Lineage,
    PeerError,
    VolumeWindow,
    parse_case,
)
from tests.bot.store.world import MINUTE, NOW, World, anomaly

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LIBRARY = sorted(
    path.name
    for path in (files("bot.sandbox") / "library").iterdir()
    if path.name.endswith(".json")
)


def case(as_of: datetime = NOW, *, tenant_id: str = "acme", **facts: Any) -> Case:
    """Return a case of shopify_orders with these facts."""
    entry = {"name": "shopify_orders", "connector_id": "conn-1"}
    return Case.model_validate(
        {"case_id": "c", "as_of": as_of, "anomaly": anomaly(tenant_id=tenant_id), "dataset": entry}
        | facts
    )


async def read(world: World, as_of: datetime = NOW, tenant_id: str = "acme") -> Facts:
    return await world.store.facts.read(tenant_id, "shopify_orders", as_of)


def job(job_id: str, started: timedelta, finished: timedelta | None = None) -> IngestionJob:
    """Return a failed sync of conn-1, or a running one; times relative to NOW."""
    return IngestionJob(
        id=job_id,
        tenant_id="acme",
        connector_id="conn-1",
        status=JobStatus.RUNNING if finished is None else JobStatus.FAILED,
        error_message=None if finished is None else "HTTP 401",
        started_at=NOW + started,
        finished_at=None if finished is None else NOW + finished,
        rows_synced=None if finished is None else 7,
    )


# ── round trip ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", LIBRARY)
async def test_the_shipped_incidents_survive(world: World, name: str) -> None:
    """Loaded and read at its own instant, each recorded incident has every fact it had, and the same holes."""
    shipped = json.loads((files("bot.sandbox") / "library" / name).read_bytes())
    known, _ = parse_case(shipped["case"])
    assert known.dataset is not None
    report = await world.store.facts.load(known, known.as_of)
    facts = await world.store.facts.read(known.anomaly.tenant_id, known.dataset.name, known.as_of)
    for fact in FactKind:
        expected = getattr(known, fact)
        if expected is None:
            assert fact.value not in facts.found
            continue
        assert canonical(facts.found[fact], known) == canonical(expected, known)
        assert report.counts[fact] == (1 if fact is FactKind.LINEAGE else len(expected))
    told = {hole.fact for hole in known.holes}
    assert {hole for hole in facts.holes if hole.fact in told} == set(known.holes)


async def test_a_question_reads_what_it_needs(world: World) -> None:
    """Only the kinds that are asked for are looked at: of the others there is neither fact nor hole."""
    runs = Hole(fact=FactKind.DBT_RUNS, reason="no manifest")
    known = case(ingestion_jobs=(job("1", -2 * HOUR, -HOUR),), dq_results=(), holes=(runs,))
    await world.store.facts.load(known, NOW)
    wanted = (FactKind.INGESTION_JOBS, FactKind.LINEAGE)
    facts = await world.store.facts.read("acme", "shopify_orders", NOW, kinds=wanted)
    assert set(facts.found) == {FactKind.INGESTION_JOBS.value}
    assert {hole.fact for hole in facts.holes} == {FactKind.LINEAGE.value}
    assert facts.found == {
        FactKind.INGESTION_JOBS.value: (await read(world)).found[FactKind.INGESTION_JOBS.value]
    }


def canonical(facts: Any, known: Case) -> list[str]:
    """Return the facts as sorted lines, with what the store fills in by itself."""
    assert known.dataset is not None
    filled = {"tenant_id": known.anomaly.tenant_id, "connector_id": known.dataset.connector_id}
    several: Iterable[BaseModel] = [facts] if isinstance(facts, Lineage) else facts
    lines = []
    for fact in several:
        update = filled if isinstance(fact, IngestionJob) else {}
        if isinstance(fact, DqResult):
            update = {"tenant_id": known.anomaly.tenant_id, "dataset": known.dataset.name}
        lines.append(in_utc(fact.model_copy(update=update)))
    return sorted(lines)


def in_utc(fact: BaseModel) -> str:
    values = {
        name: value.timestamp() if isinstance(value, datetime) else value
        for name, value in fact.model_dump().items()
    }
    return repr(sorted(values.items()))


async def test_loading_again_changes_nothing(world: World) -> None:
    """The same case twice, and then a later one with the same job, is one row per fact."""
    facts: dict[str, Any] = {
        "ingestion_jobs": [job("1", -HOUR)],
        "volume_history": [VolumeWindow(window_start=NOW - DAY, window_end=NOW, rows=5)],
        "peer_errors": [PeerError(tenant_id="globex")],
    }
    for _ in range(2):
        await world.store.facts.load(case(**facts), NOW)
    await world.store.facts.load(
        case(NOW + HOUR, ingestion_jobs=[job("1", -HOUR, timedelta())]), NOW + HOUR
    )
    found = (await read(world, NOW + HOUR)).found
    assert found["ingestion_jobs"] == (job("1", -HOUR, timedelta()),)
    assert found["volume_history"] == tuple(facts["volume_history"])
    assert found["peer_errors"] == tuple(facts["peer_errors"])


# ── looked, or not ────────────────────────────────────────────────────────────────────────────────────────


async def test_found_none_is_not_never_looked(world: World) -> None:
    """An empty list that was read is empty; a list that never was is a hole with that reason."""
    await world.store.facts.load(case(dbt_runs=[]), NOW)
    facts = await read(world)
    assert facts.found == {"dbt_runs": ()}
    assert {hole.fact for hole in facts.holes} == set(FactKind) - {FactKind.DBT_RUNS}
    assert {hole.reason for hole in facts.holes} == {"never read for this dataset"}


async def test_a_later_case_that_does_not_know_keeps_what_was_known(world: World) -> None:
    """A missing key says nothing; it neither deletes nor empties."""
    await world.store.facts.load(case(ingestion_jobs=[job("1", -HOUR)]), NOW)
    await world.store.facts.load(case(dbt_runs=[]), NOW)
    assert (await read(world)).found["ingestion_jobs"] == (job("1", -HOUR),)


async def test_holes_are_kept_until_the_fact_is_read(world: World) -> None:
    """The reason that a source gave is told, and gone once the fact is there."""
    hole = Hole(fact="dbt_runs", reason="the artifact is from last week")
    await world.store.facts.load(case(holes=[hole]), NOW)
    assert [one for one in (await read(world)).holes if one.fact == "dbt_runs"] == [hole]
    await world.store.facts.load(case(dbt_runs=[]), NOW)
    assert [one for one in (await read(world)).holes if one.fact == "dbt_runs"] == []


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        (-MINUTE, False),
        (timedelta(), True),
        (STALE_AFTER, True),
        (STALE_AFTER + MINUTE, False),
    ],
)
async def test_what_was_read_long_ago_says_nothing_about_now(
    world: World, asked: timedelta, *, known: bool
) -> None:
    """Facts count from when they were read until they are too old; else a hole says since when."""
    await world.store.facts.load(case(ingestion_jobs=[]), NOW)
    facts = await read(world, NOW + asked)
    assert ("ingestion_jobs" in facts.found) is known
    reasons = [hole.reason for hole in facts.holes if hole.fact == "ingestion_jobs"]
    assert len(reasons) == (0 if known else 1)
    assert all("2026-03-02 07:10 UTC" in reason for reason in reasons)


async def test_reading_again_makes_facts_fresh(world: World) -> None:
    """The last reading counts."""
    await world.store.facts.load(case(ingestion_jobs=[]), NOW)
    later = NOW + STALE_AFTER
    await world.store.facts.load(case(later, ingestion_jobs=[]), later)
    assert "ingestion_jobs" in (await read(world, later + STALE_AFTER)).found


# ── as of ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("as_of", "seen"),
    [
        (-HOUR - MINUTE, []),
        (-HOUR, [(JobStatus.RUNNING, None, None)]),
        (-MINUTE, [(JobStatus.RUNNING, None, None)]),
        (timedelta(), [(JobStatus.FAILED, "HTTP 401", 7)]),
    ],
    ids=["not begun", "begun", "just before its end", "ended"],
)
async def test_a_job_is_what_it_was_then(world: World, as_of: timedelta, seen: list[Any]) -> None:
    """A sync that ended later was still running, and nobody knew how it would end."""
    early = case(NOW - DAY, ingestion_jobs=[])
    await world.store.facts.load(early, NOW)
    await world.store.facts.load(case(ingestion_jobs=[job("1", -HOUR, timedelta())]), NOW)
    jobs: Any = (await read(world, NOW + as_of)).found["ingestion_jobs"]
    assert [(one.status, one.error_message, one.rows_synced) for one in jobs] == seen


async def test_later_facts_are_not_known_yet(world: World) -> None:
    """Snapshots, runs, results and errors after the instant are left out, those at it are not."""

    def facts(at: datetime) -> dict[str, Any]:
        return {
            "column_snapshots": [ColumnSnapshot(captured_at=at, columns=(Column(name="a"),))],
            "dbt_runs": [DbtRun(invocation_id="i", dbt_generated_at=at)],
            "dq_results": [DqResult(id=str(at), check_id="c", status="failed", executed_at=at)],
            "peer_errors": [PeerError(tenant_id=str(at), last_at=at)],
        }

    await world.store.facts.load(case(**facts(NOW)), NOW)
    await world.store.facts.load(case(NOW + HOUR, **facts(NOW + HOUR)), NOW + HOUR)
    for as_of, count in ((NOW, 1), (NOW + HOUR, 2)):
        found: Any = (await read(world, as_of)).found
        assert {fact: len(found[fact]) for fact in facts(NOW)} == dict.fromkeys(facts(NOW), count)


@pytest.mark.parametrize(
    ("read_at", "as_of", "seen"),
    [
        (timedelta(), timedelta(), True),
        (2 * HOUR, timedelta(), False),
        (2 * HOUR, HOUR, True),
    ],
    ids=["counted so far", "counted later", "over"],
)
async def test_an_unfinished_window_counts_if_it_was_counted(
    world: World, read_at: timedelta, as_of: timedelta, *, seen: bool
) -> None:
    """A window that runs until 8:10 is known before only with the rows that were counted before."""
    window = VolumeWindow(window_start=NOW - HOUR, window_end=NOW + HOUR, rows=5)
    await world.store.facts.load(case(NOW - DAY, volume_history=[]), NOW)
    await world.store.facts.load(case(NOW + read_at, volume_history=[window]), NOW + read_at)
    found = (await read(world, NOW + as_of)).found["volume_history"]
    assert found == ((window,) if seen else ())


async def test_a_baseline_reaches_so_far_and_no_further(world: World) -> None:
    """The newest of each kind, within ninety days, the oldest first: a case stays bounded."""
    jobs = [job(f"{n:03}", -timedelta(hours=n)) for n in range(MOST_JOBS + 10)]
    windows = [
        VolumeWindow(window_start=at - DAY, window_end=at, rows=1)
        for at in (NOW - REACH, NOW - REACH + 2 * DAY, NOW)
    ]
    await world.store.facts.load(case(ingestion_jobs=jobs, volume_history=windows), NOW)
    found = (await read(world)).found
    assert found["ingestion_jobs"] == tuple(reversed(jobs[:MOST_JOBS]))
    assert found["volume_history"] == tuple(windows[1:])


# ── tenants and the catalog ───────────────────────────────────────────────────────────────────────────────


async def test_facts_are_the_tenants_own(world: World) -> None:
    """Same dataset, same connector, same job id: each tenant sees what was loaded for it, whatever a file claims."""
    theirs = job("1", -HOUR)
    assert theirs.tenant_id == "acme"
    await world.store.facts.load(case(tenant_id="globex", ingestion_jobs=[theirs]), NOW)
    assert (await read(world)).found == {}
    seen: Any = (await read(world, tenant_id="globex")).found["ingestion_jobs"]
    assert [one.tenant_id for one in seen] == ["globex"]
    assert await world.store.facts.datasets("acme") == ()


async def test_loaded_datasets_make_a_catalog(world: World) -> None:
    """Each by its name, with the connector that its jobs tell when the entry does not."""
    await world.store.facts.load(case(), NOW)
    unnamed = IngestionJob(id="1", status=JobStatus.RUNNING, started_at=NOW)
    named = unnamed.model_copy(update={"connector_id": "conn-9"})
    for name, jobs in (("a", [named]), ("b", [unnamed])):
        await world.store.facts.load(case(dataset={"name": name}, ingestion_jobs=jobs), NOW)
        found: Any = (await world.store.facts.read("acme", name, NOW)).found
        assert [one.id for one in found["ingestion_jobs"]] == ["1"]
    assert await world.store.facts.datasets("acme") == (
        Dataset(name="a", connector_id="conn-9"),
        Dataset(name="b", connector_id="dataset:b"),
        Dataset(name="shopify_orders", connector_id="conn-1"),
    )


async def test_a_case_without_a_catalog_entry_is_loaded_by_its_anomaly(world: World) -> None:
    """The dataset is called as the alert called it."""
    await world.store.facts.load(case(dataset=None, dbt_runs=[]), NOW)
    assert (await read(world)).found == {"dbt_runs": ()}


async def known_entry(world: World) -> dict[str, Any]:
    """What is kept about shopify_orders itself."""
    (entry,) = await world.store.facts.datasets("acme")
    return entry.model_dump(exclude_none=True)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"expected_sync_interval_s": 3600.0}, {"expected_sync_interval_s": 3600.0}),
        ({"name": "another", "stream": "orders"}, {"stream": "orders"}),
        ({"expected_sync_interval_s": 60.0, "stream": None}, {"expected_sync_interval_s": 60.0}),
    ],
)
async def test_what_a_source_knows_of_the_dataset_is_kept(
    world: World, said: dict[str, object], kept: dict[str, object]
) -> None:
    """It joins the catalog under the dataset's own name, whatever name the source gives it."""
    entry = Dataset(name="shopify_orders")
    await world.store.facts.keep("acme", entry, Facts(found={}, dataset=said), NOW)
    assert await known_entry(world) == {"name": "shopify_orders"} | kept


async def test_a_schedule_that_is_gone_is_forgotten_and_the_rest_stays(world: World) -> None:
    """None means known to be none: the loaded entry loses that field and keeps its connector."""
    await world.store.facts.load(case(), NOW)
    for interval in (3600.0, None):
        said = Facts(found={}, dataset={"expected_sync_interval_s": interval})
        await world.store.facts.keep("acme", Dataset(name="shopify_orders"), said, NOW)
        entry = await known_entry(world)
        assert entry.get("expected_sync_interval_s") == interval
        assert entry["connector_id"] == "conn-1"


@pytest.mark.parametrize("said", [{}, {"expected_sync_interval_s": None}])
async def test_a_source_that_knows_nothing_of_the_dataset_adds_no_entry(
    world: World, said: dict[str, object]
) -> None:
    """Facts alone make no dataset: the catalog stays what people wrote."""
    facts = Facts(found={"ingestion_jobs": ()}, dataset=said)
    await world.store.facts.keep("acme", Dataset(name="shopify_orders"), facts, NOW)
    assert await world.store.facts.datasets("acme") == ()


@pytest.mark.parametrize(("later", "known"), [(timedelta(hours=1), True), (2 * HOUR, False)])
async def test_a_source_that_has_nothing_newer(
    world: World, later: timedelta, *, known: bool
) -> None:
    """What was read an hour ago is believed; then the hole that the source leaves since is the truth."""
    entry = Dataset(name="shopify_orders", connector_id="conn-1")
    await world.store.facts.keep("acme", entry, Facts(found={"dbt_runs": ()}), NOW)
    stale = Hole(fact="dbt_runs", reason="the artifact is from yesterday")
    await world.store.facts.keep("acme", entry, Facts(found={}, holes=(stale,)), NOW + later)
    facts = await read(world, NOW + later)
    assert ("dbt_runs" in facts.found) is known
    assert stale in facts.holes
    fresh = Facts(found={"dbt_runs": ()})
    await world.store.facts.keep("acme", entry, fresh, NOW + later)
    facts = await read(world, NOW + later)
    assert "dbt_runs" in facts.found
    assert stale not in facts.holes


async def test_what_is_read_and_what_is_sent_wait_for_each_other(world: World) -> None:
    """A source and a webhook tell of one dataset at one moment, again and again: neither makes the other fail."""
    entry = Dataset(name="shopify_orders", connector_id="conn-1")
    results = tuple(
        DqResult(id=str(number), check_id="c", status="passed", executed_at=NOW)
        for number in range(40)
    )
    graph = Lineage(parents={"b": ("a",)})
    seen = {"lineage": graph, "dq_results": results}
    sent = {"lineage": graph, "dq_results": results[::-1]}
    store = world.store.facts
    for _ in range(10):
        await asyncio.gather(
            store.keep("acme", entry, Facts(found=seen), NOW),
            store.push("acme", entry, sent, NOW),
            store.push("acme", entry, seen, NOW),
        )
    found = (await read(world)).found["dq_results"]
    assert isinstance(found, tuple)
    assert len(found) == 40


async def test_first_edges_that_are_sent_together_are_both_kept(world: World) -> None:
    """Two events of one moment, the first ever about the dataset: the second does not overwrite the first."""
    entry = Dataset(name="shopify_orders")
    graphs = [Lineage(parents={f"n{number}": ("a",)}) for number in range(6)]
    await asyncio.gather(
        *(world.store.facts.push("acme", entry, {"lineage": graph}, NOW) for graph in graphs)
    )
    found = (await read(world)).found["lineage"]
    assert isinstance(found, Lineage)
    assert set(found.parents) == {f"n{number}" for number in range(6)}
