"""The sweep finds every row that is due and asleep, and none that is at work or waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.ports import Job, JobKind
from bot.records import InboxKind, InboxState, Incident
from bot.store.due import SETTLED
from tests.bot.store.world import LEASE, MINUTE, NOW, World, deadline

DUE = 30 * MINUTE


async def everything_due(world: World) -> dict[JobKind, str]:
    """Make one row of each kind due, take all jobs away, and return the rows."""
    kept = await world.store.inbox.keep(
        kind=InboxKind.WEBHOOK, sender_id="a", tenant_id="acme", payload={}, now=NOW
    )
    incident = await world.open()
    await world.record(incident, deadlines=(deadline(incident, DUE),))
    await told(world, f"details:{incident.incident_id}")
    page = await world.store.pages.request(
        incident.incident_id, team="infra", reason="by hand", by="U1", now=NOW
    )
    world.now = NOW + DUE
    await world.wake()
    return {
        JobKind.INBOX: kept.item.inbox_id,
        JobKind.DEADLINE: deadline(incident).deadline_id,
        JobKind.PAGE: page.page.page_id,
        JobKind.POST: f"card:{incident.incident_id}",
    }


async def told(world: World, post_id: str) -> None:
    post = await world.store.posts.get(post_id)
    assert post is not None
    await world.store.posts.posted(post_id, message_ts="2.0", told=post.wanted, now=world.now)


async def due(world: World, limit: int = 10) -> set[tuple[JobKind, str]]:
    return {(job.kind, job.row_id) for job in await world.store.due(world.now, limit)}


async def test_each_kind_is_found_and_woken(world: World) -> None:
    """A lost job of any kind is found, and resubmitted it runs."""
    rows = await everything_due(world)
    jobs = await world.store.due(world.now, 10)
    assert {job.kind: job.row_id for job in jobs} == rows
    assert jobs[0].kind is JobKind.PAGE
    await world.store.resubmit(jobs)
    assert await world.wake() == set(rows.items())


async def test_resubmitting_what_waits_doubles_nothing(world: World) -> None:
    """A sweep beside a job that waits is one job."""
    await everything_due(world)
    jobs = await world.store.due(world.now, 10)
    await world.store.resubmit(jobs)
    await world.store.resubmit([*jobs, Job(kind=JobKind.POST, row_id="other")])
    await world.wake()
    assert len(world.woken) == len(set(world.woken)) == len(jobs) + 1


async def test_no_more_than_asked_for(world: World) -> None:
    """The limit bounds a sweep after a long outage."""
    await everything_due(world)
    assert len(await world.store.due(world.now, 2)) == 2


async def test_before_its_time_nothing_is_due(world: World) -> None:
    """A fresh delivery is left to its own job; a deadline to its instant."""
    rows = await everything_due(world)
    assert await world.store.due(NOW - MINUTE, 10) != ()
    world.now = NOW + SETTLED - MINUTE
    assert not {JobKind.INBOX, JobKind.DEADLINE} & dict(await due(world)).keys()
    world.now = NOW + SETTLED
    assert (JobKind.INBOX, rows[JobKind.INBOX]) in await due(world)


@pytest.mark.parametrize(
    ("what", "gone"),
    [
        ("closed", JobKind.INBOX),
        ("acknowledged", JobKind.DEADLINE),
        ("snoozed", JobKind.DEADLINE),
        ("monitored", JobKind.DEADLINE),
        ("page claimed", JobKind.PAGE),
        ("page paused", JobKind.PAGE),
        ("page accepted", JobKind.PAGE),
        ("page undelivered", JobKind.PAGE),
        ("post claimed", JobKind.POST),
        ("post paused", JobKind.POST),
        ("post told", JobKind.POST),
        ("post dead", JobKind.POST),
    ],
)
async def test_what_is_at_work_or_waits_is_left_alone(
    world: World, what: str, gone: JobKind
) -> None:
    """Of the due rows one is taken care of: the others are still found."""
    rows = await everything_due(world)
    await take_care(world, what, rows)
    left = {kind: row for kind, row in rows.items() if kind is not gone}
    assert set(left.items()) <= await due(world)
    assert (gone, rows[gone]) not in await due(world)


async def take_care(world: World, what: str, rows: dict[JobKind, str]) -> None:
    """Do *what* to the one row that it is about."""
    store, now, later = world.store, world.now, world.now + MINUTE
    page, post = rows[JobKind.PAGE], rows[JobKind.POST]
    incident = await the_incident(world)
    of = incident.incident_id
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "closed": lambda: store.inbox.close(
            rows[JobKind.INBOX], state=InboxState.DONE, reason=None, now=now
        ),
        "acknowledged": lambda: store.incidents.acknowledge(of, by="U1", now=now),
        "snoozed": lambda: store.incidents.snooze(of, by="U1", until=later, now=now),
        "monitored": lambda: store.incidents.monitor(of, by="U1", now=now),
        "page claimed": lambda: store.pages.claim(page, now, LEASE),
        "page paused": lambda: store.pages.failed(page, error="503", retry_at=later, now=now),
        "page accepted": lambda: store.pages.accepted(
            page, pager="log", reference=None, url=None, now=now
        ),
        "page undelivered": lambda: store.pages.undelivered(page, error="no", now=now),
        "post claimed": lambda: store.posts.claim(post, now, LEASE),
        "post paused": lambda: store.posts.failed(post, error="429", retry_at=later, now=now),
        "post told": lambda: told(world, post),
        "post dead": lambda: store.posts.dead(post, error="gone", now=now),
    }
    await steps[what]()


async def the_incident(world: World) -> Incident:
    (incident,) = await world.store.incidents.list_open("acme", 2)
    return incident
