"""Days on which business rests in much of the world, so that few rows are no surprise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from rca.view.instants import moved

_RESTS: Final[Mapping[tuple[int, int], str]] = MappingProxyType(
    {
        (1, 1): "New Year's Day",
        (5, 1): "Labour Day",
        (12, 24): "Christmas Eve",
        (12, 25): "Christmas Day",
        (12, 26): "the day after Christmas",
        (12, 31): "New Year's Eve",
    }
)
"""By month and day; only fixed dates that most countries share, because nobody says which country a dataset is of."""


def rest_day(start: datetime, end: datetime) -> str | None:
    """Return the name of the day of rest that the middle of a window lies on, by the window's own clock, or None."""
    middle = moved(start, (end - start).total_seconds() / 2.0)
    return _RESTS.get((middle.month, middle.day))
