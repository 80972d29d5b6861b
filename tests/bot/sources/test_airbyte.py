"""What is read of an Airbyte: syncs with their errors, the schedule, the same source elsewhere, what waits there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from bot.directory import Directory
from bot.payloads.airbyte_jobs import NOT_TOLD
from bot.ports import BotError, Facts
from rca.case import (
    AnomalyType,
    Dataset,
    ErrorCode,
    FactKind,
    IngestionJob,
    JobStatus,
    PeerError,
    Severity,
)
from tests.bot.sources.airbyte_world import (
    APPLICATION,
    CONNECTION,
    NOW,
    ORDERS,
    OTHER,
    AirbyteWorld,
    Fault,
    failed,
    item,
    sample,
    world,
)

HOUR = timedelta(hours=1)
UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest_asyncio.fixture
async def airbyte() -> AsyncIterator[AirbyteWorld]:
    """A stand-in of its own for each test."""
    async with world() as stand_in:
        yield stand_in


def jobs(facts: Facts) -> dict[str, IngestionJob]:
    """The syncs by id."""
    found = facts.found[FactKind.INGESTION_JOBS]
    assert isinstance(found, tuple)
    return {job.id: job for job in found}


def peers(facts: Facts) -> tuple[PeerError, ...]:
    """The same source's failures elsewhere."""
    found = facts.found[FactKind.PEER_ERRORS]
    assert isinstance(found, tuple)
    return found


def reasons(facts: Facts) -> dict[str, str]:
    """What could not be read, and why."""
    return {hole.fact: hole.reason for hole in facts.holes}


def directory(**datasets: tuple[str, str]) -> Directory:
    """A directory whose datasets are a tenant and a connection each."""
    return Directory.model_validate(
        {
            "tenants": {t: {"id": t, "name": t} for t in ("acme", "globex")},
            "datasets": {
                name: {"name": name, "tenant": tenant, "connector_id": connection}
                for name, (tenant, connection) in datasets.items()
            },
        }
    )


# ── syncs ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_all_syncs_come_with_their_errors(airbyte: AirbyteWorld) -> None:
    """The first read brings the whole history, oldest first, each failure with its code and words."""
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask())
    found = jobs(facts)
    assert list(found) == [str(number) for number in range(20441141, 20441151)]
    assert found["20441149"].error_code is ErrorCode.AUTH_ERROR
    assert found["20441144"].failure_origin == "destination"
    assert facts.holes == ()
    assert facts.dataset == {"expected_sync_interval_s": 86_400.0}


async def test_the_stand_in_answers_as_the_samples_do(airbyte: AirbyteWorld) -> None:
    """Every key of what it serves is one of the recorded shape, so that the tests prove something."""
    whole = sample("config_jobs.json")["jobs"][1]
    made = failed(1, CONNECTION, NOW, "x")
    assert set(made["job"]) <= set(whole["job"])
    assert set(made["attempts"][0]) <= set(whole["attempts"][0])
    reason = whole["attempts"][0]["failureSummary"]["failures"][0]
    assert set(made["attempts"][0]["failureSummary"]["failures"][0]) <= set(reason)
    assert len(airbyte.jobs) == len(sample("config_jobs.json")["jobs"])


async def test_a_later_read_asks_for_everybodys_jobs_once(airbyte: AirbyteWorld) -> None:
    """Forty datasets of two connections cost one list of jobs and one of connections between them."""
    airbyte.connections.append(item(OTHER))
    async with airbyte.source() as source:
        for number in range(40):
            connector = (CONNECTION, OTHER)[number % 2]
            dataset = Dataset(name=f"d{number}", connector_id=connector)
            facts = await source.read(airbyte.ask(dataset, days=1))
            assert bool(jobs(facts)) is (connector == CONNECTION)
    assert airbyte.count("jobs/list_for_workspaces") == 1
    assert airbyte.count("web_backend/connections/list") == 1
    assert airbyte.count("jobs/list") == 0


