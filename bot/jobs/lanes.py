"""How many jobs of each lane run at once in one process."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.ports import LANE_OF, JobKind, Lane

AT_ONCE: Final[Mapping[Lane, int]] = MappingProxyType(
    {
        Lane.INTAKE: 2,  # diagnosing is CPU; more would only make each one later
        Lane.TIMERS: 16,  # waits for pagers
        Lane.POSTS: 16,  # waits for Slack, which paces each channel
        Lane.COLLECT: 4,
    }
)


def kinds_of(lane: Lane) -> tuple[JobKind, ...]:
    """Return the kinds of job that *lane* runs."""
    return tuple(kind for kind in JobKind if LANE_OF[kind] is lane)
