"""The sandbox without its HTTP server: the workspace, who acts in it, and what can be seen of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from bot.clock import Clock
from bot.sandbox.api import BOT_SCOPES, ApiCall, SlackApi
from bot.sandbox.deliver import Answer, Attempt, Deliverer, Delivery, DeliveryKind
from bot.sandbox.faults import Faults
from bot.sandbox.methods.call import Grant
from bot.sandbox.pager import PagerApi, Phones
from bot.sandbox.payloads import message_event, url_verification
from bot.sandbox.people import People
from bot.sandbox.pulse import Pulse
from bot.sandbox.records import Message, SandboxError, User, View
from bot.sandbox.responses import Responses
from bot.sandbox.rights import Rights, Views
from bot.sandbox.sockets import SocketLine
from bot.sandbox.view_users import ViewUsers
from bot.sandbox.workspace import Change, Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The secrets that the app and the sandbox share."""

    bot_token: str = "xoxb-sandbox"  # noqa: S105 - opens nothing but the sandbox
    app_token: str = "xapp-sandbox"  # noqa: S105 - the same
    signing_secret: str = "sandbox-signing-secret"  # noqa: S105 - the same
    bot_scopes: frozenset[str] = BOT_SCOPES


class Core(People, ViewUsers):
    """The parts of a sandbox, wired to each other.

    ``faults`` spoils calls on order, ``phones`` shows who was woken, ``acts`` what people did.
    ``links`` (title to address) and ``offers`` (title to what it does) are shown on the page.
    """

    def __init__(
        self,
        *,
        workspace: Workspace,
        app: User,
        credentials: Credentials,
        clock: Clock,
        retry_after: Sequence[timedelta],
        services: Mapping[str, str],
        webhook_secrets: Mapping[str, str],
    ) -> None:
        rights, self.views = Rights(), Views()
        responses = Responses(workspace, rights, app)
        self.sender = Deliverer(retry_after)
        super().__init__(
            workspace=workspace,
            app=app,
            rights=rights,
            views=self.views,
            responses=responses,
            deliverer=self.sender,
        )
        self.workspace = workspace
        self.app = app
        self.credentials = credentials
        self.faults = Faults()
        self.pulse = Pulse()
        self.phones = Phones(clock)
        self.sockets = SocketLine(app.app_id or "")
        self.links: dict[str, str] = {}
        self.offers: dict[str, Callable[[], Awaitable[object]]] = {}
        self.api = SlackApi(
            workspace=workspace,
            rights=rights,
            views=self.views,
            responses=responses,
            faults=self.faults,
            tokens=_tokens(credentials, app),
            heard=self.pulse.beat,
            new_ticket=self.sockets.new_ticket,
        )
        self.pagers = PagerApi(
            phones=self.phones,
            faults=self.faults,
            clock=clock,
            services=services,
            webhook_secrets=webhook_secrets,
        )
        self._read: set[tuple[str, str]] = set()
        workspace.watchers.append(self._changed)
        self.phones.watchers.append(self.pulse.beat)

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
        return tuple(one for one in self.api.calls if method in (None, one.method))

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What was delivered to the app, oldest first, each once."""
        return tuple(self.sender.sent)

    @property
    def unread(self) -> tuple[Message, ...]:
        """The app's messages that nobody has looked at through ``messages`` or ``ephemerals``."""
        ours = [one for one in self._everything() if one.author == self.app]
        return tuple(one for one in ours if (one.channel_id, one.ts) not in self._read)

    @property
    def unexpected(self) -> tuple[str, ...]:
        """What a story should not have: refused calls, deliveries not acknowledged, messages nobody looked at."""
        refused = [f"{one.method} was refused: {one.error}" for one in self.calls() if one.error]
        unread = [f"nobody looked at: {one.text[:200]}" for one in self.unread]
        return (*refused, *self.sender.problems, *self.problems, *unread)

    async def until(self, look: Callable[[], T | None], within_s: float = 5.0) -> T:
        """Return what *look* finds as soon as it finds something; it looks again after every change.

        Raises:
            SandboxError: it found nothing within *within_s* seconds; the text says what went wrong meanwhile.
        """
        try:
            async with asyncio.timeout(within_s):
                while True:
                    revision = self.pulse.revision
                    if found := look():
                        return found
                    await self.pulse.after(revision)
        except TimeoutError:
            there = "; ".join(self.unexpected) or "nothing unusual happened"
            raise SandboxError(f"not there after {within_s:g} s ({there})") from None

    # ── delivering ───────────────────────────────────────────────────────────────────────────────────

    async def verify_url(self, challenge: str) -> Answer:
        """Check the app's address as Slack does when it is entered."""
        payload = url_verification(challenge)
        return await self.sender.deliver(Delivery(kind=DeliveryKind.EVENT, payload=payload))

    async def redeliver_last(self) -> Answer:
        """Send the last delivery once more, as Slack does when it believes that the first was lost."""
        if not self.sender.sent:
            raise SandboxError("nothing was delivered yet")
        again = Attempt(number=1, reason="http_timeout")
        return await self.sender.deliver(self.sender.sent[-1], again)

    async def settle(self) -> None:
        """Wait until the app has answered everything that was delivered in the background."""
        await self.sender.settle()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

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
        if message is None or message.author != self.app or message.visible_to is not None:
            return
        channel = self.workspace.channel(message.channel_id)
        event = message_event(change, channel)
        if event is not None and self.app.user_id in channel.member_ids:
            self.sender.deliver_later(self.event_delivery(event))


def _tokens(credentials: Credentials, app: User) -> dict[str, Grant]:
    return {
        credentials.bot_token: Grant(user=app, scopes=credentials.bot_scopes),
        credentials.app_token: Grant(user=app, scopes=frozenset({"connections:write"})),
    }
