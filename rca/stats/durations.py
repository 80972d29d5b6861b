"""How long things take and how regularly they come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from rca.stats.robust import Level, level, median, upper_tail

SMALLEST_S: Final = 1.0  # seconds; below this a duration is rounding
LOG_SPREAD_FLOOR: Final = 0.08  # of the logarithm; even a steady job varies so much


def log_level(durations_s: Sequence[float]) -> Level:
    """Return the robust level of the logarithms of *durations_s* (at least one, in seconds)."""
    return level([math.log(max(d, SMALLEST_S)) for d in durations_s], floor=LOG_SPREAD_FLOOR)


def longer_than(elapsed_s: float, history: Level) -> float:
    """Return the probability in (0, 1) that a run of this *history* lasts longer than *elapsed_s* seconds.

    For a run that has not finished this is its survival: how usual it is to be still running.
    """
    return upper_tail((math.log(max(elapsed_s, SMALLEST_S)) - history.centre) / history.sigma)


def cadence_s(starts_s: Sequence[float]) -> float | None:
    """Return the usual gap between consecutive *starts_s* (ascending, in seconds), or None below three starts."""
    gaps = [later - earlier for earlier, later in pairwise(starts_s) if later > earlier]
    return median(gaps) if len(gaps) >= 2 else None  # noqa: PLR2004 - one gap says nothing about regularity


def usual_lateness_s(starts_s: Sequence[float], interval_s: float) -> float:
    """Return by how many seconds starts usually miss the schedule, as a robust standard deviation of at least 1."""
    gaps = [later - earlier - interval_s for earlier, later in pairwise(starts_s)]
    spread = level(gaps, floor=interval_s * 0.02).sigma if gaps else interval_s * 0.1
    return max(spread, SMALLEST_S)
