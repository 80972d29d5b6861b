"""Airbyte: the syncs of its connections with their errors, its schedules, and what waits there for somebody."""

from bot.sources.airbyte.opening import SOURCE

__all__ = ["SOURCE"]
