"""Reads a CEL expression for the names in it, so that a misspelt one is found before the night it matters.

The CEL package tells which variables an expression names, but not which of their keys. This module follows
each chain of keys (``evidence.column_changes.exists(c, c.change == "removed")``) through the declared shapes.
Grammar is not its business: the package has compiled the text before it comes here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from runbook.shape import ITEM, UNKNOWN, Kind, Path, Shape, World, step_into

MACROS: Final = frozenset({"all", "exists", "exists_one", "filter", "map"})
FUNCTIONS: Final = frozenset({"size", "has", "timestamp", "duration", "string", "int", "double"})
METHODS: Final = frozenset({"size", "matches", "contains", "startsWith", "endsWith"})
KEYWORDS: Final = frozenset({"true", "false", "null", "in"})
MAX_NESTED_MACROS: Final = 2  # ours: each level multiplies the work by the length of a list

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      | (?P<string>[rRbB]{0,2}(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))
      | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING: Final = {"(": ")", "[": "]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A piece of the expression and its sort: string, number, name or mark."""

    sort: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an expression names: declared paths, literals, and what is wrong with it."""

    paths: frozenset[Path]
    strings: tuple[str, ...]
    numbers: tuple[float, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a chain of keys has come to; ``path`` is None when it no longer starts at a variable."""

    shape: Shape
    path: Path | None


_NOWHERE: Final = _Place(shape=UNKNOWN, path=None)
Scope = Mapping[str, _Place]


def read_expression(source: str, world: World) -> Reading:
    """Return what *source* names, held against the declared *world*."""
    tokens = tuple(_tokens(source))
    reader = _Reader(tokens=tokens)
    reader.scan(
        "", {name: _Place(shape=shape, path=(name,)) for name, shape in world.items()}, depth=0
    )
    return Reading(
        paths=frozenset(reader.paths),
        strings=tuple(t.text.lstrip("rRbB")[1:-1] for t in tokens if t.sort == "string"),
        numbers=tuple(float(t.text) for t in tokens if t.sort == "number"),
        problems=tuple(dict.fromkeys(reader.problems)),
    )


def _tokens(source: str) -> list[Token]:
    found = (
        Token(sort=match.lastgroup or "", text=match.group()) for match in _TOKEN.finditer(source)
    )
    return [token for token in found if token.sort != "space"]


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Walks the tokens once, left to right."""

    tokens: tuple[Token, ...]
    at: int = 0
    paths: set[Path] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def scan(self, closing: str, scope: Scope, *, depth: int) -> None:
        """Read up to *closing* (a mark, or the end when empty)."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.sort == "mark" and token.text == closing:
                return
            if token.sort == "name" and token.text not in KEYWORDS:
                self._chain(scope, depth)
            elif token.sort == "mark" and token.text in _CLOSING:
                self._inside(scope, depth)
                self._keys(_NOWHERE, scope, depth)
            elif token.sort == "string":
                self.at += 1
                self._keys(_NOWHERE, scope, depth)
            else:
                if token.text == "{":
                    self.problems.append("map and message literals are not used here")
                self.at += 1

    def _mark(self, text: str, ahead: int = 0) -> bool:
        at = self.at + ahead
        return at < len(self.tokens) and self.tokens[at] == Token(sort="mark", text=text)

    def _name(self, ahead: int) -> str | None:
        at = self.at + ahead
        if at < len(self.tokens) and self.tokens[at].sort == "name":
            return self.tokens[at].text
        return None

    def _inside(self, scope: Scope, depth: int) -> None:
        """Read a bracketed part, brackets included."""
        closing = _CLOSING[self.tokens[self.at].text]
        self.at += 1
        self.scan(closing, scope, depth=depth)
        self.at += 1

    def _chain(self, scope: Scope, depth: int) -> None:
        name = self.tokens[self.at].text
        self.at += 1
        if self._mark("("):
            if name not in FUNCTIONS:
                self.problems.append(f"function {name}() is not offered")
            self._inside(scope, depth)
            self._keys(_NOWHERE, scope, depth)
            return
        place = scope.get(name)
        if place is None:
            known = ", ".join(sorted(scope))
            self.problems.append(f"{name} is not declared; known are {known}")
            place = _NOWHERE
        self._keys(place, scope, depth)

    def _keys(self, place: _Place, scope: Scope, depth: int) -> None:
        """Follow ``.key``, ``.method(…)`` and ``[…]`` as long as they go on."""
        while True:
            name = self._name(1)
            if self._mark(".") and name is not None:
                self.at += 2
                called = self._mark("(")
                place = (
                    self._call(name, place, scope, depth) if called else self._select(place, name)
                )
            elif self._mark("["):
                place = self._index(place, scope, depth)
            else:
                break
        if place.path is not None:
            self.paths.add(place.path)

    def _select(self, place: _Place, key: str) -> _Place:
        further = step_into(place.shape, key)
        if further is None:
            where = ".".join(place.path or ()).replace(f".{ITEM}", ITEM)
            known = ", ".join(sorted(place.shape.fields)) or "no keys"
            self.problems.append(f"{where}.{key} is not declared; {where} has {known}")
            return _NOWHERE
        return _Place(shape=further, path=None if place.path is None else (*place.path, key))

    def _index(self, place: _Place, scope: Scope, depth: int) -> _Place:
        within = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        self._inside(scope, depth)
        if place.shape.kind is Kind.LIST:
            return self._select(place, ITEM)
        if place.shape.kind is Kind.RECORD and within is not None and within.sort == "string":
            return self._select(place, within.text.strip("\"'"))
        return _NOWHERE

    def _call(self, name: str, place: _Place, scope: Scope, depth: int) -> _Place:
        if place.path is not None:
            self.paths.add(place.path)
        if name not in MACROS:
            if name not in METHODS:
                self.problems.append(f"method .{name}() is not offered")
            self._inside(scope, depth)
            return _NOWHERE
        variable = self._name(1)
        if depth == MAX_NESTED_MACROS:
            self.problems.append(f"more than {MAX_NESTED_MACROS} nested list macros")
        bound = self._item_of(place, name)
        self._inside(scope if variable is None else {**scope, variable: bound}, depth + 1)
        return place if name == "filter" else _NOWHERE

    def _item_of(self, place: _Place, macro: str) -> _Place:
        if place.shape.kind not in (Kind.LIST, Kind.UNKNOWN):
            self.problems.append(
                f"{'.'.join(place.path or ())} is not a list, so .{macro}() is no use"
            )
            return _NOWHERE
        return _NOWHERE if place.shape.kind is Kind.UNKNOWN else self._select(place, ITEM)
