"""What can really go wrong with syncs, columns and models: each fault changes the story and writes down its truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from benchmarks.strangers.place import happens
from benchmarks.strangers.story import ColumnChange, NodeTrouble, Story, Swell, SyncTrouble
from benchmarks.strangers.words import (
    MISSING_COLUMN,
    PARTIAL_MESSAGES,
    SYNC_ERRORS,
    WRONG_TYPE,
)

Fault = Callable[[Story, str], None]
MISSED: Final = {
    "weak": (0.3, 0.5),
    "medium": (0.5, 0.9),
    "strong": (1.0, 1.4),
}  # windows without rows
ORIGINS: Final = {"destination_timeout": "destination", "platform": "airbyte_platform"}
REMEMBERED: Final = 10  # jobs from before the trouble


def blame(story: Story, cause: str, *signals: str) -> None:
    """Write down a true cause and the codes that may stand for it."""
    if cause not in story.causes:
        story.causes.append(cause)
    story.signals.extend(s for s in signals if s not in story.signals)
    story.symptoms.discard(cause)


def suffer(story: Story, cause: str) -> None:
    """Write down a cause that shows only as a consequence."""
    if cause not in story.causes:
        story.symptoms.add(cause)


def outage_begins(story: Story, strength: str) -> int:
    """Return the first sync of an outage that costs the current window as much as *strength* says."""
    per_window = story.place.window / story.place.sync_every
    first = story.lag - max(1, math.ceil(story.draw.uniform(*MISSED[strength]) * per_window))
    story.place = replace(story.place, jobs=max(story.place.jobs, REMEMBERED - first))
    return first


def failing_sync(code: str | None) -> Fault:
    """Return the fault of syncs that fail with *code*."""

    def inject(story: Story, strength: str) -> None:
        message = story.draw.choice(SYNC_ERRORS[code])
        told = message is not None and happens(
            story.draw, 0.9
        )  # now and then the text is lost on the way
        story.syncs.append(SyncTrouble(
            first=outage_begins(story, strength), last=10_000, how="failed", code=code,
            message=message if told else None,
            origin=ORIGINS.get(code or "", story.draw.choice(("source", "source", None))),
            failure_type=story.draw.choice(("config_error", "system_error", "transient_error", None)),
        ))  # fmt: skip
        story.anomaly_type = story.draw.choice(
            ("volume_anomaly", "volume_anomaly", "freshness_anomaly", "other")
        )
        blame(story, "ingestion_failure", "sync_failure")
        stale_tests(story)

    return inject


def stale_tests(story: Story) -> None:
    """Let a recency test downstream turn from pass to fail, as it does when nothing new comes."""
    recency = [
        t for tests in story.place.models.tests.values() for t in tests if ".dbt_utils_recency" in t
    ]
    mine = [t for t in recency if story.place.stream.lower() in t]
    if mine and happens(story.draw, 0.6):
        story.nodes.append(
            NodeTrouble(
                first=0,
                last=0,
                node=story.draw.choice(mine),
                status="fail",
                message="Got 1 result, configured to fail if != 0",
            )
        )
        suffer(story, "transformation_regression")
        story.tags.append("symptoms")


def partial(*, told: bool) -> Fault:
    """Return the fault of syncs that bring only a part, with or without a word about it."""

    def inject(story: Story, strength: str) -> None:
        sigma = max(story.place.traffic.sigma, 1.0 - story.place.traffic.night)
        drop = {"weak": 0.6, "medium": 0.75, "strong": 0.93}[strength]
        if not told:
            drop = max(drop, min(0.97, 1 - math.exp(-5 * sigma)))
        first = outage_begins(story, "strong" if not told else strength)
        story.syncs.append(SyncTrouble(
            first=first, last=story.draw.choice((story.lag - 1, 10_000)),
            how="incomplete" if told else "thin", drop=drop,
            code="partial_streams" if told and happens(story.draw, 0.5) else None,
            message=story.draw.choice(PARTIAL_MESSAGES) if told else None,
        ))  # fmt: skip
        story.anomaly_type = "volume_anomaly"
        blame(story, "ingestion_failure", "partial_sync", *(["sync_failure"] if told else []))

    return inject


def long_running(story: Story, strength: str) -> None:
    """A sync that does not end."""
    first = outage_begins(story, strength)
    ratio = {
        "weak": story.draw.uniform(2.6, 3.5),
        "medium": story.draw.uniform(3.5, 7),
        "strong": story.draw.uniform(7, 20),
    }[strength]
    story.syncs.append(SyncTrouble(first=first, last=first, how="long"))
    story.anomaly_type = story.draw.choice(("freshness_anomaly", "volume_anomaly"))
    running = (story.as_of - story.sync_at(first)).total_seconds()
    usual = running / ratio
    if usual < story.place.sync_every.total_seconds() * 0.8:
        story.place = replace(story.place, sync_s=min(story.place.sync_s, usual))
    blame(story, "ingestion_failure", "long_running_sync")


def missing_sync(story: Story, strength: str) -> None:
    """Nobody starts the syncs any more."""
    story.syncs.append(
        SyncTrouble(first=min(outage_begins(story, strength), -1), last=10_000, how="missing")
    )
    story.anomaly_type = story.draw.choice(
        ("freshness_anomaly", "freshness_anomaly", "volume_anomaly")
    )
    blame(story, "ingestion_failure", "missing_sync")
    stale_tests(story)


def _used_column(story: Story) -> tuple[str, str]:
    used = {
        name.rsplit(".", 1)[-1]
        for names in story.place.models.columns_used.values()
        for name in names
    }
    return story.draw.choice(
        [c for c in story.place.columns if c[0] in used] or list(story.place.columns)
    )


def _reader_breaks(story: Story, text: str, column: str) -> None:
    """Let the model that reads the source fail in the newest run, and what hangs on it be skipped."""
    chain = story.place.models.chain
    if len(chain) < 2:  # noqa: PLR2004 - a source alone has no reader
        return
    node = chain[1]
    message = text.format(
        model="{model}", upper=column.upper(), column=column, table=story.place.stream
    )
    story.nodes.append(NodeTrouble(first=0, last=0, node=node, message=message))
    suffer(story, "transformation_regression")
    story.tags.append("symptoms")


def column_gone(*, count: int, renamed: bool) -> Fault:
    """Return the fault of columns that are dropped, or come back under another name."""

    def inject(story: Story, strength: str) -> None:
        del strength
        first = _used_column(story)
        gone = [first[0], *[c for c, _ in story.place.columns if c != first[0]][: count - 1]]

        def change(columns: list[tuple[str, str]]) -> list[tuple[str, str]]:
            kept = [c for c in columns if c[0] not in gone]
            return [*kept, *((f"{n}_v2", t) for n, t in columns if n in gone)] if renamed else kept

        story.columns.append(
            ColumnChange(at=story.sync_at(0) - timedelta(seconds=5), change=change)
        )
        story.column = first[0] if happens(story.draw, 0.5) else None  # half of the alerts name it
        story.anomaly_type = story.draw.choice(
            ("schema_anomaly", "quality_check_failure", "freshness_anomaly")
        )
        blame(story, "schema_drift", "column_removed", *(["unexpected_column"] if renamed else []))
        if happens(story.draw, 0.75):
            _reader_breaks(story, MISSING_COLUMN[story.place.adapter], first[0])

    return inject


def column_retyped(story: Story, strength: str) -> None:
    """A number becomes text, a date becomes a number."""
    del strength
    name, kind = story.draw.choice(
        [c for c in story.place.columns if c[1] in ("num", "int", "time", "date")]
    )
    other = "text" if kind in ("num", "int") else story.draw.choice(("text", "int"))
    story.columns.append(ColumnChange(
        at=story.sync_at(0) - timedelta(seconds=5),
        change=lambda columns: [(n, other if n == name else t) for n, t in columns],
    ))  # fmt: skip
    story.column = name if happens(story.draw, 0.6) else None
    story.anomaly_type = story.draw.choice(("schema_anomaly", "quality_check_failure"))
    blame(story, "schema_drift", "column_type_changed")
    if happens(story.draw, 0.6):
        _reader_breaks(story, WRONG_TYPE[story.place.adapter], name)


def column_new(story: Story, strength: str) -> None:
    """Columns nobody expected."""
    del strength
    new = story.draw.sample(
        (("legacy_flag", "bool"), ("_etl_batch", "int"), ("ext_ref", "text"), ("raw_json", "json")),
        story.draw.randint(1, 3),
    )
    story.columns.append(
        ColumnChange(
            at=story.sync_at(0) - timedelta(seconds=5), change=lambda columns: [*columns, *new]
        )
    )
    story.column = new[0][0] if happens(story.draw, 0.5) else None
    story.anomaly_type = "schema_anomaly"
    blame(story, "schema_drift", "unexpected_column")


def swell(story: Story, factor: float) -> None:
    """Let really more or fewer rows come in the current window."""
    story.swells.append(Swell(first=0, last=0, factor=factor))
