"""``/healthz``: the process runs. ``/readyz``: it can do its work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict

CHECK_LIMIT_S: Final = 2.0  # below the time limit of every usual probe

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[str | None]]
"""Looks at one thing we need; returns what is wrong with it in a few plain words, or None."""

FINE: Final = "ok"


class Alive(BaseModel):
    """The process answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether work can be done, with the outcome of each check by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Literal["ready", "not_ready"]
    checks: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthApi:
    """Answers probes; *checks* are asked all at once, each with ``CHECK_LIMIT_S``."""

    checks: Mapping[str, Check]

    def routes(self) -> tuple[web.RouteDef, ...]:
        """Return what to add to the application."""
        return (web.get("/healthz", self.alive), web.get("/readyz", self.ready))

    async def alive(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        """Answer 200 as long as the event loop runs; asks nobody, so that a slow database restarts nothing."""
        return _json(Alive(), HTTPStatus.OK)

    async def ready(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        """Answer 200 when every check is fine, else 503 with what is not."""
        said = await asyncio.gather(*(_ask(name, check) for name, check in self.checks.items()))
        outcome = dict(zip(self.checks, said, strict=True))
        fine = all(text == FINE for text in said)
        answer = Readiness(status="ready" if fine else "not_ready", checks=outcome)
        return _json(answer, HTTPStatus.OK if fine else HTTPStatus.SERVICE_UNAVAILABLE)


async def _ask(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_LIMIT_S):
            return await check() or FINE
    except TimeoutError:
        return f"no answer within {CHECK_LIMIT_S:g} s"
    except Exception:
        log.exception("a readiness check failed", extra={"check": name})
        return "failed; the log says why"


def _json(document: BaseModel, status: HTTPStatus) -> web.Response:
    return web.Response(
        status=status, text=document.model_dump_json(), content_type="application/json"
    )
