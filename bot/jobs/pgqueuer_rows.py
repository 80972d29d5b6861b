"""What PgQueuer's own queries cannot say, on its table: due times that only move forward, and keys given up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.domain.settings import db_settings
from pgqueuer.ports.driver import Driver, NotifyCallback
from pgqueuer.queries import Queries
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Job

FAILURES: Final = "failures"  # header: raises in a row
DUE_AT: Final = "due_at"  # header: the submitter's wish, for a clock that stands still

QUEUE: Final = db_settings().qualified.queue_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A job to be kept, and how often in a row it has raised before."""

    job: Job
    failures: int = 0


class SessionDriver(Driver):
    """Lets PgQueuer speak within a transaction of SQLAlchemy's, so that a job is committed with its row."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._shutdown = asyncio.Event()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Return the rows of *query*."""
        found = await self._connection.exec_driver_sql(query, args)
        return [dict(row) for row in found.mappings()]

    async def execute(self, query: str, *args: object) -> str:
        """Run *query*."""
        await self._connection.exec_driver_sql(query, args)
        return ""

    async def notify(self, channel: str, payload: str) -> None:
        """Tell those who listen, at the commit."""
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Refuse: a transaction is over before anything could be heard.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"a transaction cannot listen on {channel} for {callback}")

    @property
    def shutdown(self) -> asyncio.Event:
        """Never set."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """Nothing runs in the background."""
        return TaskManager()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


async def keep(connection: AsyncConnection, wishes: Sequence[Wish], now: datetime) -> None:
    """Keep *wishes* with the transaction of *connection*.

    A waiting job of the same key stays the one job, due at the earlier time; its row is held until the commit,
    so that nobody starts it before.
    """
    earliest: dict[str, Wish] = {}
    for wish in sorted(wishes, key=lambda wish: (wish.job.key, wish.job.due_at or now)):
        earliest.setdefault(wish.job.key, wish)
    kept = list(
        earliest.values()
    )  # in the order of their keys: two submitters never wait for each other
    delays = [max((wish.job.due_at or now) - now, timedelta()) for wish in kept]
    headers = [_headers(wish, now) for wish in kept]
    driver = SessionDriver(connection)
    ids = await Queries(driver).enqueue(
        [wish.job.kind.value for wish in kept],
        [wish.job.row_id.encode() for wish in kept],
        [0] * len(kept),
        execute_after=list(delays),
        dedupe_key=list(earliest),
        headers=list(headers),
        on_conflict="update_priority",
    )
    await driver.execute(_SOONER, ids, delays, [header[DUE_AT] for header in headers])


_SOONER: Final = f"""
UPDATE {QUEUE} AS job
SET execute_after = now() + wish.delay,
    headers = coalesce(job.headers, '{{}}') || jsonb_build_object('{DUE_AT}', wish.due_at)
FROM unnest($1::bigint[], $2::interval[], $3::text[]) AS wish (id, delay, due_at)
WHERE job.id = wish.id AND job.status = 'queued' AND job.execute_after > now() + wish.delay
"""  # noqa: S608 - the table's name is PgQueuer's setting, which it checks


def _headers(wish: Wish, now: datetime) -> dict[str, str]:
    return {FAILURES: str(wish.failures), DUE_AT: (wish.job.due_at or now).isoformat()}


async def give_up_key(queries: Queries, queued: QueuedJob) -> None:
    """From now on a job of the same key is a new one; waits for submitters that hold this one."""
    await queries.driver.execute(_GIVE_UP_KEY, queued.id)


_GIVE_UP_KEY: Final = f"UPDATE {QUEUE} SET dedupe_key = NULL WHERE id = $1"  # noqa: S608 - as above


async def take_due(connection: AsyncConnection, now: datetime) -> QueuedJob | None:
    """Hand out the job that is due longest by the submitters' own times; None when none is due at *now*."""
    found = await SessionDriver(connection).fetch(_TAKE_DUE, now)
    return QueuedJob.model_validate(found[0]) if found else None


_DUE: Final = f"(headers ->> '{DUE_AT}')::timestamptz"
_TAKE_DUE: Final = f"""
UPDATE {QUEUE} SET status = 'picked', updated = now(), heartbeat = now(), dedupe_key = NULL
WHERE id = (
    SELECT id FROM {QUEUE} WHERE status = 'queued' AND {_DUE} <= $1
    ORDER BY {_DUE}, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING *
"""  # noqa: S608 - as above


async def end(connection: AsyncConnection, queued: QueuedJob) -> None:
    """The job has run."""
    await Queries(SessionDriver(connection)).log_jobs([(queued, "successful", None)])


async def forget_old(connection: AsyncConnection, keep_for: timedelta) -> None:
    """Delete PgQueuer's log of jobs that ended longer ago than *keep_for*; nobody reads it."""
    await SessionDriver(connection).execute(_FORGET, keep_for)


_LOG: Final = db_settings().qualified.queue_table_log
_FORGET: Final = f"DELETE FROM {_LOG} WHERE created < now() - $1::interval"  # noqa: S608 - as above


def failures_of(queued: QueuedJob) -> int:
    """Return how often in a row the job has raised."""
    headers: Mapping[str, Any] = queued.headers or {}
    return int(headers.get(FAILURES, 0))
