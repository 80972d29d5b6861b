"""Questions to the lineage graph that the runbook asks: what lies downstream, and which columns are used where."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping

from rca.case import Dataset, Exposure, Lineage
from rca.evidence import ColumnChange
from runbook.facts import ColumnUse


def downstream(lineage: Lineage, starts: Collection[str]) -> frozenset[str]:
    """Return *starts* and every node that is built from them, at any distance; a cycle ends by itself."""
    children: Mapping[str, list[str]] = _children(lineage)
    reached = set(starts)
    waiting = deque(starts)
    while waiting:
        for child in children.get(waiting.popleft(), ()):
            if child not in reached:
                reached.add(child)
                waiting.append(child)
    return frozenset(reached)


def exposures_hit(lineage: Lineage | None, dataset: Dataset | None) -> tuple[Exposure, ...] | None:
    """Return the exposures that depend on the dataset at any distance, or None when that is not known."""
    if lineage is None or lineage.exposures is None or dataset is None or dataset.dbt_node is None:
        return None
    reached = downstream(lineage, (dataset.dbt_node,))
    return tuple(
        exposure
        for exposure in lineage.exposures
        if exposure.unique_id in reached or not reached.isdisjoint(exposure.depends_on)
    )


def critical_uses(
    lineage: Lineage | None, dataset: Dataset | None, changes: Collection[ColumnChange]
) -> tuple[ColumnUse, ...] | None:
    """Return the critical models that use one of the changed columns, directly or through other models.

    Returns:
        One entry per column, change and model; None when columns used or critical models are not known.
    """
    if lineage is None or lineage.columns_used is None or lineage.critical_models is None:
        return None
    prefixes = () if dataset is None else (dataset.dbt_node, dataset.relation)
    nodes = [prefix for prefix in prefixes if prefix]
    if not nodes:
        return None
    users = _users(lineage.columns_used)
    critical = sorted(set(lineage.critical_models))
    found = []
    for change in changes:
        named = (users.get(f"{node}.{change.column}".casefold(), ()) for node in nodes)
        reached = downstream(lineage, {user for users_of in named for user in users_of})
        found += [
            ColumnUse(column=change.column, change=change.change, model=model)
            for model in critical
            if model in reached
        ]
    return tuple(found)


def _users(columns_used: Mapping[str, tuple[str, ...]]) -> Mapping[str, list[str]]:
    """Nodes by the column they use; warehouses differ in the case of names, so it is ignored."""
    users: defaultdict[str, list[str]] = defaultdict(list)
    for node, columns in columns_used.items():
        for column in columns:
            users[column.casefold()].append(node)
    return users


def _children(lineage: Lineage) -> Mapping[str, list[str]]:
    children: defaultdict[str, list[str]] = defaultdict(list)
    for child, parents in lineage.parents.items():
        for parent in parents:
            children[parent].append(child)
    return children
