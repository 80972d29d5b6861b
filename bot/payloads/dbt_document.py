"""Reading dbt's JSON tolerantly: what is missing or of another type is not known, and never stops the rest."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from bot.ports import BotError

MAX_TEXT: Final = 2_000  # characters of a message that are kept; more of it helps nobody on a card
NOTHING: Final[Mapping[str, object]] = {}


class ArtifactError(BotError):
    """An artifact that cannot be used; the text names the file and the field."""


def load(raw: bytes | str, what: str) -> Mapping[str, object]:
    """Return the JSON object that *raw* holds; *what* is how messages call the file.

    Raises:
        ArtifactError: it is no JSON, or no object; half a file reads so too.
    """
    try:
        document = json.loads(raw)
    except RecursionError:
        raise ArtifactError(f"{what} is nested too deeply") from None
    except ValueError:
        raise ArtifactError(f"{what} is not JSON, or was cut off") from None
    if not isinstance(document, dict):
        raise ArtifactError(f"{what} is not a JSON object")
    return document


def section(document: Mapping[str, object], key: str, what: str) -> Mapping[str, object]:
    """Return the object under *key*; a missing one is empty.

    Raises:
        ArtifactError: it is something else.
    """
    value = document.get(key)
    if value is None:
        return NOTHING
    if not isinstance(value, dict):
        raise ArtifactError(f"{what}: {key} is not an object")
    return value


def rows(document: Mapping[str, object], key: str, what: str) -> Sequence[Mapping[str, object]]:
    """Return the objects of the list under *key*; entries that are something else are passed over.

    Raises:
        ArtifactError: there is no list.
    """
    value = document.get(key)
    if not isinstance(value, list):
        raise ArtifactError(f"{what}: {key} is not a list")
    return [one for one in value if isinstance(one, dict)]


def as_map(value: object) -> Mapping[str, object]:
    """Return *value* when it is an object, else an empty one."""
    return value if isinstance(value, dict) else NOTHING


def as_text(value: object) -> str | None:
    """Return *value* when it is a text that says something."""
    return value if isinstance(value, str) and value.strip() else None


def as_texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list, in order; one text alone is a list of one."""
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    return tuple(one for one in value if as_text(one)) if isinstance(value, list) else ()


def as_short(value: object) -> str | None:
    """Return a text for people, cut at ``MAX_TEXT`` characters."""
    text = as_text(value)
    return text[:MAX_TEXT] if text else None


def as_number(value: object) -> float | None:
    """Return a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def as_count(value: object) -> int | None:
    """Return a whole number; some adapters write rows as ``12.0``."""
    number = as_number(value)
    return int(number) if number is not None and abs(number) < 2**63 else None


def as_instant(value: object) -> datetime | None:
    """Return an aware instant; dbt writes UTC, also where it does not say so."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value.strip())
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
