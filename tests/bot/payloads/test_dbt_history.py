"""What is remembered of a project between two looks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Final

from bot.payloads import dbt_history
from bot.payloads.dbt_facts import line_of
from bot.payloads.dbt_history import MOST_OUTCOMES, MOST_RUNS, History
from bot.payloads.dbt_manifest import Project, read_manifest
from bot.payloads.dbt_runs import Invocation, Outcome, read_run_results
from tests.bot.sources.dbt_world import NOON, RAW, SQL, STAGED, manifest, run_results

HOUR: Final = timedelta(hours=1)


def project_of(invocation_id: str = "inv-1", *, compiled: bool = True) -> Project:
    """The manifest of an invocation, with or without compiled SQL."""
    document = manifest(invocation_id=invocation_id)
    if not compiled:
        for node in document["nodes"].values():
            node.pop("compiled_code", None)
    return read_manifest(json.dumps(document))


def run_of(number: int, size: int = 1) -> Invocation:
    """An invocation with *size* results, *number* hours after noon."""
    outcomes = (Outcome(unique_id=STAGED, status="success"),) * size
    at = NOON + number * HOUR
    return Invocation(
        generated_at=at, invocation_id=f"inv-{number}", command="run", outcomes=outcomes
    )


def test_only_the_newest_runs_are_kept() -> None:
    """Of many runs the newest stay, in whatever order they come."""
    history = History()
    for number in (*range(0, 80, 2), *range(79, 0, -2)):
        history.ran(run_of(number), None, NOON)
    kept = {f"inv-{number}" for number in range(80 - MOST_RUNS, 80)}
    assert set(history.runs) == kept


def test_big_runs_crowd_out_old_ones() -> None:
    """Memory is bounded by results, not by runs alone; the newest run stays however big it is."""
    history = History()
    for number in range(5):
        history.ran(run_of(number, MOST_OUTCOMES // 2), None, NOON)
    assert set(history.runs) == {"inv-3", "inv-4"}
    history.ran(run_of(5, MOST_OUTCOMES + 1), None, NOON)
    assert set(history.runs) == {"inv-5"}


def test_a_run_read_again_keeps_what_was_known() -> None:
    """Checksums and the time at which it was first seen outlive a manifest that was overwritten."""
    history = History()
    run = read_run_results(json.dumps(run_results()))
    history.knows(project_of())
    history.ran(run, None, NOON)
    history.knows(project_of("inv-2"))
    history.ran(run, None, NOON + HOUR)
    only = history.runs["inv-1"]
    assert only.checksums
    assert only.seen_at == NOON


def test_a_manifest_that_comes_after_its_run() -> None:
    """A run gets its checksums when its manifest is seen later."""
    history = History()
    history.ran(read_run_results(json.dumps(run_results())), None, NOON)
    assert not history.runs["inv-1"].checksums
    history.knows(project_of())
    assert STAGED in history.runs["inv-1"].checksums


def test_sql_from_the_results_of_a_run() -> None:
    """Where the manifest was written before compiling, the run's own SQL is read, and kept nowhere else."""
    results = run_results()
    for row in results["results"]:
        row["compiled_code"] = SQL.get(row["unique_id"])
    history, project = History(), project_of(compiled=False)
    history.knows(project)
    history.ran(read_run_results(json.dumps(results)), None, NOON)
    used = history.columns_used(())
    assert used is not None
    assert f"{RAW}.total_price" in (used(line_of(project, RAW)) or {})[STAGED]
    assert not any(one.sql for one in history.runs["inv-1"].invocation.outcomes)


def test_without_sql_nobody_claims_anything() -> None:
    """No compiled SQL anywhere: which columns are read is not known."""
    history, project = History(), project_of(compiled=False)
    history.knows(project)
    used = history.columns_used(())
    assert used is not None
    assert used(line_of(project, RAW)) is None
    assert History().columns_used(()) is None
    assert dbt_history.can_read_sql()
