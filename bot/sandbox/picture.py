"""The workspace as one reader sees it, as the JSON object that the page draws. No secret is in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.sandbox.checklist import steps
from bot.sandbox.core import Core
from bot.sandbox.pager import PhoneCall
from bot.sandbox.records import Channel, Message, User, View


def picture(sandbox: Core, reader: User) -> dict[str, Any]:
    """Return everything that *reader* may see: their channels, what only they were told, and the phones."""
    workspace = sandbox.workspace
    mine = [c for c in workspace.channels if reader.user_id in c.member_ids]
    return {
        "revision": sandbox.pulse.revision,
        "team": workspace.domain,
        "me": reader.user_id,
        "app": _user(sandbox.app),
        "people": [_user(u) for u in workspace.users if not u.is_bot and u.name != "slackbot"],
        "users": {u.user_id: _user(u) for u in workspace.users},
        "groups": {g.group_id: g.handle for g in workspace.groups},
        "channels": [_channel(c, reader) for c in mine],
        "messages": {c.channel_id: _messages(sandbox, c, reader) for c in mine},
        "modal": _view(sandbox.modal(reader.user_id)),
        "home": _view(sandbox.home(reader.user_id)),
        "calls": [_call(one) for one in sandbox.phones.calls],
        "steps": [asdict(one) for one in steps(sandbox.acts, sandbox.phones.calls)],
        "links": [{"title": title, "url": url} for title, url in sandbox.links.items()],
        "offers": list(sandbox.offers),
    }


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.user_id,
        "name": user.name,
        "real_name": user.real_name,
        "is_bot": user.is_bot,
    }


def _channel(channel: Channel, reader: User) -> dict[str, Any]:
    others = [one for one in channel.member_ids if one != reader.user_id]
    return {
        "id": channel.channel_id,
        "name": channel.name,
        "kind": channel.kind,
        "topic": channel.topic,
        "members": len(channel.member_ids),
        "with": others[0] if channel.is_im and others else None,
    }


def _messages(sandbox: Core, channel: Channel, reader: User) -> list[dict[str, Any]]:
    public = sandbox.workspace.everything(channel)
    told = sandbox.workspace.ephemerals(reader)
    private = (one for one in told if one.channel_id == channel.channel_id)
    return [_message(one) for one in sorted((*public, *private), key=lambda one: one.ts)]


def _message(message: Message) -> dict[str, Any]:
    return {
        "channel": message.channel_id,
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "broadcast": message.broadcast,
        "author": message.author.user_id,
        "text": message.text,
        "blocks": list(message.blocks),
        "attachments": list(message.attachments),
        "edited": message.edited_ts,
        "only_you": message.visible_to is not None,
        "files": _files(message),
        "reactions": {name: len(users) for name, users in message.reactions.items()},
    }


def _files(message: Message) -> list[dict[str, str]]:
    return [
        {"id": one.file_id, "title": one.title or one.name, "mimetype": one.mimetype}
        for one in message.files
    ]


def _view(view: View | None) -> dict[str, Any] | None:
    return None if view is None else {**view.body, "id": view.view_id, "hash": view.hash}


def _call(call: PhoneCall) -> dict[str, Any]:
    return {
        "number": call.number,
        "provider": call.provider,
        "service": call.service,
        "summary": call.summary,
        "severity": call.severity,
        "state": call.state.value,
        "at": call.at.timestamp(),
        "triggers": call.triggers,
    }
