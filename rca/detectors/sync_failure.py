"""A sync of the dataset's connector explicitly failed.

Fires when: one or more consecutive syncs failed or were cancelled, and what they should have brought was still
missing at the end of the anomalous window, or, for a freshness anomaly, when the alert came.
Abstains when: the outage was caught up before the window closed, or began only after it. Where the windows hold what
came to be in them, the sync after one still fills it, and then the alert is meant instead of the window's end.
Looks like it but is not: one lost sync of a connector that loses one every few days, while the rows are all there.
"""

from __future__ import annotations

from typing import Final

from rca.calibration import strength_of
from rca.case import AnomalyType, ErrorCode, FactKind, IngestionJob, JobStatus
from rca.detection import Answer, Detector, Signal
from rca.evidence import SignalCode, SyncFailureEvidence
from rca.view import CaseView
from rca.view.ingestion import JobsView, Outage
from rca.view.wording import minute

OPEN_WEIGHT: Final = 3.5  # ln units; an outage open when the window closed is 30 : 1 a fault
EACH_MORE: Final = 0.7  # ln units for every further failure in a row: chance rarely repeats itself
MOST_MORE: Final = 2.0  # ln units; after three in a row the next says nothing new
CODED: Final = 0.5  # ln units; the connector itself says what broke
CANCELLED_ONLY: Final = -2.0  # ln units; somebody stopped it, usually for a reason and with a retry
RECOVERED: Final = -2.0  # ln units; caught up before the window closed
LATE: Final = -2.0  # ln units; began after the window had closed
NOT_STALE: Final = -2.0  # ln units; the last good sync is younger than the schedule allows
NO_DROP: Final = -2.0  # ln units; the window's rows are all there
DROP_Z: Final = -2.0  # robust standard deviations; below, the window misses rows
FLAKY: Final = -1.5  # ln units; a single loss of a connector that often loses one
FLAKY_RATE: Final = 0.03  # lost syncs per sync in the rest of the history


def detect(view: CaseView) -> Answer:
    """Return the outage that most likely explains the anomaly, or None when no sync was lost."""
    jobs = view.jobs
    if jobs is None:
        return None
    begun = [o for o in jobs.outages if o.began_at <= view.anomaly.detected_at]
    weighed = [(_weight(view, jobs, outage), outage.began_at, outage) for outage in begun[-3:]]
    if not weighed:
        return None
    weight, began_at, outage = max(weighed, key=lambda item: (item[0], item[1]))
    if weight <= RECOVERED:
        return None
    return Signal(
        evidence=_evidence(outage),
        strength=strength_of(weight),
        because=_because(outage),
        onset=began_at,
        seen_at=outage.jobs[0].finished_at,
    )


def _weight(view: CaseView, jobs: JobsView, outage: Outage) -> float:
    if outage.began_at > view.fed_until:
        return LATE
    if outage.ended_at is not None and outage.ended_at <= view.fed_until:
        return RECOVERED
    weight = OPEN_WEIGHT + min(MOST_MORE, EACH_MORE * (len(outage.jobs) - 1))
    weight += CODED if any(job.error_code is not None for job in outage.jobs) else 0.0
    weight += (
        CANCELLED_ONLY if all(job.status is JobStatus.CANCELLED for job in outage.jobs) else 0.0
    )
    weight += _felt(view, jobs, outage)
    return weight + (FLAKY if len(outage.jobs) == 1 and _is_flaky(jobs, outage) else 0.0)


def _felt(view: CaseView, jobs: JobsView, outage: Outage) -> float:
    """Return what the dataset itself says against the outage: not stale, or not short of rows."""
    kind = view.anomaly.anomaly_type
    if kind in (AnomalyType.FRESHNESS, AnomalyType.OTHER):
        last = outage.last_good.finished_at if outage.last_good is not None else None
        allowed_s = (jobs.interval_s or 0.0) + jobs.grace_s
        stale = last is None or (view.anomaly.detected_at - last).total_seconds() > allowed_s
        if stale or kind is AnomalyType.FRESHNESS:
            return 0.0 if stale else NOT_STALE
    if not view.knows(FactKind.VOLUME_HISTORY):
        return NO_DROP  # a hole must not make us surer than a full window would
    outlook = view.volume.outlook() if view.volume is not None else None
    return NO_DROP if outlook is not None and outlook.z > DROP_Z else 0.0


def _is_flaky(jobs: JobsView, outage: Outage) -> bool:
    others = [o for o in jobs.outages if o is not outage]
    return len(others) >= 2 and len(others) / max(1, len(jobs.jobs)) > FLAKY_RATE  # noqa: PLR2004 - two make a habit


def _speaker(outage: Outage) -> IngestionJob:
    """Return the failed sync that says most about why."""
    return max(
        outage.jobs,
        key=lambda job: (job.error_code is not None, bool(job.error_message), job.started_at),
    )


def _evidence(outage: Outage) -> SyncFailureEvidence:
    job = _speaker(outage)
    return SyncFailureEvidence(
        error_code=job.error_code,
        error_message=job.error_message,
        job_id=job.id,
        failed_since=outage.began_at,
        consecutive_failures=len(outage.jobs),
        failure_origin=job.failure_origin,
    )


def _because(outage: Outage) -> str:
    count = len(outage.jobs)
    code = _speaker(outage).error_code
    what = f"{count} syncs in a row failed" if count > 1 else "The sync failed"
    why = f" with {code.value}" if code not in (None, ErrorCode.OTHER) else ""
    end = (
        "and none has succeeded since"
        if outage.next_good is None
        else "and the next good one came too late"
    )
    return f"{what}{why} since {minute(outage.began_at)}, {end}."


DETECTOR: Final = Detector(
    code=SignalCode.SYNC_FAILURE, reads=(FactKind.INGESTION_JOBS,), detect=detect
)
