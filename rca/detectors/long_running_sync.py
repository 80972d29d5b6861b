"""A sync runs, or ran, far longer than this connector's syncs take.

Fires when: the sync that was running when the alert came has taken more than twice the median, and few of its own
earlier runs would have lasted that long.
Abstains when: fewer than four finished syncs are known.
Looks like it but is not: the long sync that catches up after an outage, a connector whose durations always vary.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice
from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind, IngestionJob, JobStatus
from rca.detection import Answer, Detector, Signal
from rca.evidence import LongRunningSyncEvidence, SignalCode
from rca.stats.durations import log_level, longer_than
from rca.stats.robust import median, weight_of_tail
from rca.view import CaseView
from rca.view.ingestion import OPEN, JobsView
from rca.view.instants import epoch_s
from rca.view.wording import span

RATIO_ABOVE: Final = (
    2.0  # runbook, step 1: "exceeding 2x median duration"; exactly twice does not fire
)
USUAL_OF: Final = 90  # finished syncs; what longer ago was usual is not today's measure
MIN_HISTORY: Final = 4  # finished syncs; fewer give no spread
CAP: Final = 4.5  # ln units
NEWEST: Final = 20  # syncs; one that still runs twenty syncs later was abandoned long ago
CATCHING_UP: Final = -3.0  # ln units; it carries what an outage left behind


def detect(view: CaseView) -> Answer:
    """Return the sync that was still running when the alert came and should long have ended, or None."""
    jobs = view.jobs
    if jobs is None:
        return None
    job = _running(jobs, epoch_s(view.anomaly.detected_at))
    if job is None:
        return None
    history = _history_s(jobs, job)
    if len(history) < MIN_HISTORY:
        return None
    running_s = ((job.finished_at or view.case.as_of) - job.started_at).total_seconds()
    if running_s <= RATIO_ABOVE * median(history):
        return None
    tail = longer_than(running_s, log_level(history))
    return _signal(job, running_s, history, weight_of_tail(tail, cap=CAP) + _catching_up(jobs, job))


def _running(jobs: JobsView, instant_s: float) -> IngestionJob | None:
    """Return the last of the NEWEST syncs begun by *instant_s* that had not ended then."""
    begun = bisect_right(jobs.started_s, instant_s)
    for i in reversed(range(max(0, begun - NEWEST), begun)):
        job = jobs.jobs[i]
        if job.status in OPEN or (job.finished_at is not None and jobs.finished_s[i] > instant_s):
            return job
    return None


def _history_s(jobs: JobsView, job: IngestionJob) -> list[float]:
    """Return how long the newest USUAL_OF good syncs before *job* took, in seconds."""
    before = jobs.jobs[: bisect_left(jobs.started_s, epoch_s(job.started_at))]
    good = (j for j in reversed(before) if j.status is JobStatus.SUCCEEDED)
    return [_duration_s(j) for j in islice(good, USUAL_OF)]


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


def _signal(job: IngestionJob, running_s: float, history: list[float], weight: float) -> Signal:
    median_s, longest_s = median(history), max(history)
    ratio = running_s / max(median_s, 1.0)
    evidence = LongRunningSyncEvidence(
        job_id=job.id,
        running_s=round(running_s, 1),
        median_s=round(median_s, 1),
        ratio=round(ratio, 2),
    )
    because = (
        f"The sync has run {span(running_s)}, {ratio:.1f} times the median of {span(median_s)}; "
        f"the longest of {len(history)} before it took {span(longest_s)}."
    )
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
