"""The sandbox itself: one HTTP server on loopback, and what tests and the demo do and see through it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp
from aiohttp import web

from bot.clock import Clock, system_clock
from bot.sandbox.api import BOT_SCOPES, ApiCall, SlackApi
from bot.sandbox.deliver import (
    RETRY_AFTER,
    Answer,
    Attempt,
    Deliverer,
    Delivery,
    DeliveryKind,
    HttpLine,
)
from bot.sandbox.faults import Faults
from bot.sandbox.methods.call import Grant
from bot.sandbox.pager import PagerApi, Phones
from bot.sandbox.payloads import message_event, url_verification
from bot.sandbox.people import People
from bot.sandbox.pulse import Pulse
from bot.sandbox.records import Message, SandboxError, User, View
from bot.sandbox.responses import Responses
from bot.sandbox.rights import Rights, Views
from bot.sandbox.seed import RCA, default_workspace
from bot.sandbox.sockets import SocketLine
from bot.sandbox.view_users import ViewUsers
from bot.sandbox.workspace import Change, Workspace

LOOPBACK: Final = "127.0.0.1"
MAX_BODY_BYTES: Final = 20_000_000  # a file's upload; Slack's methods take far less
STOP_WITHIN_S: Final = 1.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The secrets that the app and the sandbox share."""

    bot_token: str = "xoxb-sandbox"  # noqa: S105 - opens nothing but the sandbox
    app_token: str = "xapp-sandbox"  # noqa: S105 - the same
    signing_secret: str = "sandbox-signing-secret"  # noqa: S105 - the same
    bot_scopes: frozenset[str] = BOT_SCOPES


