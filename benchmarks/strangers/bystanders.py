"""Decoys close to the alert in time: what happened just now and still is not it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from benchmarks.strangers.place import happens
from benchmarks.strangers.story import ColumnChange, NodeTrouble, Story, SyncTrouble
from benchmarks.strangers.words import MODEL_ERRORS, SYNC_ERRORS

Decoy = Callable[[Story], None]
CODES: Final = ("source_timeout", "platform", "rate_limit", None)
ALIASES: Final = {  # two spellings of one type, as two versions of a driver report them
    "VARCHAR(16777216)": "TEXT", "NUMBER(18,2)": "NUMERIC(18,2)", "INT64": "INTEGER", "BOOL": "BOOLEAN",
    "character varying(65535)": "varchar(65535)", "integer": "int4", "timestamptz": "timestamp with time zone",
    "text": "TEXT", "string": "STRING", "TIMESTAMP_NTZ(9)": "TIMESTAMP_NTZ",
}  # fmt: skip


def _free(story: Story, index: int) -> bool:
    return not any(t.first <= index <= t.last for t in story.syncs)


def retried_now(story: Story) -> None:
    """A sync in the current window failed, and its retry brought everything minutes later."""
    index = story.lag - 1 if story.place.sync_every < story.place.window else story.lag - 2
    if _free(story, index):
        _trouble(story, index, "retried", story.draw.choice(CODES))


def _trouble(story: Story, index: int, how: str, code: str | None) -> None:
    message = story.draw.choice(SYNC_ERRORS[code])
    story.syncs.append(
        SyncTrouble(first=index, last=index, how=how, code=code, origin="source", message=message)
    )


def late_failure(story: Story) -> None:
    """The first sync after the window fails; what the window counts had come before."""
    explained = story.causes and "ingestion_failure" not in story.causes
    told = story.anomaly_type in (
        "distribution_anomaly",
        "volume_anomaly",
    )  # stale would be another matter
    if story.place.by_arrival and explained and told and _free(story, 0):
        _trouble(story, 0, "failed", "source_timeout")


def flaky_connector(story: Story) -> None:
    """Every few syncs the first try fails, and always has."""
    every = story.draw.randint(3, 6)
    for index in range(-1, -story.place.jobs, -every):
        if _free(story, index):
            _trouble(story, index, "retried", "source_timeout")


def unused_column(story: Story) -> None:
    """A column comes that nobody reads, at the same sync; no alert about columns."""
    if (
        story.anomaly_type != "schema_anomaly"
        and "schema_drift" not in story.causes
        and _free(story, 0)
    ):
        at = story.sync_at(0) - timedelta(seconds=5)
        story.columns.append(
            ColumnChange(at=at, change=lambda columns: [*columns, ("utm_extra", "text")])
        )


def type_alias(story: Story) -> None:
    """The driver was updated and spells the types another way; order of the columns, too."""
    if story.anomaly_type == "schema_anomaly" or "schema_drift" in story.causes:
        return
    story.respelled_at = story.sync_at(0) - timedelta(hours=story.draw.choice((0, 30, 200)))


def downstream_failure(story: Story) -> None:
    """A model that reads the dataset fails; the dataset does not read it."""
    models = story.place.models
    if models.node in models.chain[:-1]:
        below = models.chain[models.chain.index(models.node or "") + 1 :]
        if not any(t.node in below for t in story.nodes):
            node, message = story.draw.choice(below), story.draw.choice(MODEL_ERRORS)
            story.nodes.append(NodeTrouble(first=0, last=0, node=node, message=message))


def slow_elsewhere(story: Story) -> None:
    """A model outside the dataset's lineage takes ten times as long."""
    if story.place.models.unrelated:
        node = story.draw.choice(story.place.models.unrelated)
        story.nodes.append(
            NodeTrouble(
                first=-1, last=0, node=node, status="success", slower=story.draw.uniform(5, 12)
            )
        )


def vague_catalog(story: Story) -> None:
    """The catalog knows little: no interval, no grace, no stream."""
    story.vague = True


def restless(story: Story) -> None:
    """One dimension more that wanders a lot every day, beside the steady ones."""
    if len(story.place.dimensions) < 2 or "upstream_data_shift" in story.causes:  # noqa: PLR2004 - one stays steady
        return
    *steady, last = story.place.dimensions
    if happens(story.draw, 0.5):
        story.place = replace(story.place, dimensions=(*steady, replace(last, steadiness=40.0)))


BYSTANDERS: Final[dict[str, Decoy]] = {
    "decoy_retried_now": retried_now, "decoy_late_sync_failure": late_failure, "flaky_connector": flaky_connector,
    "decoy_benign_column": unused_column, "decoy_type_alias": type_alias,
    "decoy_downstream_failure": downstream_failure, "decoy_slow_elsewhere": slow_elsewhere,
    "vague_catalog": vague_catalog, "decoy_noisy_dimension": restless,
}  # fmt: skip
