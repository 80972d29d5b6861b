"""The things a workspace is made of, as frozen records that know how Slack writes them in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]
"""A JSON object as it crosses the wire."""


class SandboxError(Exception):
    """A test or a demo asked the sandbox for something that is not there; the text says what there is."""


class SlackRefusedError(Exception):
    """What Slack answers with ``ok: false``; ``error`` is Slack's own name for it."""

    def __init__(self, error: str, *details: str, extra: Json | None = None) -> None:
        super().__init__(": ".join((error, "; ".join(details))) if details else error)
        self.error = error
        self.details = details
        self.extra = dict(extra or {})

    def answer(self) -> dict[str, Any]:
        """Return the body that Slack sends."""
        body: dict[str, Any] = {"ok": False, "error": self.error, **self.extra}
        if self.details:
            body["response_metadata"] = {"messages": [f"[ERROR] {text}" for text in self.details]}
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, or the user behind a bot (then with ``bot_id`` and ``app_id``)."""

    user_id: str
    name: str
    real_name: str
    email: str | None = None
    timezone: str = "UTC"
    bot_id: str | None = None
    app_id: str | None = None

    @property
    def is_bot(self) -> bool:
        """Whether an app acts under this name."""
        return self.bot_id is not None

    def to_slack(self, team_id: str) -> dict[str, Any]:
        """Return the user object of ``users.info``."""
        return {
            "id": self.user_id,
            "team_id": team_id,
            "name": self.name,
            "deleted": False,
            "real_name": self.real_name,
            "tz": self.timezone,
            "profile": {
                "real_name": self.real_name,
                "display_name": self.name,
                "email": self.email,
            },
            "is_bot": self.is_bot,
            "is_app_user": False,
        }

    def bot_profile(self, team_id: str) -> dict[str, Any]:
        """Return what a bot's messages carry about it."""
        return {
            "id": self.bot_id,
            "app_id": self.app_id,
            "user_id": self.user_id,
            "name": self.name,
            "deleted": False,
            "team_id": team_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGroup:
    """A group that can be mentioned as one."""

    group_id: str
    handle: str
    name: str
    member_ids: tuple[str, ...] = ()

    def to_slack(self, team_id: str) -> dict[str, Any]:
        """Return the object of ``usergroups.list``, with its users."""
        return {
            "id": self.group_id,
            "team_id": team_id,
            "is_usergroup": True,
            "handle": self.handle,
            "name": self.name,
            "date_delete": 0,
            "users": list(self.member_ids),
            "user_count": len(self.member_ids),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel, or a direct message when ``is_im``."""

    channel_id: str
    name: str
    member_ids: tuple[str, ...] = ()
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    topic: str = ""

    @property
    def kind(self) -> str:
        """Slack's ``channel_type``."""
        return "im" if self.is_im else "group" if self.is_private else "channel"

    def to_slack(self, viewer_id: str) -> dict[str, Any]:
        """Return the conversation object as *viewer_id* gets it."""
        channel: dict[str, Any] = {
            "id": self.channel_id,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": self.is_im,
            "is_private": self.is_private or self.is_im,
            "is_archived": self.is_archived,
        }
        if self.is_im:
            others = [one for one in self.member_ids if one != viewer_id]
            return channel | {"user": others[0] if others else viewer_id}
        return channel | {
            "name": self.name,
            "name_normalized": self.name,
            "is_member": viewer_id in self.member_ids,
            "num_members": len(self.member_ids),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that was asked for (no content yet), uploaded, or shared (then with a title)."""

    file_id: str
    name: str
    length: int
    user_id: str
    content: bytes | None = None
    title: str | None = None
    mimetype: str = "application/octet-stream"

    def to_slack(self) -> dict[str, Any]:
        """Return the file object that a message carries."""
        return {
            "id": self.file_id,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "size": self.length,
            "user": self.user_id,
            "mode": "hosted",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants to say; the workspace makes a message of it."""

    text: str = ""
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    subtype: str | None = None
    username: str | None = None
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; unique by channel and ``ts``. ``visible_to`` names the only reader of an ephemeral one."""

    channel_id: str
    ts: str
    author: User
    team_id: str
    text: str = ""
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    subtype: str | None = None
    username: str | None = None
    files: tuple[File, ...] = ()
    edited_ts: str | None = None
    visible_to: str | None = None
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_reply(self) -> bool:
        """Whether the message lives in another message's thread."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    def all_blocks(self) -> tuple[Json, ...]:
        """Return the blocks of the message, then those of its attachments."""
        inner = [block for one in self.attachments for block in one.get("blocks", ())]
        return self.blocks + tuple(inner)

    def to_slack(self, *, with_metadata: bool) -> dict[str, Any]:
        """Return the message object of the Web API and of events."""
        message: dict[str, Any] = {"type": "message", "ts": self.ts, "text": self.text}
        optional = {
            "subtype": self.subtype,
            "username": self.username,
            "thread_ts": self.thread_ts,
            "blocks": list(self.blocks),
            "attachments": list(self.attachments),
            "files": [one.to_slack() for one in self.files],
            "metadata": self.metadata if with_metadata else None,
        }
        message |= {key: value for key, value in optional.items() if value}
        if self.edited_ts:
            message["edited"] = {"user": self.author.user_id, "ts": self.edited_ts}
        if self.reactions:
            message["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in self.reactions.items()
            ]
        return message | self._authorship()

    def _authorship(self) -> dict[str, Any]:
        """A message with ``subtype: bot_message`` has no user, all others have one; bots' carry their ids."""
        who: dict[str, Any] = {"team": self.team_id}
        if self.subtype != "bot_message":
            who["user"] = self.author.user_id
        if self.author.is_bot:
            who |= {"bot_id": self.author.bot_id, "app_id": self.author.app_id}
            who["bot_profile"] = self.author.bot_profile(self.team_id)
        return who


class ViewKind(StrEnum):
    """Where a view is shown."""

    MODAL = "modal"
    HOME = "home"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A modal in front of one user, or that user's App Home."""

    view_id: str
    kind: ViewKind
    user_id: str
    body: Json
    hash: str
    app_id: str
    team_id: str
    bot_id: str | None = None

    def to_slack(self, state: Json | None = None) -> dict[str, Any]:
        """Return the view object; *state* holds the values that were typed in."""
        return {
            "callback_id": "",
            "private_metadata": "",
            "external_id": "",
            **self.body,
            "id": self.view_id,
            "team_id": self.team_id,
            "app_id": self.app_id,
            "bot_id": self.bot_id,
            "hash": self.hash,
            "root_view_id": self.view_id,
            "previous_view_id": None,
            "state": {"values": dict(state or {})},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The right to open one modal for one user, for three seconds."""

    trigger_id: str
    user_id: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseUrl:
    """The right to answer one command or click, five times within 30 minutes."""

    key: str
    user_id: str
    channel_id: str
    made_at: datetime
    message_ts: str | None = None
    used: int = 0
