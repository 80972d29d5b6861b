"""The syncs of the dataset's connector, as the anomaly could have felt them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from rca.case import Dataset, IngestionJob, JobStatus
from rca.stats.durations import cadence_s
from rca.view.instants import epoch_s, epochs_s

Floats = npt.NDArray[np.float64]

BROKEN: Final = frozenset({JobStatus.FAILED, JobStatus.CANCELLED})
MAX_JOBS: Final = 1_000  # syncs; six weeks of hourly ones, the newest four tell what is usual
RHYTHM_OF: Final = 60  # syncs; older ones may have followed another schedule
OPEN: Final = frozenset({JobStatus.RUNNING, JobStatus.PENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Consecutive syncs that brought nothing, between two that did; an end that is None has not come yet."""

    jobs: tuple[IngestionJob, ...]
    last_good: IngestionJob | None
    next_good: IngestionJob | None

    @property
    def began_at(self) -> datetime:
        """When the first of the failed syncs started."""
        return self.jobs[0].started_at

    @property
    def ended_at(self) -> datetime | None:
        """When the next good sync had finished."""
        return self.next_good.finished_at if self.next_good is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The syncs that ended with a known number of rows, in the order in which they started; an entry for each.

    Times are in seconds since 1970.
    """

    jobs: tuple[IngestionJob, ...]
    started_s: Floats
    finished_s: Floats
    rows: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsView:
    """The newest syncs known at ``as_of``, oldest first, each id once; ``interval_s`` is None without a known rhythm.

    ``started_s`` and ``finished_s`` hold the start and the end of each in seconds since 1970, the end beyond ``as_of``
    for those that had not ended.
    No outage is cut off at its beginning: the oldest sync is a good one, or the oldest there is.
    """

    jobs: tuple[IngestionJob, ...]
    started_s: tuple[float, ...]
    finished_s: tuple[float, ...]
    arrivals: Arrivals
    interval_s: float | None
    grace_s: float
    outages: tuple[Outage, ...]

    def started_by(self, instant: datetime) -> tuple[IngestionJob, ...]:
        """Return the syncs that had started at *instant*."""
        return self.jobs[: bisect_right(self.started_s, epoch_s(instant))]


def read_jobs(jobs: Sequence[IngestionJob], dataset: Dataset | None, as_of: datetime) -> JobsView:
    """Return the dataset's own newest syncs as they stood at *as_of*: what finished later is still running."""
    connector = dataset.connector_id if dataset is not None else None
    own = [job for job in jobs if connector is None or job.connector_id in (None, connector)]
    until_s = epoch_s(as_of)
    starts_s = epochs_s([job.started_at for job in own])
    # the id before the sync, so that two that started at once are in the order of their names
    by_id = {own[i].id: (starts_s[i], own[i].id, own[i]) for i in _newest(own, starts_s, until_s)}
    started = sorted(by_id.values())
    ended_s = epochs_s([job.finished_at for _, _, job in started])
    known = [
        job if end_s <= until_s else _still_running(job)
        for (_, _, job), end_s in zip(started, ended_s, strict=True)
    ]
    began_s = [start_s for start_s, _, _ in started]
    good = [brought_rows(job) for job in known]
    expected = dataset.expected_sync_interval_s if dataset is not None else None
    interval = expected or cadence_s(began_s[-RHYTHM_OF:])
    grace = dataset.sync_grace_s if dataset is not None else None
    return JobsView(
        jobs=tuple(known),
        started_s=tuple(began_s),
        finished_s=tuple(ended_s),
        arrivals=_arrivals(known, good, began_s, ended_s),
        interval_s=interval,
        grace_s=grace if grace is not None else (interval or 0.0) / 4.0,
        outages=_outages(known, good),
    )


def _newest(
    jobs: Sequence[IngestionJob], starts_s: Sequence[float], until_s: float
) -> Sequence[int]:
    """Return where the newest MAX_JOBS syncs begun by *until_s* stand, in the order in which they started.

    With as many before them as it takes to begin with a good one.
    """
    begun = [i for i, start_s in enumerate(starts_s) if start_s <= until_s]
    begun.sort(key=starts_s.__getitem__)
    first = max(0, len(begun) - MAX_JOBS)
    while first > 0 and not brought_rows(jobs[begun[first]]):
        first -= 1
    return begun[first:]


def _still_running(job: IngestionJob) -> IngestionJob:
    """Return *job* as it was before it finished."""
    if job.finished_at is None:
        return job
    unfinished = {
        "status": JobStatus.RUNNING,
        "finished_at": None,
        "rows_synced": None,
        "error_code": None,
        "error_message": None,
    }
    return job.model_copy(update=unfinished)


def brought_rows(job: IngestionJob) -> bool:
    """Return whether *job* ended with rows, or ended well; a succeeded empty sync is a good one."""
    status = job.status
    return status is JobStatus.SUCCEEDED or (
        status is JobStatus.INCOMPLETE and (job.rows_synced or 0) > 0
    )


def _arrivals(
    jobs: Sequence[IngestionJob],
    good: Sequence[bool],
    starts_s: Sequence[float],
    ended_s: Sequence[float],
) -> Arrivals:
    places = [
        i
        for i, (job, brought) in enumerate(zip(jobs, good, strict=True))
        if brought and job.rows_synced is not None and job.finished_at is not None
    ]
    return Arrivals(
        jobs=tuple([jobs[i] for i in places]),
        started_s=np.array([starts_s[i] for i in places], dtype=np.float64),
        finished_s=np.array([ended_s[i] for i in places], dtype=np.float64),
        rows=np.array([jobs[i].rows_synced for i in places], dtype=np.float64),
    )


def _outages(jobs: Sequence[IngestionJob], good: Sequence[bool]) -> tuple[Outage, ...]:
    found: list[Outage] = []
    broken: list[IngestionJob] = []
    last_good: IngestionJob | None = None
    for job, brought in zip(jobs, good, strict=True):
        if not brought:
            if job.status not in OPEN:
                broken.append(job)
            continue
        if broken:
            found.append(Outage(jobs=tuple(broken), last_good=last_good, next_good=job))
            broken = []
        last_good = job
    if broken:
        found.append(Outage(jobs=tuple(broken), last_good=last_good, next_good=None))
    return tuple(found)


def is_announced_partial(job: IngestionJob) -> bool:
    """Return whether *job* brought rows and said itself that some are missing."""
    said = (
        job.status is JobStatus.INCOMPLETE or job.error_code is not None or bool(job.error_message)
    )
    return said and brought_rows(job)


def is_healthy(jobs: JobsView, since: datetime, until: datetime) -> bool:
    """Return whether no outage was open at *until* and no sync in the span said that rows are missing."""
    open_outage = any(
        o.began_at <= until and (o.ended_at is None or o.ended_at > until) for o in jobs.outages
    )
    since_s = epoch_s(since)
    partial = any(
        is_announced_partial(job) and since < (job.finished_at or until) <= until
        for job, end_s in zip(jobs.jobs, jobs.finished_s, strict=True)
        if end_s > since_s  # first, because it is the cheapest question and few pass it
    )
    return not (open_outage or partial)