async def test_only_what_changed_is_read_again(airbyte: AirbyteWorld) -> None:
    """A sync that ended meanwhile is known by its end, and one that began is there."""
    async with airbyte.source() as source:
        before = jobs(await source.read(airbyte.ask(days=1)))
        assert before["20441150"].status is JobStatus.RUNNING
        airbyte.clock.now = NOW + HOUR
        ended = int((NOW + HOUR).timestamp()) - 60
        running = next(e for e in airbyte.jobs if e["job"]["id"] == 20441150)
        running["job"] |= {"status": "succeeded", "updatedAt": ended}
        running["attempts"][0] |= {"status": "succeeded", "endedAt": ended}
        airbyte.jobs.append(failed(20441151, CONNECTION, NOW + HOUR / 2, "HTTP 429"))
        after = jobs(await source.read(airbyte.ask(days=1)))
    assert after["20441150"].status is JobStatus.SUCCEEDED
    assert after["20441151"].error_code is ErrorCode.RATE_LIMIT


@pytest.mark.parametrize(
    "as_of", [NOW - timedelta(hours=27), NOW - timedelta(hours=28, minutes=29)]
)
async def test_nothing_later_than_the_instant(airbyte: AirbyteWorld, as_of: Any) -> None:
    """No sync that began later, no outcome that came later, and no schedule of today."""
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask(as_of=as_of))
    found = jobs(facts)
    assert "20441150" not in found
    assert all(job.started_at <= as_of for job in found.values())
    assert all(job.finished_at is None or job.finished_at <= as_of for job in found.values())
    assert facts.dataset == {}
    assert facts.noticed == ()


async def test_a_running_sync_that_waits_for_its_source_says_so(airbyte: AirbyteWorld) -> None:
    """The stream's state tells a rate limit before any error does; without one nothing is said."""
    async with airbyte.source() as source:
        assert jobs(await source.read(airbyte.ask()))["20441150"].error_code is None
        airbyte.limited = ["orders"]
        running = jobs(await source.read(airbyte.ask()))["20441150"]
    assert running.error_code is ErrorCode.RATE_LIMIT
    assert running.error_message == "the source limits the rate of orders"


async def test_many_pages_are_read(airbyte: AirbyteWorld) -> None:
    """A connection that syncs every hour is read for weeks, each sync once."""
    airbyte.jobs = [failed(n, CONNECTION, NOW - n * HOUR, "x") for n in range(1, 501)]
    async with airbyte.source() as source:
        assert len(jobs(await source.read(airbyte.ask()))) == 500
    assert airbyte.count("jobs/list") == 3


async def test_a_server_that_repeats_one_page_is_not_followed(airbyte: AirbyteWorld) -> None:
    """An answer without anything new ends the reading."""
    airbyte.jobs = [failed(n, CONNECTION, NOW - n * HOUR, "x") for n in range(1, 501)]
    airbyte.always = airbyte.jobs[:200]
    async with airbyte.source() as source:
        assert len(jobs(await source.read(airbyte.ask()))) == 200
    assert airbyte.count("jobs/list") == 2


@pytest.mark.parametrize(("knows_updates", "pages"), [(True, 2), (False, 1)])
async def test_no_page_is_read_that_nobody_asked_for(
    airbyte: AirbyteWorld, *, knows_updates: bool, pages: int
) -> None:
    """Long syncs that have just ended are on the last page; an older Airbyte sends everything, and is not followed."""
    airbyte.clock.now = NOW
    airbyte.knows_updates = knows_updates
    hours = 40 if knows_updates else 5_000
    airbyte.jobs = [failed(n, CONNECTION, NOW - hours * HOUR - n * HOUR, "x") for n in range(300)]
    if knows_updates:
        for entry in airbyte.jobs:
            entry["job"]["updatedAt"] = entry["attempts"][0]["endedAt"] = int(NOW.timestamp()) - 60
    async with airbyte.source() as source:
        found = jobs(await source.read(airbyte.ask(days=1.2)))
    assert len(found) == (300 if knows_updates else 200)
    assert airbyte.count("/jobs/list") == pages


async def test_a_connection_that_is_not_there(airbyte: AirbyteWorld) -> None:
    """Nobody looked into a connection that we may not see: that is a hole, and not an empty history."""
    dataset = Dataset(name="d", connector_id=UNKNOWN)
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask(dataset))
    assert facts.found == {}
    assert reasons(facts) == {
        FactKind.INGESTION_JOBS: f"Airbyte at {airbyte.url} has no connection {UNKNOWN}"
    }


