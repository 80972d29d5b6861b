"""Reads one Airbyte: the Config API, which says why a sync failed, or the public API where that is closed.

The columns of a stream are left to the warehouse: Airbyte names their types in the words of JSON Schema, and a history
that speaks of ``string`` in one line and of ``varchar`` in the next would show every column as retyped.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.payloads.airbyte_connections import Connection
from bot.payloads.airbyte_jobs import as_known
from bot.ports import Ask, BotError, Checked, Facts, Notice, Offer, Pace
from bot.sources.airbyte.apis import ConfigApi, PublicApi
from bot.sources.airbyte.checking import checked
from bot.sources.airbyte.client import ApiError, Client
from bot.sources.airbyte.notices import Watcher
from bot.sources.airbyte.options import AirbyteOptions, Api, addresses
from bot.sources.airbyte.paging import Found
from bot.sources.airbyte.peers import PEER_AGE, peers
from bot.sources.airbyte.view import View
from bot.sources.registry import Opening
from rca.case import Dataset, ErrorCode, FactKind, Hole, IngestionJob, JobStatus, PeerError

GIVES: Final = frozenset({FactKind.INGESTION_JOBS, FactKind.PEER_ERRORS})
PACE: Final = Pace(time_limit=timedelta(seconds=25))
CONNECTION_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)
WHOLE_S: Final = PACE.time_limit.total_seconds() - 2.0  # so that the hole is ours, with its words
DEGRADED_FOR: Final = timedelta(minutes=10)  # then the Config API is tried again
PRESENT: Final = timedelta(
    minutes=5
)  # a state without a history says nothing of an earlier instant
NO_ERRORS: Final = "Airbyte's public API does not say why syncs fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Degraded:
    """Until when the public API is read instead, and why."""

    until: datetime
    why: str


class AirbyteSource:
    """One Airbyte, with whatever of it the credentials may see."""

    gives = GIVES
    pace = PACE

    def __init__(self, opening: Opening, options: AirbyteOptions, client: Client) -> None:
        where = addresses(options.url)
        self.source_id = opening.source_id
        self.name = f"Airbyte at {where.shown}"
        self._clock = opening.clock
        self._mode = options.api
        self._tenants = _tenants(opening)
        config = ConfigApi(client, where.config)
        public = PublicApi(client, where.public)
        self._config = View(config, opening.clock, options.workspace_id)
        self._public = View(public, opening.clock, options.workspace_id)
        self._config_api = config
        self._watcher = Watcher(config, opening.clock)
        self._degraded: _Degraded | None = None

    def covers(self, dataset: Dataset) -> bool:
        """Return whether its connector is named as Airbyte names connections."""
        return CONNECTION_ID.fullmatch(dataset.connector_id or "") is not None

    async def read(self, ask: Ask) -> Facts:
        """Return the syncs of the dataset's connection, the same source's failures elsewhere, and the schedule."""
        try:
            async with asyncio.timeout(WHOLE_S):
                return await self._read(ask)
        except TimeoutError:
            what = f"asked {self.name} for connection {ask.dataset.connector_id}"
            return _nothing(f"{what}: no whole answer within {WHOLE_S:g} s")

    async def _read(self, ask: Ask) -> Facts:
        degraded = self._degraded
        if self._mode is Api.PUBLIC:
            return await self._read_public(ask, "")
        if degraded is not None and self._clock() < degraded.until:
            return await self._read_public(ask, degraded.why)
        try:
            return await self._read_config(ask)
        except ApiError as error:
            if self._mode is Api.CONFIG or not error.refused:
                return _nothing(str(error))
            why = str(error)
        if not await self._is_open():
            self._degraded = _Degraded(until=self._clock() + DEGRADED_FOR, why=why)
        return await self._read_public(ask, why)

    async def _is_open(self) -> bool:
        """Whether the Config API is there for others than this connection: a wrong id is refused like a closed API."""
        try:
            await self._config.connections()
        except ApiError as error:
            return not error.refused
        return True

    def stop(self) -> None:
        """Give up the questions that are under way."""
        for asking in (self._config, self._public, self._watcher):
            asking.stop()

    async def check(self) -> tuple[Checked, ...]:
        """Try the credentials, each API that may be read, and whether the directory's connections are there."""
        views = {Api.CONFIG: (self._config,), Api.PUBLIC: (self._public,)}
        both = (self._config, self._public)
        return await checked(self.name, views.get(self._mode, both), frozenset(self._tenants))

    async def offers(self) -> tuple[Offer, ...]:
        """Return one offer per selected stream of each connection. Raises BotError."""
        try:
            catalogs = await self._catalogs()
        except ApiError as error:
            raise BotError(str(error)) from None
        return tuple(
            Offer(
                source_id=self.source_id,
                title=f"{one.name or one.connection_id}/{stream.name}",
                relation=stream.relation,
                connector_id=one.connection_id,
                stream=stream.name,
                expected_sync_interval_s=one.interval_s,
            )
            for one in catalogs
            if one.status != "deprecated"
            for stream in one.streams
        )

    async def _catalogs(self) -> tuple[Connection, ...]:
        if self._mode is Api.PUBLIC:
            return await self._public.catalogs()
        try:
            return await self._config.catalogs()
        except ApiError as error:
            if self._mode is Api.CONFIG or not error.refused:
                raise
        return await self._public.catalogs()

    async def _read_config(self, ask: Ask) -> Facts:
        """Raises ApiError when the syncs could not be read: the rest is holes."""
        connection_id = ask.dataset.connector_id or ""
        found = await self._config.jobs(connection_id, ask.since)
        connection, problem = await _maybe(self._config, connection_id)
        facts = self._facts(ask, found, connection, problem)
        if facts.found.get(FactKind.INGESTION_JOBS) is None:
            return facts
        others, hole = await self._peers(ask)
        notices, unseen = await self._notices(ask, connection)
        return Facts(
            found={
                FactKind.INGESTION_JOBS: await self._limited(_jobs_of(facts), connection, ask),
                FactKind.PEER_ERRORS: others,
            },
            holes=(*facts.holes, *hole, *unseen),
            noticed=notices,
            dataset=facts.dataset,
        )

    async def _read_public(self, ask: Ask, why: str) -> Facts:
        connection_id = ask.dataset.connector_id or ""
        untold = f"{NO_ERRORS} ({why})" if why else NO_ERRORS
        try:
            found = await self._public.jobs(connection_id, ask.since)
        except ApiError as error:
            reasons = dict.fromkeys(filter(None, (why, str(error))))
            return _nothing("; ".join(reasons))
        connection, problem = await _maybe(self._public, connection_id)
        facts = self._facts(ask, found, connection, problem)
        return Facts(
            found=facts.found,
            holes=(*facts.holes, Hole(fact=FactKind.PEER_ERRORS, reason=untold)),
            dataset=facts.dataset,
        )

    def _facts(
        self, ask: Ask, found: Found, connection: Connection | None, problem: str | None
    ) -> Facts:
        """The syncs as they were known at the instant, or why there are none; and the schedule, if it is today's."""
        known = (as_known(job, ask.as_of) for job in found.syncs)
        jobs = sorted(
            (job for job in known if job is not None), key=lambda job: (job.started_at, job.id)
        )
        reasons = [reason for reason in (found.lacks, problem) if reason]
        if not jobs and connection is None and problem is None:
            reasons.append(f"{self.name} has no connection {ask.dataset.connector_id}")
        holes = tuple(Hole(fact=FactKind.INGESTION_JOBS, reason=reason) for reason in reasons)
        if reasons and not jobs:
            return Facts(found={}, holes=holes)
        schedule = {"expected_sync_interval_s": connection.interval_s} if connection else {}
        return Facts(
            found={FactKind.INGESTION_JOBS: tuple(jobs)},
            holes=holes,
            dataset=schedule if self._is_present(ask) else {},
        )

    def _is_present(self, ask: Ask) -> bool:
        return abs(self._clock() - ask.as_of) <= PRESENT

    async def _peers(self, ask: Ask) -> tuple[tuple[PeerError, ...] | None, tuple[Hole, ...]]:
        try:
            jobs = await self._config.latest(ask.as_of - PEER_AGE)
            if jobs is not None:
                connections = await self._config.connections()
                return peers(ask, connections, jobs, self._tenants), ()
            reason = f"{self.name} does not tell the latest jobs of all its connections at once"
        except ApiError as error:
            reason = str(error)
        return None, (Hole(fact=FactKind.PEER_ERRORS, reason=reason),)

    async def _notices(
        self, ask: Ask, connection: Connection | None
    ) -> tuple[tuple[Notice, ...], tuple[Hole, ...]]:
        """What waits for somebody; that it could not be seen is told with the syncs, which were."""
        if connection is None or not self._is_present(ask):
            return (), ()
        try:
            return await self._watcher.look(connection, ask), ()
        except ApiError as error:
            return (), (Hole(fact=FactKind.INGESTION_JOBS, reason=str(error)),)

    async def _limited(
        self, jobs: tuple[IngestionJob, ...], connection: Connection | None, ask: Ask
    ) -> tuple[IngestionJob, ...]:
        """The running sync says that its source limits it, where a stream of it waits for that."""
        running = next((job for job in reversed(jobs) if job.status is JobStatus.RUNNING), None)
        workspace_id = connection.workspace_id if connection else None
        if running is None or workspace_id is None or not self._is_present(ask):
            return jobs
        try:
            streams = await self._config_api.limited_streams(workspace_id, running)
        except ApiError:
            return jobs  # an older Airbyte keeps no such statuses; nothing that was asked for is missing
        if not streams:
            return jobs
        limited = running.model_copy(
            update={
                "error_code": ErrorCode.RATE_LIMIT,
                "error_message": f"the source limits the rate of {', '.join(streams[:10])}",
                "failure_origin": "source",
            }
        )
        return tuple(limited if job is running else job for job in jobs)


def _jobs_of(facts: Facts) -> tuple[IngestionJob, ...]:
    found = facts.found.get(FactKind.INGESTION_JOBS)
    return found if isinstance(found, tuple) else ()


async def _maybe(view: View, connection_id: str) -> tuple[Connection | None, str | None]:
    """The connection, or why it could not be asked for; the syncs are worth having without it."""
    try:
        return await view.connection(connection_id), None
    except ApiError as error:
        return None, str(error)


def _nothing(reason: str) -> Facts:
    return Facts(found={}, holes=tuple(Hole(fact=kind, reason=reason) for kind in sorted(GIVES)))


def _tenants(opening: Opening) -> Mapping[str, str]:
    """Whose each connection of the directory is, of the tenants that this source serves."""
    entry = opening.directory.sources.get(opening.source_id)
    only = entry.tenant if entry else None
    return {
        each.connector_id.casefold(): each.tenant
        for each in opening.directory.entries.values()
        if each.connector_id
        and CONNECTION_ID.fullmatch(each.connector_id)
        and only in (None, each.tenant)
    }
