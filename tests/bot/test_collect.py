"""A case holds what sources said now and before, and a hole with a reason for the rest."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.deps import Deps
from bot.directory import Directory
from bot.ports import Ask, Facts, Source
from rca.case import Anomaly, AnomalyType, Case, Dataset, FactKind, Hole, IngestionJob, JobStatus
from tests.bot.asked import PACE, Asked
from tests.bot.surroundings import NOON, deps_of, directory_of

ORDERS = Dataset(name="shopify_orders", connector_id="c-1")
JOBS = "ingestion_jobs"


def job(number: int, ago: timedelta, *, connector_id: str = "c-1") -> IngestionJob:
    """A sync that took a minute and went well."""
    started = NOON - ago
    return IngestionJob(
        id=str(number),
        connector_id=connector_id,
        status=JobStatus.SUCCEEDED,
        started_at=started,
        finished_at=started + timedelta(minutes=1),
    )


def deps_with(engine: AsyncEngine, *sources: Source, **tables: object) -> Deps:
    """Surroundings whose collector asks *sources*."""
    return deps_of(engine, directory_of({}, **tables), sources=sources)


async def case_of(
    deps: Deps, as_of: datetime = NOON, dataset: Dataset | None = ORDERS, tenant_id: str = "acme"
) -> Case:
    """The case of an anomaly of shopify_orders."""
    anomaly = Anomaly(
        tenant_id=tenant_id,
        dataset="shopify_orders",
        anomaly_type=AnomalyType.VOLUME,
        detected_at=as_of,
    )
    return await deps.collector.case(anomaly, dataset, case_id="c", as_of=as_of)


def reasons(case: Case) -> dict[str, str]:
    """Why each fact is missing."""
    return {hole.fact: hole.reason for hole in case.holes}


def ids(case: Case) -> list[str]:
    """The syncs of the case, oldest first."""
    assert case.ingestion_jobs is not None
    return [each.id for each in case.ingestion_jobs]


async def test_no_source_at_all(engine: AsyncEngine) -> None:
    """Every kind of fact is a hole, and says that it was never read."""
    case = await case_of(deps_with(engine))
    assert set(reasons(case)) == {kind.value for kind in FactKind}
    assert set(reasons(case).values()) == {"never read for this dataset"}


async def test_a_question_about_the_syncs_reads_nothing_else(engine: AsyncEngine) -> None:
    """What was not asked for is a hole that says so, not one that says that nobody knows."""
    source = Asked(facts={JOBS: (job(1, timedelta(hours=1)),), "dq_results": ()})
    deps = deps_with(engine, source)
    whole = await case_of(deps)
    some = await deps.collector.known(
        whole.anomaly, ORDERS, case_id="c", as_of=NOON, kinds=(FactKind.INGESTION_JOBS,)
    )
    assert (ids(some), some.dq_results) == (["1"], None)
    assert reasons(some)["dq_results"] == "it was not asked for"
    assert whole.dq_results == ()


async def test_a_dataset_outside_the_catalog(engine: AsyncEngine) -> None:
    """Nobody is asked about what nobody described, and every hole says so."""
    source = Asked(facts={JOBS: ()})
    case = await case_of(deps_with(engine, source), dataset=None)
    assert source.asks == []
    (reason,) = set(reasons(case).values())
    assert reason.startswith("shopify_orders is not in the catalog; put the name among ")
    assert reason.endswith("or add it with rca-bot discover")


async def test_a_dataset_outside_the_catalog_that_looks_like_others(engine: AsyncEngine) -> None:
    """The reason asks whether one of them was meant, and is bounded however long the names are."""
    anomaly = Anomaly(
        tenant_id="acme", dataset="d" * 900, anomaly_type=AnomalyType.VOLUME, detected_at=NOON
    )
    case = await deps_with(engine).collector.case(
        anomaly, None, case_id="c", as_of=NOON, near=("shopify_orders", "e" * 900)
    )
    (reason,) = set(reasons(case).values())
    assert "; did you mean shopify_orders or eeee" in reason
    assert len(reason) < 300


async def test_the_first_question_asks_for_all_history(engine: AsyncEngine) -> None:
    """Then only for what may have changed since, and what was said before stays known."""
    source = Asked(facts={JOBS: (job(1, timedelta(days=3)),)})
    deps = deps_with(engine, source)
    first = await case_of(deps)
    later = NOON + timedelta(hours=1)
    source.facts = {JOBS: (job(2, timedelta(hours=2)),)}
    second = await case_of(deps, later)
    assert [ask.since for ask in source.asks] == [NOON - PACE.reach, NOON - timedelta(days=1)]
    assert (ids(first), ids(second)) == (["1"], ["1", "2"])


async def test_an_empty_list_is_an_answer(engine: AsyncEngine) -> None:
    """Somebody looked and found none: that is no hole."""
    case = await case_of(deps_with(engine, Asked(facts={JOBS: ()})))
    assert case.ingestion_jobs == ()
    assert JOBS not in reasons(case)


@pytest.mark.parametrize(
    ("after", "asked"), [(timedelta(seconds=59), 1), (timedelta(seconds=60), 2)]
)
async def test_a_fresh_answer_is_not_asked_for_again(
    engine: AsyncEngine, after: timedelta, asked: int
) -> None:
    """A storm of alerts asks a source once per dataset and minute."""
    source = Asked(facts={JOBS: ()})
    deps = deps_with(engine, source)
    await case_of(deps)
    await case_of(deps, NOON + after)
    assert len(source.asks) == asked


async def test_alerts_at_the_same_time_share_one_question(engine: AsyncEngine) -> None:
    """Ten alerts of one dataset wait for one answer."""
    source = Asked(facts={JOBS: (job(1, timedelta(hours=1)),)})
    deps = deps_with(engine, source)
    cases = await asyncio.gather(*(case_of(deps) for _ in range(10)))
    assert len(source.asks) == 1
    assert all(ids(case) == ["1"] for case in cases)


async def test_a_source_that_does_not_answer(engine: AsyncEngine) -> None:
    """It is left behind after its time; what the others read stands, and the hole names it."""
    other = Asked(source_id="dbt", name="dbt", gives=frozenset({FactKind.DBT_RUNS}))
    other.facts = {"dbt_runs": ()}
    case = await case_of(deps_with(engine, Asked(silent=True), other))
    assert case.dbt_runs == ()
    assert reasons(case)[JOBS].startswith("Airbyte did not answer within 0.05 s")


@pytest.mark.parametrize("error", [RuntimeError("token=secret"), KeyError("x"), OSError("down")])
async def test_a_source_that_fails(engine: AsyncEngine, error: Exception) -> None:
    """The hole names the source and the kind of error, never its words: those may hold a secret."""
    case = await case_of(deps_with(engine, Asked(error=error)))
    assert reasons(case)[JOBS].startswith(f"Airbyte failed: {type(error).__name__}")
    assert "secret" not in str(case.holes)


async def test_a_source_that_gives_only_reasons(engine: AsyncEngine) -> None:
    """What was asked of whom and what came back is the hole's own text."""
    hole = Hole(fact=JOBS, reason="asked Airbyte for jobs of c-1: 401 Unauthorized")
    case = await case_of(deps_with(engine, Asked(holes=(hole,))))
    assert "asked Airbyte for jobs of c-1: 401 Unauthorized" in reasons(case)[JOBS]


