"""One node of dbt's manifest, in any of its versions: a table, a test, an exposure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Final

from bot.payloads.dbt_document import as_map, as_name, as_text, as_texts

TABLES: Final = frozenset({"model", "source", "seed", "snapshot"})
TESTS: Final = frozenset({"test", "unit_test"})
CRITICAL: Final = "critical"  # a tag, or a key of meta
MERCHANT_FACING: Final = "merchant_facing"  # the same
MAX_SQL: Final = 200_000  # characters; longer SQL is generated, and reading it costs seconds
Columns = tuple[tuple[str, str | None], ...]
"""Names with types, in their order: plain pairs, since there are tens of thousands of them."""

YES: Final = frozenset({"true", "yes", "1", "high", "critical"})
NO: Final = frozenset({"false", "no", "0", "low"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What is kept of one node, source, test or exposure; ``attached`` is the node that a test is written on."""

    unique_id: str
    kind: str
    name: str
    relation: str | None = None
    checksum: str | None = None
    owner: str | None = None
    critical: bool | None = None
    merchant_facing: bool | None = None
    attached: str | None = None
    severity: str | None = None
    columns: Columns = ()
    sql: str | None = None


def node_of(unique_id: str, entry: Mapping[str, object]) -> Node:
    """Read one entry; its checksum and the owner of its group are known to the whole manifest only."""
    kind = as_name(entry.get("resource_type")) or unique_id.partition(".")[0]
    name = as_name(entry.get("name")) or unique_id.rpartition(".")[2] or unique_id
    if kind in TESTS:
        severity = as_text(as_map(entry.get("config")).get("severity"))
        return Node(
            unique_id=unique_id,
            kind=intern(kind),
            name=name,
            attached=as_text(entry.get("attached_node")),
            severity=intern(severity.casefold()) if severity else None,
        )
    return Node(
        unique_id=unique_id,
        kind=intern(kind),
        name=name,
        relation=_relation(entry) if kind in TABLES else None,
        owner=_owner(entry),
        critical=_mark(entry, CRITICAL),
        merchant_facing=_mark(entry, MERCHANT_FACING),
        columns=_columns(entry),
        sql=_sql(entry) if kind in ("model", "snapshot") else None,
    )


def _relation(entry: Mapping[str, object]) -> str | None:
    """The name in the warehouse; an ephemeral model has none."""
    if as_map(entry.get("config")).get("materialized") == "ephemeral":
        return None
    if said := as_text(entry.get("relation_name")):
        return said
    named = (as_text(entry.get(key)) for key in ("identifier", "alias", "name"))
    table = next(filter(None, named), None)
    parts = (as_text(entry.get("database")), as_text(entry.get("schema")), table)
    return ".".join(f'"{part}"' for part in parts if part) if table else None


def _sql(entry: Mapping[str, object]) -> str | None:
    """Compiled SQL: ``compiled_sql`` until v6, ``compiled_code`` since v7; Python models have none."""
    if (as_text(entry.get("language")) or "sql") != "sql":
        return None
    sql = as_text(entry.get("compiled_code")) or as_text(entry.get("compiled_sql"))
    return sql if sql and len(sql) <= MAX_SQL else None


def _columns(entry: Mapping[str, object]) -> Columns:
    """The columns that somebody wrote down, which may be some of them only."""
    declared = as_map(entry.get("columns"))
    return tuple(
        (intern(name), as_text(as_map(one).get("data_type")))
        for name, one in declared.items()
        if as_name(name)
    )


def _metas(entry: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    yield as_map(as_map(entry.get("config")).get("meta"))
    yield as_map(entry.get("meta"))
    yield as_map(entry.get("source_meta"))


def _mark(entry: Mapping[str, object], key: str) -> bool | None:
    """What the project says of *key*: a key of meta, else a tag of this name."""
    for meta in _metas(entry):
        answer = _truth(meta.get(key))
        if answer is not None:
            return answer
    tags = (*as_texts(entry.get("tags")), *as_texts(as_map(entry.get("config")).get("tags")))
    return True if any(tag.casefold().replace("-", "_") == key for tag in tags) else None


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold() if isinstance(value, str | int) else ""
    return True if word in YES else False if word in NO else None


def _owner(entry: Mapping[str, object]) -> str | None:
    """Who owns it: meta.owner, else the owner that an exposure names."""
    owners = (person_of(meta.get("owner")) for meta in _metas(entry))
    return next(filter(None, owners), None) or person_of(entry.get("owner"))


def person_of(value: object) -> str | None:
    """Return who is named: as a text, as the first of a list, or by e-mail address or name."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        emails = as_texts(value.get("email"))
        return emails[0] if emails else as_text(value.get("name"))
    return as_text(value)
