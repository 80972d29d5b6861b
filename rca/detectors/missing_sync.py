"""No sync started in the expected window.

Fires when: the last sync started longer ago than the schedule and its grace allow, judged also by how punctual this
connector usually is, and none is running.
Abstains when: no rhythm is known, neither from the catalog nor from three syncs.
Looks like it but is not: a sync that is still running, or failed; those have signals of their own.
"""

from __future__ import annotations

from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind, IngestionJob
from rca.detection import Answer, Detector, Signal, Skipped
from rca.evidence import MissingSyncEvidence, SignalCode
from rca.stats.durations import usual_lateness_s
from rca.stats.robust import upper_tail, weight_of_tail
from rca.view import CaseView
from rca.view.ingestion import OPEN, JobsView
from rca.view.instants import moved
from rca.view.wording import minute, span

CAP: Final = 4.5  # ln units
RECENT: Final = 40  # starts; older ones say little about today's punctuality


def detect(view: CaseView) -> Answer:
    """Return by how much the next sync is overdue when the alert came, or None when it is not."""
    jobs = view.jobs
    if jobs is None:
        return None
    started = jobs.started_by(view.anomaly.detected_at)
    if not started:
        return Skipped(reason="no sync of this connector has been seen")
    if jobs.interval_s is None:
        return Skipped(reason="no sync schedule known, and too few syncs to tell one")
    last = started[-1]
    expected_by = moved(last.started_at, jobs.interval_s + jobs.grace_s)
    overdue_s = (view.anomaly.detected_at - expected_by).total_seconds()
    if overdue_s <= 0.0 or any(job.status in OPEN for job in started[-3:]):
        return None
    return _signal(jobs, last, overdue_s, jobs.interval_s)


def _signal(jobs: JobsView, last: IngestionJob, overdue_s: float, interval_s: float) -> Signal:
    starts_s = [
        job.started_at.timestamp()
        for job in jobs.jobs[-RECENT:]
        if job.started_at <= last.started_at
    ]
    lateness_s = usual_lateness_s(starts_s, interval_s)
    weight = weight_of_tail(upper_tail((overdue_s + jobs.grace_s) / lateness_s), cap=CAP)
    due = moved(last.started_at, interval_s)
    evidence = MissingSyncEvidence(
        last_sync_at=last.finished_at or last.started_at,
        expected_by=moved(due, jobs.grace_s),
        overdue_s=round(overdue_s, 1),
    )
    because = (
        f"The last sync started {minute(last.started_at)}; one is expected every {span(interval_s)} "
        f"with {span(jobs.grace_s)} of grace, and the next is {span(overdue_s)} overdue."
    )
    return Signal(
        evidence=evidence,
        strength=strength_of(weight),
        because=because,
        onset=due,
        seen_at=moved(due, jobs.grace_s + overdue_s),
    )


DETECTOR: Final = Detector(
    code=SignalCode.MISSING_SYNC, reads=(FactKind.INGESTION_JOBS,), detect=detect
)
