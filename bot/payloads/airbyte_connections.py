"""Airbyte's connections: their schedules, their streams, and what waits for somebody. Pure.

Three answers are read: the list that Airbyte's own pages show (light, with the state of the schema), the connection of
the Config API, and the connection of the public API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from bot.payloads.airbyte import MAX_NAME, without_secrets
from bot.payloads.quartz import longest_gap_s

MOST_STREAMS: Final = 5_000  # of one connection

_UNIT_S: Final = {
    "minutes": 60.0,
    "hours": 3_600.0,
    "days": 86_400.0,
    "weeks": 604_800.0,
    "months": 2_678_400.0,  # the longest one, since a late sync is only late after it
}
_BASIC: Final = re.compile(
    r"^\s*every\s+(?P<units>\d{1,6})\s+(?P<unit>[a-z]+?)s?\s*$", re.IGNORECASE
)
_SOURCE_NAMESPACE: Final = "${SOURCE_NAMESPACE}"


class SchemaChange(StrEnum):
    """What Airbyte says about the source's schema against the one that it syncs."""

    NONE = "no_change"
    NON_BREAKING = "non_breaking"
    BREAKING = "breaking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One selected stream of a connection; ``relation`` where the connection says into which schema it writes."""

    name: str
    relation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection. ``interval_s``: the longest usual time between two syncs; None when nothing starts them."""

    connection_id: str
    name: str | None = None
    status: str | None = None
    workspace_id: str | None = None
    source_kind: str | None = None
    schema_change: SchemaChange | None = None
    interval_s: float | None = None
    streams: tuple[Stream, ...] = ()

    @property
    def is_off(self) -> bool:
        """Whether it syncs nothing until somebody enables it."""
        return self.status == "inactive"


def connections(document: object, today: date) -> tuple[Connection, ...] | None:
    """Return the connections of any list of them; None when the document is none. One without an id is left out."""
    entries = None
    if isinstance(document, Mapping):
        entries = document.get("connections", document.get("data"))
    if not isinstance(entries, list):
        return None
    found = (connection(entry, today) for entry in entries)
    return tuple(one for one in found if one is not None)


def connection(entry: object, today: date) -> Connection | None:
    """Return one connection as any of the three answers has it; None when it has no id."""
    if not isinstance(entry, Mapping):
        return None
    connection_id = text_of(entry.get("connectionId"))
    if connection_id is None:
        return None
    source = entry.get("source")
    return Connection(
        connection_id=connection_id,
        name=text_of(entry.get("name")),
        status=text_of(entry.get("status")),
        workspace_id=text_of(entry.get("workspaceId")),
        source_kind=text_of(source.get("sourceName")) if isinstance(source, Mapping) else None,
        schema_change=_schema_change(entry),
        interval_s=interval_s(entry, today),
        streams=tuple(_streams(entry)),
    )


def _schema_change(entry: Mapping[str, object]) -> SchemaChange | None:
    said = entry.get("schemaChange")
    if isinstance(said, str) and said in set(SchemaChange):
        return SchemaChange(said)
    return SchemaChange.BREAKING if entry.get("breakingChange") is True else None


def interval_s(entry: Mapping[str, object], today: date) -> float | None:
    """Return the longest usual time between two syncs, in seconds: of a basic schedule, a cron, or neither.

    Read from ``scheduleData`` (Config API), ``schedule`` (public API), and the older Config API's bare
    ``schedule``. None for a manual connection and for a schedule that cannot be read.
    """
    schedule = entry.get("schedule")
    if isinstance(schedule, Mapping) and "timeUnit" in schedule:
        return _basic(schedule)
    if isinstance(schedule, Mapping):
        return _public_schedule(schedule, today)
    planned = entry.get("scheduleData")
    if not isinstance(planned, Mapping) or entry.get("scheduleType") == "manual":
        return None
    basic, cron = planned.get("basicSchedule"), planned.get("cron")
    if isinstance(cron, Mapping):
        return _cron(cron.get("cronExpression"), today)
    return _basic(basic) if isinstance(basic, Mapping) else None


def _basic(basic: Mapping[str, object]) -> float | None:
    units, unit = basic.get("units"), basic.get("timeUnit")
    if isinstance(units, bool) or not isinstance(units, int) or not isinstance(unit, str):
        return None
    each_s = _UNIT_S.get(unit.casefold())
    return units * each_s if each_s is not None and 0 < units <= 10**6 else None


def _public_schedule(schedule: Mapping[str, object], today: date) -> float | None:
    if schedule.get("scheduleType") == "cron":
        return _cron(schedule.get("cronExpression"), today)
    timing = schedule.get("basicTiming")
    said = _BASIC.match(timing) if isinstance(timing, str) and len(timing) <= MAX_NAME else None
    if said is None:
        return None
    return _basic({"units": int(said["units"]), "timeUnit": f"{said['unit']}s"})


def _cron(expression: object, today: date) -> float | None:
    """A zone that stands behind the expression moves its firings, and no gap between them."""
    if not isinstance(expression, str) or len(expression) > MAX_NAME * 2:
        return None
    fields = expression.split()
    if fields and "/" in fields[-1] and fields[-1][0].isalpha() or fields[-1:] == ["UTC"]:  # noqa: RUF021 - a region, or UTC
        fields = fields[:-1]
    return longest_gap_s(" ".join(fields), today)


def _streams(entry: Mapping[str, object]) -> Iterator[Stream]:
    """The selected streams of the Config API's catalog, or those of the public API's configuration."""
    catalog = entry.get("syncCatalog")
    if isinstance(catalog, Mapping):
        for each in mappings(catalog.get("streams")):
            config, stream = each.get("config"), each.get("stream")
            selected = not isinstance(config, Mapping) or config.get("selected", True) is True
            if isinstance(stream, Mapping) and selected and (name := text_of(stream.get("name"))):
                yield Stream(name=name, relation=_relation(entry, name, stream.get("namespace")))
        return
    configurations = entry.get("configurations")
    if isinstance(configurations, Mapping):
        for each in mappings(configurations.get("streams")):
            if name := text_of(each.get("name")):
                yield Stream(name=name, relation=_relation(entry, name, each.get("namespace")))


def _relation(entry: Mapping[str, object], name: str, namespace: object) -> str | None:
    """Where the stream is written to; None while only the destination knows its schema."""
    of_stream = text_of(namespace) or ""
    schema = {
        "source": of_stream,
        "customformat": (text_of(entry.get("namespaceFormat")) or "").replace(_SOURCE_NAMESPACE, of_stream),
    }.get(text_of(entry.get("namespaceDefinition")) or "", "")  # fmt: skip
    prefix = text_of(entry.get("prefix")) or ""
    return f"{schema}.{prefix}{name}" if schema else None


def mappings(value: object) -> Sequence[Mapping[str, object]]:
    """Return the objects of a list, at most ``MOST_STREAMS``; nothing when it is no list."""
    found = value[:MOST_STREAMS] if isinstance(value, list) else ()
    return tuple(each for each in found if isinstance(each, Mapping))


def text_of(value: object) -> str | None:
    """Return a short text without secrets, on one line; None when it is none."""
    return (
        without_secrets(value, MAX_NAME * 2) if isinstance(value, str) and value.strip() else None
    )
