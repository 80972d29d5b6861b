"""dbt's catalog.json: the columns that every table had when ``dbt docs generate`` looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from sys import intern
from typing import Final

from bot.payloads.dbt_document import Pieces, as_map, as_name, as_number, as_text
from bot.payloads.dbt_nodes import Columns

CATALOG: Final = "catalog.json"
SECTIONS: Final = frozenset({"nodes", "sources"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogued:
    """The columns of each node at one instant, in their order."""

    generated_at: datetime
    columns: Mapping[str, Columns]


def read_catalog(raw: bytes | str, what: str = CATALOG) -> Catalogued:
    """Return the columns of every node and source.

    Raises:
        ArtifactError: it is no catalog; the text names *what* and the field.
    """
    pieces = Pieces(what, frozenset({"metadata", *SECTIONS}))
    found: dict[str, Columns] = {}
    for section, unique_id, entry in pieces.of(raw):
        columns = _columns(as_map(entry.get("columns"))) if section in SECTIONS else ()
        if columns:
            found[intern(unique_id)] = columns
    return Catalogued(generated_at=pieces.generated_at(), columns=found)


def _columns(entries: Mapping[str, object]) -> Columns:
    ordered: list[tuple[float, str, str | None]] = []
    for key, entry in entries.items():
        name = as_text(as_map(entry).get("name")) or key
        if as_name(name) is None:
            continue
        index = as_number(as_map(entry).get("index"))
        place = float(len(ordered)) if index is None else index
        kind = as_text(as_map(entry).get("type"))
        ordered.append((place, intern(name), intern(kind) if kind else None))
    return tuple((name, kind) for _, name, kind in sorted(ordered, key=itemgetter(0)))
