"""What real records look like: holes, duplicates, disorder, clocks that differ, keys left out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from benchmarks.strangers.place import happens
from benchmarks.strangers.story import Facts, Story

DECIDES: Final = {
    "ingestion_failure": "ingestion_jobs",
    "schema_drift": "column_snapshots",
    "transformation_regression": "dbt_runs",
    "upstream_data_shift": "dimension_profiles",
}
REASONS: Final = (
    "403 Forbidden", "timed out after 5 s", "Zugriff verweigert", "artifact is older than the last run",
    "API returned HTML instead of JSON", "not configured for this tenant",
)  # fmt: skip
Blemish = Callable[[Story, Facts], None]


def hole(story: Story, document: Facts, facts: list[str]) -> None:
    """Take *facts* away, with or without a word; what nobody can see any more is not to be found."""
    silent = happens(story.draw, 0.3)
    if "dimension_profiles" in facts:
        document["segment_profiles"] = None  # one query brings both
    for fact in facts:
        document[fact] = None
        if not silent:
            document["holes"].append({"fact": fact, "reason": story.draw.choice(REASONS)})
    story.tags.append("holes_silent" if silent else "holes")
    if story.causes and all(DECIDES[cause] in facts for cause in story.causes):
        story.diagnosable = False
        story.tags.append("undiagnosable")
        story.difficulty = "hard"


def duplicates(story: Story, document: Facts) -> None:
    """The same entry twice, as at-least-once delivery brings it."""
    for key in ("ingestion_jobs", "dbt_runs", "dq_results"):
        entries = document[key]
        if entries:
            at = story.draw.randrange(len(entries))
            entries.insert(at, dict(entries[at]))


def disorder(story: Story, document: Facts) -> None:
    """Entries in the order in which they arrived, which is not that in which they happened."""
    for key in (
        "ingestion_jobs",
        "dbt_runs",
        "column_snapshots",
        "dq_results",
        "volume_history",
        "dimension_profiles",
    ):
        if document[key]:
            story.draw.shuffle(document[key])


def skew(story: Story, document: Facts) -> None:
    """The orchestrator's clock runs up to three minutes before or behind."""
    by = timedelta(seconds=story.draw.randint(-180, 180))
    for run in document["dbt_runs"] or []:
        run["dbt_generated_at"] = min(run["dbt_generated_at"] + by, story.as_of)


def bare(_story: Story, document: Facts) -> None:
    """Sources that report the least they can."""
    dropped = ("bytes_synced", "attempts", "failure_type", "failure_origin", "tenant_id")
    for job in document["ingestion_jobs"] or []:
        for key in dropped:
            job.pop(key, None)
    for run in document["dbt_runs"] or []:
        run.update({"deployed_by": None, "deployed_at": None})
    if document["lineage"]:
        document["lineage"] |= {"columns_used": None, "critical_models": None, "exposures": None}


def truncated(story: Story, document: Facts) -> None:
    """Profiles that keep only the most frequent values and say so."""
    if story.kind in ("cardinality", "new_one", "new_multi"):
        return
    for profile in document["dimension_profiles"] or []:
        counts = profile["counts"]
        if len(counts) > 5:  # noqa: PLR2004 - something is left to cut
            kept = sorted(counts, key=lambda v: -counts[v])[:-1]
            profile |= {"counts": {v: counts[v] for v in counts if v in kept}, "truncated": True}


BLEMISHES: Final[dict[str, tuple[float, Blemish]]] = {
    "duplicates_in_facts": (0.06, duplicates), "disorder": (0.05, disorder), "clock_skew": (0.1, skew),
    "bare": (0.12, bare), "truncated": (0.05, truncated),
}  # fmt: skip
