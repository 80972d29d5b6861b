"""Rows on their way: what really happened, what each sync brought, and how much of each window can be counted."""

from __future__ import annotations

import calendar
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from benchmarks.strangers.story import DAY, Facts, Story, SyncTrouble

Numbers = npt.NDArray[np.float64]
CELLS_PER_WINDOW: Final = 12
NIGHT_ENDS, NIGHT_BEGINS = 7, 23  # local hours
BYTES_PER_ROW: Final = 240
OPEN_ENDED: Final = 10_000  # index of a sync or run nobody will see


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One sync that moved rows: those between two cursors, *share* of them, visible from *finished_at* on."""

    begun: datetime
    until: datetime
    finished_at: datetime
    share: float


class Events:
    """What really happened, in cells of time; each cell is a twelfth of a window."""

    def __init__(self, story: Story) -> None:
        place = story.place
        self._cell = place.window / CELLS_PER_WINDOW
        span = (place.windows + 3) * place.window
        jobs = (place.jobs + 3) * place.sync_every
        self._begin = story.end - max(span, jobs)
        count = int((story.as_of + 2 * place.sync_every - self._begin) / self._cell) + 2
        self._counts = self._drawn(story, count)

    def _drawn(self, story: Story, count: int) -> Numbers:
        place, traffic, zone = story.place, story.place.traffic, ZoneInfo(story.place.zone)
        swells = [
            (story.edge(s.first) - story.carried, story.edge(s.last + 1) - story.carried, s.factor)
            for s in story.swells
        ]
        shocks: dict[object, float] = {}
        means = np.empty(count)
        for k in range(count):
            at = self._begin + k * self._cell
            local = at.astimezone(zone)
            if local.date() not in shocks:
                shocks[local.date()] = math.exp(traffic.sigma * story.numbers.standard_normal())
            mean = (
                traffic.rows
                / CELLS_PER_WINDOW
                * traffic.weekdays[local.weekday()]
                * shocks[local.date()]
            )
            if place.window <= DAY and not NIGHT_ENDS <= local.hour < NIGHT_BEGINS:
                mean *= traffic.night
            if local.day == calendar.monthrange(local.year, local.month)[1]:
                mean *= traffic.month_end
            mean *= math.exp(traffic.trend_per_day * ((at - story.end) / DAY))
            for first, last, factor in swells:
                mean *= factor if first <= at < last else 1.0
            means[k] = mean
        return story.numbers.poisson(means).astype(np.float64)

    def rows(self, begun: datetime, until: datetime) -> float:
        """Return how many rows happened from *begun* to *until*, cells at the border in proportion."""
        a, b = (begun - self._begin) / self._cell, (until - self._begin) / self._cell
        a, b = max(a, 0.0), min(b, float(len(self._counts)))
        if b <= a:
            return 0.0
        first, last = int(a), int(b)
        total = float(self._counts[first:last].sum()) - (a - first) * float(self._counts[first])
        return total + ((b - last) * float(self._counts[last]) if last < len(self._counts) else 0.0)


def synced(story: Story, events: Events) -> tuple[list[Facts], list[Load]]:
    """Return the connector's jobs, oldest first, and what they moved."""
    jobs: list[Facts] = []
    loads: list[Load] = []
    windows = (story.end - story.edge(1 - story.place.windows)) / story.place.sync_every
    first = -max(story.place.jobs, math.ceil(windows) + 2)
    cursor = story.sync_at(first - 1)
    number = story.draw.randint(1000, 900000)
    index = first
    while story.sync_at(index) <= story.as_of:
        trouble = next((t for t in story.syncs if t.first <= index <= t.last), None)
        number += story.draw.randint(1, 9)
        if trouble is not None and trouble.how == "missing":
            index += 1
            continue
        started = story.sync_at(index) + timedelta(seconds=story.draw.uniform(0, 20))
        job, load = _job(story, events, trouble, (cursor, started), str(number))
        jobs.append(job)
        if load is not None:
            loads.append(load)
            cursor = load.until
        if trouble is not None and trouble.how == "retried":
            again = story.place.sync_s * story.draw.uniform(0.15, 0.25)
            later = started + timedelta(seconds=again)
            job, load = _job(story, events, None, (cursor, later), f"{number}1")
            jobs.append(job)
            if load is not None:
                loads.append(load)
                cursor = load.until
        if trouble is not None and trouble.how == "long":
            break
        index += 1
    return jobs[-story.place.jobs :], loads


