"""Elementary's tables in the warehouse."""

from bot.sources.elementary.source import SOURCE

__all__ = ["SOURCE"]
