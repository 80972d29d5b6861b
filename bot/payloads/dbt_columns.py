"""Which columns each model reads, from the SQL that dbt compiled. Needs sqlglot: the extra ``lineage``.

A column counts as read by a model when its SQL names it. A model that passes a table on with ``select *`` reads none
of it by name, so whoever names a column of that model reads it of the table behind as well.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.catalog import parts_of
from bot.payloads.dbt_facts import Line
from bot.payloads.dbt_manifest import Project
from bot.payloads.dbt_nodes import Node
from bot.payloads.sql_columns import Read, TableOf, Unreadable, read_columns

MOST_PARSED: Final = 400_000  # characters of SQL for one question: some 2.5 s at 6 µs each
MOST_COLUMNS: Final = 2_000  # kept of one model
DIALECTS: Final[Mapping[str, str]] = {
    "athena": "athena",
    "bigquery": "bigquery",
    "clickhouse": "clickhouse",
    "databricks": "databricks",
    "dremio": "dremio",
    "duckdb": "duckdb",
    "fabric": "tsql",
    "mysql": "mysql",
    "oracle": "oracle",
    "postgres": "postgres",
    "redshift": "redshift",
    "snowflake": "snowflake",
    "spark": "spark",
    "sqlite": "sqlite",
    "sqlserver": "tsql",
    "synapse": "tsql",
    "teradata": "teradata",
    "trino": "trino",
}
"""sqlglot's names of dialects by dbt's adapter types; for others its general one is tried."""

_WORD: Final = re.compile(r"[^\W\d]\w*")


@dataclass(slots=True, kw_only=True)
class ColumnReader:
    """Reads the models of one project, each once.

    ``known`` holds the columns of nodes, in lower case, where a catalog tells them all; where it does not, a column
    without its table's name in a join counts for every table that could have it: in SQL that runs only one has it.
    ``unreadable`` are the models whose SQL sqlglot does not understand; for them every word of it that can be a
    column counts. So they do for models beyond the first ``MOST_PARSED`` of a question, until a later one has time.
    """

    project: Project
    known: Mapping[str, frozenset[str]]
    unreadable: set[str] = field(default_factory=set)
    read_already: dict[str, Read] = field(default_factory=dict)
    left: int = MOST_PARSED

    def used(self, line: Line) -> Mapping[str, tuple[str, ...]] | None:
        """Return the columns of the dataset, and of what it is built from, that each model of its line reads.

        Returns:
            Lists of ``NODE.COLUMN`` by model; None when no model that could read them has compiled SQL.
        """
        owners = line.upstream | {line.node}
        found: dict[str, tuple[str, ...]] = {}
        looked = False
        self.left = MOST_PARSED
        for model in self._readers(line):
            looked = True
            columns = {
                f"{one}.{column}"
                for owner, column in self._behind(model)
                for one in (owner, self._builder(owner))
                if one in owners
            }
            if columns:
                found[model.unique_id] = tuple(sorted(columns)[:MOST_COLUMNS])
        return found if looked else None

    def _readers(self, line: Line) -> Iterator[Node]:
        """The models of the line that may read a column of the owners, nearest to the dataset first."""
        waiting = deque([line.node, *sorted(line.upstream)])
        inside = line.downstream | line.upstream | {line.node}
        seen: set[str] = set()
        while waiting:
            for child in self.project.children.get(waiting.popleft(), ()):
                if child in seen or child not in inside:
                    continue
                seen.add(child)
                node = self.project.nodes[child]
                if node.sql is None or self._read(node).passed_on:
                    waiting.append(child)
                if node.sql is not None:
                    yield node

    def _behind(self, model: Node) -> set[tuple[str, str]]:
        """What the model reads by name, also of the tables that other models only pass on."""
        found: set[tuple[str, str]] = set()
        waiting = list(self._read(model).used)
        while waiting:
            owner, column = waiting.pop()
            if (owner, column) in found:
                continue
            found.add((owner, column))
            above = self.project.nodes[owner]
            if above.sql is not None:
                read = self._read(above)
                if column.casefold() not in read.named:
                    waiting.extend((source, column) for source in read.passed_on)
        return found

    def _read(self, model: Node) -> Read:
        known = self.read_already.get(model.unique_id)
        if known is None and self.left <= 0:
            return self._words(model)
        if known is None:
            self.left -= len(model.sql or "")
            known = self.read_already[model.unique_id] = self._fresh(model)
        return known

    def _fresh(self, model: Node) -> Read:
        dialect = DIALECTS.get((self.project.adapter or "").casefold())
        try:
            return read_columns(model.sql or "", dialect, self._tables_of(model), self.known)
        except Unreadable:
            self.unreadable.add(model.unique_id)
            return self._words(model)

    def _tables_of(self, model: Node) -> TableOf:
        """Who the tables in a model's SQL are: first of all what the model says it is built from."""
        nodes = self.project.nodes
        above = {
            parts_of(nodes[parent].relation or ""): parent
            for parent in self.project.parents.get(model.unique_id, ())
        }

        def table_of(parts: Sequence[str]) -> str | None:
            name = tuple(part.casefold() for part in parts)
            return above.get(name) or self.project.by_relation.get(name)

        return table_of

    def _builder(self, node: str) -> str | None:
        """The node that builds the table which *node* only reads, as a source of what is a model here."""
        relation = parts_of(self.project.nodes[node].relation or "")
        builder = self.project.by_relation.get(relation)
        return builder if builder != node else None

    def _words(self, model: Node) -> Read:
        words = frozenset(word.casefold() for word in _WORD.findall(model.sql or ""))
        parents = self.project.parents.get(model.unique_id, ())
        used = frozenset(
            (parent, word)
            for parent in parents
            for word in words & (self.known.get(parent) or words)
        )
        return Read(used=used)
