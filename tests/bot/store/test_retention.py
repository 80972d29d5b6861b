"""What is older than its age goes, with everything that belongs to it; what is open stays, whatever its age."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.records import (
    InboxKind,
    InboxState,
    PersonsAnswer,
    Place,
    Post,
    PostKind,
    Verdict,
)
from bot.retention import Ages, remove_old
from bot.store.tables import ALERTS, INBOX, INCIDENTS, POSTS, ROOT_CAUSE_SIGNALS, TIMELINE
from rca.case import Case, Dataset, IngestionJob, JobStatus, VolumeWindow
from tests.bot.store.world import NOW, World, anomaly

DAY = timedelta(days=1)
AGES = Ages(facts=100 * DAY, inbox=30 * DAY, incidents=400 * DAY)
EVERYTHING = (INCIDENTS, ALERTS, ROOT_CAUSE_SIGNALS, POSTS, TIMELINE)


async def counts(engine: AsyncEngine) -> list[int]:
    """How many rows each table of an incident holds."""
    async with engine.connect() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in EVERYTHING
        ]


async def incident(world: World, dataset: str, *, resolved_ago: timedelta | None) -> str:
    """An incident with a diagnosis and a card, resolved some time ago or not at all."""
    opened = await world.open(dataset)
    await world.record(opened, f"s-{dataset}")
    post = Post(
        post_id=f"card:{dataset}",
        incident_id=opened.incident_id,
        kind=PostKind.CARD,
        channel_id="C1",
    )
    await world.store.posts.add([post], world.now)
    if resolved_ago is not None:
        await world.store.incidents.resolve(
            opened.incident_id, by="alice", now=world.now - resolved_ago
        )
    return opened.incident_id


async def run(world: World) -> dict[str, int]:
    """One tick."""
    return await remove_old(world.store, AGES, lambda: world.now)


@pytest.mark.parametrize(("ago", "gone"), [(400 * DAY, False), (401 * DAY, True), (None, False)])
async def test_resolved_incidents(
    world: World, engine: AsyncEngine, ago: timedelta | None, *, gone: bool
) -> None:
    """Older than its age an incident goes with all its rows; an open one never does."""
    await incident(world, "orders", resolved_ago=ago)
    before = await counts(engine)
    assert min(before) > 0
    removed = await run(world)
    assert removed["incidents"] == int(gone)
    assert await counts(engine) == ([0] * len(EVERYTHING) if gone else before)


async def test_what_people_labelled_stays(world: World, engine: AsyncEngine) -> None:
    """An answer is about a diagnosis and its case: both are still learnt from when the incident is long over."""
    incident_id = await incident(world, "orders", resolved_ago=500 * DAY)
    view = await world.store.incidents.view(incident_id)
    assert view is not None
    assert view.diagnosis is not None
    answer = PersonsAnswer(
        incident_id=incident_id,
        signal_id=view.diagnosis.signal_id,
        tenant_id="acme",
        cause_type="none",
        verdict=Verdict.RIGHT,
        by="U0ALICE",
        at=NOW,
    )
    assert await world.store.answers.give([answer])
    before = await counts(engine)
    assert (await run(world))["incidents"] == 0
    assert await counts(engine) == before
    assert [kept.answer for kept in await world.store.answers.labelled()] == [answer]


async def test_others_stay(world: World, engine: AsyncEngine) -> None:
    """Removing one incident leaves every row of another."""
    kept = await incident(world, "customers", resolved_ago=None)
    before = await counts(engine)
    await incident(world, "orders", resolved_ago=500 * DAY)
    await run(world)
    assert await counts(engine) == before
    assert await world.store.incidents.view(kept) is not None


async def test_more_than_one_transaction_takes(world: World, engine: AsyncEngine) -> None:
    """A backlog of several hundred is removed in one tick, and the next finds nothing."""
    for number in range(230):
        opened = await world.open(f"t{number}")
        await world.store.incidents.resolve(opened.incident_id, by="a", now=NOW - 500 * DAY)
    assert (await run(world))["incidents"] == 230
    assert (await counts(engine))[0] == 0
    assert (await run(world))["incidents"] == 0


@pytest.mark.parametrize(
    ("ago", "state", "gone"),
    [
        (31 * DAY, InboxState.DONE, True),
        (29 * DAY, InboxState.DONE, False),
        (31 * DAY, InboxState.NEW, False),
    ],
)
async def test_deliveries(
    world: World, engine: AsyncEngine, ago: timedelta, state: InboxState, *, gone: bool
) -> None:
    """One that was dealt with goes when it is old; one that waits stays."""
    await world.store.inbox.keep(
        kind=InboxKind.WEBHOOK,
        sender_id="x",
        tenant_id="acme",
        payload={},
        now=NOW - ago,
        state=state,
    )
    await run(world)
    async with engine.connect() as connection:
        left = (await connection.execute(select(func.count()).select_from(INBOX))).scalar_one()
    assert left == int(not gone)


async def test_a_message_to_a_person_goes_with_the_deliveries(
    world: World, engine: AsyncEngine
) -> None:
    """An answer to a question belongs to no incident."""
    post = Post(
        post_id="sorry:1",
        incident_id=None,
        kind=PostKind.NOTE,
        channel_id="C1",
        thread_ts=Place(channel_id="C1", thread_ts="1.0").thread_ts,
        text="no such dataset",
    )
    await world.store.posts.add([post], NOW - 31 * DAY)
    await run(world)
    assert (await counts(engine))[EVERYTHING.index(POSTS)] == 0


async def test_facts(world: World) -> None:
    """Facts that no baseline reaches any more go; newer ones and the knowledge that they were read stay."""
    jobs = tuple(
        IngestionJob(
            id=str(days),
            connector_id="c-1",
            status=JobStatus.SUCCEEDED,
            started_at=NOW - days * DAY,
            finished_at=NOW - days * DAY + timedelta(minutes=1),
        )
        for days in (101, 99, 1)
    )
    windows = tuple(
        VolumeWindow(window_start=NOW - (days + 1) * DAY, window_end=NOW - days * DAY, rows=days)
        for days in (101, 99, 1)
    )
    case = Case(
        case_id="c",
        as_of=NOW,
        anomaly=anomaly(),
        dataset=Dataset(name="shopify_orders", connector_id="c-1"),
        ingestion_jobs=jobs,
        volume_history=windows,
    )
    await world.store.facts.load(case, NOW)
    assert (await run(world))["facts"] == 2
    left = await world.store.facts.read("acme", "shopify_orders", NOW - 10 * DAY)
    assert left.found == {}
    now = await world.store.facts.read("acme", "shopify_orders", NOW)
    assert now.found["volume_history"] == windows[2:]