@pytest.mark.parametrize(
    ("after", "known"), [(timedelta(minutes=29), True), (timedelta(minutes=30), False)]
)
async def test_what_was_said_before_a_failure(
    engine: AsyncEngine, after: timedelta, *, known: bool
) -> None:
    """It is believed for a while; after that, not knowing is safer than a sync that seems to be missing."""
    source = Asked(facts={JOBS: (job(1, timedelta(hours=1)),)})
    deps = deps_with(engine, source)
    await case_of(deps)
    source.error = OSError("down")
    case = await case_of(deps, NOON + after)
    assert (case.ingestion_jobs is not None) is known
    if not known:
        assert reasons(case)[JOBS] == "Airbyte failed: OSError (last read at 2026-03-02 12:00 UTC)"


async def test_another_source_makes_up_for_it(engine: AsyncEngine) -> None:
    """Two sources give syncs: while one answers, nothing is missing."""
    down = Asked(source_id="old", name="Old Airbyte", error=OSError())
    up = Asked(facts={JOBS: (job(1, timedelta(hours=1)),)})
    case = await case_of(deps_with(engine, down, up))
    assert ids(case) == ["1"]


async def test_facts_that_do_not_fit(engine: AsyncEngine) -> None:
    """Nonsense is kept nowhere; the hole names the field and not its value, and other facts stand."""
    bad = Asked(source_id="dbt", name="dbt", gives=frozenset({FactKind.DBT_RUNS}))
    bad.facts = {"dbt_runs": [{"row": "customer@example.com"}]}
    case = await case_of(deps_with(engine, bad, Asked(facts={JOBS: ()})))
    assert case.ingestion_jobs == ()
    assert "dbt gave facts that cannot be used: dbt_runs.0" in reasons(case)["dbt_runs"]
    assert "customer@example.com" not in str(case.holes)


