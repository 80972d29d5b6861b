"""A sync ran but brought far fewer rows than this connector's own history says.

Fires when: a sync of the anomalous window says itself that streams are missing, or its rows fall below what the same
hours of earlier days brought, by at least a fifth and by more than the day-to-day noise allows.
Abstains when: fewer than three comparable windows are known and the sync said nothing.
Looks like it but is not: a quiet day, a day on which business rests, a source whose largest value vanished, a sync
that is still running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rca.calibration import strength_of
from rca.case import FactKind, IngestionJob
from rca.detection import Answer, Detector, Signal
from rca.evidence import PartialSyncEvidence, SignalCode
from rca.shift_reading import read_shift
from rca.stats.robust import median, weight_of_tail
from rca.stats.volume import DAY_S, Forecast, Window, forecast
from rca.view import CaseView
from rca.view.calendar import Rest, rest_in
from rca.view.ingestion import JobsView, is_announced_partial
from rca.view.instants import epoch_s
from rca.view.wording import counted

Floats = npt.NDArray[np.float64]

LEAST_DROP: Final = 0.005  # share of the rows; below, it rounds to 0 %
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
DATASET_FULL: Final = (
    -2.0
)  # ln units; the dataset's own window lacks less than MIN_DROP, or nobody knows
RESTING: Final = -2.0  # ln units; business rests on as many of its days in much of the world
WEAKEST: Final = -2.5  # ln units; below, it is a quiet day
DAILY_FROM: Final = 0.8 * DAY_S  # seconds; from here on each sync is a day of its own
ALIKE: Final = (0.75, 1.33)  # times; a window about as long as the time between two syncs
MOST_DAYS: Final = 60  # days, or syncs of a day each, that are looked back
WEEKDAYS: Final = (
    "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday",
)  # fmt: skip
"""As ``rca.stats.volume.weekday_of`` counts them."""
HOUR_S: Final = 3_600.0  # seconds; the first sync of a day may end this much after the day began


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """The syncs that ended with rows, oldest first; ``at_s`` (since 1970) and ``rows`` have an entry for each.

    ``at_s`` is when its rows count: its end, or, where windows hold what came to be in them, the middle of the time
    since the sync before it.
    """

    jobs: tuple[IngestionJob, ...]
    at_s: Floats
    rows: Floats

    def between(self, since_s: float, until_s: float) -> npt.NDArray[np.bool_]:
        """Return which of them count after *since_s* and not after *until_s*."""
        inside: npt.NDArray[np.bool_] = (self.at_s > since_s) & (self.at_s <= until_s)
        return inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What the syncs ``judged`` lack, told by the ``speakers`` among them; ``specific`` as in ``Signal``."""

    speakers: Sequence[IngestionJob]
    judged: Sequence[IngestionJob]
    outlook: Forecast | None
    weight: float
    specific: float


def detect(view: CaseView) -> Answer:
    """Return how many rows are missing from the window's syncs, or None when none are."""
    jobs = view.jobs
    if jobs is None:
        return None
    done = _arrived(view, jobs)
    inside = done.between(epoch_s(view.since), epoch_s(view.until))
    judged = [done.jobs[i] for i in np.flatnonzero(inside).tolist()]
    if not judged:
        return None
    outlook = _outlook(view, jobs, done)
    announced = [job for job in judged if is_announced_partial(job)]
    if announced:
        weight = specific = _announced_weight(done, inside)
        weight += ANNOUNCED_AND_SEEN if outlook is not None and outlook.drop >= MIN_DROP else 0.0
    elif outlook is not None and outlook.drop >= MIN_DROP:
        shape = _shape_weight(view)
        weight, specific = _silent_weight(view, outlook, shape), max(0.0, shape)
    else:
        return None
    if weight <= WEAKEST:
        return None
    loss = Loss(
        speakers=announced or judged,
        judged=judged,
        outlook=outlook,
        weight=weight,
        specific=specific,
    )
    return _signal(view, loss)


def _arrived(view: CaseView, jobs: JobsView) -> Arrived:
    known = jobs.arrivals
    # without volume windows nobody can know that rows count by their own time
    late = view.volume is not None and view.fed_until > view.until
    at_s = known.started_s - (jobs.interval_s or 0.0) / 2.0 if late else known.finished_s
    return Arrived(jobs=known.jobs, at_s=at_s, rows=known.rows)


def _announced_weight(done: Arrived, inside: npt.NDArray[np.bool_]) -> float:
    first_s = done.at_s[int(np.argmax(inside))]
    before = [done.jobs[i] for i in np.flatnonzero(done.at_s < first_s).tolist()]
    habit = sum(map(is_announced_partial, before)) / max(1, len(before))
    return ANNOUNCED + (HABIT if habit > HABIT_RATE else 0.0)


def _silent_weight(view: CaseView, outlook: Forecast, shape: float) -> float:
    """Weigh rows that are missing without a word: by how unusual that is here, by how many they are, by their shape."""
    own = view.volume.outlook() if view.volume is not None else None
    drop = outlook.drop if own is None else (outlook.drop + own.drop) / 2.0
    by_size = PER_SHARE * (drop - EVEN_ODDS_DROP)
    unusual = weight_of_tail(outlook.p_low, cap=SILENT_CAP)
    if shape > 0.0:  # a quiet day is quiet for every value, so the size no longer speaks for one
        by_size = max(0.0, by_size)
    weight = min(unusual, by_size) + min(shape, max(0.0, unusual))
    rest = rest_in(view.since, view.until) if shape <= 0.0 else None
    weight += RESTING if rest is not None and outlook.drop <= rest.share else 0.0
    full = own.drop < MIN_DROP if own is not None else not view.knows(FactKind.VOLUME_HISTORY)
    return weight + (DATASET_FULL if full else 0.0)


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