async def test_a_connection_that_never_synced(airbyte: AirbyteWorld) -> None:
    """It is there and has no syncs: looked, found none."""
    airbyte.jobs = []
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask())
    assert jobs(facts) == {}
    assert facts.holes == ()


@pytest.mark.parametrize(
    ("connector_id", "covered"),
    [
        (CONNECTION, True),
        (CONNECTION.upper(), True),
        ("conn-1", False),
        (f"{CONNECTION}0", False),
        ("", False),
        (None, False),
    ],
)
async def test_whom_it_covers(
    airbyte: AirbyteWorld, connector_id: str | None, *, covered: bool
) -> None:
    """Datasets whose connector is named as Airbyte names connections, and no others."""
    async with airbyte.source() as source:
        assert source.covers(Dataset(name="d", connector_id=connector_id)) is covered


# ── the schedule ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "interval_s"),
    [
        ({"scheduleData": {"basicSchedule": {"timeUnit": "minutes", "units": 90}}}, 5_400.0),
        (
            {
                "scheduleType": "cron",
                "scheduleData": {
                    "cron": {"cronExpression": "0 0 6 ? * MON-FRI", "cronTimeZone": "UTC"}
                },
            },
            3 * 86_400.0,
        ),
        ({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 6 * * *"}}}, None),
        ({"scheduleType": "manual", "scheduleData": None}, None),
        ({"scheduleData": {"basicSchedule": {"timeUnit": "fortnights", "units": 1}}}, None),
        ({"scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": -1}}}, None),
    ],
)
async def test_the_schedule_is_the_expected_interval(
    airbyte: AirbyteWorld, said: dict[str, Any], interval_s: float | None
) -> None:
    """A basic or a cron schedule gives the longest usual gap; none, or one we cannot read, gives none."""
    airbyte.connections = [item(CONNECTION, **said)]
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask())
    assert facts.dataset == {"expected_sync_interval_s": interval_s}


# ── the same source elsewhere ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("owner", "kind", "message", "told"),
    [
        ("globex", "Shopify", "HTTP 429: Too many requests", ErrorCode.RATE_LIMIT),
        ("acme", "Shopify", "HTTP 429: Too many requests", ErrorCode.RATE_LIMIT),
        ("globex", "Stripe", "HTTP 429: Too many requests", None),
    ],
)
async def test_the_same_source_failing_elsewhere(
    airbyte: AirbyteWorld, owner: str, kind: str, message: str, told: ErrorCode | None
) -> None:
    """Another connection of the same kind of source is told with its code; another tenant is never named."""
    source_of = {**item(OTHER)["source"], "sourceName": kind}
    airbyte.connections.append(item(OTHER, source=source_of))
    airbyte.jobs.append(failed(7, OTHER, NOW - HOUR, message))
    people = directory(orders=("acme", CONNECTION), theirs=(owner, OTHER))
    async with airbyte.source(directory=people) as source:
        found = peers(await source.read(airbyte.ask()))
    assert [peer.error_code for peer in found] == ([told] if told else [])
    for peer in found:
        assert (peer.tenant_id == "acme") is (owner == "acme")
        assert "globex" not in peer.tenant_id
        assert peer.connector_id == (OTHER if owner == "acme" else None)


async def test_a_source_that_recovered_elsewhere_is_no_peer_error(airbyte: AirbyteWorld) -> None:
    """Only the last sync of the other connection counts."""
    airbyte.connections.append(item(OTHER))
    airbyte.jobs.append(failed(7, OTHER, NOW - 2 * HOUR, "HTTP 429"))
    good = failed(8, OTHER, NOW - HOUR, "x")
    good["job"]["status"] = "succeeded"
    airbyte.jobs.append(good)
    async with airbyte.source() as source:
        assert peers(await source.read(airbyte.ask())) == ()


