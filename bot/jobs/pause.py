"""How long a job that raised is left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=5)


def pause_after(failures: int) -> timedelta:
    """Return the pause after *failures* raises in a row, from 1: doubling from ``FIRST_PAUSE`` to ``LONGEST_PAUSE``."""
    doublings = min(max(failures, 1) - 1, 16)  # beyond that the longest pause holds anyway
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