class Sandbox(People, ViewUsers):
    """A workspace that is served while the ``async with`` block lasts.

    Point the app's Web API client at ``api_url``. In HTTP mode tell the sandbox where the app listens
    (``app_url``, or ``connect`` once it is known); without it the app is expected to open a socket.
    ``clock`` is the time of messages, triggers and response URLs; signatures carry the machine's own time,
    because the app's verifier asks that.
    """

    def __init__(
        self,
        *,
        app_url: str | None = None,
        credentials: Credentials | None = None,
        clock: Clock = system_clock,
        workspace: Workspace | None = None,
        app: User = RCA,
        port: int = 0,
        retry_after: Sequence[timedelta] = RETRY_AFTER,
        services: Mapping[str, str] | None = None,
        webhook_secrets: Mapping[str, str] | None = None,
    ) -> None:
        self.credentials = credentials or Credentials()
        self.workspace = workspace or default_workspace(clock)
        self.faults = Faults()
        self.phones = Phones(clock)
        self.views = Views()
        self.pulse = Pulse()
        self.url = ""
        rights = Rights()
        responses = Responses(self.workspace, rights, app)
        self._sender = Deliverer(retry_after)
        super().__init__(
            workspace=self.workspace,
            app=app,
            rights=rights,
            views=self.views,
            responses=responses,
            deliverer=self._sender,
        )
        self._api = SlackApi(
            workspace=self.workspace,
            rights=rights,
            views=self.views,
            responses=responses,
            faults=self.faults,
            tokens=self._tokens(app),
            heard=self.pulse.beat,
        )
        self._pagers = PagerApi(
            phones=self.phones,
            faults=self.faults,
            clock=clock,
            services=services or {},
            webhook_secrets=webhook_secrets or {},
        )
        self.sockets = SocketLine(app.app_id or "")
        self._app_url = app_url
        self._port = port
        self._read: set[tuple[str, str]] = set()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    # ── serving ──────────────────────────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> Self:
        served = web.Application(client_max_size=MAX_BODY_BYTES)
        served.add_routes(self.routes())
        self._runner = web.AppRunner(served, access_log=None, shutdown_timeout=STOP_WITHIN_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()
        self.url = f"http://{LOOPBACK}:{self._runner.addresses[0][1]}"
        self.base_url = self._api.base_url = self.url
        self._session = aiohttp.ClientSession()
        self.connect(self._app_url)
        self.workspace.watchers.append(self._changed)
        self.phones.watchers.append(self.pulse.beat)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.workspace.watchers.remove(self._changed)
        await self._sender.stop()
        await self.sockets.close()
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def routes(self) -> list[web.RouteDef]:
        """Return everything the server answers."""
        link = web.get("/link/", self.sockets.serve)
        return [*self._api.routes(), *self._pagers.routes(), link]

    @property
    def api_url(self) -> str:
        """Base address for ``AsyncWebClient(base_url=…)``."""
        return f"{self.url}/api/"

    def connect(self, app_url: str | None) -> None:
        """Deliver to the app at *app_url* from now on; None means over its sockets."""
        if app_url is None or self._session is None:
            self._sender.line = self.sockets
        else:
            secret = self.credentials.signing_secret
            self._sender.line = HttpLine(self._session, app_url, secret)

    async def verify_url(self, challenge: str) -> Answer:
        """Check the app's address as Slack does when it is entered."""
        delivery = Delivery(kind=DeliveryKind.EVENT, payload=url_verification(challenge))
        return await self._sender.deliver(delivery)

    async def redeliver_last(self) -> Answer:
        """Send the last delivery once more, as Slack does when it believes that the first was lost."""
        if not self._sender.sent:
            raise SandboxError("nothing was delivered yet")
        again = Attempt(number=1, reason="http_timeout")
        return await self._sender.deliver(self._sender.sent[-1], again)

    async def settle(self) -> None:
        """Wait until the app has answered everything that was delivered in the background."""
        await self._sender.settle()

    # ── seeing ───────────────────────────────────────────────────────────────────────────────────────

    def messages(self, channel: str, thread_ts: str | None = None) -> tuple[Message, ...]:
        """Return what stands in a channel, or the replies in a thread, oldest first."""
        place = self.workspace.channel(channel)
        if thread_ts is None:
            return self._seen(self.workspace.timeline(place))
        thread = self.workspace.thread(place, thread_ts)
        return self._seen(tuple(one for one in thread if one.ts != thread_ts))

    def ephemerals(self, user: str) -> tuple[Message, ...]:
        """Return what only *user* was told, oldest first."""
        return self._seen(self.workspace.ephemerals(self.workspace.user(user)))

    def modal(self, user: str) -> View | None:
        """Return the modal that *user* sees, or None."""
        return self.views.modal(self.workspace.user(user))

    def home(self, user: str) -> View | None:
        """Return the App Home of *user*, or None when the app has published none."""
        return self.views.home(self.workspace.user(user))

    def calls(self, method: str | None = None) -> tuple[ApiCall, ...]:
        """Return the calls the Web API got, oldest first; of one method if it is named."""
        return tuple(one for one in self._api.calls if method in (None, one.method))

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What was delivered to the app, oldest first, each once."""
        return tuple(self._sender.sent)

    @property
    def unread(self) -> tuple[Message, ...]:
        """The app's messages that nobody has looked at through ``messages`` or ``ephemerals``."""
        ours = [one for one in self._everything() if one.author == self._app]
        return tuple(one for one in ours if (one.channel_id, one.ts) not in self._read)

    @property
    def unexpected(self) -> tuple[str, ...]:
        """What a story should not have: refused calls, deliveries not acknowledged, messages nobody looked at."""
        refused = [f"{one.method} was refused: {one.error}" for one in self.calls() if one.error]
        unread = [f"nobody looked at: {one.text[:200]}" for one in self.unread]
        return (*refused, *self._sender.problems, *self.problems, *unread)

    async def until(self, look: Callable[[], T | None], within_s: float = 5.0) -> T:
        """Return what *look* finds as soon as it finds something; it looks again after every change.

        Raises:
            SandboxError: it found nothing within *within_s* seconds; the text says what went wrong meanwhile.
        """
        revision = self.pulse.revision
        try:
            async with asyncio.timeout(within_s):
                while not (found := look()):
                    revision = await self.pulse.after(revision)
                return found
        except TimeoutError:
            there = "; ".join(self.unexpected) or "nothing unusual happened"
            raise SandboxError(f"not there after {within_s:g} s ({there})") from None

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

    def _tokens(self, app: User) -> dict[str, Grant]:
        return {
            self.credentials.bot_token: Grant(user=app, scopes=self.credentials.bot_scopes),
            self.credentials.app_token: Grant(user=app, scopes=frozenset({"connections:write"})),
        }

    def _seen(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        self._read |= {(one.channel_id, one.ts) for one in messages}
        return messages

    def _everything(self) -> tuple[Message, ...]:
        public = [m for c in self.workspace.channels for m in self.workspace.everything(c)]
        private = [m for u in self.workspace.users for m in self.workspace.ephemerals(u)]
        return (*public, *private)

    def _changed(self, change: Change) -> None:
        """Redraw; and tell the app of what it did itself, as Slack does."""
        self.pulse.beat()
        message = change.message or change.previous
        if message is None or message.author != self._app or message.visible_to is not None:
            return
        channel = self.workspace.channel(message.channel_id)
        event = message_event(change, channel)
        if event is not None and self._app.user_id in channel.member_ids:
            self._sender.deliver_later(self.event_delivery(event))
