"""Airbyte's jobs, as its two APIs and its webhook tell them, become the case's syncs. Pure.

The Config API says why a sync failed; the public API only that it did. Both are read tolerantly: what we do not know is
passed over, and an entry that is no sync of a connection is left out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.payloads.airbyte import MAX_NAME, Failure, Verdict, failure_of, instant_of, judge
from rca.case import IngestionJob, JobStatus

SYNC: Final = "sync"
OPEN: Final = frozenset({JobStatus.RUNNING, JobStatus.PENDING})
BROKEN: Final = frozenset({JobStatus.FAILED, JobStatus.INCOMPLETE})
MOST_ROWS: Final = 2**62  # no counter is larger; the tables hold 64 bits

NOT_TOLD: Final = (
    "Airbyte's public API does not say why a sync failed; its Config API could not be read"
)
"""What stands for the error of a sync that only the public API told of."""

_STATUS: Final = {
    "pending": JobStatus.PENDING,
    "queued": JobStatus.PENDING,
    "running": JobStatus.RUNNING,
    "incomplete": JobStatus.INCOMPLETE,
    "failed": JobStatus.FAILED,
    "succeeded": JobStatus.SUCCEEDED,
    "cancelled": JobStatus.CANCELLED,
}
_DURATION: Final = re.compile(
    r"^PT(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The syncs of one answer, and how many entries of it could not be read, with the first field that was wrong."""

    syncs: tuple[IngestionJob, ...]
    unread: int = 0
    wrong: str | None = None


class _WrongError(ValueError):
    """An entry lacks what a sync must have; the text is the field's path."""


def config_jobs(document: object) -> Jobs | None:
    """Return the syncs of ``jobs/list``, in its order; None when the document is no such answer."""
    return _jobs(document, "jobs", _config_job)


def public_jobs(document: object) -> Jobs | None:
    """Return the syncs of ``GET /v1/jobs``, in its order; None when the document is no such answer."""
    return _jobs(document, "data", _public_job)


def as_known(job: IngestionJob, as_of: datetime) -> IngestionJob | None:
    """Return what was known of *job* at *as_of*: nothing before its start, no outcome before its end."""
    if job.started_at > as_of:
        return None
    if job.status in OPEN or job.finished_at is None or job.finished_at <= as_of:
        return job
    return IngestionJob(
        id=job.id,
        connector_id=job.connector_id,
        status=JobStatus.RUNNING,
        started_at=job.started_at,
    )


def _jobs(
    document: object, key: str, read: Callable[[Mapping[str, object]], IngestionJob | None]
) -> Jobs | None:
    entries = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        return None
    syncs: list[IngestionJob] = []
    wrong: list[str] = []
    for position, entry in enumerate(entries):
        try:
            sync = read(_mapping(entry, ""))
        except _WrongError as error:
            wrong.append(f"{key}[{position}]{'.' if str(error) else ''}{error}")
            continue
        if sync is not None:
            syncs.append(sync)
    return Jobs(syncs=tuple(syncs), unread=len(wrong), wrong=wrong[0] if wrong else None)


def _config_job(entry: Mapping[str, object]) -> IngestionJob | None:
    job = _mapping(entry.get("job"), "job")
    if job.get("configType", SYNC) != SYNC:
        return None
    attempts = [each for each in _list(entry.get("attempts")) if isinstance(each, Mapping)]
    status = _status(job, "job.status")
    verdict = _verdict(attempts) if status is not JobStatus.SUCCEEDED else None
    if status in BROKEN and verdict is not None and verdict.cancelled:
        status = JobStatus.CANCELLED
    told = verdict if status in {*BROKEN, JobStatus.CANCELLED} else None
    started = _started(job)
    stats = job.get("aggregatedStats")
    return IngestionJob(
        id=_id(job.get("id"), "job.id"),
        connector_id=_id(job.get("configId"), "job.configId"),
        status=status,
        error_code=told.code if told else None,
        error_message=told.message if told else None,
        failure_origin=told.origin if told else None,
        failure_type=told.failure_type if told else None,
        attempts=len(attempts),
        started_at=started,
        finished_at=None if status in OPEN else _no_earlier(_ended(job, attempts), started),
        rows_synced=_committed(stats, attempts, "recordsCommitted", "recordsSynced"),
        bytes_synced=_committed(stats, attempts, "bytesCommitted", "bytesSynced"),
    )


