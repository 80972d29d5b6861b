"""What ``[sources.NAME]`` with ``kind = "warehouse"`` may say."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import Field

from bot.directory import EnvName
from bot.sources.registry import Options


class Unit(StrEnum):
    """How long one window is."""

    DAY = "day"
    HOUR = "hour"


class WarehouseOptions(Options):
    """Options of a warehouse.

    ``url_env`` names the environment variable that holds SQLAlchemy's URL. ``max_values``: of each dimension and
    window, the most frequent values that are kept apart; the others are one. ``late_days``: rows may still arrive
    for a day that long after it, so it is counted again. ``relations``: only datasets whose relation begins with
    one of these, in any case; empty: every dataset with a relation.
    """

    url_env: EnvName
    max_queries: int = Field(default=2, ge=1, le=32)
    statement_timeout_s: float = Field(default=15.0, ge=0.1, le=600.0)
    max_values: int = Field(default=1_000, ge=1, le=10_000)
    window: Unit = Unit.DAY
    time_zone: ZoneInfo = ZoneInfo("UTC")
    late_days: int = Field(default=2, ge=0, le=30)
    poll_every_s: float = Field(default=3_600.0, ge=60.0, le=86_400.0)
    relations: tuple[str, ...] = ()

    @property
    def late(self) -> timedelta:
        """How long after its end a window is still counted again."""
        return timedelta(days=self.late_days)
