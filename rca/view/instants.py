"""Times as numbers, and at the edge of the calendar: a case may name any instant, and none may stop a diagnosis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

EDGES: Final = (datetime.min, datetime.max)  # noqa: DTZ901 - each caller's own offset is put on them
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_s(instant: datetime) -> float:
    """Return *instant* (aware) in seconds since 1970, UTC; several times faster than its own ``timestamp()``."""
    return (instant - EPOCH).total_seconds()


def moved(instant: datetime, seconds: float) -> datetime:
    """Return *instant* moved by *seconds* (either sign, any size), held at the calendar's first or last instant.

    Args:
        instant: aware; its offset is kept.
        seconds: finite.
    """
    try:
        return instant + timedelta(seconds=seconds)
    except OverflowError:
        first, last = (edge.replace(tzinfo=instant.tzinfo) for edge in EDGES)
        return last if seconds > 0.0 else first
