"""A sync ran but brought far fewer rows than this connector's own history says.

Fires when: a sync of the anomalous window says itself that streams are missing, or its rows fall below what the same
hours of earlier days brought, by at least a fifth and by more than the day-to-day noise allows.
Abstains when: fewer than three comparable windows are known and the sync said nothing.
Looks like it but is not: a quiet day, a source whose largest value vanished, a sync that is still running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rca.calibration import strength_of
from rca.case import FactKind, IngestionJob
from rca.detection import Answer, Detector, Signal
from rca.evidence import PartialSyncEvidence, SignalCode
from rca.shift_reading import read_shift
from rca.stats.robust import weight_of_tail
from rca.stats.volume import DAY_S, Forecast, Window, forecast
from rca.view import CaseView
from rca.view.ingestion import JobsView, brought_rows, is_announced_partial
from rca.view.instants import moved

MIN_DROP: Final = 0.2  # share of the rows; a smaller loss is nobody's incident (references, C.4)
ANNOUNCED: Final = 3.5  # ln units; the sync itself says that streams are missing
ANNOUNCED_AND_SEEN: Final = 1.0  # ln units more when the rows show it too
HABIT: Final = -3.0  # ln units; this connector says so all the time
HABIT_RATE: Final = 0.3  # share of the earlier syncs that said so
SILENT_CAP: Final = 3.5  # ln units; rows alone never prove it, a quiet day looks the same
EVEN_ODDS_DROP: Final = 0.40  # share of the rows; a quiet day or a holiday takes as many
PER_SHARE: Final = 10.0  # ln units for the whole of the rows: one for each further tenth
UNEVEN: Final = 1.5  # ln units; the loss hits values unevenly and none alone explains it: rows were lost on the way
EVEN: Final = (
    -1.5
)  # ln units; every value lost the same part, or nobody knows: a quiet day looks like this
ONE_VALUE: Final = (
    -2.5
)  # ln units; one value vanished and explains the whole loss: the source changed
ONE_VALUE_BELOW: Final = 0.2  # share of the divergence that is left when that value is set aside
UNEVEN_FROM: Final = 0.4  # share of the divergence that is left
CLEAR_BITS: Final = 0.004  # divergence beyond chance from which the shares say anything
CLEAR_FOLD: Final = 2.0  # times the largest usual shift; a dimension that always moves says nothing
DATASET_FULL: Final = -2.0  # ln units; the dataset's own window lacks less than MIN_DROP
WEAKEST: Final = -2.5  # ln units; below, it is a quiet day
DAILY_FROM: Final = 0.8 * DAY_S  # seconds; from here on each sync is a day of its own
MOST_DAYS: Final = 60
WEEKDAYS: Final = (
    "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday",
)  # fmt: skip
"""As ``rca.stats.volume.weekday_of`` counts them."""
HOUR_S: Final = 3_600.0  # seconds; the first sync of a day may end this much after the day began


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A sync that ended with rows."""

    job: IngestionJob
    finished_at: datetime
    rows: int


def detect(view: CaseView) -> Answer:
    """Return how many rows are missing from the window's syncs, or None when none are."""
    jobs = view.jobs
    if jobs is None:
        return None
    done = _arrived(jobs)
    judged = [a for a in done if view.since < a.finished_at <= view.until]
    if not judged:
        return None
    outlook = _outlook(view, jobs, done)
    announced = [a for a in judged if is_announced_partial(a.job)]
    if announced:
        weight = specific = _announced_weight(done, judged)
        weight += ANNOUNCED_AND_SEEN if outlook is not None and outlook.drop >= MIN_DROP else 0.0
    elif outlook is not None and outlook.drop >= MIN_DROP:
        shape = _shape_weight(view)
        weight, specific = _silent_weight(view, outlook, shape), max(0.0, shape)
    else:
        return None
    if weight <= WEAKEST:
        return None
    return _signal(announced or judged, judged, outlook, weight, specific)


def _arrived(jobs: JobsView) -> list[Arrived]:
    return [
        Arrived(job=job, finished_at=job.finished_at, rows=job.rows_synced)
        for job in jobs.jobs
        if job.finished_at is not None and job.rows_synced is not None and brought_rows(job)
    ]


def _announced_weight(done: Sequence[Arrived], judged: Sequence[Arrived]) -> float:
    before = [a for a in done if a.finished_at < judged[0].finished_at]
    habit = sum(is_announced_partial(a.job) for a in before) / max(1, len(before))
    return ANNOUNCED + (HABIT if habit > HABIT_RATE else 0.0)


def _silent_weight(view: CaseView, outlook: Forecast, shape: float) -> float:
    """Weigh rows that are missing without a word: by how unusual that is here, by how many they are, by their shape."""
    own = view.volume.outlook if view.volume is not None else None
    drop = outlook.drop if own is None else (outlook.drop + own.drop) / 2.0
    by_size = PER_SHARE * (drop - EVEN_ODDS_DROP)
    if shape > 0.0:  # a quiet day is quiet for every value, so the size no longer speaks for one
        by_size = max(0.0, by_size)
    weight = min(weight_of_tail(outlook.p_low, cap=SILENT_CAP), by_size) + shape
    return weight + (DATASET_FULL if own is not None and own.drop < MIN_DROP else 0.0)


