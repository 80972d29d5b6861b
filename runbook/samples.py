"""Sample values of declared shapes, to try a condition on before it is trusted.

A condition is tried with every optional value present and absent, with lists empty and filled, and with values
on both sides of each literal it is compared with, so that no branch of it is read for the first time at night.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, islice, product
from typing import Final

from runbook.expression import Reading
from runbook.shape import ITEM, Kind, Path, Shape, World, shape_at

MAX_SAMPLES: Final = (
    512  # ours: a condition with more branches than this is tried two deviations at a time
)

Value = bool | int | float | str | datetime | None | list["Value"] | dict[str, "Value"]
Choice = Mapping[Path, Value]
"""For some paths: the value to use; for a list the number of items, for a record None when it is absent."""

_SOME_TIME: Final = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
_SOME_TEXT: Final = "sample"
_PRESENT: Final = True
_FEW: Final[Mapping[Kind, tuple[Value, ...]]] = {
    Kind.BOOL: (True, False),
    Kind.TIMESTAMP: (_SOME_TIME,),
    Kind.LIST: (2, 0),  # items
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Values for every variable of a world, and the paths that are null in it."""

    variables: Mapping[str, Value]
    absent: tuple[Path, ...]


def samples(world: World, reading: Reading) -> Iterator[Sample]:
    """Yield the samples that *reading* can tell apart, at most about ``MAX_SAMPLES``."""
    options = {path: _options(world, path, reading) for path in _touched(reading.paths)}
    for choice in _choices(options):
        yield Sample(
            variables={name: _value(shape, (name,), choice) for name, shape in world.items()},
            absent=tuple(sorted(path for path, value in choice.items() if value is None)),
        )


def _touched(paths: frozenset[Path]) -> tuple[Path, ...]:
    """Every named path and all the records and lists on the way to it."""
    return tuple(sorted({path[:end] for path in paths for end in range(1, len(path) + 1)}))


def _options(world: World, path: Path, reading: Reading) -> tuple[Value, ...]:
    shape = shape_at(world, path)
    if shape is None:
        return (None,)
    absent: tuple[Value, ...] = (None,) if shape.optional else ()
    return tuple(dict.fromkeys((*_values(shape, reading), *absent)))


def _values(shape: Shape, reading: Reading) -> Sequence[Value]:
    match shape.kind:
        case Kind.INT:
            return tuple(int(n) + step for n in (*reading.numbers, 0.0) for step in (0, 1))
        case Kind.FLOAT:
            return tuple(n + step for n in (*reading.numbers, 0.0) for step in (0.0, 0.5))
        case Kind.STRING:
            return shape.values or (_SOME_TEXT, *reading.strings)
        case _:
            return _FEW.get(shape.kind, (_PRESENT,))


def _choices(options: Mapping[Path, tuple[Value, ...]]) -> Iterator[Choice]:
    """Yield all combinations, or, where these are too many, all that deviate in two places from the first."""
    count = 1
    for values in options.values():
        count *= len(values)
    if count <= MAX_SAMPLES:
        for values in product(*options.values()):
            yield dict(zip(options, values, strict=True))
        return
    usual: Choice = {path: values[0] for path, values in options.items()}
    yield usual
    deviations = [(path, value) for path, values in options.items() for value in values[1:]]
    for path, value in deviations:
        yield {**usual, path: value}
    for one, other in islice(combinations(deviations, 2), MAX_SAMPLES):
        yield {**usual, one[0]: one[1], other[0]: other[1]}


def _value(shape: Shape, path: Path, choice: Choice) -> Value:
    if path in choice and choice[path] is None:
        return None
    match shape.kind:
        case Kind.RECORD:
            return {key: _value(field, (*path, key), choice) for key, field in shape.fields.items()}
        case Kind.LIST:
            length = choice.get(path, 1)
            item = None if shape.item is None else _value(shape.item, (*path, ITEM), choice)
            return [item] * (length if isinstance(length, int) else 1)
        case Kind.UNKNOWN:
            return None
        case Kind.BOOL:
            default: Value = True
        case Kind.INT:
            default = 1
        case Kind.FLOAT:
            default = 1.0
        case Kind.STRING:
            default = shape.values[0] if shape.values else _SOME_TEXT
        case Kind.TIMESTAMP:
            default = _SOME_TIME
    return choice.get(path, default)