async def test_a_tenant_fails_once_with_each_code(airbyte: AirbyteWorld) -> None:
    """Twenty connections of one tenant that fail alike are one entry, the newest."""
    others = [f"{n:08d}-07ea-48a2-9035-024575491720" for n in range(20)]
    airbyte.connections += [item(other) for other in others]
    airbyte.jobs += [
        failed(n, other, NOW - n * HOUR / 2, "HTTP 429") for n, other in enumerate(others, start=1)
    ]
    airbyte.jobs.append(failed(99, others[3], NOW - HOUR / 4, "HTTP 401"))
    async with airbyte.source() as source:
        found = peers(await source.read(airbyte.ask()))
    assert {(peer.error_code, peer.last_at) for peer in found} == {
        (ErrorCode.RATE_LIMIT, NOW - HOUR / 2 + timedelta(minutes=1)),
        (ErrorCode.AUTH_ERROR, NOW - HOUR / 4 + timedelta(minutes=1)),
    }


# ── what waits there for somebody ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("stream", "change", "severity", "lines"),
    [
        ("orders", "non_breaking", Severity.WARNING, "orders.total_price_usd: removed"),
        (
            "orders",
            "breaking",
            Severity.ERROR,
            "orders.customer_id: changed from integer to string",
        ),
        ("metafield_orders", "non_breaking", Severity.ERROR, "metafield_orders: stream removed"),
        (None, "breaking", Severity.ERROR, "metafield_orders: stream removed"),
        ("customers", "breaking", None, ""),
        ("orders", "no_change", None, ""),
    ],
)
async def test_a_schema_change_that_waits_is_noticed(
    airbyte: AirbyteWorld, stream: str | None, change: str, severity: Severity | None, lines: str
) -> None:
    """Each changed column of the dataset's own stream is named, and the notice has the same key each time."""
    airbyte.connections = [item(CONNECTION, schemaChange=change)]
    dataset = Dataset(name="d", connector_id=CONNECTION, stream=stream)
    async with airbyte.source() as source:
        first = (await source.read(airbyte.ask(dataset))).noticed
        airbyte.clock.now = NOW + HOUR
        second = (await source.read(airbyte.ask(dataset))).noticed
    assert [n.severity for n in first] == ([severity] if severity else [])
    assert [n.key for n in first] == [n.key for n in second]
    for notice in first:
        assert notice.anomaly_type is AnomalyType.SCHEMA
        assert lines in (notice.message or "").splitlines()


@pytest.mark.parametrize(
    ("user", "hours_ago", "noticed"),
    [(None, 1, 1), ({"name": "Dana", "email": "dana@acme.example"}, 1, 0), (None, 30, 0)],
)
async def test_a_connection_that_airbyte_switched_off_is_noticed(
    airbyte: AirbyteWorld, user: dict[str, str] | None, hours_ago: int, noticed: int
) -> None:
    """What a person switched off, or what is off for long, is no news."""
    at = NOW - hours_ago * HOUR
    airbyte.connections = [item(CONNECTION, status="inactive")]
    event = {"eventType": "CONNECTION_DISABLED", "createdAt": int(at.timestamp())}
    airbyte.events = [event | ({"user": user} if user else {})]
    async with airbyte.source() as source:
        found = (await source.read(airbyte.ask())).noticed
    assert [n.key for n in found] == [f"connection_disabled:{at.isoformat()}"] * noticed


async def test_events_that_are_closed_to_us_leave_the_syncs(airbyte: AirbyteWorld) -> None:
    """The syncs are there, and what could not be seen is told."""
    airbyte.connections = [item(CONNECTION, status="inactive")]
    airbyte.closed["/api/v1/connections/events"] = 403
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask())
    assert len(jobs(facts)) == 10
    assert "for events of connection" in reasons(facts)[FactKind.INGESTION_JOBS]
    assert "403 Forbidden" in reasons(facts)[FactKind.INGESTION_JOBS]


# ── the public API ────────────────────────────────────────────────────────────────────────────────────────


def close_config(airbyte: AirbyteWorld, status: int) -> None:
    """Shut all of the Config API but its tokens."""
    for part in ("jobs", "workspaces", "connections", "web_backend"):
        airbyte.closed[f"/api/v1/{part}"] = status


