"""What waits in Airbyte for somebody and raises no alert there: a changed schema, a connection switched off."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.clock import Clock
from bot.payloads.airbyte_connections import Connection, SchemaChange
from bot.payloads.airbyte_events import Event, StreamChanges
from bot.ports import Ask, Notice
from bot.sources.airbyte.apis import ConfigApi
from bot.sources.airbyte.shared import Each
from rca.case import AnomalyType, Severity

KEPT_FOR: Final = timedelta(minutes=4)  # below the five minutes between two polls of a dataset
MOST_KEPT: Final = 1_000  # connections that something is the matter with
RECENT: Final = timedelta(days=1)  # ours: who was switched off before that is no news
MOST_LINES: Final = 20  # of one message


class Watcher:
    """Looks closer at connections whose list entry says that something is the matter."""

    def __init__(self, api: ConfigApi, clock: Clock) -> None:
        self._api = api
        self._changes: Each[StreamChanges | None] = Each(clock, KEPT_FOR, MOST_KEPT)
        self._events: Each[tuple[Event, ...]] = Each(clock, KEPT_FOR, MOST_KEPT)

    def stop(self) -> None:
        """Give up the questions that are under way."""
        self._changes.stop()
        self._events.stop()

    async def look(self, connection: Connection, ask: Ask) -> tuple[Notice, ...]:
        """Return what is to be told about the dataset's connection and stream. Raises ApiError."""
        found = (await self._schema(connection, ask), await self._switched_off(connection, ask))
        return tuple(notice for notice in found if notice is not None)

    async def _schema(self, connection: Connection, ask: Ask) -> Notice | None:
        if connection.schema_change in (None, SchemaChange.NONE):
            return None
        stream = ask.dataset.stream
        changes = await self._changes.get(
            f"{connection.connection_id}/{stream or ''}",
            lambda: self._api.changes(connection.connection_id, stream),
        )
        if changes is None:
            return None  # it touches other streams only
        is_breaking = changes.breaking or connection.schema_change is SchemaChange.BREAKING
        of = f"{connection.name or connection.connection_id}{f'/{stream}' if stream else ''}"
        more = len(changes.lines) - MOST_LINES
        lines = (*changes.lines[:MOST_LINES], *((f"and {more} more",) if more > 0 else ()))
        return Notice(
            key=f"schema_change:{changes.key}",
            anomaly_type=AnomalyType.SCHEMA,
            title=f"A schema change waits for approval in Airbyte: {of}",
            severity=Severity.ERROR if is_breaking else Severity.WARNING,
            message="\n".join(lines),
        )

    async def _switched_off(self, connection: Connection, ask: Ask) -> Notice | None:
        """Airbyte's own doing only: a person who switches a connection off knows it."""
        if not connection.is_off:
            return None
        since = ask.as_of - RECENT
        events = await self._events.get(
            connection.connection_id,
            lambda: self._api.switched_off(connection.connection_id, since),
        )
        last = next((event for event in events if since <= event.at <= ask.as_of), None)
        if last is None or last.by is not None:
            return None
        why = f" Its reason: {last.reason}." if last.reason else ""
        return Notice(
            key=f"connection_disabled:{last.at.isoformat()}",
            anomaly_type=AnomalyType.FRESHNESS,
            title=f"Airbyte switched the connection off: {connection.name or connection.connection_id}",
            severity=Severity.ERROR,
            message=f"It syncs nothing until somebody enables it again.{why}",
            at=last.at,
        )
