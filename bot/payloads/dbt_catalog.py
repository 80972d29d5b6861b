"""dbt's catalog.json: the columns that every table had when ``dbt docs generate`` looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Final

from bot.payloads.dbt_document import (
    ArtifactError,
    as_instant,
    as_map,
    as_number,
    as_text,
    load,
    section,
)
from rca.case import Column

CATALOG: Final = "catalog.json"
MAX_NAME: Final = 1_000  # characters; the case's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogued:
    """The columns of each node at one instant, in their order."""

    generated_at: datetime
    columns: Mapping[str, tuple[Column, ...]]


def read_catalog(raw: bytes | str, what: str = CATALOG) -> Catalogued:
    """Return the columns of every node and source.

    Raises:
        ArtifactError: it is no catalog; the text names *what* and the field.
    """
    document = load(raw, what)
    generated_at = as_instant(section(document, "metadata", what).get("generated_at"))
    if generated_at is None:
        raise ArtifactError(f"{what}: metadata.generated_at is missing or not a time")
    found: dict[str, tuple[Column, ...]] = {}
    for name in ("nodes", "sources"):
        for unique_id, entry in section(document, name, what).items():
            columns = _columns(as_map(as_map(entry).get("columns")))
            if columns:
                found[intern(unique_id)] = columns
    return Catalogued(generated_at=generated_at, columns=found)


def _columns(entries: Mapping[str, object]) -> tuple[Column, ...]:
    ordered: list[tuple[float, Column]] = []
    for key, entry in entries.items():
        name = as_text(as_map(entry).get("name")) or key
        if not 0 < len(name) <= MAX_NAME:
            continue
        index = as_number(as_map(entry).get("index"))
        column = Column(name=intern(name), type=as_text(as_map(entry).get("type")))
        ordered.append((float(len(ordered)) if index is None else index, column))
    return tuple(column for _, column in sorted(ordered, key=lambda pair: pair[0]))
