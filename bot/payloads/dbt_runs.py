"""dbt's run_results.json, v1 to v6 and Fusion's, and sources.json: what one invocation did.

The file is written by commands that ran nothing too: after ``dbt docs generate`` or ``dbt compile`` every result in
it says success. Such a file tells nothing about the data and is named as what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Final

from bot.payloads.dbt_document import (
    Pieces,
    as_count,
    as_instant,
    as_map,
    as_name,
    as_number,
    as_short,
    as_text,
)
from bot.payloads.dbt_nodes import MAX_SQL, TESTS

RUN_RESULTS: Final = "run_results.json"
SOURCES: Final = "sources.json"

RUNS: Final = frozenset({"build", "retry", "run", "run-operation", "seed", "snapshot", "test"})
"""The commands whose results are about data; every other one only compiles, lists or documents."""

FULL_NAMES: Final = {"generate": "docs generate"}

GIT_SHA: Final = "GIT_SHA"  # DBT_ENV_CUSTOM_ENV_GIT_SHA in the environment of dbt
DEPLOYED_BY: Final = "DEPLOYED_BY"
DEPLOYED_AT: Final = "DEPLOYED_AT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one node did; ``sql`` is what it was compiled to, where the file says it."""

    unique_id: str
    status: str
    message: str | None = None
    failures: int | None = None
    execution_time_s: float | None = None
    rows_affected: int | None = None
    ended_at: datetime | None = None
    sql: str | None = None

    @property
    def kind(self) -> str:
        """Its type, which is the first word of its id."""
        return self.unique_id.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One dbt command that ran, and who had deployed what, where dbt's environment said so."""

    generated_at: datetime
    invocation_id: str | None
    command: str | None
    outcomes: tuple[Outcome, ...]
    git_sha: str | None = None
    deployed_by: str | None = None
    deployed_at: datetime | None = None

    @property
    def misleads(self) -> str | None:
        """Why the results say nothing about data; None when they do."""
        if self.command is None:
            plain = any(o.kind in TESTS and o.status == "success" for o in self.outcomes)
            return "written by a dbt command that runs no models" if plain else None
        name = FULL_NAMES.get(self.command, self.command)
        return None if self.command in RUNS else f"written by dbt {name}, which runs no models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old the newest row of one source was; ``status``: pass, warn, error or runtime error."""

    unique_id: str
    status: str
    checked_at: datetime
    max_loaded_at: datetime | None
    age_s: float | None
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessCheck:
    """One ``dbt source freshness``."""

    generated_at: datetime
    invocation_id: str | None
    sources: tuple[Freshness, ...]


def read_run_results(raw: bytes | str, what: str = RUN_RESULTS) -> Invocation:
    """Return what one invocation did, also when it misleads: see ``Invocation.misleads``.

    Raises:
        ArtifactError: it is no such file; the text names *what* and the field.
    """
    pieces = Pieces(what, frozenset({"metadata", "args"}), frozenset({"results"}))
    found = [_outcome(row) for section, _, row in pieces.of(raw) if section == "results"]
    env = as_map(pieces.metadata.get("env"))
    return Invocation(
        generated_at=pieces.generated_at(),
        invocation_id=as_name(pieces.metadata.get("invocation_id")),
        command=_command(pieces.arguments),
        outcomes=tuple(one for one in found if one is not None),
        git_sha=as_short(env.get(GIT_SHA)),
        deployed_by=as_short(env.get(DEPLOYED_BY)),
        deployed_at=as_instant(env.get(DEPLOYED_AT)),
    )


def _command(arguments: Mapping[str, object]) -> str | None:
    """``run`` of ``{"which": "run"}``; Fusion says ``command`` too, and rpc servers wrote ``rpc``."""
    said = as_text(arguments.get("which")) or as_text(arguments.get("command"))
    words = (said or "").casefold().removeprefix("dbt ").split()
    return words[0] if words else None


def _outcome(row: Mapping[str, object]) -> Outcome | None:
    unique_id, status = as_name(row.get("unique_id")), as_name(row.get("status"))
    if unique_id is None or status is None:
        return None
    time_s = as_number(row.get("execution_time"))
    sql = (
        as_text(row.get("compiled_code")) if unique_id.startswith(("model.", "snapshot.")) else None
    )
    return Outcome(
        unique_id=intern(unique_id),
        status=intern(status.casefold()),
        message=as_short(row.get("message")),
        failures=as_count(row.get("failures")),
        execution_time_s=time_s if time_s is not None and time_s >= 0 else None,
        rows_affected=_rows_affected(as_map(row.get("adapter_response"))),
        ended_at=_ended_at(row.get("timing")),
        sql=sql if sql and len(sql) <= MAX_SQL else None,
    )


def _rows_affected(response: Mapping[str, object]) -> int | None:
    """Rows written; adapters write -1 where they do not know."""
    count = as_count(response.get("rows_affected"))
    return count if count is not None and count >= 0 else None


def _ended_at(timing: object) -> datetime | None:
    steps: Sequence[object] = timing if isinstance(timing, list) else ()
    ends = [as_instant(as_map(step).get("completed_at")) for step in steps]
    return max((end for end in ends if end is not None), default=None)


def read_sources(raw: bytes | str, what: str = SOURCES) -> FreshnessCheck:
    """Return how fresh the sources were.

    Raises:
        ArtifactError: it is no such file; the text names *what* and the field.
    """
    pieces = Pieces(what, frozenset({"metadata"}), frozenset({"results"}))
    rows = [row for section, _, row in pieces.of(raw) if section == "results"]
    generated_at = pieces.generated_at()
    found = (_freshness(row, generated_at) for row in rows)
    return FreshnessCheck(
        generated_at=generated_at,
        invocation_id=as_name(pieces.metadata.get("invocation_id")),
        sources=tuple(one for one in found if one is not None),
    )


def _freshness(row: Mapping[str, object], generated_at: datetime) -> Freshness | None:
    unique_id, status = as_name(row.get("unique_id")), as_name(row.get("status"))
    if unique_id is None or status is None:
        return None
    return Freshness(
        unique_id=unique_id,
        status=status.casefold(),
        checked_at=as_instant(row.get("snapshotted_at")) or generated_at,
        max_loaded_at=as_instant(row.get("max_loaded_at")),
        age_s=as_number(row.get("max_loaded_at_time_ago_in_s")),
        message=as_short(row.get("error")),
    )
