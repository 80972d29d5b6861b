"""Airbyte's two APIs, with one face: the connections that we may see, and the jobs of one or of all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from http import HTTPStatus
from typing import Final, Protocol

from bot.payloads.airbyte_connections import Connection, connection, connections, mappings, text_of
from bot.payloads.airbyte_events import Event, StreamChanges, events, stream_changes
from bot.payloads.airbyte_jobs import config_jobs, public_jobs
from bot.sources.airbyte.client import ApiError, Client, Question
from bot.sources.airbyte.paging import Found, gathered
from rca.case import IngestionJob

CONFIG_PAGE: Final = 200  # jobs; the Config API's own default
PUBLIC_PAGE: Final = 100  # jobs, connections; the public API takes no more
MOST_PAGES: Final = 20  # of one question about one connection, or about connections
MOST_PAGES_OF_ALL: Final = 100  # of everybody's jobs: a day of 800 connections that sync every hour
MOST_WORKSPACES: Final = 200
STATUSES_PAGE: Final = 500


class AirbyteApi(Protocol):
    """What the source asks; every method raises ApiError with a sentence that says what was asked."""

    @property
    def tells_errors(self) -> bool:
        """Whether it says why a sync failed."""

    async def workspaces(self) -> tuple[str, ...]:
        """Return the ids of the workspaces that we may see."""

    async def connections(self, workspace_id: str, today: date) -> tuple[Connection, ...]:
        """Return the connections of a workspace, with their schedules."""

    async def connection(self, connection_id: str, today: date) -> Connection | None:
        """Return one connection; None when there is none."""

    async def catalogs(self, workspace_id: str, today: date) -> tuple[Connection, ...]:
        """Return the connections of a workspace with their streams, a longer answer."""

    async def jobs_of(self, connection_id: str, since: datetime) -> Found:
        """Return the syncs of a connection that changed since."""

    async def jobs_in(self, workspace_ids: Sequence[str], since: datetime) -> Found:
        """Return the syncs of every connection of some workspaces that changed since."""


class ConfigApi:
    """The API that Airbyte's own pages use: it says why a sync failed."""

    tells_errors = True

    def __init__(self, client: Client, base: str) -> None:
        self._client = client
        self._base = base

    async def _ask(self, path: str, body: Mapping[str, object], what: str) -> object:
        return await self._client.ask(Question(url=f"{self._base}/{path}", what=what, body=body))

    async def workspaces(self) -> tuple[str, ...]:
        """Return the ids of the workspaces that we may see."""
        what = "the list of workspaces"
        return _workspaces(await self._ask("workspaces/list", {}, what), "workspaces", what)

    async def connections(self, workspace_id: str, today: date) -> tuple[Connection, ...]:
        """Return the connections of a workspace, with their schedules and the state of their schemas."""
        found: dict[str, Connection] = {}
        what = f"connections of workspace {workspace_id}"
        body: dict[str, object] = {"workspaceId": workspace_id}
        for _ in range(MOST_PAGES):
            try:
                document = await self._ask("web_backend/connections/list", body, what)
            except ApiError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
                return await self.catalogs(workspace_id, today)
            fresh = _connections(document, workspace_id, today, what)
            fresh = tuple(one for one in fresh if one.connection_id not in found)
            found |= {one.connection_id: one for one in fresh}
            if not fresh or not _has_more(document, len(found)):
                break
            body["cursor"] = fresh[-1].connection_id
        return tuple(found.values())

    async def connection(self, connection_id: str, today: date) -> Connection | None:
        """Return one connection; None when there is none."""
        body = {"connectionId": connection_id}
        what = f"connection {connection_id}"
        return await _maybe(self._ask("connections/get", body, what), today)

    async def catalogs(self, workspace_id: str, today: date) -> tuple[Connection, ...]:
        """Return the connections of a workspace with their streams."""
        what = f"connections of workspace {workspace_id}"
        document = await self._ask("connections/list", {"workspaceId": workspace_id}, what)
        return _connections(document, workspace_id, today, what)

    async def jobs_of(self, connection_id: str, since: datetime) -> Found:
        """Return the syncs of a connection that changed since."""
        what = f"jobs of connection {connection_id}"
        pages = self._job_pages("jobs/list", {"configId": connection_id}, since, what)
        return await gathered(pages, config_jobs, "jobs", what, since)

    async def jobs_in(self, workspace_ids: Sequence[str], since: datetime) -> Found:
        """Return the syncs of every connection of some workspaces that changed since."""
        what = "latest jobs of all connections"
        pages = self._job_pages(
            "jobs/list_for_workspaces",
            {"workspaceIds": list(workspace_ids)},
            since,
            what,
            MOST_PAGES_OF_ALL,
        )
        return await gathered(pages, config_jobs, "jobs", what, since)

    async def _job_pages(
        self,
        path: str,
        whose: Mapping[str, object],
        since: datetime,
        what: str,
        most: int = MOST_PAGES,
    ) -> AsyncIterator[tuple[object, int]]:
        for page in range(most):
            body = {
                **whose,
                "configTypes": ["sync"],
                "updatedAtStart": since.isoformat(timespec="seconds"),
                "orderByField": "createdAt",
                "orderByMethod": "DESC",
                "pagination": {"pageSize": CONFIG_PAGE, "rowOffset": page * CONFIG_PAGE},
            }
            yield await self._ask(path, body, what), CONFIG_PAGE

    async def changes(self, connection_id: str, stream: str | None) -> StreamChanges | None:
        """Return what waits for approval in *stream* of a connection, or in any when it is None."""
        what = f"the schema of connection {connection_id}"
        body = {"connectionId": connection_id, "withRefreshedCatalog": False}
        return stream_changes(await self._ask("web_backend/connections/get", body, what), stream)

    async def switched_off(self, connection_id: str, since: datetime) -> tuple[Event, ...]:
        """Return when the connection was switched off since, newest first, and by whom."""
        what = f"events of connection {connection_id}"
        body = {
            "connectionId": connection_id,
            "eventTypes": ["CONNECTION_DISABLED"],
            "createdAtStart": since.isoformat(timespec="seconds"),
        }
        found = events(await self._ask("connections/events/list", body, what))
        return tuple(one for one in found or () if one.event_type == "CONNECTION_DISABLED")

    async def limited_streams(self, workspace_id: str, job: IngestionJob) -> tuple[str, ...]:
        """Return the streams of a running sync that wait because their source limits them."""
        what = f"stream statuses of job {job.id}"
        body = {
            "workspaceId": workspace_id,
            "connectionId": job.connector_id,
            "jobId": int(job.id) if job.id.isdigit() else job.id,
            "pagination": {"pageSize": STATUSES_PAGE, "rowOffset": 0},
        }
        document = await self._ask("stream_statuses/list", body, what)
        said = document.get("streamStatuses") if isinstance(document, Mapping) else None
        limited = [each for each in mappings(said) if each.get("runState") == "RATE_LIMITED"]
        names = (text_of(each.get("streamName")) for each in limited)
        return tuple(dict.fromkeys(name for name in names if name))


