"""A stand-in for dbt Cloud's API on the loopback: runs with steps, and the artifacts that each left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.ports import Ask, Facts, Source
from tests.bot.sources.dbt_world import (
    NOON,
    RAW,
    Ticking,
    ask_of,
    catalog,
    manifest,
    opened,
    run_results,
    text,
)

TOKEN: Final = "dbtc_s3cret"
BUILD: Final = "Invoke dbt with `dbt build`"
DOCS: Final = "Invoke dbt with `dbt docs generate`"
CLONE: Final = "Clone git repository"
Answer = Callable[[web.Request], web.StreamResponse | None]


@dataclass(slots=True)
class Run:
    """A run, and what its steps left by ``(step, artifact)``; step 0 is asked for without a step."""

    id: int
    fields: dict[str, Any]
    steps: tuple[str, ...] = (CLONE, BUILD, DOCS)
    artifacts: dict[tuple[int, str], object] = field(default_factory=dict)


@dataclass(slots=True)
class Cloud:
    """The account: its runs by id, what was asked, and an answer that comes instead."""

    runs: dict[int, Run] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    instead: Answer | None = None
    pause: asyncio.Event | None = None

    def add(self, number: int, ended_at: datetime = NOON, **fields: Any) -> Run:
        """A build that went well, then docs generate, which wrote results of its own."""
        run = Run(
            id=number,
            fields={
                "status": 10,
                "job_definition_id": 7,
                "environment_id": 3,
                "git_sha": "sha-1",
                "finished_at": ended_at.strftime("%Y-%m-%d %H:%M:%S.%f+00:00"),
                "trigger": {"cause": "scheduled"},
                "job": {"name": "Nightly"},
                "artifacts_saved": True,
                "status_message": None,
                **fields,
            },
        )
        invocation = f"inv-{number}"
        run.artifacts = {
            (2, "run_results.json"): run_results(ended_at, invocation),
            (2, "manifest.json"): manifest(ended_at, invocation),
            (3, "run_results.json"): run_results(ended_at, f"docs-{number}", "generate"),
            (3, "manifest.json"): manifest(ended_at, f"docs-{number}"),
            (0, "run_results.json"): run_results(ended_at, f"docs-{number}", "generate"),
            (0, "catalog.json"): catalog(ended_at),
        }
        self.runs[number] = run
        return run

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What dbt Cloud would say."""
        path = request.path.partition("/accounts/1/")[2]
        self.asked.append(
            path + (f"?step={request.query['step']}" if "step" in request.query else "")
        )
        if self.pause is not None:
            await self.pause.wait()
        if request.headers.get("Authorization") != f"Token {TOKEN}":
            return web.json_response({"status": {"code": 401}}, status=401)
        if self.instead is not None and (other := self.instead(request)) is not None:
            return other
        match [part for part in path.split("/") if part]:
            case ["runs"]:
                return web.json_response({"data": self._listed(request.query)})
            case ["runs", number]:
                return self._detail(int(number))
            case ["runs", number, "artifacts", name]:
                return self._artifact(int(number), int(request.query.get("step", 0)), name)
        return web.json_response({}, status=404)

    def _listed(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        job = query.get("job_definition_id")
        wanted = [
            {"id": run.id, **run.fields}
            for run in self.runs.values()
            if job is None or run.fields["job_definition_id"] == int(job)
        ]
        newest = sorted(wanted, key=lambda one: one["id"], reverse=True)
        return newest[: int(query["limit"])]

    def _detail(self, number: int) -> web.Response:
        run = self.runs[number]
        steps = [
            {"index": index, "name": name, "status": 10} for index, name in enumerate(run.steps, 1)
        ]
        return web.json_response({"data": {"id": run.id, **run.fields, "run_steps": steps}})

    def _artifact(self, number: int, step: int, name: str) -> web.Response:
        document = self.runs[number].artifacts.get((step, name))
        if document is None:
            return web.json_response({"status": {"code": 404}}, status=404)
        if isinstance(document, str):
            return web.Response(text=document)
        return web.json_response(document)


@asynccontextmanager
async def served(
    cloud: Cloud, clock: Ticking | None = None, **options: object
) -> AsyncIterator[Any]:
    """The source, asking the stand-in."""
    from bot.sources.dbt_cloud import SOURCE  # noqa: PLC0415 - registered by its package

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", cloud.answer)
    async with TestServer(app) as server:
        settings = {
            "url": str(server.make_url("/")).rstrip("/"),
            "account_id": 1,
            "token_env": "DBT_TOKEN",
            "project_id": 5,
            **options,
        }
        secrets = {"DBT_TOKEN": TOKEN}
        async with opened(SOURCE, settings, clock, secrets) as source:
            yield source


@asynccontextmanager
async def world() -> AsyncIterator[tuple[Source, Ask]]:
    """A source whose runs went well, and a question that it can answer."""
    cloud = Cloud()
    cloud.add(11, NOON - timedelta(days=1))
    cloud.add(12)
    async with served(cloud) as source:
        yield source, ask_of()


async def read_account(cloud: Cloud, **options: object) -> Facts:
    """What one look at the account says of the raw orders."""
    async with served(cloud, None, **options) as source:
        facts: Facts = await source.read(ask_of(RAW))
        return facts


__all__ = [
    "BUILD",
    "CLONE",
    "DOCS",
    "NOON",
    "TOKEN",
    "Cloud",
    "Run",
    "read_account",
    "served",
    "text",
    "world",
]