async def test_one_connection_that_is_refused_closes_no_api(airbyte: AirbyteWorld) -> None:
    """A wrong id in the directory costs its own dataset the errors, and no other."""
    airbyte.refused = UNKNOWN
    wrong = Dataset(name="d", connector_id=UNKNOWN)
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask(wrong))
        others = jobs(await source.read(airbyte.ask()))
    assert facts.found == {}
    assert reasons(facts)[FactKind.INGESTION_JOBS].endswith(f"has no connection {UNKNOWN}")
    assert "403 Forbidden" in reasons(facts)[FactKind.PEER_ERRORS]
    assert others["20441149"].error_code is ErrorCode.AUTH_ERROR


@pytest.mark.parametrize("status", [403, 404])
async def test_without_the_config_api_errors_are_not_told_and_it_says_so(
    airbyte: AirbyteWorld, status: int
) -> None:
    """Times, states and rows come from the public API; each failed sync says why it has no reason."""
    close_config(airbyte, status)
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask())
        asked = airbyte.count("/api/v1/jobs/list")
        await source.read(airbyte.ask())
    found = jobs(facts)
    assert found["20441149"].status is JobStatus.FAILED
    assert (found["20441149"].error_code, found["20441149"].error_message) == (None, NOT_TOLD)
    assert found["20441142"].rows_synced == 6_228
    assert facts.dataset == {"expected_sync_interval_s": 86_400.0}
    reason = reasons(facts)[FactKind.PEER_ERRORS]
    assert "public API does not say why syncs fail" in reason
    assert f"{status} " in reason
    assert airbyte.count("/api/v1/jobs/list") == asked, "closed is not asked at every read"


async def test_the_config_api_is_tried_again(airbyte: AirbyteWorld) -> None:
    """Once it opens, errors are told within minutes."""
    close_config(airbyte, 403)
    async with airbyte.source() as source:
        await source.read(airbyte.ask())
        airbyte.closed.clear()
        airbyte.clock.now = NOW + timedelta(minutes=11)
        assert jobs(await source.read(airbyte.ask()))["20441149"].error_code is not None


async def test_only_one_api_where_one_is_named(airbyte: AirbyteWorld) -> None:
    """``config`` never falls back, ``public`` never asks the other."""
    async with airbyte.source(APPLICATION | {"api": "public"}) as source:
        assert jobs(await source.read(airbyte.ask()))
    assert not any(path.startswith("/api/v1/jobs") for path in airbyte.asked)
    airbyte.closed["/api/v1/jobs"] = 403
    async with airbyte.source(APPLICATION | {"api": "config"}) as source:
        facts = await source.read(airbyte.ask())
    assert facts.found == {}
    assert set(reasons(facts)) == {FactKind.INGESTION_JOBS, FactKind.PEER_ERRORS}


async def test_lists_of_workspaces_that_are_closed_to_us(airbyte: AirbyteWorld) -> None:
    """One connection may be open to us alone: its syncs come, and the others' are a hole."""
    airbyte.closed["/api/v1/workspaces"] = 403
    airbyte.closed["/api/v1/jobs/list_for_workspaces"] = 403
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask(days=1))
    assert list(jobs(facts)) == ["20441150"]
    assert facts.dataset == {"expected_sync_interval_s": 86_400.0}
    assert "does not tell the latest jobs" in reasons(facts)[FactKind.PEER_ERRORS]


# ── doctor and discover ───────────────────────────────────────────────────────────────────────────────────


async def test_a_check_of_what_is_well(airbyte: AirbyteWorld) -> None:
    """Both lines are fine: the API is open and has the directory's connections."""
    async with airbyte.source(directory=directory(orders=("acme", CONNECTION))) as source:
        assert [line.problem for line in await source.check()] == [None, None]


async def test_a_check_names_what_is_wrong(airbyte: AirbyteWorld) -> None:
    """A connection that is not there, and an API that is closed, each with what to do."""
    airbyte.closed["/api/v1/web_backend"] = 403
    people = directory(orders=("acme", CONNECTION), wrong=("acme", UNKNOWN))
    async with airbyte.source(directory=people) as source:
        config, public, there = await source.check()
    assert "403 Forbidden" in (config.problem or "")
    assert "webhook" in (config.fix or "")
    assert public.problem is None
    assert there.problem == f"it has none of these: {UNKNOWN}"


