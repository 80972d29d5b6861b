"""What happened to Airbyte's connections: a schema that waits for approval, one that was switched off. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.payloads.airbyte import instant_of
from bot.payloads.airbyte_connections import mappings, text_of

MOST_LINES: Final = 500  # changes of one connection
MAX_SUMMARY: Final = 10_000  # characters; a summary is a line or two


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChanges:
    """What would change in one stream once the new schema is approved; ``key`` is the same for the same changes."""

    lines: tuple[str, ...]
    breaking: bool

    @property
    def key(self) -> str:
        """A name for exactly these changes."""
        return hashlib.blake2b("\n".join(self.lines).encode(), digest_size=8).hexdigest()


_FIELD_WORD: Final = {
    "add_field": "added",
    "remove_field": "removed",
    "update_field_schema": "changed",
}
_STREAM_WORD: Final = {"add_stream": "stream added", "remove_stream": "stream removed"}


def stream_changes(document: object, stream: str | None) -> StreamChanges | None:
    """Return what a ``catalogDiff`` says of *stream*, or of every stream when it is None; None when nothing."""
    diff = document.get("catalogDiff") if isinstance(document, Mapping) else None
    if not isinstance(diff, Mapping):
        return None
    lines: list[str] = []
    breaking = False
    for transform in mappings(diff.get("transforms")):
        descriptor = transform.get("streamDescriptor")
        name = text_of(descriptor.get("name")) if isinstance(descriptor, Mapping) else None
        if name is None or (stream is not None and name.casefold() != stream.casefold()):
            continue
        lines += _lines(transform, name)
        breaking |= transform.get("transformType") == "remove_stream" or _breaks(transform)
    return StreamChanges(lines=tuple(lines[:MOST_LINES]), breaking=breaking) if lines else None


def _lines(transform: Mapping[str, object], stream: str) -> Iterator[str]:
    kind = transform.get("transformType")
    if isinstance(kind, str) and kind in _STREAM_WORD:
        yield f"{stream}: {_STREAM_WORD[kind]}"
    for field in _fields(transform):
        word = _FIELD_WORD.get(str(field.get("transformType")))
        path = field.get("fieldName")
        parts = [text_of(part) or "?" for part in path] if isinstance(path, list) else []
        if word and parts:
            yield f"{stream}.{'.'.join(parts[:10])}: {word}{_types(field)}"


def _types(field: Mapping[str, object]) -> str:
    update = field.get("updateFieldSchema")
    if not isinstance(update, Mapping):
        return ""
    old, new = _type(update.get("oldSchema")), _type(update.get("newSchema"))
    return f" from {old} to {new}" if old and new else ""


def _type(schema: object) -> str | None:
    said = schema.get("type") if isinstance(schema, Mapping) else None
    if isinstance(said, list):
        said = next((one for one in said if one != "null"), None)
    return text_of(said)


def _fields(transform: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    update = transform.get("updateStream")
    return mappings(update.get("fieldTransforms")) if isinstance(update, Mapping) else ()


def _breaks(transform: Mapping[str, object]) -> bool:
    return any(field.get("breaking") is True for field in _fields(transform))


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of a connection's timeline; ``by`` is who did it, None when Airbyte did."""

    event_type: str
    at: datetime
    by: str | None = None
    reason: str | None = None


def events(document: object) -> tuple[Event, ...] | None:
    """Return the events of ``connections/events/list``, newest first; None when the document is no such answer."""
    entries = document.get("events") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        return None
    found = [event for each in mappings(entries) if (event := _event(each)) is not None]
    return tuple(sorted(found, key=lambda event: event.at, reverse=True))


def _event(entry: Mapping[str, object]) -> Event | None:
    kind, at = text_of(entry.get("eventType")), instant_of(entry.get("createdAt"))
    if kind is None or at is None:
        return None
    user, summary = entry.get("user"), entry.get("summary")
    if isinstance(summary, str):  # some versions write the document as text
        summary = _parsed(summary)
    by = (
        text_of(user.get("name")) or text_of(user.get("email"))
        if isinstance(user, Mapping)
        else None
    )
    reason = summary.get("disabledReason") if isinstance(summary, Mapping) else None
    return Event(event_type=kind, at=at, by=by, reason=text_of(reason))


def _parsed(text: str) -> object:
    try:
        return json.loads(text) if len(text) <= MAX_SUMMARY else None
    except (ValueError, RecursionError):
        return None
