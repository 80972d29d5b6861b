"""One API of one Airbyte as the source sees it: what many datasets share is asked for once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.payloads.airbyte_connections import Connection
from bot.sources.airbyte.apis import AirbyteApi
from bot.sources.airbyte.client import ApiError
from bot.sources.airbyte.paging import Found
from bot.sources.airbyte.shared import ByConnection, Each, Kept, LatestJobs

WORKSPACES_FOR: Final = timedelta(minutes=10)
CONNECTIONS_FOR: Final = timedelta(minutes=1)
HISTORY_FOR: Final = timedelta(minutes=1)  # the streams of one connection are first read together
MOST_HISTORIES: Final = 20  # thousands of syncs each
MOST_CONNECTIONS: Final = 5_000
CLOSED_FOR: Final = timedelta(minutes=30)  # a list that is refused is not asked for each dataset


class View:
    """The connections and jobs of one API."""

    def __init__(self, api: AirbyteApi, clock: Clock, workspace_id: str | None) -> None:
        self.api = api
        self._clock = clock
        self._workspace_id = workspace_id
        self._workspaces: Kept[tuple[str, ...]] = Kept(clock, WORKSPACES_FOR)
        self._connections: Kept[Mapping[str, Connection]] = Kept(clock, CONNECTIONS_FOR)
        self._single: Each[Connection | None] = Each(clock, CONNECTIONS_FOR, MOST_CONNECTIONS)
        self._histories: Each[Found] = Each(clock, HISTORY_FOR, MOST_HISTORIES)
        self._latest = LatestJobs(clock, self._everybodys)
        self._closed_until: datetime | None = None

    def stop(self) -> None:
        """Give up the questions that are under way."""
        for kept in (self._workspaces, self._connections, self._single, self._histories):
            kept.stop()
        self._latest.stop()

    async def workspaces(self) -> tuple[str, ...]:
        """Return the workspace that was named, or every one that we may see. Raises ApiError."""
        if self._workspace_id is not None:
            return (self._workspace_id,)
        return await self._workspaces.get(self.api.workspaces)

    async def connections(self) -> Mapping[str, Connection]:
        """Return every connection of these workspaces by its id, in lower case. Raises ApiError."""
        return await self._connections.get(self._listed)

    async def connection(self, connection_id: str) -> Connection | None:
        """Return one connection, also where no list of them is open to us; None when there is none.

        Raises:
            ApiError: it could not be asked for.
        """
        try:
            return (await self.connections()).get(connection_id.casefold())
        except ApiError as error:
            if not error.refused:
                raise
        today = self._clock().date()
        return await self._single.get(
            connection_id, lambda: self.api.connection(connection_id, today)
        )

    async def catalogs(self) -> tuple[Connection, ...]:
        """Return every connection with its streams, asked for anew. Raises ApiError."""
        today = self._clock().date()
        return tuple(
            [
                one
                for workspace in await self.workspaces()
                for one in await self.api.catalogs(workspace, today)
            ]
        )

    async def jobs(self, connection_id: str, since: datetime) -> Found:
        """Return the syncs of a connection that changed since. Raises ApiError."""
        latest = await self.latest(since)
        if latest is None:
            return await self._histories.get(
                f"{connection_id}/{since:%Y-%m-%dT%H}",
                lambda: self.api.jobs_of(connection_id, since),
            )
        syncs = tuple(latest.get(connection_id.casefold(), {}).values())
        return Found(syncs=syncs, lacks=self._latest.lacks)

    async def latest(self, since: datetime) -> ByConnection | None:
        """Return everybody's jobs that changed since; None where they cannot be had at once. Raises ApiError."""
        if self._closed_until is not None and self._clock() < self._closed_until:
            return None
        try:
            return await self._latest.since(since)
        except ApiError as error:
            if not error.refused:
                raise
            self._closed_until = self._clock() + CLOSED_FOR
            return None

    async def _everybodys(self, since: datetime) -> Found:
        workspaces: Sequence[str] = await self.workspaces()
        if not workspaces:
            return Found(syncs=())
        return await self.api.jobs_in(workspaces, since)

    async def _listed(self) -> Mapping[str, Connection]:
        today = self._clock().date()
        return {
            one.connection_id.casefold(): one
            for workspace in await self.workspaces()
            for one in await self.api.connections(workspace, today)
        }
