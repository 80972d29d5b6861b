"""dbt Cloud: the artifacts of its jobs' runs, and who deployed what."""

from bot.sources.dbt_cloud.source import SOURCE

__all__ = ["SOURCE"]
