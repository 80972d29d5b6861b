"""What Slack sends to an app, as pure values: events, commands, clicks, views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.sandbox.records import Channel, Json, Message, User, View
from bot.sandbox.workspace import Change, ChangeKind

VERIFICATION_TOKEN: Final = "sandbox-verification"  # noqa: S105 - Slack's old token, part of the shape, checked by nobody
ENTERPRISE: Final[Json] = {"enterprise": None, "is_enterprise_install": False}


def event_callback(event: Json, *, app: User, team_id: str, event_id: str) -> dict[str, Any]:
    """Wrap an event in the envelope of the Events API."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": team_id,
        "context_team_id": team_id,
        "context_enterprise_id": None,
        "api_app_id": app.app_id,
        "event": dict(event),
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(float(event["event_ts"])),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team_id,
                "user_id": app.user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def message_event(change: Change, channel: Channel) -> dict[str, Any] | None:
    """Return the ``message`` event of a change, or None when Slack sends none."""
    now, before = change.message, change.previous
    shell = {"type": "message", "channel": channel.channel_id, "channel_type": channel.kind}
    match change.kind:
        case ChangeKind.POSTED if now is not None:
            return now.to_slack(with_metadata=True) | shell | {"event_ts": now.ts}
        case ChangeKind.EDITED if now is not None and before is not None:
            event_ts = now.edited_ts or now.ts
            return shell | {
                "subtype": "message_changed",
                "hidden": True,
                "message": now.to_slack(with_metadata=True),
                "previous_message": before.to_slack(with_metadata=True),
                "ts": event_ts,
                "event_ts": event_ts,
            }
        case ChangeKind.DELETED if before is not None:
            return shell | {
                "subtype": "message_deleted",
                "hidden": True,
                "deleted_ts": before.ts,
                "previous_message": before.to_slack(with_metadata=True),
                "ts": before.ts,
                "event_ts": before.ts,
            }
        case _:
            return None


def mention_event(message: Message) -> dict[str, Any]:
    """Return the ``app_mention`` event that comes beside the ``message`` event."""
    event = message.to_slack(with_metadata=False)
    return event | {
        "type": "app_mention",
        "channel": message.channel_id,
        "event_ts": message.ts,
    }


def home_opened_event(user: User, channel: Channel, event_ts: str) -> dict[str, Any]:
    """Return the ``app_home_opened`` event."""
    return {
        "type": "app_home_opened",
        "user": user.user_id,
        "channel": channel.channel_id,
        "tab": "home",
        "event_ts": event_ts,
    }


def url_verification(challenge: str) -> dict[str, Any]:
    """Return the request by which Slack checks an app's address."""
    return {"token": VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}


def command_body(
    *,
    command: str,
    text: str,
    user: User,
    channel: Channel,
    app: User,
    team: tuple[str, str],
    trigger_id: str,
    response_url: str,
) -> dict[str, str]:
    """Return the form fields of a slash command; *team* is its id and domain."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": team[0],
        "team_domain": team[1],
        "channel_id": channel.channel_id,
        "channel_name": "directmessage" if channel.is_im else channel.name,
        "user_id": user.user_id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": app.app_id or "",
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def block_actions(
    *,
    action: Json,
    message: Message,
    current: Message | None,
    user: User,
    channel: Channel,
    app: User,
    team: tuple[str, str],
    trigger_id: str,
    response_url: str,
) -> dict[str, Any]:
    """Return the payload of a click in a message.

    Args:
        action: the element's action, as ``elements.action_of`` makes it.
        message: the message as the user saw it.
        current: the message as it stands; None when it is gone or only one user saw it.
        user: who clicked.
        channel: where.
        app: the app that is told.
        team: id and domain.
        trigger_id: opens one modal.
        response_url: takes the answers.
    """
    payload = _interaction("block_actions", user, app, team, trigger_id)
    payload |= {
        "container": _container(message),
        "channel": {"id": channel.channel_id, "name": channel.name},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [dict(action)],
    }
    if current is not None:
        payload["message"] = current.to_slack(with_metadata=True)
    return payload


def view_actions(
    *,
    action: Json,
    view: View,
    state: Json,
    user: User,
    app: User,
    team: tuple[str, str],
    trigger_id: str,
) -> dict[str, Any]:
    """Return the payload of a click in a modal or an App Home."""
    return _interaction("block_actions", user, app, team, trigger_id) | {
        "container": {"type": "view", "view_id": view.view_id},
        "view": view.to_slack(state),
        "actions": [dict(action)],
    }


def view_submission(
    *, view: View, state: Json, user: User, app: User, team: tuple[str, str], trigger_id: str
) -> dict[str, Any]:
    """Return the payload of a modal that was sent; *state* maps block id and action id to values."""
    return _interaction("view_submission", user, app, team, trigger_id) | {
        "view": view.to_slack(state),
        "response_urls": [],
    }


def view_closed(*, view: View, user: User, app: User, team: tuple[str, str]) -> dict[str, Any]:
    """Return the payload of a modal that was cancelled."""
    payload = _interaction("view_closed", user, app, team, "")
    del payload["trigger_id"]
    return payload | {"view": view.to_slack(), "is_cleared": False}


def block_suggestion(
    *,
    view: View,
    block_id: str,
    action_id: str,
    value: str,
    user: User,
    app: User,
    team: tuple[str, str],
) -> dict[str, Any]:
    """Return the request for the options of a searchable list."""
    payload = _interaction("block_suggestion", user, app, team, "")
    del payload["trigger_id"]
    return payload | {
        "container": {"type": "view", "view_id": view.view_id},
        "view": view.to_slack(),
        "action_id": action_id,
        "block_id": block_id,
        "value": value,
    }


def message_action(
    *,
    callback_id: str,
    message: Message,
    user: User,
    channel: Channel,
    app: User,
    team: tuple[str, str],
    trigger_id: str,
    response_url: str,
) -> dict[str, Any]:
    """Return the payload of a message shortcut."""
    return _interaction("message_action", user, app, team, trigger_id) | {
        "callback_id": callback_id,
        "channel": {"id": channel.channel_id, "name": channel.name},
        "message": message.to_slack(with_metadata=True),
        "message_ts": message.ts,
        "action_ts": message.ts,
        "response_url": response_url,
    }


def _interaction(
    kind: str, user: User, app: User, team: tuple[str, str], trigger_id: str
) -> dict[str, Any]:
    return {
        "type": kind,
        "team": {"id": team[0], "domain": team[1]},
        "user": {
            "id": user.user_id,
            "username": user.name,
            "name": user.name,
            "team_id": team[0],
        },
        "api_app_id": app.app_id,
        "token": VERIFICATION_TOKEN,
        "trigger_id": trigger_id,
        **ENTERPRISE,
    }


def _container(message: Message) -> Mapping[str, Any]:
    container: dict[str, Any] = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel_id,
        "is_ephemeral": message.visible_to is not None,
    }
    if message.thread_ts is not None:
        container["thread_ts"] = message.thread_ts
    if not message.blocks and message.attachments:
        container |= {"type": "message_attachment", "attachment_id": 1, "is_app_unfurl": False}
    return container
