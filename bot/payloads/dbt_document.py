"""Reading dbt's JSON tolerantly: what is missing or of another type is not known, and never stops the rest."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bot.payloads.json_members import Member, walk
from bot.ports import BotError

MAX_TEXT: Final = 2_000  # characters of a message that are kept; more of it helps nobody on a card
MAX_NAME: Final = 500  # characters of an id; dbt's own stay below 255, and the case takes 1,000
NOTHING: Final[Mapping[str, object]] = {}


class ArtifactError(BotError):
    """An artifact that cannot be used; the text names the file and the field."""


def _load(raw: bytes | str, what: str) -> Mapping[str, object]:
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


def walked(raw: bytes | str, what: str) -> Iterator[tuple[str, Member, object]]:
    """Yield the pieces of a big object one after another: see ``json_members.walk``.

    Raises:
        ArtifactError: it is no JSON object.
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8-sig")
        if not text.lstrip().startswith("{"):
            _load(text, what)
        yield from walk(text)
    except RecursionError:
        raise ArtifactError(f"{what} is nested too deeply") from None
    except ValueError:
        raise ArtifactError(f"{what} is not JSON, or was cut off") from None


@dataclass(slots=True)
class Pieces:
    """What a walk through an artifact has found: its metadata, its arguments, and that its sections are sound."""

    what: str
    objects: frozenset[str]
    lists: frozenset[str] = frozenset()
    metadata: dict[str, object] = field(default_factory=dict)
    arguments: dict[str, object] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def of(self, raw: bytes | str) -> Iterator[tuple[str, str, Mapping[str, object]]]:
        """Yield ``(section, key, entry)`` for each entry of *objects* and *lists* that is an object itself.

        Raises:
            ArtifactError: it is not JSON, or a section is of another type.
        """
        for section, member, value in walked(raw, self.what):
            self._take(section, member, value)
            if section == "metadata" and isinstance(member, str):
                self.metadata[member] = value
            elif section == "args" and isinstance(member, str):
                self.arguments[member] = value
            elif member is not None and isinstance(value, dict):
                yield section, str(member), value

    def _take(self, section: str, member: Member, value: object) -> None:
        self.seen.add(section)
        kind = type(value) if member is None else dict if isinstance(member, str) else list
        if value is None and member is None:
            self.seen.discard(section)
        elif section in self.objects and kind is not dict:
            raise ArtifactError(f"{self.what}: {section} is not an object")
        elif section in self.lists and kind is not list:
            raise ArtifactError(f"{self.what}: {section} is not a list")

    def generated_at(self) -> datetime:
        """Return when the artifact was written, once it was walked through.

        Raises:
            ArtifactError: it does not say so, or a list is missing.
        """
        found = as_instant(self.metadata.get("generated_at"))
        if found is None:
            raise ArtifactError(f"{self.what}: metadata.generated_at is missing or not a time")
        for section in self.lists - self.seen:
            raise ArtifactError(f"{self.what}: {section} is not a list")
        return found


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


def as_name(value: object) -> str | None:
    """Return a text that can be a name; one of more than ``MAX_NAME`` characters is none."""
    text = as_text(value)
    return text if text and len(text) <= MAX_NAME else None


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
