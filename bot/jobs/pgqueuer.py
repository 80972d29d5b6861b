"""Jobs on PostgreSQL with PgQueuer: any number of replicas, which take over the jobs of one that died.

PgQueuer's dedupe key spans waiting and running jobs. A job that starts gives its key up, so that what is submitted
while it runs waits for its turn; and whoever submits holds the waiting job's row until its commit, so that the job
cannot start before the change it is about can be seen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any, Final

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.queries import Queries
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.clock import Clock
from bot.jobs import pgqueuer_rows as rows
from bot.jobs.lanes import AT_ONCE, kinds_of
from bot.jobs.pause import pause_after
from bot.jobs.pgqueuer_rows import Wish
from bot.ports import Job, JobKind, Lane, RunJob

LOOK_EVERY: Final = timedelta(seconds=5)  # besides LISTEN: for a notification that was lost
TAKE_OVER_AFTER: Final = timedelta(seconds=10)  # without a heartbeat; they come twice as often
TIDY_EVERY: Final = timedelta(minutes=10)
KEEP_LOG: Final = timedelta(days=1)
AT_ONCE_AGAIN: Final = timedelta()

log = logging.getLogger(__name__)


class LaneEndedError(Exception):
    """A lane stopped though nobody asked it to; the process must be started anew, or its jobs wait for ever."""


class PgQueuerJobs:
    """The ``Jobs`` port for any number of processes."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, *, take_over_after: timedelta = TAKE_OVER_AFTER
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._take_over_after = take_over_after
        self._stopping = asyncio.Event()
        self._lanes: list[QueueManager] = []

    async def submit(self, connection: AsyncConnection, jobs: Sequence[Job]) -> None:
        """Keep *jobs* with the caller's transaction; see ``bot.ports.Jobs``."""
        if jobs:
            await rows.keep(connection, [Wish(job=job) for job in jobs], self._clock())

    async def run(self, run: Mapping[JobKind, RunJob]) -> None:
        """Hand out due jobs until stopped; running jobs end first.

        Raises:
            ExceptionGroup: the database went away, or a lane ended by itself; the process must be started anew.
        """
        async with AsyncExitStack() as stack:
            stack.callback(self._stopping.clear)
            self._lanes = [
                await stack.enter_async_context(self._lane(lane, run))
                for lane in Lane
                if kinds_of(lane)
            ]
            async with asyncio.TaskGroup() as group:
                tidying = group.create_task(self._tidy())
                lanes = [
                    group.create_task(self._work(manager, AT_ONCE[lane]))
                    for lane, manager in zip(filter(kinds_of, Lane), self._lanes, strict=True)
                ]
                await asyncio.wait(lanes)
                tidying.cancel()

    async def stop(self) -> None:
        """Hand out no more; ``run`` returns when what runs has ended."""
        self._stopping.set()
        for manager in self._lanes:
            manager.shutdown.set()

    async def drain(self, run: Mapping[JobKind, RunJob]) -> int:
        """Run everything that is due by our own clock, one job after the other; return how many that were.

        For a clock that stands still: a job that raised, or is to be looked at again, waits for it to move.
        """
        count = 0
        while True:
            async with self._engine.begin() as connection:
                queued = await rows.take_due(connection, self._clock())
            if queued is None:
                return count
            await self._run_body(queued, run)
            async with self._engine.begin() as connection:
                await rows.end(connection, queued)
            count += 1

    @asynccontextmanager
    async def _lane(self, lane: Lane, run: Mapping[JobKind, RunJob]) -> AsyncIterator[QueueManager]:
        """A queue manager on a connection of its own, which listens."""
        pooled = await self._engine.raw_connection()
        driver: Any = pooled.driver_connection
        pooled.detach()
        try:
            queries = Queries(AsyncpgDriver(driver))
            manager = QueueManager(queries)
            for kind in kinds_of(lane):
                run_one = partial(self._run_one, queries=queries, run=run)
                manager.entrypoint(kind.value, accepts_context=False)(run_one)
            yield manager
        finally:
            await driver.close()

    async def _work(self, manager: QueueManager, at_once: int) -> None:
        if self._stopping.is_set():
            return
        await manager.run(
            dequeue_timeout=LOOK_EVERY,
            batch_size=at_once // 2,  # PgQueuer asks for twice the batch
            max_concurrent_tasks=at_once,
            shutdown_on_listener_failure=True,
            heartbeat_timeout=self._take_over_after,
            log_aggregation_interval=timedelta(),  # nobody reads its statistics
        )
        if not self._stopping.is_set():
            raise LaneEndedError

    async def _run_one(
        self, queued: QueuedJob, *, queries: Queries, run: Mapping[JobKind, RunJob]
    ) -> None:
        """Run one job; whatever happens to it, it is not lost."""
        try:
            await rows.give_up_key(queries, queued)
            await self._run_body(queued, run)
        except asyncio.CancelledError:
            raise RetryRequested(delay=AT_ONCE_AGAIN, reason="cancelled") from None
        except Exception as error:
            log.exception("a job could not be kept again", extra={"job": _key(queued)})
            raise RetryRequested(delay=pause_after(1), reason=str(error)) from error

    async def _run_body(self, queued: QueuedJob, run: Mapping[JobKind, RunJob]) -> None:
        kind, row_id = JobKind(queued.entrypoint), _row_id(queued)
        try:
            again = await run[kind](row_id)
        except Exception:
            failures = rows.failures_of(queued) + 1
            at = self._clock() + pause_after(failures)
            log.exception(
                "a job failed and is tried again",
                extra={"job": _key(queued), "again_at": at.isoformat()},
            )
            await self._keep(Wish(job=Job(kind=kind, row_id=row_id, due_at=at), failures=failures))
            return
        if again is not None:
            await self._keep(Wish(job=Job(kind=kind, row_id=row_id, due_at=again.at)))

    async def _keep(self, wish: Wish) -> None:
        async with self._engine.begin() as connection:
            await rows.keep(connection, [wish], self._clock())

    async def _tidy(self) -> None:
        while not self._stopping.is_set():
            async with self._engine.begin() as connection:
                await rows.forget_old(connection, KEEP_LOG)
            with suppress(TimeoutError):
                async with asyncio.timeout(TIDY_EVERY.total_seconds()):
                    await self._stopping.wait()


def _row_id(queued: QueuedJob) -> str:
    return (queued.payload or b"").decode()


def _key(queued: QueuedJob) -> str:
    return f"{queued.entrypoint}:{_row_id(queued)}"
