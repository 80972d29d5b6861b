"""A stand-in for Airbyte on this machine: both APIs over real HTTP, and the faults that a test chooses."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.directory import Directory
from bot.ports import Ask, Source
from bot.sources.airbyte import SOURCE
from bot.sources.registry import Opening
from rca.case import Dataset

SAMPLES: Final = Path(__file__).parents[2] / "samples/airbyte"
NOW: Final = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
CONNECTION: Final = "aa941643-07ea-48a2-9035-024575491720"
OTHER: Final = "bb941643-07ea-48a2-9035-024575491720"
WORKSPACE: Final = "84d2dd6e-82aa-406e-91f3-bf8dbf176e69"
ORDERS: Final = Dataset(name="shopify_orders", connector_id=CONNECTION, stream="orders")
SECRETS: Final = {"AIRBYTE_ID": "the-client-id", "AIRBYTE_SECRET": "hunter2-the-secret"}
APPLICATION: Final = {"client_id_env": "AIRBYTE_ID", "client_secret_env": "AIRBYTE_SECRET"}


def sample(name: str) -> Any:
    """One recorded answer."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


@dataclass(slots=True)
class Ticking:
    """A clock that a test moves."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The instant."""
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One answer that is not what was asked for."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False  # until the test ends
    waits: bool = False  # then answers as it should
    cut: bool = False


def item(connection_id: str, **said: Any) -> dict[str, Any]:
    """A connection as Airbyte's own list has it."""
    return {
        "connectionId": connection_id,
        "name": "Shopify → Postgres",
        "status": "active",
        "scheduleType": "basic",
        "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 24}},
        "source": {"sourceId": "s", "name": "Shop", "sourceDefinitionId": "d", "sourceName": "Shopify"},
        "destination": {"destinationId": "t", "name": "Warehouse", "destinationName": "Postgres"},
        "isSyncing": False,
        "schemaChange": "no_change",
    } | said  # fmt: skip


def failed(job_id: int, connection_id: str, at: datetime, message: str) -> dict[str, Any]:
    """A sync that failed a minute after it started."""
    started = int(at.timestamp())
    reason = {
        "failureOrigin": "source",
        "failureType": "system_error",
        "externalMessage": message,
        "timestamp": (started + 60) * 1000,
    }
    attempt = {"id": 0, "status": "failed", "createdAt": started, "endedAt": started + 60}
    return {
        "job": {
            "id": job_id,
            "configType": "sync",
            "configId": connection_id,
            "createdAt": started,
            "updatedAt": started + 60,
            "startedAt": started,
            "status": "failed",
        },
        "attempts": [attempt | {"failureSummary": {"failures": [reason], "partialSuccess": False}}],
    }