def _job(
    story: Story,
    events: Events,
    trouble: SyncTrouble | None,
    span: tuple[datetime, datetime],
    number: str,
) -> tuple[Facts, Load | None]:
    place, (cursor, started) = story.place, span
    lasts = place.sync_s * math.exp(story.draw.gauss(0.0, 0.12))
    how = trouble.how if trouble is not None else "fine"
    if how == "retried":
        lasts *= story.draw.uniform(0.03, 0.1)
    elif how in ("failed", "cancelled"):
        lasts = min(lasts, 900.0) * story.draw.uniform(0.3, 1.2)
    finished = started + timedelta(seconds=lasts)
    job: Facts = {
        "id": number, "tenant_id": place.tenant, "connector_id": place.connector_id,
        "status": "succeeded", "started_at": started, "finished_at": finished, "attempts": 1,
    }  # fmt: skip
    if how == "long" or finished > story.as_of:
        return job | {"status": "running", "finished_at": None}, None
    if trouble is not None and how in ("failed", "retried", "cancelled"):
        status = "cancelled" if how == "cancelled" else "failed"
        told = {"error_code": trouble.code, "error_message": trouble.message, "failure_origin": trouble.origin,
                "failure_type": trouble.failure_type}  # fmt: skip
        tries = story.draw.choice((1, 3, 5)) if how == "failed" else 1
        return job | told | {
            "status": status,
            "attempts": tries,
            "rows_synced": 0,
            "bytes_synced": 0,
        }, None
    share = 1.0 - (trouble.drop if trouble is not None else 0.0)
    mine = events.rows(cursor, started)
    others = story.numbers.poisson(mine * (place.stream_factor - 1.0))
    moved = (mine + float(others)) * share
    job |= {"rows_synced": round(moved), "bytes_synced": round(moved * BYTES_PER_ROW)}
    if trouble is not None and how == "incomplete":
        job |= {"status": "incomplete", "error_code": trouble.code, "error_message": trouble.message,
                "failure_origin": "source"}  # fmt: skip
    return job, Load(begun=cursor, until=started, finished_at=finished, share=share)


def counted(
    story: Story, events: Events, loads: Sequence[Load], builds: Sequence[datetime] | None
) -> list[float]:
    """Return the rows of each window as they can be counted at the alert, oldest first.

    Args:
        story: the incident.
        events: what really happened.
        loads: what the syncs moved, oldest first.
        builds: when the dataset took over what its parents held, oldest first; None for what the connector writes.
    """
    edges = [story.edge(index) for index in range(1 - story.place.windows, 2)]
    totals = [0.0] * story.place.windows
    for load in loads:
        seen = _seen_at(load, builds)
        if seen is None or seen > story.detected_at:
            continue
        for at, begun, until in _parts(story, load, seen, edges):
            totals[at] += events.rows(begun, until) * load.share
    totals[-1] *= story.copies
    return totals


def _parts(
    story: Story, load: Load, seen: datetime, edges: Sequence[datetime]
) -> Iterator[tuple[int, datetime, datetime]]:
    """Yield the windows that count rows of *load*, and from when to when those rows happened."""
    if story.place.by_arrival:
        at = bisect_right(edges, seen) - 1
        if 0 <= at < len(edges) - 1:
            yield at, load.begun, load.until
        return
    for at in range(max(bisect_right(edges, load.begun) - 1, 0), len(edges) - 1):
        begun, until = max(edges[at], load.begun), min(edges[at + 1], load.until)
        if begun >= until:
            return
        yield at, begun, until


def _seen_at(load: Load, builds: Sequence[datetime] | None) -> datetime | None:
    if builds is None:
        return load.finished_at
    at = bisect_left(builds, load.finished_at)
    return builds[at] if at < len(builds) else None


def volume(story: Story, totals: Sequence[float]) -> list[Facts]:
    """Return the volume history."""
    first = 1 - story.place.windows
    return [
        {
            "window_start": story.edge(first + k),
            "window_end": story.edge(first + k + 1),
            "rows": round(rows),
        }
        for k, rows in enumerate(totals)
    ]
