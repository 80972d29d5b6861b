"""Polls: every source is asked about every dataset it covers, by one replica at a time, without an alert.

What is due stands in the table of polls; a tick only looks. A source that fails is asked less and less often.
What a poll shows and no tool alerts of (a missing sync, a schema change that waits for approval) goes into the
inbox like anybody's alert; what it changes about an open incident is told in that incident's card.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bot.anomaly import anomaly_again
from bot.deps import Deps
from bot.examine import examine
from bot.policy.tell import is_news
from bot.policy.unalerted import unalerted
from bot.ports import Notice, Pace, Source
from bot.records import InboxKind, IncidentState, Joined
from bot.store.polls import Poll, PollKey
from rca.case import Anomaly, AnomalyType, Dataset, FactKind

AT_ONCE: Final = 50  # datasets per tick and source; the next tick takes more
TOGETHER: Final = 4  # questions to one source at a time
SPREAD: Final = timedelta(
    minutes=1
)  # over which the first questions after a start are spread, so that a source is not overrun
JITTER: Final = 0.1  # of the pace, to either side, so that replicas and datasets drift apart
SLOWEST: Final = timedelta(hours=1)  # between two questions to a source that fails
MOST_DOUBLINGS: Final = 10  # of any pace, that is longer than an hour
SLACK: Final = timedelta(seconds=30)  # a lease outlives its question by this
SCANNED: Final = FactKind.INGESTION_JOBS  # a source of these may show that a sync is missing

log = logging.getLogger(__name__)


async def agree(deps: Deps) -> None:
    """Make the table of polls fit the catalog and the sources: new pairs are due soon, others are forgotten."""
    now = deps.clock()
    collector = deps.collector
    wanted: dict[str, dict[PollKey, datetime]] = {s.source_id: {} for s in collector.sources}
    for tenant_id in deps.directory.tenants:
        for dataset in (await deps.catalog(tenant_id)).datasets:
            for source in collector.covering(tenant_id, dataset):
                key = PollKey(source_id=source.source_id, tenant_id=tenant_id, dataset=dataset.name)
                wanted[source.source_id][key] = now + SPREAD * _share(key, "")
    for source_id, keys in wanted.items():
        await deps.store.polls.agree(source_id, keys)


async def poll(source: Source, deps: Deps) -> int:
    """Ask *source* about the datasets that are due, and return how many there were.

    A dataset is claimed when its turn has come: what waits behind slow answers is left to other replicas.
    """
    taken = list(await _claim(source, deps, TOGETHER))

    async def worker(due: Poll) -> None:
        following: tuple[Poll, ...] = (due,)
        while following:
            await _poll_safely(source, following[0], deps)
            following = await _claim(source, deps, 1) if len(taken) < AT_ONCE else ()
            taken.extend(following)

    await asyncio.gather(*(worker(each) for each in tuple(taken)))
    return len(taken)


async def _claim(source: Source, deps: Deps, limit: int) -> tuple[Poll, ...]:
    lease = source.pace.time_limit + SLACK
    return await deps.store.polls.claim(source.source_id, deps.clock(), lease=lease, limit=limit)


async def _poll_safely(source: Source, due: Poll, deps: Deps) -> None:
    try:
        await _poll_one(source, due, deps, deps.clock())
    except Exception:  # ours; the lease ends and the row is due again
        log.exception(
            "a poll failed", extra={"source": source.source_id, "dataset": due.key.dataset}
        )


async def _poll_one(source: Source, due: Poll, deps: Deps, now: datetime) -> None:
    key = due.key
    dataset = (await deps.catalog(key.tenant_id)).resolve((key.dataset,))
    if dataset is None or not source.covers(dataset):
        await deps.store.polls.release(key, now + source.pace.poll_every)
        return
    answer = await deps.collector.ask(source, key.tenant_id, dataset, now, due)
    failures = 0 if answer.problem is None else due.failures + 1
    await deps.store.polls.release(key, next_poll(key, source.pace, failures, now))
    if answer.problem is None:
        notices: Sequence[Notice] = answer.facts.noticed
        if SCANNED in source.gives:
            notices = (*notices, *await _scan(key.tenant_id, dataset, deps, now))
        await _tell(key, notices, deps, now)
        await look_again(key.tenant_id, dataset, deps, now)


async def look_again(tenant_id: str, dataset: Dataset, deps: Deps, now: datetime) -> int:
    """Examine the dataset's open incidents anew where the newest facts are news; return how many those were.

    A poll is no news by itself, and an incident whose check passes again is left alone.
    """
    changed = 0
    for incident in await deps.store.incidents.find_open(tenant_id, dataset.name):
        if incident.state is IncidentState.MONITORING:
            continue
        anomaly = anomaly_again(incident)
        case = await deps.collector.known(anomaly, dataset, case_id="again", as_of=now)
        before = await deps.store.signals.active_of(incident.incident_id)
        if not is_news(before, await asyncio.to_thread(deps.diagnose, case)):
            continue
        joined = Joined(incident=incident, opened=False)
        await examine(joined, anomaly, deps, now, asked=False)
        changed += 1
    return changed


def next_poll(key: PollKey, pace: Pace, failures: int, now: datetime) -> datetime:
    """Return when to ask again: at the source's pace, doubled by each failure in a row up to an hour, with jitter.

    The same question always gives the same answer: the jitter comes from the key and the instant.
    """
    doubled = pace.poll_every * (1 << min(failures, MOST_DOUBLINGS))
    pause = doubled if failures == 0 else max(pace.poll_every, min(doubled, SLOWEST))
    stretch: float = 1.0 - JITTER + 2.0 * JITTER * _share(key, now.isoformat())
    return now + pause * stretch


def _share(key: PollKey, salt: str) -> float:
    """A share in [0, 1) that is the key's own."""
    text = f"{key.source_id}\n{key.tenant_id}\n{key.dataset}\n{salt}"
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / float(1 << 32)


async def _tell(key: PollKey, notices: Sequence[Notice], deps: Deps, now: datetime) -> None:
    """Put each notice into the inbox, once and for all: the sender's id is the notice's key."""
    for notice in notices:
        await deps.store.inbox.keep(
            kind=InboxKind.WEBHOOK,
            sender_id=f"scan:{key.source_id}:{key.dataset}:{notice.key}",
            tenant_id=key.tenant_id,
            payload={"format": "native", "body": _native(key.dataset, notice)},
            now=now,
        )


async def _scan(tenant_id: str, dataset: Dataset, deps: Deps, now: datetime) -> tuple[Notice, ...]:
    """What the stored syncs show although nothing alerted of it; the rest of the case is not read for it."""
    anomaly = Anomaly(
        tenant_id=tenant_id,
        dataset=dataset.name,
        anomaly_type=AnomalyType.FRESHNESS,
        detected_at=now,
    )
    case = await deps.collector.known(anomaly, dataset, case_id="scan", as_of=now, kinds=(SCANNED,))
    return unalerted(await asyncio.to_thread(deps.diagnose, case))


def _native(dataset: str, notice: Notice) -> dict[str, Any]:
    body = {
        "rca": "alert/1",
        "dataset": dataset,
        "anomaly_type": notice.anomaly_type.value,
        "severity": notice.severity.value,
        "title": notice.title,
        "message": notice.message,
        "detected_at": notice.at.isoformat() if notice.at else None,
    }
    return {name: value for name, value in body.items() if value is not None}
