"""conversations.*: channels, who is in them, and what was said there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from bot.sandbox.methods.call import Call, Method, Methods
from bot.sandbox.records import Channel, Message, SlackRefusedError

PAGE: Final = 100  # Slack's default of ``limit``
LARGEST_PAGE: Final = 999  # and its highest value
_KINDS: Final = {
    "public_channel": "channel",
    "private_channel": "group",
    "im": "im",
    "mpim": "mpim",
}


def list_(call: Call) -> dict[str, Any]:
    """List the channels the caller may know of; public ones unless ``types`` says otherwise."""
    names = call.args.text("types", "public_channel").split(",")
    unknown = [name for name in names if name not in _KINDS]
    if unknown:
        raise SlackRefusedError("invalid_types")
    kinds = {_KINDS[name] for name in names}
    me = call.user.user_id
    listed = [
        channel.to_slack(me)
        for channel in call.workspace.channels
        if channel.kind in kinds
        and (channel.kind == "channel" or me in channel.member_ids)
        and not (channel.is_archived and call.args.flag("exclude_archived"))
    ]
    return call.page(listed, PAGE, LARGEST_PAGE).answer("channels")


def info(call: Call) -> dict[str, Any]:
    """Describe one channel."""
    return {"channel": call.channel().to_slack(call.user.user_id)}


def members(call: Call) -> dict[str, Any]:
    """List the ids of a channel's members."""
    return call.page(call.channel().member_ids, PAGE, LARGEST_PAGE).answer("members")


def join(call: Call) -> dict[str, Any]:
    """Become a member of a public channel."""
    channel = call.channel()
    if channel.kind != "channel":
        raise SlackRefusedError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackRefusedError("is_archived")
    return {"channel": call.workspace.join(call.user, channel).to_slack(call.user.user_id)}


def open_(call: Call) -> dict[str, Any]:
    """Open the direct message with one user."""
    ids = [one for one in call.args.text("users").split(",") if one]
    if len(ids) != 1:
        raise SlackRefusedError("users_list_not_supplied" if not ids else "too_many_users")
    channel = call.workspace.open_im(call.user, call.workspace.user(ids[0]))
    return {"channel": {"id": channel.channel_id}}


def history(call: Call) -> dict[str, Any]:
    """Return what stands in a channel, newest first."""
    channel = call.own_channel()
    within = reversed(_between(call, call.workspace.timeline(channel)))
    page = call.page([_message(call, channel, one) for one in within], PAGE, LARGEST_PAGE)
    return page.answer("messages", has_more=bool(page.next_cursor))


def replies(call: Call) -> dict[str, Any]:
    """Return a thread: its parent first, then the replies, oldest first."""
    channel = call.own_channel()
    thread = call.workspace.thread(channel, call.args.text("ts"))
    if not thread:
        raise SlackRefusedError("thread_not_found")
    parent, rest = thread[0], _between(call, thread[1:])
    listed = [_message(call, channel, one) for one in (parent, *rest)]
    page = call.page(listed, PAGE, LARGEST_PAGE)
    return page.answer("messages", has_more=bool(page.next_cursor))


def _between(call: Call, messages: Iterable[Message]) -> list[Message]:
    """``oldest`` and ``latest`` leave out their own instants unless ``inclusive``."""
    oldest = _instant(call, "oldest", 0.0)
    latest = _instant(call, "latest", float("inf"))
    inclusive = call.args.flag("inclusive")
    return [
        one
        for one in messages
        if oldest < float(one.ts) < latest or (inclusive and float(one.ts) in (oldest, latest))
    ]


def _instant(call: Call, name: str, default: float) -> float:
    raw = call.args.optional(name)
    try:
        return default if raw is None else float(raw)
    except ValueError:
        raise SlackRefusedError(f"invalid_ts_{name}") from None


def _message(call: Call, channel: Channel, message: Message) -> dict[str, Any]:
    """A message as these methods show it: a parent also counts its replies."""
    shown = message.to_slack(with_metadata=call.args.flag("include_all_metadata"))
    answers = () if message.is_reply else call.workspace.replies(message)
    if answers:
        shown |= {
            "thread_ts": message.ts,
            "reply_count": len(answers),
            "latest_reply": answers[-1].ts,
            "reply_users": sorted({one.author.user_id for one in answers}),
            "reply_users_count": len({one.author.user_id for one in answers}),
        }
    if message.is_reply:
        parents = call.workspace.thread(channel, message.thread_ts or "")
        shown["parent_user_id"] = parents[0].author.user_id
    return shown


METHODS: Final[Methods] = {
    "conversations.list": Method(run=list_, scope="channels:read"),
    "conversations.info": Method(run=info, scope="channels:read"),
    "conversations.members": Method(run=members, scope="channels:read"),
    "conversations.join": Method(run=join, scope="channels:join"),
    "conversations.open": Method(run=open_, scope="im:write"),
    "conversations.history": Method(run=history, scope="channels:history"),
    "conversations.replies": Method(run=replies, scope="channels:history"),
}
