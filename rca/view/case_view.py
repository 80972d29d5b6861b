"""The one reading of a case that all detectors share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from rca.case import Anomaly, AnomalyType, Case, Dataset, FactKind, VolumeWindow
from rca.stats.volume import Forecast, Window, forecast
from rca.view.columns import ColumnsView, read_columns
from rca.view.dbt import DbtView, read_dbt
from rca.view.dimensions import DimensionView, read_dimensions
from rca.view.ingestion import JobsView, is_healthy, read_jobs
from rca.view.instants import epoch_s, epochs_s, moved
from rca.view.lineage import LineageView, read_lineage
from rca.view.loading import loads_late

MAX_HISTORY: Final = 90  # windows; a quarter of days knows the week and forgets last year
DEFAULT_SPAN_S: Final = (
    86_400.0  # most pipelines are judged by the day; used when no window is known
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeView:
    """The window of the anomaly and the older ones, ascending; ``judged`` is it again, in seconds.

    ``complete`` when it was over at ``as_of``.
    """

    start: datetime
    end: datetime
    rows: int
    judged: Window
    complete: bool
    history: tuple[Window, ...]

    def outlook(self) -> Forecast | None:
        """Return what the window should have held; None where it is not over, or the history too short to tell.

        Works through the history: ask only when something hangs on it.
        """
        return forecast(self.history, self.judged) if self.complete else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """Typed readings of one case; a fact that is not known is None, one that is known and empty is empty.

    ``since`` and ``until`` bound the time in which a cause must have been at work: the current window of volume or
    dimensions, and for a freshness anomaly everything up to the detection.
    ``fed_until`` is when the last sync may have begun that could still bring rows of that time: ``until``, or the
    detection where the windows hold what came to be in them and not what arrived (loading.py), or where no volume is
    known and the window after the last profile's left none.
    ``holes`` are the announced ones: reason by fact.
    """

    case: Case
    anomaly: Anomaly
    dataset: Dataset | None
    since: datetime
    until: datetime
    fed_until: datetime
    lineage: LineageView
    jobs: JobsView | None
    columns: ColumnsView | None
    dbt: DbtView | None
    dimensions: tuple[DimensionView, ...] | None
    volume: VolumeView | None
    ingestion_healthy: bool | None
    holes: Mapping[str, str]

    def knows(self, fact: FactKind) -> bool:
        """Return whether the case holds *fact* at all; an empty list is knowledge."""
        return getattr(self.case, fact.value) is not None

    def names(self, column: str) -> bool:
        """Return whether the alert is about *column*: by its column field, or as a word of its check's id."""
        wanted = column.casefold()
        if self.anomaly.column:  # some senders leave it empty
            return self.anomaly.column.casefold() == wanted
        return self.anomaly.check_id is not None and _ends_with_word(
            self.anomaly.check_id.casefold(), wanted
        )


@lru_cache(maxsize=256)  # several detectors ask about the same few names
def _ends_with_word(text: str, wanted: str) -> bool:
    return re.search(rf"(^|[^a-z0-9]){re.escape(wanted)}($|[^a-z0-9_])", text) is not None


def view_of(case: Case) -> CaseView:
    """Read *case* once; facts later than ``as_of`` are left out."""
    anomaly, as_of = case.anomaly, case.as_of
    node = case.dataset.dbt_node if case.dataset is not None else None
    lineage = read_lineage(case.lineage, node)
    dimensions = (
        None
        if case.dimension_profiles is None
        else read_dimensions(case.dimension_profiles, anomaly.detected_at, as_of)
    )
    volume = _volume(case.volume_history, anomaly, as_of)
    since, until = _span(anomaly, volume, dimensions or ())
    jobs = (
        None if case.ingestion_jobs is None else read_jobs(case.ingestion_jobs, case.dataset, as_of)
    )
    fed_late = (
        _is_overdue(anomaly, dimensions or ())
        if volume is None
        else _is_fed_late(anomaly, volume, jobs, until)
    )
    fed_until = anomaly.detected_at if fed_late else until
    return CaseView(
        case=case,
        anomaly=anomaly,
        dataset=case.dataset,
        since=since,
        until=until,
        fed_until=fed_until,
        lineage=lineage,
        jobs=jobs,
        columns=None
        if case.column_snapshots is None
        else read_columns(case.column_snapshots, as_of),
        dbt=None if case.dbt_runs is None else read_dbt(case.dbt_runs, lineage, as_of),
        dimensions=dimensions,
        volume=volume,
        ingestion_healthy=None
        if jobs is None or not jobs.jobs
        else is_healthy(jobs, since, fed_until),
        holes={hole.fact: hole.reason for hole in case.holes},
    )


def _volume(
    windows: Sequence[VolumeWindow] | None, anomaly: Anomaly, as_of: datetime
) -> VolumeView | None:
    """Return the newest window that had begun when the anomaly was detected, judged by the older ones."""
    held = tuple(windows or ())
    known_by_s = epoch_s(min(anomaly.detected_at, as_of))
    starts_s = epochs_s([window.window_start for window in held])
    ends_s = epochs_s([window.window_end for window in held])
    begun = {
        end_s: (start_s, window)
        for start_s, end_s, window in zip(starts_s, ends_s, held, strict=True)
        if start_s <= known_by_s
    }
    if not begun:
        return None
    newest = sorted(begun)[-MAX_HISTORY:]
    past = [
        Window(start_s=start_s, end_s=end_s, rows=float(window.rows))
        for end_s in newest
        for start_s, window in (begun[end_s],)
    ]
    judged, current = past.pop(), begun[newest[-1]][1]
    history = [window for window in past if window.end_s <= judged.start_s]
    return VolumeView(
        start=current.window_start,
        end=current.window_end,
        rows=current.rows,
        judged=judged,
        complete=current.window_end <= as_of,
        history=tuple(history),
    )


def _is_overdue(anomaly: Anomaly, dimensions: Sequence[DimensionView]) -> bool:
    """Return whether a whole window has passed since the newest profile: the one in question may have had no rows."""
    if not dimensions:
        return False
    newest = max(dimensions, key=lambda d: d.window_end)
    since_then = anomaly.detected_at - newest.window_end
    return since_then >= newest.window_end - newest.window_start


def _is_fed_late(
    anomaly: Anomaly, volume: VolumeView, jobs: JobsView | None, until: datetime
) -> bool:
    """Return whether a sync that began after *until* could still have brought rows of the window."""
    if jobs is None or not jobs.jobs or until >= anomaly.detected_at:
        return False
    return until < jobs.jobs[-1].started_at and loads_late(volume.history, jobs)


def _span(
    anomaly: Anomaly, volume: VolumeView | None, dimensions: Sequence[DimensionView]
) -> tuple[datetime, datetime]:
    """Return the time in which a cause must have been at work."""
    starts = [volume.start] if volume is not None else [d.window_start for d in dimensions]
    ends = [volume.end] if volume is not None else [d.window_end for d in dimensions]
    since = max(starts) if starts else moved(anomaly.detected_at, -DEFAULT_SPAN_S)
    # nobody said what kind of anomaly OTHER is (somebody asked): then what is wrong right now counts too
    until_now = anomaly.anomaly_type in (AnomalyType.FRESHNESS, AnomalyType.OTHER)
    if until_now or not ends:
        return since, anomaly.detected_at
    return since, min(anomaly.detected_at, max(ends))
