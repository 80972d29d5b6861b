"""Texts with ``{evidence.key}`` in them: checked against the declared evidence, filled with values people can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel

from rca.case import in_utc
from runbook.shape import SCALARS, Kind, World, shape_at

MAX_VALUE_CHARS: Final = 200  # ours: a reason is one line; the whole value is in the evidence
MAX_ITEMS: Final = 5  # ours: of a list
THREE_DIGITS: Final = 100.0  # from here on a number is read without decimals
NOT_KNOWN: Final = "not known"

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][\w.]*)\}")


def placeholder_problems(template: str, worlds: Sequence[World]) -> tuple[str, ...]:
    """Return what is wrong with the placeholders of *template*: undeclared ones, and records, which have no text."""
    problems = []
    for name in _PLACEHOLDER.findall(template):
        for world in worlds:
            shape = shape_at(world, tuple(name.split(".")))
            if shape is None:
                problems.append(f"{{{name}}} is not declared")
            elif shape.kind not in SCALARS and not (
                shape.kind is Kind.LIST and shape.item is not None and shape.item.kind in SCALARS
            ):
                problems.append(f"{{{name}}} is not a single value or a list of them")
    return tuple(dict.fromkeys(problems))


def fill(template: str, documents: Mapping[str, BaseModel]) -> str:
    """Return *template* with its placeholders replaced for reading; an unknown value reads "not known"."""
    return _filled(template, documents, lambda value, _name: readable(value))


def fill_command(template: str, documents: Mapping[str, BaseModel]) -> str:
    """Return *template* with percent-encoded values, which neither a URL nor a shell can mistake for its own marks.

    A value that is not known leaves its name in capitals for the reader to replace.
    """
    return _filled(template, documents, _for_command)


def readable(value: object) -> str:
    """Return *value* as people write it: numbers to three significant digits or as integers, times in UTC."""
    match value:
        case None:
            said = NOT_KNOWN
        case Enum():
            said = str(value.value)
        case bool():
            said = "yes" if value else "no"
        case int():
            said = f"{value:,}"
        case float():
            said = f"{value:,.0f}" if abs(value) >= THREE_DIGITS else f"{value:.3g}"
        case datetime():
            said = f"{in_utc(value):%Y-%m-%d %H:%M} UTC"
        case tuple() | list():
            more = f" and {len(value) - MAX_ITEMS} more" if len(value) > MAX_ITEMS else ""
            said = ", ".join(readable(item) for item in value[:MAX_ITEMS]) + more or "none"
        case _:
            said = _clipped(" ".join(str(value).split()))
    return said


def _for_command(value: object, name: str) -> str:
    if value is None:
        return name.rsplit(".", maxsplit=1)[-1].upper()
    return quote(str(value.value if isinstance(value, Enum) else value), safe="")


def _filled(
    template: str,
    documents: Mapping[str, BaseModel],
    spell: Callable[[object, str], str],
) -> str:
    return _PLACEHOLDER.sub(
        lambda match: spell(_value_at(documents, match.group(1)), match.group(1)), template
    )


def _value_at(documents: Mapping[str, BaseModel], name: str) -> object:
    """The value at a dotted name, or None where the way to it ends."""
    first, *keys = name.split(".")
    value: object = documents.get(first)
    for key in keys:
        value = getattr(value, key, None)
    return value


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[: MAX_VALUE_CHARS - 1]}…"
