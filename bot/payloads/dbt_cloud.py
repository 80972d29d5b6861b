"""What dbt Cloud's API (v2) and webhooks say about runs, in our words. Pure.

A run is a series of steps, each a dbt command with artifacts of its own. Asked without a step, dbt Cloud gives those of
the last one, which often is ``dbt docs generate`` and ran nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from bot.payloads.dbt_document import (
    ArtifactError,
    Pieces,
    as_count,
    as_instant,
    as_map,
    as_short,
    as_text,
    walked,
)
from bot.payloads.dbt_runs import RUNS, Invocation

PULL_REQUEST: Final = ("github_pull_request_id", "gitlab_merge_request_id", "azure_pull_request_id")
SAVED_WITHIN: Final = timedelta(
    minutes=10
)  # ours; dbt Cloud saves artifacts after the run has ended
CI_JOB: Final = "ci"
OTHER_COMMANDS: Final = frozenset(
    {"clean", "clone", "compile", "debug", "deps", "docs", "init", "list", "ls", "parse", "show"}
)
FRESHNESS: Final = "source"  # dbt source freshness

_COMMAND: Final = re.compile(r"`([^`]{1,2000})`")
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,100}(?:\.[\w-]{1,100}){1,8}")


class RunStatus(IntEnum):
    """dbt Cloud's codes for the state of a run."""

    QUEUED = 1
    STARTING = 2
    RUNNING = 3
    SUCCESS = 10
    ERROR = 20
    CANCELLED = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudRun:
    """One run of a job; ``started_by`` is the e-mail address in what dbt Cloud gives as its cause."""

    id: int
    job_id: int | None
    job_name: str | None
    environment_id: int | None
    status: int
    message: str | None
    git_sha: str | None
    started_by: str | None
    for_pull_request: bool
    finished_at: datetime | None
    artifacts_saved: bool = True

    def is_settled(self, now: datetime) -> bool:
        """Return whether its artifacts are all there: saved, or too late to come."""
        late = self.finished_at is not None and now - self.finished_at > SAVED_WITHIN
        return self.artifacts_saved or late

    @property
    def ended(self) -> bool:
        """Whether it ran to its end, well or not; a cancelled one says nothing about data."""
        return self.finished_at is not None and self.status in (RunStatus.SUCCESS, RunStatus.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudStep:
    """One step of a run by its number, from 1; ``command`` is dbt's, None for a step that runs no dbt."""

    index: int
    command: str | None

    @property
    def runs_nodes(self) -> bool:
        """Whether its results are about data."""
        return self.command in RUNS


def read_runs(raw: bytes | str, what: str) -> tuple[CloudRun, ...]:
    """Return the runs of a list, in its order.

    Raises:
        ArtifactError: it is no such list; the text names *what* and the field.
    """
    pieces = Pieces(what, frozenset(), frozenset({"data"}))
    found = [_run(entry) for section, _, entry in pieces.of(raw) if section == "data"]
    if "data" not in pieces.seen:
        raise ArtifactError(f"{what}: data is not a list")
    return tuple(run for run in found if run is not None)


def read_steps(raw: bytes | str, what: str) -> tuple[CloudStep, ...]:
    """Return the steps of one run, by their number.

    Raises:
        ArtifactError: it is no run; the text names *what* and the field.
    """
    data: dict[str, object] = {
        member: value
        for section, member, value in walked(raw, what)
        if section == "data" and isinstance(member, str)
    }
    listed = data.get("run_steps")
    if not isinstance(listed, list):
        raise ArtifactError(f"{what}: data.run_steps is not a list")
    found = (_step(as_map(entry)) for entry in listed)
    return tuple(sorted((s for s in found if s is not None), key=lambda step: step.index))


def _run(entry: Mapping[str, object]) -> CloudRun | None:
    run_id, status = as_count(entry.get("id")), as_count(entry.get("status"))
    if run_id is None or status is None:
        return None
    trigger, job = as_map(entry.get("trigger")), as_map(entry.get("job"))
    asked = any(trigger.get(key) for key in PULL_REQUEST) or job.get("job_type") == CI_JOB
    cause = as_text(trigger.get("cause")) or ""
    found = _EMAIL.search(cause[:2_000])
    return CloudRun(
        id=run_id,
        job_id=as_count(entry.get("job_definition_id")) or as_count(entry.get("job_id")),
        job_name=as_short(job.get("name")),
        environment_id=as_count(entry.get("environment_id")),
        status=status,
        message=as_short(entry.get("status_message")),
        git_sha=as_short(entry.get("git_sha")) or as_short(trigger.get("git_sha")),
        started_by=found.group() if found else None,
        for_pull_request=asked,
        finished_at=as_instant(entry.get("finished_at")),
        artifacts_saved=entry.get("artifacts_saved") is not False,
    )


def _step(entry: Mapping[str, object]) -> CloudStep | None:
    index = as_count(entry.get("index"))
    if index is None or index < 1:
        return None
    return CloudStep(index=index, command=command_of(as_text(entry.get("name")) or ""))


def command_of(name: str) -> str | None:
    """Return ``build`` for "Invoke dbt with `dbt --warn-error build --select x`"; None when no command is named."""
    quoted = _COMMAND.search(name)
    words = quoted.group(1).casefold().split() if quoted else []
    if not words or words[0] != "dbt":
        return None
    known = RUNS | OTHER_COMMANDS | {FRESHNESS}
    return next((word for word in words[1:] if word in known), None)


def nothing_ran(run: CloudRun) -> Invocation | None:
    """Return an invocation without results for a run that failed before dbt wrote any, as after a parse error."""
    if run.status != RunStatus.ERROR or run.finished_at is None:
        return None
    return Invocation(
        generated_at=run.finished_at,
        invocation_id=f"dbt-cloud-run-{run.id}",
        command=None,
        outcomes=(),
        git_sha=run.git_sha,
    )


def deployers(runs: Sequence[CloudRun]) -> Mapping[int, str]:
    """Return who started the first run of each new commit of a job, by the run's id.

    Without an earlier run to compare with nobody is named.
    """
    found: dict[int, str] = {}
    last: dict[int | None, str] = {}
    for run in sorted(runs, key=lambda run: run.id):
        before = last.get(run.job_id)
        if run.git_sha is None:
            continue
        if before is not None and before != run.git_sha and run.started_by:
            found[run.id] = run.started_by
        last[run.job_id] = run.git_sha
    return found
