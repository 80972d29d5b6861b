"""dbt's manifest.json, any version from v1 to v12 and Fusion's, as a slim index of one project.

Macros and documentation are most of the file and of no use here; what is kept of them is whether they changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from sys import intern
from typing import Final

from bot.catalog import Parts, parts_of
from bot.payloads.dbt_checksums import Checksums, Code, Macro, code_of, macro_of
from bot.payloads.dbt_document import (
    Pieces,
    as_map,
    as_name,
    as_text,
    as_texts,
)
from bot.payloads.dbt_nodes import TABLES, Node, node_of, person_of

MANIFEST: Final = "manifest.json"
SECTIONS: Final = (
    "nodes",
    "sources",
    "exposures",
    "metrics",
    "semantic_models",
    "saved_queries",
    "unit_tests",
    "functions",
)
OBJECTS: Final = frozenset({*SECTIONS, "metadata", "macros"})
SCHEMA_AND_TABLE: Final = 2  # parts of a name without its database


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One manifest: its nodes, what each is built from and what is built from it, and nodes by relation."""

    adapter: str | None
    generated_at: datetime
    invocation_id: str | None
    nodes: Mapping[str, Node]
    parents: Mapping[str, tuple[str, ...]]
    children: Mapping[str, tuple[str, ...]]
    by_relation: Mapping[Parts, str]

    def node_of(self, dbt_node: str | None, relation: str | None) -> str | None:
        """Return the unique id of a dataset's node: the one it names, else, as after a renaming, its relation's."""
        if dbt_node in self.nodes:
            return dbt_node
        parts = parts_of(relation or "")
        found = self.by_relation.get(parts)
        if found is not None or len(parts) <= SCHEMA_AND_TABLE:
            return found
        shorter = self.by_relation.get(parts[1:])  # the manifest may leave the database out
        whole = self.nodes[shorter].relation if shorter else None
        return shorter if parts_of(whole or "") == parts[1:] else None

    @property
    def marks_critical(self) -> bool:
        """Whether the project says of any node whether it is critical; if not, nobody knows."""
        return any(node.critical is not None for node in self.nodes.values())


@dataclass(slots=True)
class _Draft:
    """What a walk through the manifest has found so far; macros and groups come after the nodes that use them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    depends_on: dict[str, object] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    group_of: dict[str, str] = field(default_factory=dict)
    macros: dict[str, Macro] = field(default_factory=dict)
    code_of: dict[str, Code] = field(default_factory=dict)

    def add(self, section: str, key: str, value: Mapping[str, object]) -> None:
        """Take one entry of one section."""
        if section in SECTIONS and as_name(key):
            self._add_node(intern(key), value)
        elif section == "macros":
            self.macros[intern(key)] = macro_of(value)
        elif section == "groups":
            name, owner = as_text(value.get("name")), person_of(value.get("owner"))
            if name and owner:
                self.groups[name] = owner

    def _add_node(self, unique_id: str, entry: Mapping[str, object]) -> None:
        node = node_of(unique_id, entry)
        self.nodes[unique_id] = node
        self.depends_on[unique_id] = as_map(entry.get("depends_on")).get("nodes")
        if node.kind in TABLES and (code := code_of(entry)) is not None:
            self.code_of[unique_id] = code
        group = as_text(entry.get("group")) or as_text(as_map(entry.get("config")).get("group"))
        if group and node.owner is None:
            self.group_of[unique_id] = group


def read_manifest(raw: bytes | str, what: str = MANIFEST) -> Project:
    """Return the index of a manifest; unknown fields and versions are no obstacle.

    Raises:
        ArtifactError: it is no manifest; the text names *what* and the field.
    """
    draft = _Draft()
    pieces = Pieces(what, OBJECTS)
    for section, key, value in pieces.of(raw):
        draft.add(section, key, value)
    return _project(draft, pieces.metadata, pieces.generated_at())


def _project(draft: _Draft, metadata: Mapping[str, object], generated_at: datetime) -> Project:
    adapter = as_text(metadata.get("adapter_type"))
    checksums = Checksums(draft.macros, adapter)
    nodes = {
        unique_id: replace(
            node,
            checksum=checksums.of(draft.code_of.get(unique_id)),
            owner=node.owner or draft.groups.get(draft.group_of.get(unique_id, "")),
        )
        if unique_id in draft.code_of or unique_id in draft.group_of
        else node
        for unique_id, node in draft.nodes.items()
    }
    by_relation = _by_relation(nodes)
    parents = {
        unique_id: tuple(dict.fromkeys(intern(one) for one in _above(draft, unique_id)))
        or _built_here(node, by_relation)
        for unique_id, node in nodes.items()
    }
    return Project(
        adapter=adapter,
        generated_at=generated_at,
        invocation_id=as_name(metadata.get("invocation_id")),
        nodes=nodes,
        parents=parents,
        children=_turned(parents),
        by_relation=by_relation,
    )


def _above(draft: _Draft, unique_id: str) -> Iterator[str]:
    """The nodes that a node says it depends on, which is also what dbt makes its parent_map of."""
    return (one for one in as_texts(draft.depends_on[unique_id]) if one in draft.nodes)


def _built_here(node: Node, by_relation: Mapping[Parts, str]) -> tuple[str, ...]:
    """What a source is built from after all, when a model, seed or snapshot of the project writes the same table."""
    if node.kind != "source" or node.relation is None:
        return ()
    builder = by_relation.get(parts_of(node.relation))
    return (builder,) if builder not in (None, node.unique_id) else ()


def _turned(parents: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    children: dict[str, list[str]] = {}
    for child, above in parents.items():
        for parent in above:
            children.setdefault(parent, []).append(child)
    return {parent: tuple(below) for parent, below in children.items()}


def _by_relation(nodes: Mapping[str, Node]) -> Mapping[Parts, str]:
    """Nodes by their whole relation, and by every tail of it that no other relation has."""
    whole: dict[Parts, list[str]] = {}
    for node in nodes.values():
        if parts := parts_of(node.relation or ""):
            whole.setdefault(parts, []).append(node.unique_id)
    tails = Counter(parts[start:] for parts in whole for start in range(1, len(parts)))
    found: dict[Parts, str] = {}
    for parts, ids in whole.items():
        if (chosen := _builder(ids)) is None:
            continue
        found[parts] = chosen
        for start in range(1, len(parts)):
            if tails[parts[start:]] == 1:
                found.setdefault(parts[start:], chosen)
    return found


def _builder(ids: Sequence[str]) -> str | None:
    """The one node behind a relation; what is a model here and a source there is the model that builds it."""
    if len(ids) == 1:
        return ids[0]
    built = [one for one in ids if not one.startswith("source.")]
    return built[0] if len(built) == 1 else None
