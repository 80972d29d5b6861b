"""Walks a big JSON object two levels deep, piece by piece.

``json.loads`` holds Python's global lock until it has read everything: with a file of 20 MB nothing else runs for a
third of a second, also when it is called in a thread. Reading one piece at a time lets others run between two of
them, and what is not needed is let go at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

CLOSING: Final = {"{": "}", "[": "]"}

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODE: Final = json.JSONDecoder().raw_decode


Member = str | int | None


def walk(text: str) -> Iterator[tuple[str, Member, object]]:
    """Yield ``(section, member, value)`` for each member of each object, and each entry of each list, in *text*.

    A member is known by its key, an entry by its index. A section that is neither object nor list, or is empty, is
    yielded whole, with None for its member.

    Raises:
        ValueError: *text* is no JSON object; what came before the mistake was yielded.
        RecursionError: a member is nested too deeply.
    """
    at = _after(text, 0, "{")
    while text[at : at + 1] != "}":
        section, at = _key(text, at)
        closing = CLOSING.get(text[at : at + 1])
        inside = _space(text, at + 1)
        if closing is None or text[inside : inside + 1] == closing:
            value, at = _DECODE(text, at)
            yield section, None, value
        else:
            at = inside
            index = 0
            while text[at : at + 1] != closing:
                member, at = _key(text, at) if closing == "}" else (index, at)
                value, at = _DECODE(text, at)
                yield section, member, value
                at = _next(text, at, closing)
                index += 1
            at += 1
        at = _next(text, at, "}")
    if _space(text, at + 1) != len(text):
        raise ValueError(f"something follows the object at character {at + 1}")


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _after(text: str, at: int, mark: str) -> int:
    """Where the next thing begins after *mark*, which must come now."""
    at = _space(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"{mark} expected at character {at}")
    return _space(text, at + 1)


def _key(text: str, at: int) -> tuple[str, int]:
    key, at = _DECODE(text, at)
    if not isinstance(key, str):
        raise ValueError(f"a key expected before character {at}")  # noqa: TRY004 - the text is wrong, not its type
    return key, _after(text, at, ":")


def _next(text: str, at: int, closing: str) -> int:
    """Where the next piece begins, or the end of what holds it."""
    at = _space(text, at)
    if text[at : at + 1] == closing:
        return at
    at = _after(text, at, ",")
    if text[at : at + 1] == closing:
        raise ValueError(f"something expected at character {at}")
    return at
