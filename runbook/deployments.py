"""When dbt code was last deployed, and whether models failed soon after."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from rca.case import DbtRun
from runbook.facts import Deployment

RECENT_DEPLOYMENT: Final = timedelta(hours=24)  # ours; the runbook, step 3, says "recent"
FAILED: Final = frozenset({"error", "fail", "partial success"})
PASSED: Final = frozenset({"success", "pass", "warn"})


def last_deployment(runs: Sequence[DbtRun], failed_at: datetime) -> Deployment | None:
    """Return the last deployment not after *failed_at*, or None when none is known.

    ``recent`` is true when things failed within ``RECENT_DEPLOYMENT`` of it, the last instant included.
    Where only the commit is known, the first run of a new commit stands for its deployment.
    """
    known = [_deployment(run, at) for run, at in _deployed(runs) if at <= failed_at]
    if not known:
        return None
    last = max(known, key=lambda deployment: deployment.at)
    return last.model_copy(update={"recent": failed_at - last.at <= RECENT_DEPLOYMENT})


def failing_since(runs: Sequence[DbtRun], nodes: Collection[str], seen_at: datetime) -> datetime:
    """Return the first run of the unbroken series of failures of *nodes* that was seen at *seen_at*.

    A deployment after that instant did not cause them. Runs that did not build the nodes say nothing.
    """
    since = seen_at
    before = (run for run in _in_order(runs) if run.dbt_generated_at <= seen_at)
    for run in reversed(list(before)):
        statuses = {result.status for result in run.results if result.unique_id in nodes}
        if statuses & FAILED:
            since = run.dbt_generated_at
        elif statuses & PASSED:
            break
    return since


def _deployed(runs: Sequence[DbtRun]) -> list[tuple[DbtRun, datetime]]:
    ordered = _in_order(runs)
    said = [(run, run.deployed_at) for run in ordered if run.deployed_at is not None]
    seen = [
        (run, run.dbt_generated_at)
        for before, run in pairwise(run for run in ordered if run.git_sha is not None)
        if run.deployed_at is None and run.git_sha != before.git_sha
    ]
    return said + seen


def _deployment(run: DbtRun, at: datetime) -> Deployment:
    return Deployment(at=at, by=run.deployed_by, git_sha=run.git_sha, recent=False)


def _in_order(runs: Sequence[DbtRun]) -> list[DbtRun]:
    return sorted(runs, key=lambda run: run.dbt_generated_at)
