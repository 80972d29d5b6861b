"""What dbt did to the nodes the dataset is built from."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

from rca.case import DbtResult, DbtRun
from rca.view.instants import epoch_s, epochs_s
from rca.view.lineage import LineageView

MAX_RUNS: Final = 90  # newest runs; a model that broke earlier is not today's news
FAILED: Final = frozenset({"error", "fail", "failed", "runtime error", "partial success"})
PASSED: Final = frozenset({"success", "pass", "passed", "warn"})
TABLES: Final = frozenset({"model", "source", "snapshot", "seed"})
SKIPPED: Final = frozenset({"skipped", "no-op"})


class NodeStep(NamedTuple):
    """One result of one node, with the run it belongs to; a tuple, because a case brings tens of thousands.

    ``status`` is the result's own in lower case.
    """

    run: DbtRun
    result: DbtResult
    status: str

    @property
    def at(self) -> datetime:
        """When the run's artifact was written."""
        return self.run.dbt_generated_at

    @property
    def failed(self) -> bool:
        """Whether the node failed by itself, not because something above it did."""
        return self.status in FAILED

    @property
    def passed(self) -> bool:
        """Whether the node ran and ended well."""
        return self.status in PASSED

    @property
    def skipped(self) -> bool:
        """Whether the node did not run."""
        return self.status in SKIPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHistory:
    """All results of one node, oldest first; ``depth`` is its distance above the dataset, 0 for the dataset itself."""

    unique_id: str
    depth: int
    steps: tuple[NodeStep, ...]

    def until(self, instant: datetime) -> tuple[NodeStep, ...]:
        """Return the results that were there at *instant*."""
        if self.steps and self.steps[-1].at <= instant:  # nearly always, and cheaper to ask once
            return self.steps
        return self.steps[: bisect_right(self.steps, instant, key=attrgetter("at"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtView:
    """Histories of the models that feed the dataset and of the tests on them; ``failures`` are those of any node."""

    models: tuple[NodeHistory, ...]
    tests: tuple[NodeHistory, ...]
    runs: tuple[DbtRun, ...]
    failures: tuple[NodeStep, ...]


def read_dbt(runs: Sequence[DbtRun], lineage: LineageView, as_of: datetime) -> DbtView:
    """Return the histories of the dataset's own nodes in the newest MAX_RUNS runs known at *as_of*."""
    known = _newest(runs, as_of)
    upstream, tested = lineage.upstream, _tests(lineage) | _tests_by_name(known, lineage)
    looked_at = upstream.keys() | tested.keys()
    models: defaultdict[str, list[NodeStep]] = defaultdict(list)
    tests: defaultdict[str, list[NodeStep]] = defaultdict(list)
    failures: list[NodeStep] = []
    for run in known:
        for result in run.results:
            name, status = result.unique_id, result.status.casefold()
            failed = status in FAILED
            if not failed and name not in looked_at:
                continue
            step = NodeStep(run, result, status)
            if failed:
                failures.append(step)
            if name in upstream and not is_test(result):
                models[name].append(step)
            elif name in tested:
                tests[name].append(step)
    return DbtView(
        models=tuple(_history(name, steps, upstream[name]) for name, steps in models.items()),
        tests=tuple(_history(name, steps, tested[name]) for name, steps in tests.items()),
        runs=tuple(known),
        failures=tuple(failures),
    )


def _newest(runs: Sequence[DbtRun], as_of: datetime) -> list[DbtRun]:
    """Return the newest MAX_RUNS runs written by *as_of*, oldest first; one that was delivered twice counts once."""
    until_s = epoch_s(as_of)
    written_s = epochs_s([run.dbt_generated_at for run in runs])
    begun = [pair for pair in zip(written_s, runs, strict=True) if pair[0] <= until_s]
    begun.sort(key=itemgetter(0))
    return [run for _, run in _once(begun)[-MAX_RUNS:]]


def _once(begun: Sequence[tuple[float, DbtRun]]) -> list[tuple[float, DbtRun]]:
    last: dict[tuple[float, str | None], DbtRun] = {}
    kept = []
    for written_s, run in begun:
        key = (written_s, run.invocation_id)
        if last.get(key) != run:  # parts of one run may come as runs of the same id and time
            last[key] = run
            kept.append((written_s, run))
    return kept


def is_test(result: DbtResult) -> bool:
    """Return whether *result* is of a test, by its type, else by its id."""
    return (result.resource_type or result.unique_id.partition(".")[0]) in ("test", "unit_test")


def _tests(lineage: LineageView) -> dict[str, int]:
    """Return each test on the dataset or on what feeds it, with the smallest distance of the nodes it looks at."""
    found: dict[str, int] = {}
    for node, depth in lineage.upstream.items():
        for child in lineage.children.get(node, ()):
            if child not in lineage.upstream and child.partition(".")[0] in ("test", "unit_test"):
                found[child] = min(found.get(child, depth), depth)
    return found


def _tests_by_name(runs: Sequence[DbtRun], lineage: LineageView) -> dict[str, int]:
    """Return tests that the graph does not know, by the name of the node that dbt writes into a test's own name.

    The longest name that fits decides, so that a test on ``orders_daily`` is not taken for one on ``orders``.
    """
    graph = lineage.lineage.parents if lineage.lineage is not None else {}
    orphans = {
        r.unique_id for run in runs for r in run.results if r.unique_id not in graph and is_test(r)
    }
    if not orphans or not lineage.upstream:
        return {}
    nodes = {*graph, *lineage.children, *lineage.upstream, *(r.unique_id for r in runs[-1].results)}
    names = {node: f"_{table_name(node)}_" for node in nodes if node.partition(".")[0] in TABLES}
    found: dict[str, int] = {}
    for test in orphans:
        text = f"_{'_'.join(test.split('.')[2:3])}_"
        fits = [node for node, name in names.items() if name in text]
        best = max(fits, key=lambda node: (len(names[node]), node), default=None)
        if best is not None and best in lineage.upstream:
            found[test] = lineage.upstream[best]
    return found


def table_name(node: str) -> str:
    """Return what a test on *node* carries in its name: the model, or source and table."""
    parts = node.split(".")
    return "_".join(parts[2:4]) if parts[0] == "source" else parts[-1]


def _history(name: str, steps: list[NodeStep], depth: int) -> NodeHistory:
    return NodeHistory(unique_id=name, depth=depth, steps=tuple(steps))


def code_changed(step: NodeStep, before: NodeStep | None) -> bool | None:
    """Return whether the node's code differs from the run before, by checksum, else by commit; None when unknown."""
    if before is None:
        return None
    if step.result.checksum and before.result.checksum:
        return step.result.checksum != before.result.checksum
    if step.run.git_sha and before.run.git_sha:
        return step.run.git_sha != before.run.git_sha
    return None
