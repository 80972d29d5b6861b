"""Slack's Web API over HTTP: ``/api/{method}``, uploads and response URLs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from aiohttp import web

from bot.sandbox.faults import Faults, answered
from bot.sandbox.methods import chat, conversations, people, surfaces
from bot.sandbox.methods.call import Call, Grant, Method
from bot.sandbox.records import SlackRefusedError
from bot.sandbox.responses import Responses
from bot.sandbox.rights import Rights, Views
from bot.sandbox.wire import read_args
from bot.sandbox.workspace import Workspace

OPEN_SOCKET: Final = "apps.connections.open"
API_TEST: Final = "api.test"
METHODS: Final[Mapping[str, Method]] = {
    **chat.METHODS,
    **conversations.METHODS,
    **people.METHODS,
    **surfaces.METHODS,
    OPEN_SOCKET: Method(run=lambda call: {"url": _socket_url(call)}, app_level=True),
}
BOT_SCOPES: Final = frozenset(one.scope for one in METHODS.values() if one.scope) | {
    "app_mentions:read",
    "chat:write.public",
    "commands",
    "groups:history",
    "groups:read",
}
"""What the sandbox's own bot token may do: everything, unless a test takes something away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One call that reached the Web API; ``error`` is Slack's name for the refusal, or None."""

    method: str
    error: str | None = None


class SlackApi:
    """Answers the Web API's methods on one workspace."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        rights: Rights,
        views: Views,
        responses: Responses,
        faults: Faults,
        tokens: Mapping[str, Grant],
        heard: Callable[[], None],
        new_ticket: Callable[[], str],
    ) -> None:
        self.calls: list[ApiCall] = []
        self.base_url = ""
        self._workspace = workspace
        self._rights = rights
        self._views = views
        self._responses = responses
        self._faults = faults
        self._tokens = tokens
        self._heard = heard
        self._new_ticket = new_ticket

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve."""
        return [
            web.get("/api/{method}", self._method),
            web.post("/api/{method}", self._method),
            web.post("/upload/{file_id}", self._upload),
            web.post("/response/{key}", self._response),
        ]

    async def _method(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        fault = self._faults.take(name)
        return await answered(request, fault, lambda: self._answer(name, request))

    async def _answer(self, name: str, request: web.Request) -> web.Response:
        try:
            body = {"ok": True, **await self._run(name, request)}
            error = None
        except SlackRefusedError as refusal:
            body, error = refusal.answer(), refusal.error
        self._note(name, error)
        return web.json_response(body, headers=self._scopes(request))

    def _scopes(self, request: web.Request) -> dict[str, str]:
        """What the token may do, as Slack says in every answer to a token it knows."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        grant = self._tokens.get(token)
        return {"x-oauth-scopes": ",".join(sorted(grant.scopes))} if grant else {}

    async def _run(self, name: str, request: web.Request) -> dict[str, Any]:
        args, token = await read_args(request)
        if name == API_TEST:
            return {"args": {}}
        method = METHODS.get(name)
        if method is None:
            raise SlackRefusedError("unknown_method")
        grant = self._granted(token)
        if method.app_level != grant.is_app_level:
            raise SlackRefusedError("not_allowed_token_type")
        call = Call(
            args=args,
            grant=grant,
            workspace=self._workspace,
            rights=self._rights,
            views=self._views,
            base_url=self.base_url,
            new_ticket=self._new_ticket,
        )
        if method.scope is not None:
            call.needs(method.scope)
        return method.run(call)

    def _note(self, method: str, error: str | None) -> None:
        self.calls.append(ApiCall(method=method, error=error))
        self._heard()

    def _granted(self, token: str | None) -> Grant:
        if not token:
            raise SlackRefusedError("not_authed")
        grant = self._tokens.get(token)
        if grant is None:
            raise SlackRefusedError("invalid_auth")
        return grant

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        return await answered(request, self._faults.take("upload"), lambda: self._stored(request))

    async def _stored(self, request: web.Request) -> web.Response:
        file = self._workspace.files.get(request.match_info["file_id"])
        content = await request.read()
        if file is None or len(content) != file.length:
            return web.Response(
                status=400, text="no such upload, or not the length that was announced"
            )
        self._workspace.files[file.file_id] = replace(file, content=content)
        return web.Response(text=f"OK - {file.length}")

    async def _response(self, request: web.Request) -> web.StreamResponse:
        fault = self._faults.take("response_url")
        return await answered(request, fault, lambda: self._responded(request))

    async def _responded(self, request: web.Request) -> web.Response:
        try:
            args, _ = await read_args(request)
            self._responses.through_url(request.match_info["key"], args)
        except SlackRefusedError as refusal:
            self._note("response_url", refusal.error)
            status = 404 if refusal.error in ("used_url", "expired_url") else 400
            return web.json_response(refusal.answer(), status=status)
        self._note("response_url", None)
        return web.Response(text="ok")


def _socket_url(call: Call) -> str:
    return f"{call.base_url.replace('http', 'ws', 1)}/link/?ticket={call.new_ticket()}"