class AirbyteWorld:
    """What the stand-in knows, what it was asked, and how it misbehaves."""

    def __init__(self) -> None:
        self.clock = Ticking()
        self.held = asyncio.Event()
        self.over = asyncio.Event()
        self.jobs: list[dict[str, Any]] = sample("config_jobs.json")["jobs"]
        self.connections: list[dict[str, Any]] = [item(CONNECTION)]
        self.catalogs: list[dict[str, Any]] = []
        self.diff: dict[str, Any] = sample("catalog_diff.json")
        self.events: list[dict[str, Any]] = []
        self.limited: list[str] = []
        self.knows_updates = True
        self.refused: str | None = None  # a connection that we may not see
        self.second_page = 0  # the status that every page but the first has
        self.always: list[dict[str, Any]] | None = None
        self.closed: dict[str, int] = {}  # status by the beginning of a path
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.asked: list[str] = []
        self.authorizations: list[str | None] = []
        self.tokens: list[str] = []
        self.revoked: set[str] = set()
        self.needs_token = True
        self.url = ""

    def count(self, end: str) -> int:
        """How often a path was asked for."""
        return sum(path.endswith(end) for path in self.asked)

    def app(self) -> web.Application:
        """The stand-in itself."""
        served = web.Application()
        served.router.add_route("*", "/{path:.*}", self._serve)
        return served

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.asked.append(path)
        self.authorizations.append(request.headers.get("Authorization"))
        if self.faults[path]:
            fault = self.faults[path].popleft()
            if fault.silent or fault.waits:
                self.held.set()
                await self.over.wait()
            if not fault.waits:
                return await _spoilt(request, fault)
        for start, status in self.closed.items():
            if path.startswith(start):
                return web.json_response({"message": "closed"}, status=status)
        if path.endswith("/applications/token"):
            return await self._token(request)
        if self.needs_token and not self._is_let_in(request):
            return web.json_response({"message": "who are you"}, status=401)
        body: dict[str, Any] = dict(request.query)
        if request.method == "POST":
            body = await request.json()
        if refusal := self._refusal(body):
            return web.json_response({"message": "not this"}, status=refusal)
        answer = self._answer(path, body)
        status = 404 if answer is None else 200
        return web.json_response(answer, status=status)

    def _refusal(self, body: Mapping[str, Any]) -> int:
        """The status of a question that is refused for what it asks; 0 when it is not."""
        if self.refused is not None and self.refused == body.get("configId"):
            return 403
        is_later_page = bool(body.get("pagination", {}).get("rowOffset"))
        return self.second_page if is_later_page else 0

    async def _token(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("client_secret") != SECRETS["AIRBYTE_SECRET"]:
            return web.json_response({"message": "no"}, status=401)
        self.tokens.append(f"token-{len(self.tokens)}")
        said = {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 900}
        return web.json_response(said)

    def _is_let_in(self, request: web.Request) -> bool:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return token in self.tokens and token not in self.revoked

    def _answer(self, path: str, body: Mapping[str, Any]) -> Any:
        if path.startswith("/api/public/v1/"):
            return self._public(path.removeprefix("/api/public/v1/"), body)
        limited = [{"streamName": name, "runState": "RATE_LIMITED"} for name in self.limited]
        known: dict[str, Callable[[], Any]] = {
            "workspaces/list": lambda: {"workspaces": [{"workspaceId": WORKSPACE, "name": "Shop"}]},
            "web_backend/connections/list": lambda: {"connections": self.connections},
            "web_backend/connections/get": lambda: self.diff,
            "connections/list": lambda: {"connections": self.catalogs},
            "connections/get": lambda: self._one(body["connectionId"]),
            "connections/events/list": lambda: {"events": self.events},
            "jobs/list": lambda: self.jobs_answer(body),
            "jobs/list_for_workspaces": lambda: self.jobs_answer(body),
            "stream_statuses/list": lambda: {"streamStatuses": limited},
        }
        answer = known.get(path.removeprefix("/api/v1/"))
        return answer() if answer else None

    def _one(self, connection_id: str) -> dict[str, Any] | None:
        return next((c for c in self.connections if c["connectionId"] == connection_id), None)

    def jobs_answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The syncs that were asked for, or the one page that a liar always gives."""
        if self.always is not None and "configId" in body:
            return {"jobs": self.always}
        assert body["configTypes"] == ["sync"]
        since = datetime.fromisoformat(body["updatedAtStart"]).timestamp()
        wanted = body.get("configId")
        mine = [
            entry
            for entry in self.jobs
            if wanted in (None, entry["job"]["configId"])
            and (entry["job"]["updatedAt"] >= since or not self.knows_updates)
        ]
        newest_first = sorted(mine, key=lambda entry: -int(entry["job"]["createdAt"]))
        offset, size = body["pagination"]["rowOffset"], body["pagination"]["pageSize"]
        return {"jobs": newest_first[offset : offset + size], "totalJobCount": len(mine)}

    def _public(self, path: str, query: Mapping[str, str]) -> Any:
        if path == "workspaces":
            return {"data": [{"workspaceId": WORKSPACE}]}
        if path == "connections":
            return {"data": [_public_connection(each) for each in self.connections]}
        if path == "jobs":
            since = datetime.fromisoformat(query["updatedAtStart"]).timestamp()
            wanted = query.get("connectionId")
            jobs = [_public_job(e["job"]) for e in self.jobs if e["job"]["updatedAt"] >= since]
            mine = [job for job in jobs if wanted in (None, job["connectionId"])]
            offset = int(query["offset"])
            return {"previous": "", "next": "", "data": mine[offset : offset + int(query["limit"])]}
        return None

    @asynccontextmanager
    async def source(
        self,
        options: Mapping[str, object] = APPLICATION,
        directory: Directory | None = None,
        secrets: Mapping[str, str] = SECRETS,
    ) -> AsyncIterator[Source]:
        """The source as the program opens it."""
        async with aiohttp.ClientSession() as session:
            opening = Opening(
                source_id="airbyte",
                options=SOURCE.options.model_validate({"url": self.url, **options}),
                secrets=secrets,
                session=session,
                directory=directory or Directory.empty(),
                clock=self.clock,
            )
            async with SOURCE.open(opening) as source:
                yield source

    def ask(
        self, dataset: Dataset = ORDERS, as_of: datetime | None = None, days: float = 90
    ) -> Ask:
        """What the collector asks for."""
        at = as_of or self.clock()
        return Ask(tenant_id="acme", dataset=dataset, as_of=at, since=at - timedelta(days=days))


def _public_connection(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "connectionId": entry["connectionId"],
        "name": entry["name"],
        "status": entry["status"],
        "schedule": {"scheduleType": "basic", "basicTiming": "Every 24 HOURS"},
        "configurations": {"streams": [{"name": "orders"}, {"name": "customers"}]},
    }


def _public_job(job: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "jobId": job["id"],
        "status": job["status"],
        "jobType": "sync",
        "startTime": datetime.fromtimestamp(job["startedAt"], UTC).isoformat(),
        "connectionId": job["configId"],
        "lastUpdatedAt": datetime.fromtimestamp(job["updatedAt"], UTC).isoformat(),
        "duration": "PT3M12S",
        "bytesSynced": 0,
        "rowsSynced": job.get("aggregatedStats", {}).get("recordsCommitted", 0),
    }


async def _spoilt(request: web.Request, fault: Fault) -> web.StreamResponse:
    if not fault.cut:
        return web.Response(status=fault.status, body=fault.body, headers=dict(fault.headers))
    response = web.StreamResponse(status=fault.status, headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"jobs": [')
    assert request.transport is not None
    request.transport.close()
    return response


@asynccontextmanager
async def world() -> AsyncIterator[AirbyteWorld]:
    """A stand-in that is served on this machine until the test ends."""
    stand_in = AirbyteWorld()
    server = TestServer(stand_in.app())
    await server.start_server()
    stand_in.url = f"http://{server.host}:{server.port}"
    try:
        yield stand_in
    finally:
        stand_in.over.set()
        await server.close()
