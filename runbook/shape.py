"""The declared shape of what a condition may look at, read from the documents' own models."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

Path = tuple[str, ...]
"""Steps from a variable to a value: ``("evidence", "column_changes", "[]", "change")``."""

ITEM: Final = "[]"  # the step from a list to any of its items


class Kind(StrEnum):
    """What sort of value stands at a path."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STRING = "string"
    TIMESTAMP = "timestamp"
    RECORD = "record"
    LIST = "list"
    UNKNOWN = "unknown"


SCALARS: Final = frozenset({Kind.BOOL, Kind.INT, Kind.FLOAT, Kind.STRING, Kind.TIMESTAMP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One value's kind; ``optional`` when it may be null, ``values`` when only these strings can occur."""

    kind: Kind
    optional: bool = False
    fields: Mapping[str, Shape] = field(default_factory=dict)
    item: Shape | None = None
    values: tuple[str, ...] = ()


World = Mapping[str, Shape]
"""The variables a condition may name, with their shapes."""

UNKNOWN: Final = Shape(kind=Kind.UNKNOWN)

_PLAIN: Final = (
    (bool, Kind.BOOL),  # before int: a bool is one
    (int, Kind.INT),
    (float, Kind.FLOAT),
    (str, Kind.STRING),
    (datetime, Kind.TIMESTAMP),
)


@cache
def shape_of(model: type[BaseModel]) -> Shape:
    """Return the record that *model* declares, under the keys it is dumped with (aliases first)."""
    fields = {
        declared.alias or name: _of_annotation(declared.annotation)
        for name, declared in model.model_fields.items()
    }
    return Shape(kind=Kind.RECORD, fields=fields)


def step_into(shape: Shape, step: str) -> Shape | None:
    """Return the shape one step further, or None when nothing of that name is declared."""
    if shape.kind is Kind.UNKNOWN:
        return UNKNOWN
    if step == ITEM:
        return shape.item
    return shape.fields.get(step)


def shape_at(world: World, path: Path) -> Shape | None:
    """Return the shape at *path*, or None when it is not declared."""
    shape = world.get(path[0])
    for step in path[1:]:
        if shape is None:
            return None
        shape = step_into(shape, step)
    return shape


def _of_annotation(annotation: Any) -> Shape:  # noqa: ANN401 - annotations have no common type
    origin = get_origin(annotation)
    if origin is Annotated:
        return _of_annotation(get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return _of_union(get_args(annotation))
    if origin is Literal:
        return Shape(kind=Kind.STRING, values=tuple(str(value) for value in get_args(annotation)))
    if origin is tuple:
        return Shape(kind=Kind.LIST, item=_of_annotation(get_args(annotation)[0]))
    return _of_class(annotation)


def _of_union(members: tuple[Any, ...]) -> Shape:
    known = [member for member in members if member is not type(None)]
    if len(known) != 1:
        return UNKNOWN
    return replace(_of_annotation(known[0]), optional=len(known) < len(members))


def _of_class(annotation: Any) -> Shape:  # noqa: ANN401 - the same
    if annotation is AwareDatetime:
        return Shape(kind=Kind.TIMESTAMP)
    if not isinstance(annotation, type):
        return UNKNOWN
    if issubclass(annotation, BaseModel):
        return shape_of(annotation)
    if issubclass(annotation, Enum):
        return Shape(kind=Kind.STRING, values=tuple(str(member.value) for member in annotation))
    kind = next((kind for plain, kind in _PLAIN if issubclass(annotation, plain)), Kind.UNKNOWN)
    return Shape(kind=kind)