async def test_only_what_it_covers_is_asked(engine: AsyncEngine) -> None:
    """A dataset without a connector is not Airbyte's."""
    source = Asked(facts={JOBS: ()})
    case = await case_of(deps_with(engine, source), dataset=Dataset(name="shopify_orders"))
    assert source.asks == []
    assert case.ingestion_jobs is None


async def test_a_source_of_one_tenant(engine: AsyncEngine) -> None:
    """It is never asked about another tenant's dataset, whatever that tenant calls it."""
    tenants = {key: {"id": key, "name": key} for key in ("acme", "globex")}
    sources = {"airbyte": {"id": "airbyte", "kind": "airbyte", "tenant": "acme"}}
    source = Asked(facts={JOBS: ()})
    deps = deps_with(engine, source, tenants=tenants, sources=sources)
    await case_of(deps, tenant_id="globex")
    assert source.asks == []
    await case_of(deps)
    assert [ask.tenant_id for ask in source.asks] == ["acme"]


async def test_what_may_be_counted_is_the_directorys(engine: AsyncEngine) -> None:
    """Time column, dimensions and pairs reach the source."""
    entry = {
        "name": "shopify_orders",
        "tenant": "acme",
        "connector_id": "c-1",
        "time_column": "created_at",
        "dimensions": ["country"],
        "segments": [["country", "channel"]],
    }
    source = Asked(facts={JOBS: ()})
    deps = deps_with(engine, source, datasets={"shopify_orders": entry})
    assert isinstance(deps.directory, Directory)
    await case_of(deps)
    (ask,) = source.asks
    assert (ask.time_column, ask.dimensions) == ("created_at", ("country",))
    assert ask.segments == (("country", "channel"),)


async def test_whoever_was_woken_does_not_wait_for_a_slow_source(engine: AsyncEngine) -> None:
    """After a while the card goes out without it; its answer is kept when it comes, and nothing is asked twice."""
    slow = Asked(silent=True, pace=replace(PACE, time_limit=timedelta(minutes=1)))
    deps = deps_with(engine, slow)
    deps = replace(deps, collector=replace(deps.collector, patience=timedelta(milliseconds=20)))
    cases = [await case_of(deps), await case_of(deps)]
    assert all(reasons(case)[JOBS] == "Airbyte had not answered after 0.02 s" for case in cases)
    assert len(slow.asks) == 1
    await deps.collector.close()
    assert deps.collector.asking == {}


