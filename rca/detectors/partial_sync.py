"""A sync ran but brought far fewer rows than this connector's own history says.

Fires when: a sync of the anomalous window says itself that streams are missing, or its rows fall below what the same
hours of earlier days brought, by at least a fifth and by more than the day-to-day noise allows.
Abstains when: fewer than three comparable windows are known and the sync said nothing.
Looks like it but is not: a quiet day, a source whose largest value vanished, a sync that is still running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind, IngestionJob
from rca.detection import Answer, Detector, Signal
from rca.evidence import PartialSyncEvidence, SignalCode
from rca.stats.robust import weight_of_tail
from rca.stats.volume import DAY_S, Forecast, Window, forecast
from rca.view import CaseView
from rca.view.ingestion import JobsView, brought_rows, is_announced_partial

MIN_DROP: Final = 0.2  # share of the rows; a smaller loss is nobody's incident (references, C.4)
ANNOUNCED: Final = 3.5  # ln units; the sync itself says that streams are missing
ANNOUNCED_AND_SEEN: Final = 1.0  # ln units more when the rows show it too
HABIT: Final = -3.0  # ln units; this connector says so all the time
HABIT_RATE: Final = 0.3  # share of the earlier syncs that said so
SILENT_CAP: Final = 3.5  # ln units; rows alone never prove it, a quiet day looks the same
DAILY_FROM: Final = 0.8 * DAY_S  # seconds; from here on each sync is a day of its own
MOST_DAYS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Rows of the judged syncs against their forecast; ``job`` is the one to look at."""

    job: IngestionJob
    rows: int
    outlook: Forecast | None


def detect(view: CaseView) -> Answer:
    """Return how many rows are missing from the window's syncs, or None when none are."""
    jobs = view.jobs
    if jobs is None:
        return None
    done = [
        j
        for j in jobs.jobs
        if j.finished_at is not None and j.rows_synced is not None and brought_rows(j)
    ]
    judged = [
        j for j in done if j.finished_at is not None and view.since < j.finished_at <= view.until
    ]
    if not judged:
        return None
    loss = Loss(
        job=judged[-1],
        rows=sum(j.rows_synced or 0 for j in judged),
        outlook=_outlook(view, jobs, done),
    )
    announced = [j for j in judged if is_announced_partial(j)]
    weight = (
        _announced_weight(announced, done, judged) if announced else _silent_weight(loss.outlook)
    )
    if weight is None:
        return None
    if announced and loss.outlook is not None and loss.outlook.drop >= MIN_DROP:
        weight += ANNOUNCED_AND_SEEN
    return _signal(
        announced[-1] if announced else loss.job,
        announced[0] if announced else judged[0],
        loss,
        weight,
    )


def _announced_weight(
    announced: Sequence[IngestionJob], done: Sequence[IngestionJob], judged: Sequence[IngestionJob]
) -> float:
    before = [j for j in done if j.started_at < judged[0].started_at]
    habit = sum(is_announced_partial(j) for j in before) / max(1, len(before))
    return ANNOUNCED + (HABIT if habit > HABIT_RATE else 0.0)


def _silent_weight(outlook: Forecast | None) -> float | None:
    if outlook is None or outlook.drop < MIN_DROP:
        return None
    return weight_of_tail(outlook.p_low, cap=SILENT_CAP)


def _outlook(view: CaseView, jobs: JobsView, done: Sequence[IngestionJob]) -> Forecast | None:
    if jobs.interval_s is None:
        return None
    if jobs.interval_s >= DAILY_FROM:
        windows = [
            _own_window(job, jobs.interval_s)
            for job in done
            if job.finished_at is not None and job.finished_at <= view.until
        ]
        return forecast(windows[:-1], windows[-1]) if windows else None
    return _day_by_day(view.since, view.until, done)


def _own_window(job: IngestionJob, interval_s: float) -> Window:
    start_s = job.started_at.timestamp()
    return Window(start_s=start_s, end_s=start_s + interval_s, rows=float(job.rows_synced or 0))


def _day_by_day(since: datetime, until: datetime, done: Sequence[IngestionJob]) -> Forecast | None:
    """Compare what arrived in the span with what arrived in the same hours of each earlier day."""
    ends = [
        (j.finished_at.timestamp(), float(j.rows_synced or 0))
        for j in done
        if j.finished_at is not None
    ]
    first_s = min(end for end, _ in ends)
    start_s, end_s = since.timestamp(), until.timestamp()
    days = min(MOST_DAYS, int((start_s - first_s) // DAY_S) + 1)
    sums = [0.0] * (days + 1)
    for finished_s, rows in ends:
        day = int((end_s - finished_s) // DAY_S) if finished_s <= end_s else -1
        if 0 <= day <= days and finished_s > start_s - day * DAY_S:
            sums[day] += rows
    windows = [
        Window(start_s=start_s - d * DAY_S, end_s=end_s - d * DAY_S, rows=sums[d])
        for d in range(days, -1, -1)
    ]
    whole = [w for w in windows[:-1] if w.start_s >= first_s - timedelta(hours=1).total_seconds()]
    return forecast(whole, windows[-1])


def _signal(job: IngestionJob, first: IngestionJob, loss: Loss, weight: float) -> Signal:
    outlook = loss.outlook
    expected = outlook.expected if outlook is not None else float(loss.rows)
    drop = outlook.drop if outlook is not None else 0.0
    evidence = PartialSyncEvidence(
        job_id=job.id,
        rows_synced=loss.rows,
        expected_rows=round(expected, 1),
        drop_pct=round(100.0 * drop, 1),
        error_message=job.error_message,
    )
    said = (
        "The sync said that streams are missing"
        if is_announced_partial(job)
        else "The sync ended without an error"
    )
    because = f"{said}; it brought {loss.rows:,} rows where {expected:,.0f} were expected ({100.0 * drop:.0f} % fewer)."
    return Signal(
        evidence=evidence,
        strength=strength_of(weight),
        because=because,
        onset=first.started_at,
        seen_at=job.finished_at,
    )


DETECTOR: Final = Detector(
    code=SignalCode.PARTIAL_SYNC, reads=(FactKind.INGESTION_JOBS,), detect=detect
)