class PublicApi:
    """The API with a promise: states, times and rows, and no reason of a failure."""

    tells_errors = False

    def __init__(self, client: Client, base: str) -> None:
        self._client = client
        self._base = base

    async def _ask(self, path: str, params: Mapping[str, str], what: str) -> object:
        question = Question(url=f"{self._base}/{path}", what=f"{what} (public API)", params=params)
        return await self._client.ask(question)

    async def workspaces(self) -> tuple[str, ...]:
        """Return the ids of the workspaces that we may see."""
        what = "the list of workspaces"
        params = {"limit": str(PUBLIC_PAGE)}
        return _workspaces(await self._ask("workspaces", params, what), "data", what)

    async def connections(self, workspace_id: str, today: date) -> tuple[Connection, ...]:
        """Return the connections of a workspace, with their schedules and streams."""
        found: dict[str, Connection] = {}
        what = f"connections of workspace {workspace_id}"
        for page in range(MOST_PAGES):
            params = {
                "workspaceIds": workspace_id,
                "limit": str(PUBLIC_PAGE),
                "offset": str(page * PUBLIC_PAGE),
            }
            document = await self._ask("connections", params, what)
            fresh = _connections(document, workspace_id, today, what)
            new = {one.connection_id: one for one in fresh if one.connection_id not in found}
            found |= new
            if not new or len(fresh) < PUBLIC_PAGE:
                break
        return tuple(found.values())

    async def connection(self, connection_id: str, today: date) -> Connection | None:
        """Return one connection; None when there is none."""
        what = f"connection {connection_id}"
        return await _maybe(self._ask(f"connections/{connection_id}", {}, what), today)

    async def catalogs(self, workspace_id: str, today: date) -> tuple[Connection, ...]:
        """Return the same: this API always says the streams."""
        return await self.connections(workspace_id, today)

    async def jobs_of(self, connection_id: str, since: datetime) -> Found:
        """Return the syncs of a connection that changed since."""
        what = f"jobs of connection {connection_id}"
        pages = self._job_pages({"connectionId": connection_id}, since, what)
        return await gathered(pages, public_jobs, "data", what, since)

    async def jobs_in(self, workspace_ids: Sequence[str], since: datetime) -> Found:
        """Return the syncs of every connection of some workspaces that changed since."""
        what = "latest jobs of all connections"
        whose = {"workspaceIds": ",".join(workspace_ids)}
        pages = self._job_pages(whose, since, what, MOST_PAGES_OF_ALL)
        return await gathered(pages, public_jobs, "data", what, since)

    async def _job_pages(
        self, whose: Mapping[str, str], since: datetime, what: str, most: int = MOST_PAGES
    ) -> AsyncIterator[tuple[object, int]]:
        for page in range(most):
            params = {
                **whose,
                "jobType": "sync",
                "updatedAtStart": since.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "orderBy": "createdAt|DESC",
                "limit": str(PUBLIC_PAGE),
                "offset": str(page * PUBLIC_PAGE),
            }
            yield await self._ask("jobs", params, what), PUBLIC_PAGE


async def _maybe(answer: Awaitable[object], today: date) -> Connection | None:
    try:
        return connection(await answer, today)
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def _workspaces(document: object, key: str, what: str) -> tuple[str, ...]:
    entries = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise ApiError(f"asked Airbyte for {what}: the answer has no list named {key}")
    ids = (text_of(each.get("workspaceId")) for each in mappings(entries))
    return tuple(dict.fromkeys(one for one in ids if one))[:MOST_WORKSPACES]


def _connections(
    document: object, workspace_id: str, today: date, what: str
) -> tuple[Connection, ...]:
    found = connections(document, today)
    if found is None:
        raise ApiError(f"asked Airbyte for {what}: the answer has no list of connections")
    return tuple(replace(one, workspace_id=one.workspace_id or workspace_id) for one in found)


def _has_more(document: object, known: int) -> bool:
    """Newer versions page their list and say how many there are."""
    total = document.get("num_connections") if isinstance(document, Mapping) else None
    return isinstance(total, int) and not isinstance(total, bool) and total > known
