"""The SQL statements of a runbook document, made safe to run: literal placeholders become bound parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(r"^(?P<fence>`{3,}|~{3,})\s*(?P<language>\w*)\s*$")
_HEADING: Final = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*#*$")
_PLACEHOLDER: Final = re.compile(r"'<([a-z_]\w*)>'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One statement.

    Attributes:
        title: the nearest heading above it, empty when there is none.
        text: as the document has it.
        statement: with ``:name`` for each ``'<name>'``, without the closing semicolon.
        parameters: the names to bind, each once, in order.
    """

    title: str
    text: str
    statement: str
    parameters: tuple[str, ...]


def statements(markdown: str) -> tuple[Query, ...]:
    """Return the statements of every ``sql`` block in *markdown*, in order; a block may hold several."""
    found: list[Query] = []
    title, fence, language, block = "", "", "", list[str]()
    for line in markdown.splitlines():
        mark = _FENCE.match(line.strip())
        if fence:
            if line.strip() != fence:
                block.append(line)
                continue
            if language == "sql":
                found += _queries(title, "\n".join(block))
            fence, block = "", []
        elif mark is not None:
            fence, language = mark["fence"], mark["language"].lower()
        elif (heading := _HEADING.match(line)) is not None:
            title = heading["title"]
    return tuple(found)


def _queries(title: str, block: str) -> list[Query]:
    pieces = (piece.strip() for piece in block.split(";"))
    return [
        Query(
            title=title,
            text=f"{piece};",
            statement=_PLACEHOLDER.sub(r":\1", piece),
            parameters=tuple(dict.fromkeys(_PLACEHOLDER.findall(piece))),
        )
        for piece in pieces
        if piece
    ]
