"""Jobs in one process on SQLite: a table of due times and one loop per lane.

No leases: a file lock keeps a second process out (see ``bot.jobs.one_process``), so whatever is marked as running
at a start was interrupted and is due again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.clock import Clock
from bot.jobs import embedded_rows as rows
from bot.jobs.embedded_rows import Taken
from bot.jobs.lanes import AT_ONCE
from bot.ports import Job, JobKind, Lane, RunJob
from bot.turns import turn_of

LOOK_EVERY: Final = timedelta(
    seconds=1
)  # for jobs that another process submitted: it cannot wake us

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Loop:
    """One lane: how much of it runs, and whether there is anything new to look for."""

    lane: Lane
    at_once: int
    running: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)


class EmbeddedJobs:
    """The ``Jobs`` port for one process."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._turn = turn_of(engine)
        self._clock = clock
        self._stopping = asyncio.Event()
        self._loops = {lane: _Loop(lane=lane, at_once=AT_ONCE[lane]) for lane in Lane}

    async def submit(self, connection: AsyncConnection, jobs: Sequence[Job]) -> None:
        """Keep *jobs* with the caller's transaction; see ``bot.ports.Jobs``."""
        await rows.keep(connection, jobs, self._clock())
        lanes = {job.lane for job in jobs}

        def tell(_connection: Connection) -> None:
            for lane in lanes:
                self._loops[lane].news.set()

        # It is told a moment early, but the loops look as writers: they wait for this very commit.
        event.listen(connection.sync_connection, "commit", tell)

    async def run(self, run: Mapping[JobKind, RunJob]) -> None:
        """Hand out due jobs until stopped; running jobs end first. A cancelled one is due again at the next start.

        Raises:
            ExceptionGroup: the database failed; the process should be started anew.
        """
        await self._recover()
        try:
            async with asyncio.TaskGroup() as group:
                for loop in self._loops.values():
                    group.create_task(self._work(loop, run, group))
        finally:
            self._stopping.clear()

    async def stop(self) -> None:
        """Hand out no more; ``run`` returns when what runs has ended."""
        self._stopping.set()
        for loop in self._loops.values():
            loop.news.set()

    async def drain(self, run: Mapping[JobKind, RunJob]) -> int:
        """Run everything that is due now, one job after the other, until nothing is; return how many that were.

        For a clock that stands still: a job that raised, or is to be looked at again, waits for it to move.
        """
        await self._recover()
        count = 0
        while True:
            async with self._writing() as connection:
                taken = await rows.take(connection, tuple(Lane), self._clock(), 1)
            if not taken:
                return count
            await self._run_one(taken[0], run)
            count += 1

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._turn.taken(), self._engine.begin() as connection:
            yield connection

    async def _recover(self) -> None:
        async with self._writing() as connection:
            released = await rows.release_all(connection)
        if released:
            log.info("interrupted jobs are due again", extra={"jobs": released})

    async def _work(
        self, loop: _Loop, run: Mapping[JobKind, RunJob], group: asyncio.TaskGroup
    ) -> None:
        """Start what is due, as much at once as the lane allows; then wait for news or for the next due time."""
        while not self._stopping.is_set():
            loop.news.clear()
            free = loop.at_once - loop.running
            taken, pause = await self._take(loop.lane, free) if free else ((), LOOK_EVERY)
            for job in taken:
                loop.running += 1
                group.create_task(self._run_in(loop, job, run), name=job.key)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds()):
                    await loop.news.wait()

    async def _run_in(self, loop: _Loop, job: Taken, run: Mapping[JobKind, RunJob]) -> None:
        try:
            await self._run_one(job, run)
        finally:
            loop.running -= 1
            loop.news.set()

    async def _take(self, lane: Lane, free: int) -> tuple[tuple[Taken, ...], timedelta]:
        """What is due, at most *free*; and for how long nothing more will be."""
        async with self._writing() as connection:
            now = self._clock()
            taken = await rows.take(connection, (lane,), now, free)
            at = await rows.next_due(connection, lane)
        return taken, LOOK_EVERY if at is None else min(LOOK_EVERY, max(at - now, timedelta()))

    async def _run_one(self, job: Taken, run: Mapping[JobKind, RunJob]) -> None:
        try:
            again = await run[job.kind](job.row_id)
        except Exception:
            async with self._writing() as connection:
                at = await rows.fail(connection, job, self._clock())
            log.exception(
                "a job failed and is tried again",
                extra={"job": job.key, "again_at": at.isoformat()},
            )
            return
        async with self._writing() as connection:
            await rows.end(connection, job, again.at if again else None)