def _outlook(view: CaseView, jobs: JobsView, done: Arrived) -> Forecast | None:
    """Return what the window's syncs should have brought, by the syncs' own history, else by the dataset's."""
    if jobs.interval_s is None:
        return None
    if jobs.interval_s < DAILY_FROM:
        return _day_by_day(epoch_s(view.since), epoch_s(view.until), done) or _from_dataset(
            view, done
        )
    windows = _own_windows(view, done, jobs.interval_s)
    return forecast(windows[:-1], windows[-1])


def _own_windows(view: CaseView, done: Arrived, interval_s: float) -> list[Window]:
    """Return a window for each sync up to the judged one, in the middle of the dataset's window where that is as long.

    A sync shortly after midnight brings the day before: its rows are told, and weighed, as that weekday's. Syncs lie
    in their windows as they mostly do; only of the judged one it counts which window it really ended in.
    """
    ended = np.flatnonzero(done.at_s <= epoch_s(view.until))[-MOST_DAYS:].tolist()
    starts_s = [epoch_s(done.jobs[i].started_at) for i in ended]
    until_s = epoch_s(view.until)
    length_s = until_s - epoch_s(view.since)
    if ALIKE[0] <= length_s / interval_s <= ALIKE[1]:
        before_s = [(until_s - float(done.at_s[i])) // length_s * length_s for i in ended]
        in_middle_s = until_s - (length_s + interval_s) / 2.0
        away_s = median([in_middle_s - b - s for b, s in zip(before_s, starts_s, strict=True)])
        starts_s = [*(s + away_s for s in starts_s[:-1]), in_middle_s]
    return [
        Window(start_s=s, end_s=s + interval_s, rows=float(done.jobs[i].rows_synced or 0))
        for i, s in zip(ended, starts_s, strict=True)
    ]


def _from_dataset(view: CaseView, done: Arrived) -> Forecast | None:
    """Return the dataset's own forecast if the syncs, too, brought fewer rows than they should.

    That is fewer than the day before or, where no sync of that day is known, than the dataset itself should hold.
    """
    own = view.volume.outlook() if view.volume is not None else None
    if own is None:
        return None
    since_s, until_s = epoch_s(view.since), epoch_s(view.until)
    now = float(done.rows[done.between(since_s, until_s)].sum())
    known = float(done.at_s.min()) <= since_s - DAY_S + HOUR_S
    before = float(done.rows[done.between(since_s - DAY_S, until_s - DAY_S)].sum())
    usual = before if known else own.expected
    return own if now <= usual * (1.0 - own.drop / 2.0) else None


def _day_by_day(start_s: float, end_s: float, done: Arrived) -> Forecast | None:
    """Compare what arrived in the span with what arrived in the same hours of each earlier day."""
    first_s = float(done.at_s.min())
    days = max(
        0, min(MOST_DAYS, int((start_s - first_s) // DAY_S) + 1)
    )  # 0: no sync is older than the span
    back = np.floor((end_s - done.at_s) / DAY_S)
    counts = (back >= 0.0) & (back <= days) & (done.at_s > start_s - back * DAY_S)
    sums = np.bincount(back[counts].astype(np.intp), done.rows[counts], minlength=days + 1).tolist()
    windows = [
        Window(start_s=start_s - d * DAY_S, end_s=end_s - d * DAY_S, rows=sums[d])
        for d in range(days, -1, -1)
    ]
    whole = [w for w in windows[:-1] if w.start_s >= first_s - HOUR_S]
    return forecast(whole, windows[-1])


def _signal(view: CaseView, loss: Loss) -> Signal:
    job, outlook = loss.speakers[-1], loss.outlook
    rows = sum(sync.rows_synced or 0 for sync in loss.judged)
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
    rest = rest_in(view.since, view.until)
    because = _because(job, rows, outlook, rest)
    return Signal(
        evidence=evidence,
        strength=strength_of(loss.weight),
        because=because,
        onset=loss.speakers[0].started_at,
        seen_at=job.finished_at,
        specific=loss.specific,
    )


def _because(job: IngestionJob, rows: int, outlook: Forecast | None, rest: Rest | None) -> str:
    announced = is_announced_partial(job)
    said = "the sync said that streams are missing" if announced else "the sync reported no error"
    if outlook is None:
        return (
            f"{rows:,} rows arrived, and {said}; its own history does not say how many should have."
        )
    day = f" for a {WEEKDAYS[outlook.weekday]}" if outlook.weekday is not None else ""
    rests = f", and {_told(rest)}" if rest is not None else ""
    never = "never below" if outlook.lowest > rows else "once as few as"
    return (
        f"{outlook.expected:,.0f} rows were expected{day}, {rows:,} arrived, {_fewer(rows, outlook.drop)}; "
        f"in {counted(outlook.history, 'window')} {never} {outlook.lowest:,.0f}; {said}{rests}."
    )


def _fewer(rows: int, drop: float) -> str:
    if not rows:
        return "100 % fewer"
    if drop <= 0.0:
        return "no fewer"
    return "hardly fewer" if drop < LEAST_DROP else f"{min(99.0, 100.0 * drop):.0f} % fewer"


def _told(rest: Rest) -> str:
    return f"it is {rest.name}" if rest.share == 1.0 else f"{rest.name} is among its days"


DETECTOR: Final = Detector(
    code=SignalCode.PARTIAL_SYNC, reads=(FactKind.INGESTION_JOBS,), detect=detect
)
