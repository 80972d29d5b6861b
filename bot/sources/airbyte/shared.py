"""What one answer tells about many datasets, asked for once: a value for a while, and everybody's latest jobs."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from bot.clock import Clock
from bot.sources.airbyte.client import ApiError
from bot.sources.airbyte.paging import Found
from rca.case import IngestionJob

FAILED_FOR: Final = timedelta(seconds=15)  # in which nobody asks again what has just failed
JOBS_FOR: Final = timedelta(seconds=30)  # below the minute in which one dataset is not asked twice
JOBS_REACH: Final = timedelta(hours=26)  # a poll asks for a day; and two hours that it came late
JOBS_OVERLAP: Final = timedelta(minutes=5)  # between two machines' clocks
NOT_SHARED_FOR: Final = timedelta(minutes=10)  # after an answer that did not hold everything

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[T]):
    value: T | None
    error: ApiError | None
    until: datetime


class Kept(Generic[T]):
    """A value that is asked for at most once per *lasts*, however many want it; so is a failure, for a moment.

    Whoever waits may give up: the question goes on, and its answer serves the next one who asks.
    """

    def __init__(self, clock: Clock, lasts: timedelta) -> None:
        self._clock = clock
        self._lasts = lasts
        self._outcome: _Outcome[T] | None = None
        self._asking: asyncio.Task[_Outcome[T]] | None = None

    async def get(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the value, asking for it when there is none or it is too old. Raises what *ask* raised."""
        outcome = self._outcome
        if outcome is None or outcome.until <= self._clock():
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._asked(ask))
            outcome = await asyncio.shield(self._asking)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value  # type: ignore[return-value]  # an outcome without an error has a value

    def stop(self) -> None:
        """Give up a question that is under way."""
        if self._asking is not None:
            self._asking.cancel()

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> _Outcome[T]:
        now = self._clock()
        try:
            outcome: _Outcome[T] = _Outcome(await ask(), None, now + self._lasts)
        except ApiError as error:
            outcome = _Outcome(None, error, now + FAILED_FOR)
        self._outcome = outcome
        return outcome


class Each(Generic[T]):
    """One kept value per key, at most *most* of them; the one that nobody asked for longest is forgotten."""

    def __init__(self, clock: Clock, lasts: timedelta, most: int) -> None:
        self._clock = clock
        self._lasts = lasts
        self._most = most
        self._kept: dict[str, Kept[T]] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the value of *key*. Raises what *ask* raised."""
        kept = self._kept.pop(key, None) or Kept[T](self._clock, self._lasts)
        self._kept[key] = kept
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        return await kept.get(ask)

    def stop(self) -> None:
        """Give up the questions that are under way."""
        for kept in self._kept.values():
            kept.stop()


ByConnection = Mapping[str, Mapping[str, IngestionJob]]


class LatestJobs:
    """Everybody's jobs of the last day: read whole once, then only what has changed since.

    ``lacks``: what of the last answer could not be read.
    """

    def __init__(self, clock: Clock, ask: Callable[[datetime], Awaitable[Found]]) -> None:
        self._clock = clock
        self._ask = ask
        self.lacks: str | None = None
        self._kept: Kept[ByConnection | None] = Kept(clock, JOBS_FOR)
        self._jobs: defaultdict[str, dict[str, IngestionJob]] = defaultdict(dict)
        self._whole_since: datetime | None = None
        self._read_at: datetime | None = None
        self._none_until: datetime | None = None

    async def since(self, wanted: datetime) -> ByConnection | None:
        """Return the jobs that changed since *wanted*, and more, by connection and id.

        None when that is longer ago than is kept, or when there are too many to read them at once.

        Raises:
            ApiError: they could not be read.
        """
        now = self._clock()
        if wanted < now - JOBS_REACH or (self._none_until is not None and now < self._none_until):
            return None
        return await self._kept.get(self._refreshed)

    def stop(self) -> None:
        """Give up a question that is under way."""
        self._kept.stop()

    async def _refreshed(self) -> ByConnection | None:
        now = self._clock()
        start = now - JOBS_REACH
        if self._read_at is not None and self._whole_since is not None:
            start = max(start, self._read_at - JOBS_OVERLAP)
        found = await self._ask(start)
        if not found.is_whole:
            self._forget(now)
            return None
        self.lacks = found.lacks
        for sync in found.syncs:
            if sync.connector_id is not None:
                self._jobs[sync.connector_id.casefold()][sync.id] = sync
        self._prune(now)
        self._whole_since, self._read_at = self._whole_since or start, now
        return self._jobs

    def _forget(self, now: datetime) -> None:
        self._jobs.clear()
        self._whole_since = self._read_at = None
        self._none_until = now + NOT_SHARED_FOR

    def _prune(self, now: datetime) -> None:
        for connection_id in list(self._jobs):
            jobs = self._jobs[connection_id]
            for job_id, job in list(jobs.items()):
                if (job.finished_at or now) < now - JOBS_REACH - JOBS_OVERLAP:
                    del jobs[job_id]
            if not jobs:
                del self._jobs[connection_id]
