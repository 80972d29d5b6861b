"""Sources are asked at their pace, by one replica at a time; what raises no alert is heard of all the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.deps import Deps
from bot.examine import examine
from bot.intake.registry import read_webhook
from bot.polling import JITTER, SLACK, SLOWEST, SPREAD, TOGETHER, agree, next_poll, poll
from bot.ports import Ask, Facts, Notice, Pace
from bot.store.polls import PollKey
from bot.testing import FrozenClock
from rca.case import Anomaly, AnomalyType, ErrorCode, IngestionJob, JobStatus
from tests.bot.asked import PACE, Asked
from tests.bot.surroundings import NOON, PLACE, deps_of, directory_of

HOUR = timedelta(hours=1)
JOBS = "ingestion_jobs"
ORDERS: dict[str, Any] = {
    "name": "shopify_orders",
    "tenant": "acme",
    "connector_id": "c-1",
    "expected_sync_interval_s": 3600,
    "sync_grace_s": 900,
}


def world(
    engine: AsyncEngine, source: Asked, *names: str, clock: FrozenClock | None = None
) -> Deps:
    """Surroundings with the datasets *names*, or shopify_orders alone."""
    entries = {name: {**ORDERS, "name": name} for name in names or ("shopify_orders",)}
    directory = directory_of({}, datasets=entries)
    return deps_of(engine, directory, sources=(source,), clock=clock or FrozenClock(NOON))


@dataclass(slots=True, kw_only=True)
class Slow(Asked):
    """Answers once it is released; ``begun`` counts down who waits for that."""

    released: asyncio.Event
    begun: asyncio.Semaphore

    async def read(self, ask: Ask) -> Facts:
        """Wait."""
        self.asks.append(ask)
        self.begun.release()
        await self.released.wait()
        return Facts(found=self.facts)


async def due_now(deps: Deps, clock: FrozenClock) -> None:
    """Agree on what is polled, and let its first time come."""
    await agree(deps)
    clock.advance(SPREAD)


async def test_every_covered_dataset_is_asked_about(engine: AsyncEngine) -> None:
    """Each once, within a minute of the start; then nobody is due until the pace is over."""
    clock, source = FrozenClock(NOON), Asked(facts={JOBS: ()})
    deps = world(engine, source, "orders", "customers", clock=clock)
    await due_now(deps, clock)
    assert await poll(source, deps) == 2
    assert sorted(ask.dataset.name for ask in source.asks) == ["customers", "orders"]
    assert await poll(source, deps) == 0
    clock.advance(PACE.poll_every * (1 + JITTER))
    assert await poll(source, deps) == 2


async def test_two_replicas_share_the_work(engine: AsyncEngine) -> None:
    """Twenty datasets, two replicas at the same moment: each is asked about once."""
    clock, source = FrozenClock(NOON), Asked(facts={JOBS: ()})
    deps = world(engine, source, *(f"t{number}" for number in range(20)), clock=clock)
    other = deps_of(engine, deps.directory, sources=(source,), clock=clock)
    await due_now(deps, clock)
    counts = await asyncio.gather(poll(source, deps), poll(source, other))
    assert sum(counts) == 20
    assert len({ask.dataset.name for ask in source.asks}) == len(source.asks) == 20


async def test_what_waits_for_its_turn_is_not_held_meanwhile(engine: AsyncEngine) -> None:
    """A source that is slow to answer: another replica takes over what this one has not begun, and nothing twice."""
    clock = FrozenClock(NOON)
    released, begun = asyncio.Event(), asyncio.Semaphore(0)
    pace = replace(PACE, time_limit=timedelta(seconds=30))
    source = Slow(released=released, begun=begun, facts={JOBS: ()}, pace=pace)
    deps = world(engine, source, *(f"t{number:02}" for number in range(12)), clock=clock)
    other = deps_of(engine, deps.directory, sources=(source,), clock=clock)
    await due_now(deps, clock)
    first = asyncio.create_task(poll(source, deps))
    async with asyncio.timeout(10):
        for _ in range(TOGETHER):
            await begun.acquire()
        second = asyncio.create_task(poll(source, other))
        for _ in range(TOGETHER):
            await begun.acquire()
    clock.advance(source.pace.time_limit + SLACK / 2)  # all leases are good still
    released.set()
    assert await first + await second == 12
    assert len(source.asks) == len({ask.dataset.name for ask in source.asks}) == 12


async def test_a_replica_that_died_holds_nothing_for_long(engine: AsyncEngine) -> None:
    """Its lease ends, and another asks."""
    clock, source = FrozenClock(NOON), Asked(facts={JOBS: ()})
    deps = world(engine, source, clock=clock)
    await due_now(deps, clock)
    lease = timedelta(seconds=40)
    assert len(await deps.store.polls.claim("airbyte", clock(), lease=lease, limit=5)) == 1
    assert await poll(source, deps) == 0
    clock.advance(lease)
    assert await poll(source, deps) == 1


async def test_a_dataset_that_left_the_catalog(engine: AsyncEngine) -> None:
    """It is forgotten, and asked about no more."""
    clock, source = FrozenClock(NOON), Asked(facts={JOBS: ()})
    deps = world(engine, source, "orders", "customers", clock=clock)
    await due_now(deps, clock)
    fewer = world(engine, source, "orders", clock=clock)
    await agree(fewer)
    assert [each.key.dataset for each in await deps.store.polls.list()] == ["orders"]


async def test_a_failing_source_is_asked_less_often(engine: AsyncEngine) -> None:
    """The pause doubles, the status says why, and one success brings the pace back."""
    clock, source = FrozenClock(NOON), Asked(error=OSError("down"))
    deps = world(engine, source, clock=clock)
    await due_now(deps, clock)
    pauses = []
    for _ in range(4):
        asked_at = clock()
        assert await poll(source, deps) == 1
        (state,) = await deps.store.polls.list()
        pauses.append(state.next_at - asked_at)
        clock.advance(pauses[-1])
    assert state.failures == 4
    assert state.last_problem == "Airbyte failed: OSError"
    assert all(later > 1.5 * sooner for sooner, later in pairwise(pauses))
    source.error, source.facts = None, {JOBS: ()}
    await poll(source, deps)
    (state,) = await deps.store.polls.list()
    assert (state.failures, state.last_problem, state.last_success_at) == (0, None, clock())


@given(failures=st.integers(0, 1_000), minutes=st.integers(1, 10_000), name=st.text(max_size=20))
def test_the_next_question_comes_in_time(failures: int, minutes: int, name: str) -> None:
    """Never sooner than the pace less its jitter, never later than the pace or an hour and its jitter."""
    pace = Pace(poll_every=timedelta(minutes=minutes))
    key = PollKey(source_id="s", tenant_id="acme", dataset=name)
    pause = next_poll(key, pace, failures, NOON) - NOON
    assert (1 - JITTER) * pace.poll_every <= pause
    assert pause <= (1 + JITTER) * max(pace.poll_every, SLOWEST)
    assert pause == next_poll(key, pace, failures, NOON) - NOON


def hourly(last: timedelta) -> tuple[IngestionJob, ...]:
    """A day of hourly syncs that went well; the newest began *last* ago."""
    return tuple(
        IngestionJob(
            id=str(number),
            connector_id="c-1",
            status=JobStatus.SUCCEEDED,
            started_at=NOON - last - number * HOUR,
            finished_at=NOON - last - number * HOUR + timedelta(minutes=2),
            rows_synced=1_000,
        )
        for number in range(24)
    )


async def heard(deps: Deps) -> list[str]:
    """The titles of what reached the inbox, each of which a format can read."""
    found = await deps.store.due(deps.clock(), 100)
    items = [await deps.store.inbox.get(each.row_id) for each in found]
    bodies = [item.payload for item in items if item]
    return [read_webhook(body["format"], body["body"])[0].title for body in bodies]


@pytest.mark.parametrize(
    ("last", "titles"),
    [(timedelta(minutes=30), []), (3 * HOUR, ["No sync in the expected window"])],
)
async def test_a_missing_sync_is_heard_of(
    engine: AsyncEngine, last: timedelta, titles: list[str]
) -> None:
    """No tool alerts of a sync that never began; the scan does, once, and not while syncs are on time."""
    clock, source = FrozenClock(NOON), Asked(facts={JOBS: hourly(last)})
    deps = world(engine, source, clock=clock)
    await due_now(deps, clock)
    for _ in range(2):
        await poll(source, deps)
        clock.advance(PACE.poll_every * (1 + JITTER))
        assert await heard(deps) == titles


async def test_what_a_source_noticed_is_heard_of_once(engine: AsyncEngine) -> None:
    """A schema change waits for approval; it is told when first seen, whatever the number of polls."""
    notice = Notice(
        key="schema:7", anomaly_type=AnomalyType.SCHEMA, title="Schema change waits for approval"
    )
    clock, source = FrozenClock(NOON), Asked(facts={JOBS: ()}, noticed=(notice,))
    deps = world(engine, source, clock=clock)
    await due_now(deps, clock)
    for _ in range(3):
        await poll(source, deps)
        clock.advance(PACE.poll_every * (1 + JITTER))
    assert await heard(deps) == ["Schema change waits for approval"]


async def opened_freshness(deps: Deps) -> str:
    """An alert of a late dataset, examined with what is known by now."""
    now = deps.clock()
    anomaly = Anomaly(
        tenant_id="acme",
        dataset="shopify_orders",
        anomaly_type=AnomalyType.FRESHNESS,
        detected_at=now,
    )
    joined = await deps.store.incidents.open_or_join(
        anomaly, inbox_id="in-1", position=0, place=PLACE, title=None, alert_url=None, now=now
    )
    await examine(joined, anomaly, deps, now, asked=False)
    return joined.incident.incident_id


async def test_facts_that_come_later_change_the_open_card(engine: AsyncEngine) -> None:
    """The source was down when the alert came; when it answers, the card gets its cause, once."""
    clock, source = FrozenClock(NOON), Asked(error=OSError("down"))
    deps = world(engine, source, clock=clock)
    incident_id = await opened_freshness(deps)
    before = await deps.store.signals.active_of(incident_id)
    assert before is not None
    assert before.hypotheses == ()
    source.error, source.facts = None, {JOBS: failed_since(HOUR)}
    for _ in range(2):
        await due_now(deps, clock)
        await poll(source, deps)
        clock.advance(PACE.poll_every * (1 + JITTER))
    after = await deps.store.signals.active_of(incident_id)
    assert after is not None
    assert after.top_cause_type == "ingestion_failure"
    told = await deps.store.incidents.timeline(incident_id)
    assert len([entry for entry in told if entry.what == "diagnosed"]) == 2


def failed_since(ago: timedelta) -> tuple[IngestionJob, ...]:
    """Hourly syncs that went well until *ago*, and failed for their credentials since."""
    return tuple(
        IngestionJob(
            id=str(number),
            connector_id="c-1",
            status=JobStatus.FAILED if job.started_at >= NOON - ago else JobStatus.SUCCEEDED,
            error_code=ErrorCode.AUTH_ERROR if job.started_at >= NOON - ago else None,
            error_message="401 Unauthorized" if job.started_at >= NOON - ago else None,
            started_at=job.started_at,
            finished_at=job.finished_at,
        )
        for number, job in enumerate(hourly(timedelta(minutes=10)))
    )


@pytest.mark.parametrize("repaired", [True, False])
async def test_a_repair_takes_nothing_back(engine: AsyncEngine, *, repaired: bool) -> None:
    """When the cause no longer shows, the card that people work on keeps what it said."""
    clock, source = FrozenClock(NOON), Asked(facts={JOBS: failed_since(HOUR)})
    deps = world(engine, source, clock=clock)
    incident_id = await opened_freshness(deps)
    before = await deps.store.signals.active_of(incident_id)
    if repaired:
        source.facts = {JOBS: hourly(timedelta(minutes=10))}
    await due_now(deps, clock)
    await poll(source, deps)
    after = await deps.store.signals.active_of(incident_id)
    assert before is not None
    assert after is not None
    assert after.top_cause_type == before.top_cause_type == "ingestion_failure"
