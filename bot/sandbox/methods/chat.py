"""chat.*: saying, changing and removing messages; reactions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from bot.sandbox.content import MAX_UPDATE_TEXT, draft_of
from bot.sandbox.methods.call import Call, Method, Methods
from bot.sandbox.records import Channel, Draft, Message, SlackRefusedError


def post_message(call: Call) -> dict[str, Any]:
    """Say something in a channel, or to a user in their direct message."""
    channel = _where(call)
    if channel.is_archived:
        raise SlackRefusedError("is_archived")
    draft = draft_of(call.args)
    draft = replace(
        draft,
        thread_ts=call.args.optional("thread_ts"),
        broadcast=call.args.flag("reply_broadcast"),
    )
    return _said(call.workspace.post(channel, call.user, draft))


def update(call: Call) -> dict[str, Any]:
    """Change one of the caller's own messages; blocks and attachments that are not sent stay."""
    channel = call.channel()
    message = _own(call, channel)
    if len(call.args.text("text").encode()) > MAX_UPDATE_TEXT:
        raise SlackRefusedError("msg_too_long")
    draft = _with_kept_parts(call, message)
    return {**_said(call.workspace.replace(message, draft)), "text": draft.text}


def post_ephemeral(call: Call) -> dict[str, Any]:
    """Say something that only one member of the channel sees."""
    channel = _where(call)
    reader = call.workspace.user(call.args.text("user"))
    if reader.user_id not in channel.member_ids:
        raise SlackRefusedError("user_not_in_channel")
    draft = replace(draft_of(call.args), thread_ts=call.args.optional("thread_ts"))
    message = call.workspace.post_ephemeral(channel, call.user, draft, reader)
    return {"message_ts": message.ts}


def delete(call: Call) -> dict[str, Any]:
    """Remove one of the caller's own messages."""
    channel = call.channel()
    message = call.workspace.message(channel, call.args.text("ts"))
    if message.author != call.user:
        raise SlackRefusedError("cant_delete_message")
    call.workspace.delete(message)
    return {"channel": channel.channel_id, "ts": message.ts}


def get_permalink(call: Call) -> dict[str, Any]:
    """Return the address of a message; here it leads to the sandbox's own page."""
    channel = call.channel()
    message = call.workspace.message(channel, call.args.text("message_ts"))
    number = message.ts.replace(".", "")
    link = f"{call.base_url}/archives/{channel.channel_id}/p{number}"
    return {"channel": channel.channel_id, "permalink": link}


def add_reaction(call: Call) -> dict[str, Any]:
    """Put an emoji on a message."""
    message = call.workspace.message(call.own_channel(), call.args.text("timestamp"))
    name = call.args.text("name").strip(":")
    if not name:
        raise SlackRefusedError("invalid_name")
    call.workspace.react(message, call.user, name)
    return {}


def _where(call: Call) -> Channel:
    ref = call.args.text("channel")
    people = [one for one in call.workspace.users if one.user_id == ref]
    if people:
        return call.workspace.open_im(call.user, people[0])
    channel = call.channel()
    if call.user.user_id in channel.member_ids:
        return channel
    if "chat:write.public" not in call.grant.scopes:
        raise SlackRefusedError("not_in_channel")
    return channel


def _own(call: Call, channel: Channel) -> Message:
    message = call.workspace.message(channel, call.args.text("ts"))
    if message.author != call.user:
        raise SlackRefusedError("cant_update_message")
    return message


def _with_kept_parts(call: Call, message: Message) -> Draft:
    draft = draft_of(call.args)
    return replace(
        draft,
        blocks=draft.blocks if "blocks" in call.args else message.blocks,
        attachments=draft.attachments if "attachments" in call.args else message.attachments,
    )


def _said(message: Message) -> dict[str, Any]:
    return {
        "channel": message.channel_id,
        "ts": message.ts,
        "message": message.to_slack(with_metadata=True),
    }


METHODS: Final[Methods] = {
    "chat.postMessage": Method(run=post_message, scope="chat:write"),
    "chat.update": Method(run=update, scope="chat:write"),
    "chat.postEphemeral": Method(run=post_ephemeral, scope="chat:write"),
    "chat.delete": Method(run=delete, scope="chat:write"),
    "chat.getPermalink": Method(run=get_permalink),
    "reactions.add": Method(run=add_reaction, scope="reactions:write"),
}
