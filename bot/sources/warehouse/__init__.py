"""Counts rows per window and value where they lie, and reads which columns there are."""

from __future__ import annotations

from bot.sources.warehouse.source import SOURCE

__all__ = ["SOURCE"]
