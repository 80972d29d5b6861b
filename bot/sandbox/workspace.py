"""The state of a stand-in workspace: who is in it, what was said, and who may see it. No network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import count
from typing import Final

from bot.clock import Clock
from bot.sandbox.records import (
    Channel,
    Draft,
    File,
    Json,
    Message,
    SlackRefusedError,
    User,
    UserGroup,
)

MICROSECONDS: Final = 1_000_000


class ChangeKind(StrEnum):
    """What happened to a message."""

    POSTED = "posted"
    EDITED = "edited"
    DELETED = "deleted"
    OTHER = "other"  # a view, a reaction: worth a redraw, told to nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change, as told to those who watch the workspace."""

    kind: ChangeKind
    message: Message | None = None
    previous: Message | None = None


class Workspace:
    """Users, groups, channels and messages of one team.

    Every lookup takes an id or a name; what is not there is refused with Slack's own error. ``clock`` gives the
    time of messages: two of one instant still get different, rising ``ts``.
    """

    def __init__(
        self,
        *,
        team_id: str,
        domain: str,
        clock: Clock,
        users: Iterable[User],
        groups: Iterable[UserGroup] = (),
        channels: Iterable[Channel] = (),
    ) -> None:
        self.team_id = team_id
        self.domain = domain
        self.clock = clock
        self.groups = tuple(groups)
        self.files: dict[str, File] = {}
        self.watchers: list[Callable[[Change], None]] = []
        self._users = {one.user_id: one for one in users}
        self._channels = {one.channel_id: one for one in channels}
        self._messages: dict[str, dict[str, Message]] = {one: {} for one in self._channels}
        self._ephemerals: dict[tuple[str, str], Message] = {}
        self._last_us = 0
        self._serial = count(1)

    # ── who and where ────────────────────────────────────────────────────────────────────────────────

    def now(self) -> datetime:
        """Return the workspace's time."""
        return self.clock()

    def new_id(self, letter: str) -> str:
        """Return an id of Slack's look that was never given before, such as ``F0SANDBOX7``."""
        return f"{letter}0SANDBOX{next(self._serial)}"

    def new_ts(self) -> str:
        """Return the ``ts`` of something that happens now; each is later than the one before."""
        wanted = int(self.now().timestamp() * MICROSECONDS)
        self._last_us = max(wanted, self._last_us + 1)
        return f"{self._last_us // MICROSECONDS}.{self._last_us % MICROSECONDS:06d}"

    @property
    def users(self) -> tuple[User, ...]:
        """Everybody, bots included, in the order they were added."""
        return tuple(self._users.values())

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel and direct message."""
        return tuple(self._channels.values())

    def user(self, ref: str) -> User:
        """Return the user with this id or name.

        Raises:
            SlackRefusedError: ``user_not_found``.
        """
        found = self._users.get(ref) or next((u for u in self.users if u.name == ref), None)
        if found is None:
            raise SlackRefusedError("user_not_found")
        return found

    def channel(self, ref: str) -> Channel:
        """Return the channel with this id or name (with or without ``#``); a user's id is their direct message.

        Raises:
            SlackRefusedError: ``channel_not_found``.
        """
        found = self._channels.get(ref)
        name = ref.removeprefix("#")
        found = found or next((c for c in self.channels if c.name == name and not c.is_im), None)
        if found is None:
            raise SlackRefusedError("channel_not_found")
        return found

    def open_im(self, one: User, other: User) -> Channel:
        """Return the direct message of two users; it is made when they first need it."""
        members = {one.user_id, other.user_id}
        for channel in self.channels:
            if channel.is_im and set(channel.member_ids) == members:
                return channel
        pair = tuple(sorted(members))
        made = Channel(
            channel_id=self.new_id("D"), name="-".join(pair), member_ids=pair, is_im=True
        )
        return self.add_channel(made)

    def add_channel(self, channel: Channel) -> Channel:
        """Add a channel, or put it in the place of the one with its id."""
        self._channels[channel.channel_id] = channel
        self._messages.setdefault(channel.channel_id, {})
        return channel

    def join(self, user: User, channel: Channel) -> Channel:
        """Make *user* a member; joining twice changes nothing."""
        if user.user_id in channel.member_ids:
            return channel
        return self.add_channel(replace(channel, member_ids=(*channel.member_ids, user.user_id)))

    # ── messages ─────────────────────────────────────────────────────────────────────────────────────

    def post(self, channel: Channel, author: User, draft: Draft) -> Message:
        """Say *draft* in *channel*.

        Raises:
            SlackRefusedError: ``invalid_thread_ts``: the thread is not in this channel.
        """
        message = self._made(channel, author, draft)
        self._keep(message)
        self._tell(Change(kind=ChangeKind.POSTED, message=message))
        return message

    def post_ephemeral(self, channel: Channel, author: User, draft: Draft, reader: User) -> Message:
        """Say *draft* in *channel* to one reader only."""
        message = replace(self._made(channel, author, draft), visible_to=reader.user_id)
        self._keep(message)
        self._tell(Change(kind=ChangeKind.POSTED, message=message))
        return message

    def replace(self, message: Message, draft: Draft) -> Message:
        """Put *draft* in the place of what *message* says; thread, author and reader stay."""
        changed = replace(
            message,
            text=draft.text,
            blocks=_identified(draft.blocks),
            attachments=_attached(draft.attachments),
            metadata=draft.metadata or message.metadata,
            edited_ts=self.new_ts(),
        )
        self._keep(changed)
        self._tell(Change(kind=ChangeKind.EDITED, message=changed, previous=message))
        return changed

    def delete(self, message: Message) -> None:
        """Remove a message; its replies stay."""
        if message.visible_to is None:
            self._messages[message.channel_id].pop(message.ts, None)
        else:
            self._ephemerals.pop((message.channel_id, message.ts), None)
        self._tell(Change(kind=ChangeKind.DELETED, previous=message))

    def react(self, message: Message, user: User, name: str) -> Message:
        """Add a reaction.

        Raises:
            SlackRefusedError: ``already_reacted``.
        """
        users = message.reactions.get(name, ())
        if user.user_id in users:
            raise SlackRefusedError("already_reacted")
        reactions = {**message.reactions, name: (*users, user.user_id)}
        changed = replace(message, reactions=reactions)
        self._keep(changed)
        self.touch()
        return changed

    def message(self, channel: Channel, ts: str) -> Message:
        """Return the message of this ``ts`` that everybody in *channel* sees.

        Raises:
            SlackRefusedError: ``message_not_found``.
        """
        found = self._messages[channel.channel_id].get(ts)
        if found is None:
            raise SlackRefusedError("message_not_found")
        return found

    def ephemeral(self, channel: Channel, ts: str) -> Message | None:
        """Return the ephemeral message of this ``ts``, or None."""
        return self._ephemerals.get((channel.channel_id, ts))

    def timeline(self, channel: Channel) -> tuple[Message, ...]:
        """Return what stands in the channel itself, oldest first: no replies but those sent to the channel too."""
        stored = self._messages[channel.channel_id].values()
        return _in_order(one for one in stored if not one.is_reply or one.broadcast)

    def everything(self, channel: Channel) -> tuple[Message, ...]:
        """Return every message of a channel, replies included, oldest first."""
        return _in_order(self._messages[channel.channel_id].values())

    def thread(self, channel: Channel, ts: str) -> tuple[Message, ...]:
        """Return the parent, if it is still there, and its replies, oldest first."""
        stored = self._messages[channel.channel_id].values()
        return _in_order(one for one in stored if ts in (one.ts, one.thread_ts))

    def replies(self, message: Message) -> tuple[Message, ...]:
        """Return the replies to *message*, oldest first."""
        channel = self.channel(message.channel_id)
        return tuple(one for one in self.thread(channel, message.ts) if one.ts != message.ts)

    def ephemerals(self, user: User) -> tuple[Message, ...]:
        """Return what only *user* was told, oldest first."""
        return _in_order(m for m in self._ephemerals.values() if m.visible_to == user.user_id)

    def touch(self) -> None:
        """Say that something changed that is no message."""
        self._tell(Change(kind=ChangeKind.OTHER))

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

    def _made(self, channel: Channel, author: User, draft: Draft) -> Message:
        return Message(
            channel_id=channel.channel_id,
            ts=self.new_ts(),
            author=author,
            team_id=self.team_id,
            text=draft.text,
            blocks=_identified(draft.blocks),
            attachments=_attached(draft.attachments),
            metadata=draft.metadata,
            thread_ts=self._thread_of(channel, draft.thread_ts),
            broadcast=draft.broadcast,
            subtype=draft.subtype,
            username=draft.username,
            files=draft.files,
        )

    def _thread_of(self, channel: Channel, thread_ts: str | None) -> str | None:
        """A reply to a reply belongs to the parent's thread."""
        if thread_ts is None:
            return None
        parent = self._messages[channel.channel_id].get(thread_ts)
        if parent is None:
            raise SlackRefusedError("invalid_thread_ts")
        return parent.thread_ts or parent.ts

    def _keep(self, message: Message) -> None:
        if message.visible_to is None:
            self._messages[message.channel_id][message.ts] = message
        else:
            self._ephemerals[message.channel_id, message.ts] = message

    def _tell(self, change: Change) -> None:
        for watcher in tuple(self.watchers):
            watcher(change)


def _in_order(messages: Iterable[Message]) -> tuple[Message, ...]:
    return tuple(sorted(messages, key=lambda one: one.ts))


def _identified(blocks: Sequence[Json]) -> tuple[Json, ...]:
    """Give a ``block_id`` to each block without one, as Slack does."""
    return tuple({"block_id": f"b{number}", **block} for number, block in enumerate(blocks))


def _attached(attachments: Sequence[Json]) -> tuple[Json, ...]:
    """Give each attachment its ``id``, and its blocks theirs."""
    made = []
    for number, one in enumerate(attachments, start=1):
        inner = one.get("blocks")
        blocks = {"blocks": list(_identified(inner))} if inner else {}
        made.append({"id": number, "fallback": "[no preview available]", **one, **blocks})
    return tuple(made)
