"""How the dataset's columns changed, and when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from rca.case import Column, ColumnSnapshot
from rca.evidence import ColumnChange
from rca.view.column_types import types_differ
from rca.view.instants import epoch_s, epochs_s

FAMILIES: Final = (
    ("time", re.compile(r"timestamp|datetime|^date|^time")),
    ("boolean", re.compile(r"bool")),
    ("integer", re.compile(r"int|serial")),
    ("decimal", re.compile(r"numeric|decimal|number|money")),
    ("float", re.compile(r"float|double|real")),
    ("nested", re.compile(r"json|array|struct|map|variant|object|super|record|\[\]")),
    ("text", re.compile(r"char|text|string|clob|uuid|enum")),
)
WIDER: Final = {("integer", "decimal"), ("integer", "float"), ("decimal", "float")}
"""Changes of family that keep every value; a model reads them as before, though a strict check may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaStep:
    """What changed between two consecutive snapshots; it happened somewhere in ``(after, seen_at]``."""

    after: datetime
    seen_at: datetime
    changes: tuple[ColumnChange, ...]
    before: tuple[Column, ...]
    now: tuple[Column, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsView:
    """Every step of the dataset's schema, oldest first, and how many snapshots there were to compare."""

    steps: tuple[SchemaStep, ...]
    snapshots: int
    newest_at: datetime | None


def family_of(type_name: str | None) -> str | None:
    """Return the family of a warehouse's type name (text, integer, ...), or None for a name nobody knows."""
    if type_name is None:
        return None
    lowered = type_name.casefold()
    return next((family for family, pattern in FAMILIES if pattern.search(lowered)), None)


def is_harmless_type(before: str | None, after: str | None) -> bool:
    """Return whether a type change keeps the meaning of every value: same family, or a wider number."""
    old, new = family_of(before), family_of(after)
    if old is None or new is None:
        return False
    if old == "time":
        return _plain(before) == _plain(after)
    return old == new or ((old, new) in WIDER and "(" in (after or ""))


def _plain(type_name: str | None) -> str:
    return re.sub(r"\([^()]*\)", "", (type_name or "").casefold()).strip()


def read_columns(snapshots: Sequence[ColumnSnapshot], as_of: datetime) -> ColumnsView:
    """Return the steps between the snapshots taken until *as_of*."""
    until_s = epoch_s(as_of)
    taken_s = epochs_s([snapshot.captured_at for snapshot in snapshots])
    by_time = {at: s for at, s in zip(taken_s, snapshots, strict=True) if at <= until_s}
    ordered = [by_time[at] for at in sorted(by_time)]
    told = [[(c.name, c.type) for c in snapshot.columns] for snapshot in ordered]
    steps = tuple(
        SchemaStep(
            after=old.captured_at,
            seen_at=new.captured_at,
            changes=changes,
            before=old.columns,
            now=new.columns,
        )
        for (old, new), (before, now) in zip(pairwise(ordered), pairwise(told), strict=True)
        if before != now and (changes := _changes(old.columns, new.columns))
    )
    return ColumnsView(
        steps=steps, snapshots=len(ordered), newest_at=ordered[-1].captured_at if ordered else None
    )


def _changes(old: Sequence[Column], new: Sequence[Column]) -> tuple[ColumnChange, ...]:
    before = {column.name.casefold(): column for column in old}
    after = {column.name.casefold(): column for column in new}
    removed = [
        _change(c.name, "removed", c.type, None) for key, c in before.items() if key not in after
    ]
    added = [
        _change(c.name, "added", None, c.type) for key, c in after.items() if key not in before
    ]
    retyped = [
        _change(c.name, "type_changed", before[key].type, c.type)
        for key, c in after.items()
        if key in before and types_differ(before[key].type, c.type)
    ]
    return tuple(removed + added + retyped)


def _change(column: str, change: str, old: str | None, new: str | None) -> ColumnChange:
    return ColumnChange.model_validate({"column": column, "change": change, "from": old, "to": new})
