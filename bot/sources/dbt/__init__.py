"""dbt's artifacts, from a folder or an object store."""

from bot.sources.dbt.source import SOURCE

__all__ = ["SOURCE"]