def _shape_weight(view: CaseView) -> float:
    """Weigh the shares: a loss on the way is uneven, a source that dropped a value loses just that one."""
    fresh = [d for d in view.dimensions or () if d.window_end > view.since and d.rows > 0.0]
    shifts = [read_shift(dimension) for dimension in fresh]
    clear = [s for s in shifts if s.beyond > CLEAR_BITS and s.fold() > CLEAR_FOLD]
    if not clear:
        return EVEN if not shifts or any(s.chance < CLEAR_BITS for s in shifts) else 0.0
    told = [(s.beyond, left) for s in clear if (left := s.left()) is not None]
    left = max(told)[1] if told else None
    if left is None or ONE_VALUE_BELOW <= left <= UNEVEN_FROM:
        return 0.0
    return ONE_VALUE if left < ONE_VALUE_BELOW else UNEVEN


def _outlook(view: CaseView, jobs: JobsView, done: Sequence[Arrived]) -> Forecast | None:
    """Return what the window's syncs should have brought, by the syncs' own history, else by the dataset's."""
    if jobs.interval_s is None:
        return None
    if jobs.interval_s < DAILY_FROM:
        return _day_by_day(view.since, view.until, done) or _from_dataset(view, done)
    windows = [_own_window(a, jobs.interval_s) for a in done if a.finished_at <= view.until]
    return forecast(windows[:-1], windows[-1])


def _own_window(arrived: Arrived, interval_s: float) -> Window:
    start_s = arrived.job.started_at.timestamp()
    return Window(start_s=start_s, end_s=start_s + interval_s, rows=float(arrived.rows))


def _from_dataset(view: CaseView, done: Sequence[Arrived]) -> Forecast | None:
    """Return the dataset's own forecast if the syncs, too, brought fewer rows than the day before."""
    own = view.volume.outlook if view.volume is not None else None
    if own is None:
        return None
    since, until = moved(view.since, -DAY_S), moved(view.until, -DAY_S)
    now = sum(a.rows for a in done if view.since < a.finished_at <= view.until)
    before = sum(a.rows for a in done if since < a.finished_at <= until)
    return own if now <= before * (1.0 - own.drop / 2.0) else None


def _day_by_day(since: datetime, until: datetime, done: Sequence[Arrived]) -> Forecast | None:
    """Compare what arrived in the span with what arrived in the same hours of each earlier day."""
    ends = [(a.finished_at.timestamp(), float(a.rows)) for a in done]
    first_s = min(end for end, _ in ends)
    start_s, end_s = since.timestamp(), until.timestamp()
    days = max(
        0, min(MOST_DAYS, int((start_s - first_s) // DAY_S) + 1)
    )  # 0: no sync is older than the span
    sums = [0.0] * (days + 1)
    for finished_s, rows in ends:
        day = int((end_s - finished_s) // DAY_S) if finished_s <= end_s else -1
        if 0 <= day <= days and finished_s > start_s - day * DAY_S:
            sums[day] += rows
    windows = [
        Window(start_s=start_s - d * DAY_S, end_s=end_s - d * DAY_S, rows=sums[d])
        for d in range(days, -1, -1)
    ]
    whole = [w for w in windows[:-1] if w.start_s >= first_s - HOUR_S]
    return forecast(whole, windows[-1])


def _signal(
    speakers: Sequence[Arrived],
    judged: Sequence[Arrived],
    outlook: Forecast | None,
    weight: float,
    specific: float,
) -> Signal:
    job, rows = speakers[-1].job, sum(a.rows for a in judged)
    if outlook is not None:
        rows = round(outlook.observed)
    expected = outlook.expected if outlook is not None else float(rows)
    drop = outlook.drop if outlook is not None else 0.0
    evidence = PartialSyncEvidence(
        job_id=job.id,
        rows_synced=rows,
        expected_rows=round(expected, 1),
        drop_pct=round(100.0 * drop, 1),
        error_message=job.error_message,
    )
    because = _because(job, rows, outlook)
    return Signal(
        evidence=evidence,
        strength=strength_of(weight),
        because=because,
        onset=speakers[0].job.started_at,
        seen_at=speakers[-1].finished_at,
        specific=specific,
    )


def _because(job: IngestionJob, rows: int, outlook: Forecast | None) -> str:
    announced = is_announced_partial(job)
    said = "the sync said that streams are missing" if announced else "the sync reported no error"
    if outlook is None or outlook.drop <= 0.0:
        return (
            f"{rows:,} rows arrived, and {said}; its own history does not say how many should have."
        )
    day = f" for a {WEEKDAYS[outlook.weekday]}" if outlook.weekday is not None else ""
    never = "never below" if outlook.lowest > rows else "once as few as"
    return (
        f"{outlook.expected:,.0f} rows were expected{day}, {rows:,} arrived, {100.0 * outlook.drop:.0f} % fewer; "
        f"in {outlook.history} windows {never} {outlook.lowest:,.0f}; {said}."
    )


DETECTOR: Final = Detector(
    code=SignalCode.PARTIAL_SYNC, reads=(FactKind.INGESTION_JOBS,), detect=detect
)
