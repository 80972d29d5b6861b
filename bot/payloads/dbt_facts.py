"""What a dbt project and its invocations say of one dataset, as facts of its case. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.catalog import parts_of
from bot.payloads.dbt_catalog import Catalogued
from bot.payloads.dbt_manifest import Project
from bot.payloads.dbt_nodes import TESTS, Columns, Node
from bot.payloads.dbt_runs import FreshnessCheck, Invocation, Outcome
from bot.ports import Offer
from rca.case import Column, ColumnSnapshot, DbtResult, DbtRun, DqResult, Exposure, Lineage

DQ_STATUS: Final[Mapping[str, str]] = {"pass": "passed", "fail": "failed", "warn": "warning"}
"""dbt's words for the outcome of a test in the runbook's words; what is missing here stays as it is."""

OFFERED: Final = frozenset({"model", "source", "seed", "snapshot"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A dataset's place in the project: what it is built from, what is built from it, and the tests on its way.

    ``tests`` look at the dataset or at what it is built from; ``own_tests`` at the dataset itself.
    """

    node: str
    upstream: frozenset[str]
    downstream: frozenset[str]
    tests: frozenset[str]
    own_tests: frozenset[str]

    @property
    def nodes(self) -> frozenset[str]:
        """The dataset's node with everything above, below and about it."""
        return self.upstream | self.downstream | self.tests | {self.node}


def line_of(project: Project, node: str) -> Line:
    """Return the place of *node*; a cycle ends by itself."""
    upstream = _reached(project.parents, node)
    below = _reached(project.children, node)
    looked_at = [node, *upstream]
    tests = {
        child
        for one in looked_at
        for child in project.children.get(one, ())
        if project.nodes[child].kind in TESTS
    }
    return Line(
        node=node,
        upstream=upstream,
        downstream=frozenset(one for one in below if project.nodes[one].kind not in TESTS),
        tests=frozenset(tests),
        own_tests=frozenset(one for one in tests if _tests_node(project, one, node)),
    )


def _reached(edges: Mapping[str, tuple[str, ...]], start: str) -> frozenset[str]:
    found: set[str] = set()
    waiting = deque(edges.get(start, ()))
    while waiting:
        here = waiting.popleft()
        if here not in found and here != start:
            found.add(here)
            waiting.extend(edges.get(here, ()))
    return frozenset(found)


def _tests_node(project: Project, test: str, node: str) -> bool:
    """Whether the test is written on the node; before manifest v9 it is the first one that it reads."""
    attached = project.nodes[test].attached
    return node == (attached or next(iter(project.parents.get(test, ())), None))


def lineage(
    project: Project, line: Line, columns_used: Mapping[str, tuple[str, ...]] | None
) -> Lineage:
    """Return the part of the graph that matters to the dataset.

    Critical models are not known, rather than none, in a project that marks no node as critical or not.
    """
    inside = line.nodes
    exposures = tuple(
        _exposure(project, node)
        for node in sorted(line.downstream)
        if project.nodes[node].kind == "exposure"
    )
    critical = tuple(
        one
        for one in sorted(line.downstream | line.upstream | {line.node})
        if project.nodes[one].critical
    )
    return Lineage(
        parents={
            one: tuple(parent for parent in project.parents.get(one, ()) if parent in inside)
            for one in sorted(inside)
        },
        columns_used=None if columns_used is None else dict(columns_used),
        critical_models=critical if project.marks_critical else None,
        exposures=exposures,
    )


def _exposure(project: Project, unique_id: str) -> Exposure:
    node = project.nodes[unique_id]
    return Exposure(
        unique_id=unique_id,
        name=node.name,
        depends_on=project.parents.get(unique_id, ()),
        merchant_facing=node.merchant_facing,
    )


def with_checksums(invocation: Invocation, project: Project | None) -> Mapping[str, str]:
    """Return the checksums of the code that *invocation* ran: only the manifest that it wrote itself knows them."""
    if project is None or not invocation.invocation_id:
        return {}
    if project.invocation_id != invocation.invocation_id:
        return {}
    ran = (outcome.unique_id for outcome in invocation.outcomes)
    nodes = ((one, project.nodes.get(one)) for one in ran)
    return {one: node.checksum for one, node in nodes if node and node.checksum}


def dbt_run(invocation: Invocation, line: Line, checksums: Mapping[str, str]) -> DbtRun:
    """Return the invocation with its results for the nodes that matter to the dataset."""
    wanted = line.nodes
    return DbtRun(
        invocation_id=invocation.invocation_id,
        dbt_generated_at=invocation.generated_at,
        command=invocation.command,
        git_sha=invocation.git_sha,
        deployed_by=invocation.deployed_by,
        deployed_at=invocation.deployed_at,
        results=tuple(
            _result(outcome, checksums.get(outcome.unique_id))
            for outcome in invocation.outcomes
            if outcome.unique_id in wanted
        ),
    )


def _result(outcome: Outcome, checksum: str | None) -> DbtResult:
    return DbtResult(
        unique_id=outcome.unique_id,
        resource_type=outcome.kind,
        status=outcome.status,
        message=outcome.message,
        execution_time_s=outcome.execution_time_s,
        checksum=checksum,
        rows_affected=outcome.rows_affected,
    )