async def test_every_stream_is_offered(airbyte: AirbyteWorld) -> None:
    """Selected streams come with their schedule, and with a relation where Airbyte knows it."""
    (older,) = sample("config_older.json")["connection"]
    older["syncCatalog"]["streams"][0]["config"]["selected"] = False
    airbyte.catalogs = [older]
    async with airbyte.source() as source:
        offers = await source.offers()
    assert [(o.stream, o.relation, o.expected_sync_interval_s) for o in offers] == [
        (name, f"production.{name}", 86_400.0) for name in ("categories", "products", "stocks")
    ]
    assert {o.connector_id for o in offers} == {"a10f6d82-4fc6-4c90-ba04-bb773c8fbb0f"}


async def test_the_public_api_offers_streams_too(airbyte: AirbyteWorld) -> None:
    """Without a schema: only the destination knows it."""
    async with airbyte.source(APPLICATION | {"api": "public"}) as source:
        offers = await source.offers()
    assert [(o.stream, o.relation) for o in offers] == [("orders", None), ("customers", None)]


async def test_offers_that_cannot_be_read_say_why(airbyte: AirbyteWorld) -> None:
    """The person who runs discover reads what was asked and what came back."""
    airbyte.closed["/api/"] = 403
    async with airbyte.source() as source:
        with pytest.raises(BotError, match="for a token: 403 Forbidden"):
            await source.offers()


def test_the_dataset_of_these_tests() -> None:
    """It is of the sample's connection."""
    assert {e["job"]["configId"] for e in sample("config_jobs.json")["jobs"]} == {
        ORDERS.connector_id
    }


# ── many datasets ─────────────────────────────────────────────────────────────────────────────────────────


async def test_the_streams_of_one_connection_are_first_read_together(airbyte: AirbyteWorld) -> None:
    """Ten datasets of one connection ask for its history once, also at the same time."""
    async with airbyte.source() as source:
        asks = [airbyte.ask(Dataset(name=f"d{n}", connector_id=CONNECTION)) for n in range(10)]
        answers = await asyncio.gather(*(source.read(ask) for ask in asks))
    assert all(len(jobs(facts)) == 10 for facts in answers)
    assert airbyte.count("/jobs/list") == 1
    assert airbyte.count("web_backend/connections/list") == 1


async def test_an_airbyte_that_cannot_tell_everything_at_once(airbyte: AirbyteWorld) -> None:
    """Where the list of everybody's syncs breaks off, each connection is asked alone, and peers are a hole."""
    airbyte.jobs += [failed(n, OTHER, NOW - n * HOUR / 60, "x") for n in range(300)]
    airbyte.second_page = 400
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask(days=1))
        again = await source.read(airbyte.ask(Dataset(name="d", connector_id=CONNECTION), days=1))
    assert list(jobs(facts)) == list(jobs(again)) == ["20441150"]
    assert airbyte.count("/jobs/list") == 1
    assert airbyte.count("jobs/list_for_workspaces") == 2
    assert "latest jobs" in reasons(facts)[FactKind.PEER_ERRORS]


async def test_an_entry_that_nobody_can_read_stops_no_sharing(airbyte: AirbyteWorld) -> None:
    """The others' syncs are still read at once, and every dataset is told that one is missing."""
    airbyte.jobs.append(failed(7, OTHER, NOW - HOUR, "x"))
    airbyte.jobs[-1]["job"]["status"] = "exploded"
    async with airbyte.source() as source:
        facts = await source.read(airbyte.ask(days=1))
    assert list(jobs(facts)) == ["20441150"]
    assert "first jobs[0].job.status" in reasons(facts)[FactKind.INGESTION_JOBS]
    assert airbyte.count("/jobs/list") == 0


async def test_who_gives_up_waiting_leaves_the_answer_to_the_next(airbyte: AirbyteWorld) -> None:
    """A question that many share is not asked anew because one of them was in a hurry."""
    airbyte.faults["/api/v1/jobs/list_for_workspaces"].append(Fault(waits=True))
    async with airbyte.source() as source:
        hurried = asyncio.create_task(source.read(airbyte.ask(days=1)))
        await airbyte.held.wait()
        hurried.cancel()
        patient = asyncio.create_task(source.read(airbyte.ask(days=1)))
        airbyte.over.set()
        assert list(jobs(await patient)) == ["20441150"]
    assert airbyte.count("jobs/list_for_workspaces") == 1
