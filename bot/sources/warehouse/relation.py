"""Names of relations as people write them: up to three parts with dots, each plain or in quotes. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.ports import BotError

MOST_PARTS: Final = 3  # database, schema, table
MAX_PART: Final = 300  # characters; BigQuery's tables have the longest names, of 300 and some
_PART: Final = re.compile(r'"((?:[^"]|"")+)"|`([^`]+)`|\[([^\[\]]+)\]|([^."`\[\]]+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a name; what stands in quotes is meant in exactly this case."""

    text: str
    quoted: bool

    def in_case(self, upper: bool) -> str:  # noqa: FBT001 - a fact of the warehouse, named by its caller
        """Return the part as the warehouse keeps it; *upper*: what is not quoted is kept in capitals."""
        return self.text if self.quoted or not upper else self.text.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationName:
    """A relation as it was written, taken apart; what was left out is None."""

    written: str
    database: Part | None
    schema: Part | None
    table: Part


def parse_relation(written: str) -> RelationName:
    """Return the parts of a relation's name: ``shopify.orders``, ``"Raw"."Orders"``, ```project.set.table```.

    Raises:
        BotError: it is no such name.
    """
    parts = tuple(_parts(written.strip()))
    if len(parts) == 1 and parts[0].quoted and written.strip().startswith("`"):
        parts = tuple(_parts(parts[0].text))  # BigQuery's way to quote the whole name
    if not 1 <= len(parts) <= MOST_PARTS:
        raise BotError(f"the relation {_shown(written)} is not a name of one to three parts")
    *outer, table = parts
    return RelationName(
        written=written,
        database=outer[0] if len(outer) > 1 else None,
        schema=outer[-1] if outer else None,
        table=table,
    )


def _parts(text: str) -> list[Part]:
    found: list[Part] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        end = match.end() if match else at
        if match is None or not (end == len(text) or text[end] == ".") or end == len(text) - 1:
            raise BotError(f"the relation {_shown(text)} is not a name of one to three parts")
        double, back, square, plain = match.groups()
        name = double.replace('""', '"') if double else back or square or plain
        if len(name) > MAX_PART or not name.isprintable():
            raise BotError(f"the relation {_shown(text)} has a part that cannot be a name")
        found.append(Part(text=name, quoted=plain is None))
        at = end + 1
    return found


def _shown(text: str) -> str:
    return repr(text[:100])
