"""The page in the browser: its files, what it shows, and what a newcomer does through it.

The page is for this machine only: every request must name a loopback host and come from the page itself, so
that no other site in the same browser can act in the workspace.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web

from bot.sandbox.core import Core
from bot.sandbox.picture import picture
from bot.sandbox.records import Json, Message, SandboxError, SlackRefusedError, User
from bot.sandbox.wire import parse_json

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
)
UPLOAD_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {**HEADERS, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
)
"""An uploaded SVG may style itself and do nothing else."""
SHOWN_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/svg+xml"})
PAGE_TYPES: Final = MappingProxyType(
    {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
)
LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost"})
KEEPALIVE_S: Final = 15.0
SHORTCUT: Final = "diagnose_alert"
"""The message shortcut of the manifest."""

Do = Callable[[Json, User], Awaitable[Json]]


class PageServer:
    """Serves the page of one sandbox under ``/ui/``."""

    def __init__(self, sandbox: Core) -> None:
        self._sandbox = sandbox
        folder = files("bot.sandbox").joinpath("page")
        self._files = {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve."""
        acts: dict[str, Do] = {
            "send": self._send,
            "click": self._click,
            "shortcut": self._shortcut,
            "home": self._home,
            "view/click": self._view_click,
            "view/submit": self._view_submit,
            "view/close": self._view_close,
            "view/suggest": self._view_suggest,
            "offer": self._offer,
        }
        return [
            web.get("/", _to_page),
            web.get("/ui", _to_page),
            web.get("/archives/{channel}/{ts}", _to_message),
            web.get("/ui/state", self._guarded(self._state)),
            web.get("/ui/events", self._guarded(self._events)),
            web.get("/ui/files/{file_id}", self._guarded(self._file)),
            *(web.post(f"/ui/{name}", self._guarded(self._act(do))) for name, do in acts.items()),
            web.get("/ui/", self._guarded(self._page_file)),
            web.get("/ui/{name}", self._guarded(self._page_file)),
        ]

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────

    async def _page_file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        content = self._files.get(name)
        if content is None:
            return web.Response(status=404, text="not here", headers=HEADERS)
        kind = PAGE_TYPES.get("." + name.rpartition(".")[2], "application/octet-stream")
        return web.Response(body=content, content_type=kind, charset="utf-8", headers=HEADERS)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        try:
            reader = self._person(request.query.get("as", ""))
        except SandboxError as error:
            return _problem(404, str(error))
        return web.json_response(picture(self._sandbox, reader), headers=HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Send the revision after every change, as server-sent events."""
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        pulse = self._sandbox.pulse
        revision = pulse.revision
        while not pulse.stopped:
            await response.write(f"data: {revision}\n\n".encode())
            revision = await pulse.after(revision, within_s=KEEPALIVE_S)
        return response

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = self._sandbox.workspace.files.get(request.match_info["file_id"])
        if file is None or file.content is None:
            return _problem(404, "no such file")
        shown = file.mimetype in SHOWN_TYPES
        kind = file.mimetype if shown else "application/octet-stream"
        place = {} if shown else {"Content-Disposition": "attachment"}
        headers = {**UPLOAD_HEADERS, **place}
        return web.Response(body=file.content, content_type=kind, headers=headers)

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    async def _send(self, body: Json, person: User) -> Json:
        """A text that starts with ``/`` is a command, one that names the app is a mention."""
        text, channel = _text(body, "text").strip(), _text(body, "channel")
        thread_ts = body.get("thread_ts") if isinstance(body.get("thread_ts"), str) else None
        mention = f"@{self._sandbox.app.name}"
        if not text:
            raise SandboxError("there is nothing to send")
        if text.startswith("/"):
            answer = await self._sandbox.command(person.user_id, channel, text)
            return {"acknowledged": answer.ok}
        if text.lower().startswith(mention):
            rest = text[len(mention) :].strip()
            await self._sandbox.mention(person.user_id, channel, rest, thread_ts=thread_ts)
        else:
            await self._sandbox.say(person.user_id, channel, text, thread_ts=thread_ts)
        return {}

    async def _click(self, body: Json, person: User) -> Json:
        message = self._message(body, person)
        answer = await self._sandbox.click(
            person.user_id, message, _text(body, "action_id"), choice=_choice(body)
        )
        return {"acknowledged": answer is not None and answer.ok}

    async def _shortcut(self, body: Json, person: User) -> Json:
        message = self._message(body, person)
        name = SHORTCUT
        answer = await self._sandbox.shortcut(person.user_id, message, name)
        return {"acknowledged": answer.ok}

    async def _home(self, body: Json, person: User) -> Json:
        """An app without a Home does not listen for this; the page then says that there is nothing."""
        del body
        await self._sandbox.open_home(person.user_id)
        return {}

    async def _view_click(self, body: Json, person: User) -> Json:
        view = self._sandbox.views.get(_text(body, "view_id"))
        if view is None or view.user_id != person.user_id:
            raise SandboxError("this view is gone")
        answer = await self._sandbox.click_view(
            person.user_id, view, _text(body, "action_id"), choice=_choice(body)
        )
        return {"acknowledged": answer.ok}

    async def _view_submit(self, body: Json, person: User) -> Json:
        values = body.get("values")
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise SandboxError("values must be an object of texts")
        answer = await self._sandbox.submit(person.user_id, values)
        fields = answer.fields()
        return {"acknowledged": answer.ok, "errors": fields.get("errors", {})}

    async def _view_close(self, body: Json, person: User) -> Json:
        del body
        await self._sandbox.close_view(person.user_id)
        return {}

    async def _view_suggest(self, body: Json, person: User) -> Json:
        action_id, value = _text(body, "action_id"), _text(body, "value")
        return {"options": list(await self._sandbox.suggest(person.user_id, action_id, value))}

    async def _offer(self, body: Json, person: User) -> Json:
        del person
        post = self._sandbox.offers.get(_text(body, "title"))
        if post is None:
            raise SandboxError("there is no such offer")
        await post()
        return {}

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

    def _guarded(
        self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            host = request.headers.get("Host", "")
            origin = request.headers.get("Origin")
            if host.rpartition(":")[0] not in LOOPBACK_NAMES:
                return _problem(403, "this page is for this machine only")
            if origin is not None and origin != f"http://{host}":
                return _problem(403, "only the page itself may ask")
            return await answer(request)

        return guarded

    def _act(self, do: Do) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def act(request: web.Request) -> web.StreamResponse:
            if request.content_type != "application/json":
                return _problem(415, "JSON is expected")
            try:
                body = _object(await request.read())
                done = await do(body, self._person(_text(body, "as")))
            except (SandboxError, SlackRefusedError) as error:
                return _problem(400, str(error))
            return web.json_response({"ok": True, **done}, headers=HEADERS)

        return act

    def _person(self, ref: str) -> User:
        """Only people can be played; bots act by themselves."""
        try:
            user = self._sandbox.workspace.user(ref)
        except SlackRefusedError:
            raise SandboxError("nobody of this name is here") from None
        if user.is_bot:
            raise SandboxError("a bot cannot be played")
        return user

    def _message(self, body: Json, person: User) -> Message:
        workspace, ts = self._sandbox.workspace, _text(body, "ts")
        channel = workspace.channel(_text(body, "channel"))
        if person.user_id not in channel.member_ids:
            raise SandboxError("not a member of this channel")
        private = workspace.ephemeral(channel, ts)
        if private is not None and private.visible_to == person.user_id:
            return private
        return workspace.message(channel, ts)


async def _to_page(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/ui/")


async def _to_message(request: web.Request) -> web.StreamResponse:
    """A permalink leads to the message on the page."""
    channel, ts = request.match_info["channel"], request.match_info["ts"]
    if not channel.isalnum() or not ts.isalnum():
        return _problem(404, "no such message")
    raise web.HTTPFound(f"/ui/#{channel}/{ts}")


def _object(raw: bytes) -> Json:
    body = parse_json(raw, "invalid_json")
    if not isinstance(body, dict):
        raise SandboxError("an object is expected")
    return body


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise SandboxError(f"{name} must be a text")
    return value


def _choice(body: Json) -> str | None:
    return _text(body, "choice") if body.get("choice") is not None else None


def _problem(status: int, text: str) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error": text}
    return web.Response(
        text=json.dumps(body), status=status, content_type="application/json", headers=HEADERS
    )
