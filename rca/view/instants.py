"""Times as numbers, and at the edge of the calendar: a case may name any instant, and none may stop a diagnosis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import ConfigDict, TypeAdapter

EDGES: Final = (datetime.min, datetime.max)  # noqa: DTZ901 - each caller's own offset is put on them
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# pydantic's own writer reads an offset without asking Python for it, which is where aware times lose theirs
_WRITER: Final = TypeAdapter(
    list[datetime | None], config=ConfigDict(ser_json_temporal="seconds")
).serializer


def epoch_s(instant: datetime) -> float:
    """Return *instant* (aware) in seconds since 1970, UTC."""
    return (instant - EPOCH).total_seconds()


def epochs_s(instants: Iterable[datetime | None]) -> list[float]:
    """Return ``epoch_s`` of each of *instants*, four times as fast; infinity for None, which has not come yet.

    The same numbers to the last bit, but for times before 1970 with microseconds, whose last bit may differ.
    """
    found: list[float | None] = _WRITER.to_python(list(instants), mode="json")
    return [math.inf if seconds is None else seconds for seconds in found]


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