def _verdict(attempts: Sequence[Mapping[str, object]]) -> Verdict | None:
    """What the last attempt that failed says; earlier ones were tried again."""
    for attempt in reversed(attempts):
        summary = attempt.get("failureSummary")
        failures = _failures(summary) if isinstance(summary, Mapping) else []
        if failures:
            return judge(failures)
    return None


def _failures(summary: Mapping[str, object]) -> list[Failure]:
    return [failure_of(f) for f in _list(summary.get("failures")) if isinstance(f, Mapping)]


def _started(job: Mapping[str, object]) -> datetime:
    started = instant_of(job.get("startedAt")) or instant_of(job.get("createdAt"))
    if started is None:
        raise _WrongError("job.startedAt")
    return started


def _ended(job: Mapping[str, object], attempts: Sequence[Mapping[str, object]]) -> datetime | None:
    """When the last attempt ended; a job without attempts ended when it was last touched."""
    ends = [end for each in attempts if (end := instant_of(each.get("endedAt"))) is not None]
    return max(ends, default=None) or instant_of(job.get("updatedAt"))


def _no_earlier(end: datetime | None, start: datetime) -> datetime | None:
    """Nothing ends before it starts, whatever the clocks of two machines said."""
    return max(end, start) if end is not None else None


def _committed(
    stats: object, attempts: Sequence[Mapping[str, object]], key: str, old_key: str
) -> int | None:
    """What arrived over all attempts; an older Airbyte says it per attempt, or only as what was synced."""
    whole = _count(stats.get(key)) if isinstance(stats, Mapping) else None
    if whole is not None:
        return whole
    totals = [each.get("totalStats") for each in attempts]
    parts = [_count(total.get(key)) for total in totals if isinstance(total, Mapping)]
    known = [part for part in parts if part is not None]
    if known:
        return min(sum(known), MOST_ROWS)
    return _count(attempts[-1].get(old_key)) if attempts else None


def _public_job(entry: Mapping[str, object]) -> IngestionJob | None:
    if entry.get("jobType", SYNC) != SYNC:
        return None
    status = _status(entry, "status")
    started = instant_of(entry.get("startTime"))
    if started is None:
        raise _WrongError("startTime")
    return IngestionJob(
        id=_id(entry.get("jobId"), "jobId"),
        connector_id=_id(entry.get("connectionId"), "connectionId"),
        status=status,
        error_message=NOT_TOLD if status in BROKEN else None,
        started_at=started,
        finished_at=None if status in OPEN else _no_earlier(_public_end(entry, started), started),
        rows_synced=_count(entry.get("rowsSynced")),
        bytes_synced=_count(entry.get("bytesSynced")),
    )


def _public_end(entry: Mapping[str, object], started: datetime) -> datetime | None:
    """When it was last touched; without that, its start and how long it took, ``PT8H6M12S``."""
    duration = entry.get("duration")
    took = _DURATION.match(duration) if isinstance(duration, str) and len(duration) <= MAX_NAME else None  # fmt: skip
    said = {unit: float(count) for unit, count in took.groupdict("0").items()} if took else {}
    return instant_of(entry.get("lastUpdatedAt")) or (started + timedelta(**said) if said else None)


def _status(entry: Mapping[str, object], path: str) -> JobStatus:
    said = entry.get("status")
    status = _STATUS.get(said.casefold()) if isinstance(said, str) else None
    if status is None:
        raise _WrongError(path)
    return status


def _id(value: object, path: str) -> str:
    """An id as text: a number in one API, a UUID in the other."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_ROWS:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable():
        return value
    raise _WrongError(path)


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST_ROWS else None


def _mapping(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _WrongError(path)
    return value


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
