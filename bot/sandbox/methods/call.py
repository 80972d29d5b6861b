"""One call of a Web API method: who calls, with what, on which workspace."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.records import Channel, SlackRefusedError, User
from bot.sandbox.rights import Rights, Views
from bot.sandbox.wire import Args
from bot.sandbox.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token may do: as which user, with which scopes."""

    user: User
    scopes: frozenset[str]

    @property
    def is_app_level(self) -> bool:
        """Whether this is an ``xapp`` token: it opens sockets and does nothing else."""
        return self.scopes == {"connections:write"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that was let in."""

    args: Args
    grant: Grant
    workspace: Workspace
    rights: Rights
    views: Views
    base_url: str
    new_ticket: Callable[[], str]

    @property
    def user(self) -> User:
        """The bot user that calls."""
        return self.grant.user

    def needs(self, scope: str) -> None:
        """Refuse with ``missing_scope`` unless the token has *scope*."""
        if scope not in self.grant.scopes:
            provided = ",".join(sorted(self.grant.scopes))
            raise SlackRefusedError("missing_scope", extra={"needed": scope, "provided": provided})

    def channel(self, name: str = "channel") -> Channel:
        """Return the channel the call names, if the caller may know of it.

        Raises:
            SlackRefusedError: ``channel_not_found``, also for a private one the caller is no member of.
        """
        channel = self.workspace.channel(self.args.text(name))
        if channel.kind != "channel" and self.user.user_id not in channel.member_ids:
            raise SlackRefusedError("channel_not_found")
        return channel

    def own_channel(self) -> Channel:
        """Return the channel the call names; ``not_in_channel`` unless the caller is a member."""
        channel = self.channel()
        if self.user.user_id not in channel.member_ids:
            raise SlackRefusedError("not_in_channel")
        return channel

    def page(self, items: Sequence[Any], default: int, highest: int) -> Page:
        """Return the part of *items* that ``limit`` and ``cursor`` ask for.

        Raises:
            SlackRefusedError: ``invalid_cursor`` or ``invalid_limit``.
        """
        start = _offset(self.args.text("cursor"))
        limit = self.args.number("limit", default, highest)
        more = start + limit < len(items)
        cursor = base64.b64encode(f"next:{start + limit}".encode()).decode() if more else ""
        return Page(items=tuple(items[start : start + limit]), next_cursor=cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list; ``next_cursor`` is empty on the last."""

    items: tuple[Any, ...]
    next_cursor: str

    def answer(self, name: str, **more: object) -> dict[str, Any]:
        """Return the body that lists the items under *name*."""
        return {
            name: list(self.items),
            **more,
            "response_metadata": {"next_cursor": self.next_cursor},
        }


Run = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method: what its token must hold, and what it does; ``run`` returns the body beside ``ok``."""

    run: Run
    scope: str | None = None
    app_level: bool = False


Methods = Mapping[str, Method]


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        offset = int(number)
    except (binascii.Error, ValueError):
        raise SlackRefusedError("invalid_cursor") from None
    if word != "next" or offset < 0:
        raise SlackRefusedError("invalid_cursor")
    return offset