def check_results(
    invocation: Invocation, project: Project, line: Line, as_of: datetime
) -> tuple[DqResult, ...]:
    """Return the outcomes of the tests on the dataset itself; those that were skipped looked at nothing."""
    return tuple(
        _dq_result(outcome, project.nodes[outcome.unique_id], invocation)
        for outcome in invocation.outcomes
        if outcome.unique_id in line.own_tests
        and outcome.status != "skipped"
        and (outcome.ended_at or invocation.generated_at) <= as_of
    )


def _dq_result(outcome: Outcome, test: Node, invocation: Invocation) -> DqResult:
    run = invocation.invocation_id or f"{invocation.generated_at:%Y%m%dT%H%M%S%fZ}"
    said: dict[str, object] = {"unique_id": outcome.unique_id, "tool": "dbt"}
    if outcome.failures is not None:
        said["failures"] = outcome.failures
    if outcome.message:
        said["message"] = outcome.message
    return DqResult(
        id=f"{run}:{outcome.unique_id}",
        check_id=test.name,
        status=DQ_STATUS.get(outcome.status, outcome.status),
        severity=test.severity,
        context_metadata=said,
        executed_at=outcome.ended_at or invocation.generated_at,
        correlation_id=invocation.invocation_id,
    )


def freshness_results(
    check: FreshnessCheck, project: Project, line: Line, as_of: datetime
) -> tuple[DqResult, ...]:
    """Return what ``dbt source freshness`` said of the dataset's own source."""
    node = project.nodes[line.node]
    return tuple(
        DqResult(
            id=f"{check.invocation_id or check.generated_at.isoformat()}:{one.unique_id}",
            check_id=f"source_freshness_{node.name}",
            status={"error": "failed"}.get(one.status, DQ_STATUS.get(one.status, one.status)),
            context_metadata={
                "unique_id": one.unique_id,
                "tool": "dbt",
                "max_loaded_at": one.max_loaded_at.isoformat() if one.max_loaded_at else None,
                "age_s": one.age_s,
                "message": one.message,
            },
            executed_at=one.checked_at,
            correlation_id=check.invocation_id,
        )
        for one in check.sources
        if one.unique_id == line.node and one.checked_at <= as_of
    )


def snapshots(
    catalogs: Iterable[Catalogued], line: Line, as_of: datetime
) -> tuple[ColumnSnapshot, ...]:
    """Return the dataset's columns as each catalog knows them, the oldest first."""
    known = (one for one in catalogs if line.node in one.columns and one.generated_at <= as_of)
    return tuple(
        ColumnSnapshot(captured_at=one.generated_at, columns=_typed(one.columns[line.node]))
        for one in sorted(known, key=lambda one: one.generated_at)
    )


def _typed(columns: Columns) -> tuple[Column, ...]:
    return tuple(Column(name=name, type=kind) for name, kind in columns)


def offers(source_id: str, project: Project, catalog: Catalogued | None) -> tuple[Offer, ...]:
    """Return every table of the project as something that could be a dataset, by its unique id."""
    nodes = sorted(
        (node for node in project.nodes.values() if node.kind in OFFERED and node.relation),
        key=lambda node: node.unique_id,
    )
    columns = catalog.columns if catalog else {}
    return tuple(
        Offer(
            source_id=source_id,
            title=node.name,
            relation=_plain(node.relation or ""),
            dbt_node=node.unique_id,
            critical=node.critical,
            merchant_facing=node.merchant_facing or _is_shown(project, node.unique_id),
            owner=node.owner,
            columns=_typed(columns.get(node.unique_id) or node.columns) or None,
        )
        for node in nodes
    )


def _plain(relation: str) -> str:
    """The name without quotes, as people write it, where it means the same without them."""
    plain = relation.replace('"', "").replace("`", "")
    return plain if parts_of(plain) == parts_of(relation) else relation


def _is_shown(project: Project, unique_id: str) -> bool | None:
    """True when something that merchants see is built from the node."""
    below = _reached(project.children, unique_id)
    return any(project.nodes[one].merchant_facing for one in below) or None


def compiled_by(invocation: Invocation) -> Mapping[str, str]:
    """Return the SQL that nodes were compiled to, where a run's results say it."""
    return {o.unique_id: o.sql for o in invocation.outcomes if o.sql}


def without_sql(invocation: Invocation) -> Invocation:
    """Return the invocation without SQL, which is most of its size."""
    return replace(
        invocation,
        outcomes=tuple(replace(o, sql=None) if o.sql else o for o in invocation.outcomes),
    )


def with_sql(project: Project, compiled: Mapping[str, str]) -> Project:
    """Return the project with SQL for the nodes that have none: some versions of dbt write it before they compile."""
    missing = {
        unique_id: replace(project.nodes[unique_id], sql=sql)
        for unique_id, sql in compiled.items()
        if unique_id in project.nodes and project.nodes[unique_id].sql is None
    }
    return replace(project, nodes={**project.nodes, **missing}) if missing else project
