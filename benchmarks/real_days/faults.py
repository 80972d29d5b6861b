"""What is done to the counts of one real day, and what its truth is then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

Key = tuple[str, ...]
Counts = Counter[Key]
Draw = np.random.Generator

HELD: Final = 0.03  # share of a value that is "gone" and still comes
NEVER_SEEN: Final = "ZZ"
VOLUME, FRESHNESS = "volume_anomaly", "freshness_anomaly"
DISTRIBUTION, CHECK = "distribution_anomaly", "quality_check_failure"
INGESTION, UPSTREAM = "ingestion_failure", "upstream_data_shift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the day looks like afterwards, which syncs of it failed or never came, and the truth about it.

    ``alerts`` are the kinds of anomaly of which one is raised; ``place`` is the truth's ``top_mover`` or ``segment``.
    """

    kind: str
    alerts: tuple[str, ...]
    counts: Counts
    cause: str | None = None
    signals: tuple[str, ...] = ()
    failed: frozenset[int] = frozenset()
    unseen: bool = False
    place: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A real day: its rows by all dimensions, whose hours tell which of the ``syncs`` of the day brings them."""

    dimensions: tuple[str, ...]
    counts: Counts
    syncs: int

    def sync_of(self, key: Key) -> int:
        """Return the place of the sync that brings the rows of *key*."""
        return min(self.syncs - 1, int(key[-1]) * self.syncs // 24)

    def by(self, *dimensions: str) -> Counts:
        """Return the rows by some of the dimensions."""
        places = [self.dimensions.index(name) for name in dimensions]
        held: Counts = Counter()
        for key, rows in self.counts.items():
            held[tuple(key[p] for p in places)] += rows
        return held

    def between(self, draw: Draw, least: float, most: float, *dimensions: str) -> Key | None:
        """Return one value, or combination, that has between two shares of the rows; None when none has."""
        held = self.by(*dimensions)
        rows = sum(held.values())
        fit = [key for key, n in sorted(held.items()) if least < n / rows < most]
        return fit[int(draw.integers(len(fit)))] if fit else None

    def without(self, names: tuple[str, ...], values: Key) -> Counts:
        """Return the rows of which HELD is left where *names* have *values*."""
        places = [self.dimensions.index(name) for name in names]
        gone = {key for key in self.counts if tuple(key[p] for p in places) == values}
        return Counter({k: int(n * HELD) if k in gone else n for k, n in self.counts.items()})


def _thinned(counts: Counts, part: float, draw: Draw) -> Counts:
    kept = draw.binomial(list(counts.values()), part).tolist()
    return Counter({key: n for key, n in zip(counts, kept, strict=True) if n})


def lost(day: Day, draw: Draw) -> Fault | None:
    """Two to four fifths of the rows are lost on the way, of all kinds alike, and no sync says so."""
    return Fault(
        kind="lost", alerts=(VOLUME,), counts=_thinned(day.counts, draw.uniform(0.2, 0.6), draw),
        cause=INGESTION, signals=("partial_sync",),
    )  # fmt: skip


def failed(day: Day, draw: Draw) -> Fault | None:
    """The last syncs of the day fail, and what they should have brought is not there."""
    down = frozenset(range(int(draw.integers(day.syncs)), day.syncs))
    left = {key: n for key, n in day.counts.items() if day.sync_of(key) not in down}
    return Fault(
        kind="failed", alerts=(VOLUME, FRESHNESS), counts=Counter(left),
        cause=INGESTION, signals=("sync_failure",), failed=down,
    )  # fmt: skip


def missing(_day: Day, _draw: Draw) -> Fault | None:
    """No sync of the day ever began."""
    return Fault(
        kind="missing", alerts=(VOLUME, FRESHNESS), counts=Counter(),
        cause=INGESTION, signals=("missing_sync",), unseen=True,
    )  # fmt: skip


def gone(day: Day, draw: Draw) -> Fault | None:
    """One value of 6 to 60 % of the rows all but vanishes at the source."""
    name = str(draw.choice(day.dimensions))
    value = day.between(draw, 0.06, 0.6, name)
    if value is None:
        return None
    return Fault(
        kind="gone", alerts=(DISTRIBUTION,), counts=day.without((name,), value),
        cause=UPSTREAM, signals=("distribution_drift",),
        place={"top_mover": {"dimension": name, "value": value[0]}},
    )  # fmt: skip


def combined(day: Day, draw: Draw) -> Fault | None:
    """The flights of one carrier from one airport, 5 to 40 % of the rows, all but vanish."""
    names = ("carrier", "origin")
    if not set(names) <= set(day.dimensions):
        return None
    values = day.between(draw, 0.05, 0.4, *names)
    if values is None:
        return None
    return Fault(
        kind="combined", alerts=(DISTRIBUTION,), counts=day.without(names, values),
        cause=UPSTREAM, signals=("distribution_drift",),
        place={"segment": {"dimensions": list(names), "values": list(values)}},
    )  # fmt: skip


def mixed(day: Day, draw: Draw) -> Fault | None:
    """Two fifths to three quarters of a value's rows come as other values; their number stays."""
    name = str(draw.choice(day.dimensions))
    value = day.between(draw, 0.15, 0.7, name)
    if value is None:
        return None
    place = day.dimensions.index(name)
    mine = Counter({k: n for k, n in day.counts.items() if k[place] == value[0]})
    others = Counter({k: n for k, n in day.counts.items() if k[place] != value[0]})
    kept = _thinned(mine, draw.uniform(0.25, 0.6), draw)
    weights = np.array(list(others.values())) / sum(others.values())
    moved = draw.multinomial(sum(mine.values()) - sum(kept.values()), weights).tolist()
    return Fault(
        kind="mixed", alerts=(DISTRIBUTION,),
        counts=kept + others + Counter(dict(zip(others, moved, strict=True))),
        cause=UPSTREAM, signals=("distribution_drift",),
        place={"top_mover": {"dimension": name, "value": value[0]}},
    )  # fmt: skip


def newcomer(day: Day, draw: Draw) -> Fault | None:
    """3 to 12 % of the rows come as a value that was never seen."""
    name = str(draw.choice([d for d in day.dimensions if d != "hour"]))
    renamed = _thinned(day.counts, draw.uniform(0.03, 0.12), draw)
    place = day.dimensions.index(name)
    counts = day.counts - renamed
    for key, n in renamed.items():
        counts[(*key[:place], NEVER_SEEN, *key[place + 1 :])] += n
    return Fault(
        kind="newcomer", alerts=(DISTRIBUTION,), counts=counts,
        cause=UPSTREAM, signals=("new_values_appearing", "distribution_drift"),
    )  # fmt: skip


def nothing(day: Day, _draw: Draw) -> Fault | None:
    """An alert about a day like others."""
    alerts = (VOLUME, FRESHNESS, DISTRIBUTION, CHECK)
    return Fault(kind="nothing", alerts=alerts, counts=day.counts)


FAULTS: Final[tuple[Callable[[Day, Draw], Fault | None], ...]] = (
    lost, failed, missing, gone, combined, mixed, newcomer, nothing
)  # fmt: skip
"""Each returns None where the day has nothing that it could be done to."""


def storm(day: Day) -> Fault:
    """Weather, and nobody's fault: an alert about the few rows of a day on which a quarter of the flights were off."""
    return Fault(kind="storm", alerts=(VOLUME,), counts=day.counts)