async def test_facts_that_the_database_refuses(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever was woken gets a case all the same; the hole says whose facts they were, and nothing of them."""
    job_with_impossible_count = job(1, timedelta(hours=1)).model_copy(update={"attempts": 10**30})
    deps = deps_with(engine, Asked(facts={JOBS: (job_with_impossible_count,)}))
    case = await case_of(deps)
    assert case.ingestion_jobs is None
    assert reasons(case)[JOBS] == "Airbyte gave facts that cannot be kept"
    assert "10000000" not in caplog.text


class GaveUp(Asked):
    """Its own shared question was given up while somebody waited for it."""

    async def read(self, ask: Ask) -> Facts:
        """Wait for a question that is cancelled."""
        self.asks.append(ask)
        question = asyncio.ensure_future(asyncio.Event().wait())
        asyncio.get_running_loop().call_soon(question.cancel)
        await question
        return Facts(found={})


async def test_a_question_that_a_source_gives_up(engine: AsyncEngine) -> None:
    """It is a source that failed, not the end of whoever asked."""
    case = await case_of(deps_with(engine, GaveUp()))
    assert reasons(case)[JOBS] == "Airbyte gave its question up"


SNAPSHOT = {"captured_at": NOON - timedelta(minutes=1), "columns": [{"name": "id", "type": "int"}]}
COLUMNS = frozenset({FactKind.COLUMN_SNAPSHOTS})


def telling(kind: str, type_word: str) -> Asked:
    """A source of columns, with its own word for a type."""
    columns = [{"name": "id", "type": type_word}]
    found = {
        "column_snapshots": ({"captured_at": NOON - timedelta(minutes=1), "columns": columns},)
    }
    return Asked(source_id=kind, name=kind, gives=COLUMNS, facts=found)


@pytest.mark.parametrize("order", [1, -1])
async def test_columns_are_told_by_one_source(engine: AsyncEngine, order: int) -> None:
    """Dbt's word for a type beside the warehouse's would look like a retyped column at every turn."""
    kinds = ("warehouse", "dbt")
    tables = {kind: {"id": kind, "kind": kind} for kind in kinds}
    sources = (telling("warehouse", "bigint"), telling("dbt", "INTEGER"))[::order]
    deps = deps_with(engine, *sources, sources=tables)
    case = await case_of(deps)
    assert case.column_snapshots is not None
    assert [s.columns[0].type for s in case.column_snapshots] == ["bigint"]
    sent = {"column_snapshots": ({**SNAPSHOT, "captured_at": NOON},)}
    await deps.collector.push("acme", ORDERS, sent, NOON)
    assert (await case_of(deps)).column_snapshots == case.column_snapshots


async def test_the_only_one_that_tells_is_believed(engine: AsyncEngine) -> None:
    """Where no warehouse is named, dbt's columns count, and what is sent counts where no source tells any."""
    dbt = deps_with(
        engine, telling("dbt", "INTEGER"), sources={"dbt": {"id": "dbt", "kind": "dbt"}}
    )
    case = await case_of(dbt)
    assert case.column_snapshots is not None
    alone = deps_with(engine)
    sent = {"column_snapshots": ({**SNAPSHOT, "captured_at": NOON},)}
    await alone.collector.push("acme", ORDERS, sent, NOON)
    case = await case_of(alone)
    assert case.column_snapshots is not None
    assert len(case.column_snapshots) == 2


async def test_a_fresh_teller_makes_up_for_one_that_fails(engine: AsyncEngine) -> None:
    """The warehouse was read and is not asked again, dbt is down for long: the columns are known all the same."""
    tables = {kind: {"id": kind, "kind": kind} for kind in ("warehouse", "dbt")}
    warehouse = telling("warehouse", "bigint")
    warehouse.pace = replace(PACE, fresh_for=timedelta(hours=3), stale_after=timedelta(hours=6))
    dbt = telling("dbt", "INTEGER")
    deps = deps_with(engine, warehouse, dbt, sources=tables)
    await case_of(deps)
    dbt.error = OSError("down")
    case = await case_of(deps, NOON + timedelta(hours=2))
    assert (len(warehouse.asks), len(dbt.asks)) == (1, 2)
    assert case.column_snapshots is not None
    warehouse.error = OSError("down, too")
    assert (await case_of(deps, NOON + timedelta(hours=7))).column_snapshots is None
