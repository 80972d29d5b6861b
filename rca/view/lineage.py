"""What lies upstream of the dataset, and who uses its columns."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from rca.case import Lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageView:
    """The dataset's place in the graph.

    ``upstream`` holds the dataset's own node (depth 0) and every ancestor with its distance; ``known`` is False when
    the graph or the node is missing, and then ``upstream`` holds at most the node itself.
    ``tests`` are the nodes that hang on one of them without being one of them.
    """

    known: bool
    node: str | None
    upstream: Mapping[str, int]
    children: Mapping[str, tuple[str, ...]]
    lineage: Lineage | None

    def uses_column(self, column: str) -> bool | None:
        """Return whether some model reads *column* of the dataset or of what feeds it; None when nobody knows."""
        if not self.known or self.lineage is None or self.lineage.columns_used is None:
            return None
        wanted = column.casefold()
        answer: bool | None = None
        for columns in self.lineage.columns_used.values():
            for qualified in columns:
                owner, _, name = qualified.rpartition(".")
                if owner in self.upstream:
                    if name.casefold() == wanted:
                        return True
                    answer = False
        return answer

    def users_of(self, column: str) -> frozenset[str]:
        """Return the nodes that read *column* of the dataset or of what feeds it."""
        if self.lineage is None or self.lineage.columns_used is None:
            return frozenset()
        wanted = {f"{owner}.{column}".casefold() for owner in self.upstream}
        return frozenset(
            user
            for user, columns in self.lineage.columns_used.items()
            if any(qualified.casefold() in wanted for qualified in columns)
        )

    def tested_by(self, test: str) -> tuple[str, ...]:
        """Return the nodes that *test* looks at; of one that the graph does not know, all that it may look at."""
        above = self.lineage.parents.get(test) if self.lineage is not None else None
        return tuple(above or self.upstream)


def read_lineage(lineage: Lineage | None, node: str | None) -> LineageView:
    """Return where *node* stands in *lineage*; cycles and unknown nodes do no harm."""
    parents = lineage.parents if lineage is not None else {}
    children: dict[str, list[str]] = {}
    for child, above in parents.items():
        for parent in above:
            children.setdefault(parent, []).append(child)
    known = node is not None and (node in parents or node in children)
    return LineageView(
        known=known,
        node=node,
        upstream=_distances(parents, node),
        children={parent: tuple(below) for parent, below in children.items()},
        lineage=lineage,
    )


def _distances(parents: Mapping[str, tuple[str, ...]], node: str | None) -> dict[str, int]:
    if node is None:
        return {}
    found = {node: 0}
    queue = deque([node])
    while queue:
        here = queue.popleft()
        for parent in parents.get(here, ()):
            if parent not in found:
                found[parent] = found[here] + 1
                queue.append(parent)
    return found
