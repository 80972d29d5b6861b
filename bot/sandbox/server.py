"""The sandbox served: one HTTP server on loopback for Slack's API, the pagers and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp import web

from bot.clock import Clock, system_clock
from bot.sandbox.core import Core, Credentials
from bot.sandbox.deliver import RETRY_AFTER, HttpLine
from bot.sandbox.page_server import PageServer
from bot.sandbox.records import User
from bot.sandbox.seed import RCA, default_workspace
from bot.sandbox.workspace import Workspace

LOOPBACK: Final = "127.0.0.1"
MAX_BODY_BYTES: Final = 20_000_000  # a file's upload; Slack's methods take far less
STOP_WITHIN_S: Final = 1.0

__all__ = ["Credentials", "Sandbox"]


class Sandbox(Core):
    """A workspace that is served while the ``async with`` block lasts.

    Point the app's Web API client at ``api_url``. In HTTP mode tell the sandbox where the app listens
    (``app_url``, or ``connect`` once it is known); without it the app is expected to open a socket.
    ``clock`` is the time of messages, triggers and response URLs; signatures carry the machine's own time,
    because the app's verifier asks that.

    Args:
        app_url: base address of the app in HTTP mode.
        credentials: the secrets shared with the app.
        clock: time of the workspace.
        workspace: who and what is there; the default has three people, three bots and five channels.
        app: the app's bot user.
        port: to listen on; 0 takes a free one.
        retry_after: the pauses before an event that was not taken is sent again.
        services: name of the team behind each PagerDuty routing key.
        webhook_secrets: secret of each webhook receiver by its name, at ``/webhook/{name}``.
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
        super().__init__(
            workspace=workspace or default_workspace(clock),
            app=app,
            credentials=credentials or Credentials(),
            clock=clock,
            retry_after=retry_after,
            services=services or {},
            webhook_secrets=webhook_secrets or {},
        )
        self.url = ""
        self._app_url = app_url
        self._port = port
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def api_url(self) -> str:
        """Base address for ``AsyncWebClient(base_url=…)``."""
        return f"{self.url}/api/"

    @property
    def page_url(self) -> str:
        """Where a browser sees the workspace."""
        return f"{self.url}/ui/"

    def connect(self, app_url: str | None) -> None:
        """Deliver to the app at *app_url* from now on, with or without ``/slack/events``; None: its sockets."""
        if app_url is None or self._session is None:
            self.sender.line = self.sockets
        else:
            secret = self.credentials.signing_secret
            self.sender.line = HttpLine(self._session, app_url, secret)

    async def __aenter__(self) -> Self:
        served = web.Application(client_max_size=MAX_BODY_BYTES)
        served.add_routes(self.api.routes())
        served.add_routes(self.pagers.routes())
        served.add_routes(PageServer(self).routes())
        served.add_routes([web.get("/link/", self.sockets.serve)])
        self._runner = web.AppRunner(served, access_log=None, shutdown_timeout=STOP_WITHIN_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()
        self.url = f"http://{LOOPBACK}:{self._runner.addresses[0][1]}"
        self.base_url = self.api.base_url = self.url
        self._session = aiohttp.ClientSession()
        self.connect(self._app_url)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sender.line = None
        await self.sender.stop()
        self.pulse.stop()
        await self.sockets.close()
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()
