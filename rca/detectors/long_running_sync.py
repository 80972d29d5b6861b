"""A sync runs, or ran, far longer than this connector's syncs take.

Fires when: the sync that was running when the alert came has taken more than twice the median, and few of its own
earlier runs would have lasted that long.
Abstains when: fewer than four finished syncs are known.
Looks like it but is not: the long sync that catches up after an outage, a connector whose durations always vary.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind, IngestionJob, JobStatus
from rca.detection import Answer, Detector, Signal
from rca.evidence import LongRunningSyncEvidence, SignalCode
from rca.stats.durations import log_level, longer_than
from rca.stats.robust import weight_of_tail
from rca.view import CaseView
from rca.view.ingestion import JobsView

RATIO_ABOVE: Final = (
    2.0  # runbook, step 1: "exceeding 2x median duration"; exactly twice does not fire
)
MIN_HISTORY: Final = 4  # finished syncs; fewer give no spread
CAP: Final = 4.5  # ln units
NEWEST: Final = 20  # syncs; one that still runs twenty syncs later was abandoned long ago
CATCHING_UP: Final = -3.0  # ln units; it carries what an outage left behind


def detect(view: CaseView) -> Answer:
    """Return the sync that was still running when the alert came and should long have ended, or None."""
    jobs = view.jobs
    if jobs is None:
        return None
    started = reversed(jobs.started_by(view.anomaly.detected_at)[-NEWEST:])
    job = next((job for job in started if _covers(job, view.anomaly.detected_at)), None)
    if job is None:
        return None
    history = [
        _duration_s(j)
        for j in jobs.jobs
        if j.status is JobStatus.SUCCEEDED and j.started_at < job.started_at
    ]
    if len(history) < MIN_HISTORY:
        return None
    usual = log_level(history)
    running_s = ((job.finished_at or view.case.as_of) - job.started_at).total_seconds()
    median_s = math.exp(usual.centre)
    if running_s <= RATIO_ABOVE * median_s:
        return None
    weight = weight_of_tail(longer_than(running_s, usual), cap=CAP) + _catching_up(jobs, job)
    return _signal(job, running_s, median_s, weight)


def _covers(job: IngestionJob, instant: datetime) -> bool:
    if job.status in (JobStatus.RUNNING, JobStatus.PENDING):
        return True
    return job.finished_at is not None and job.finished_at > instant


def _duration_s(job: IngestionJob) -> float:
    return (
        (job.finished_at - job.started_at).total_seconds() if job.finished_at is not None else 0.0
    )


def _catching_up(jobs: JobsView, job: IngestionJob) -> float:
    behind = any(
        o.jobs[-1].started_at < job.started_at and (o.next_good is None or o.next_good.id == job.id)
        for o in jobs.outages
    )
    return CATCHING_UP if behind else 0.0


def _signal(job: IngestionJob, running_s: float, median_s: float, weight: float) -> Signal:
    ratio = running_s / max(median_s, 1.0)
    evidence = LongRunningSyncEvidence(
        job_id=job.id,
        running_s=round(running_s, 1),
        median_s=round(median_s, 1),
        ratio=round(ratio, 2),
    )
    because = f"The sync has run {running_s / 60.0:,.0f} minutes, {ratio:.1f} times the usual {median_s / 60.0:,.0f}."
    return Signal(
        evidence=evidence,
        strength=strength_of(weight),
        because=because,
        onset=job.started_at,
        seen_at=job.finished_at,
    )


DETECTOR: Final = Detector(
    code=SignalCode.LONG_RUNNING_SYNC, reads=(FactKind.INGESTION_JOBS,), detect=detect
)
