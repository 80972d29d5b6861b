"""Slack: do the tokens work, may they do what we need, are we in the channels, do the user groups exist?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.directory import Directory
from bot.ports import Checked
from bot.settings import Settings, SlackMode
from bot.slack.refusals import code_of

TIMEOUT_S: Final = 10
SCOPES_HEADER: Final = "x-oauth-scopes"  # Slack lists what a token may do in every answer

NEEDED_SCOPES: Final[Mapping[str, str]] = {
    "app_mentions:read": "to hear @rca",
    "channels:history": "to read alerts in public channels",
    "chat:write": "to post",
    "commands": "for /rca and the message shortcut",
    "groups:history": "to read alerts in private channels",
    "usergroups:read": "to know who is in which user group",
}
"""What the app's manifest asks for, and why."""

REACH_IT: Final = "let this machine reach slack.com, or what SLACK_API_URL names, over HTTPS"

_CHANNEL_FIX: Final = {
    "not_in_channel": "invite the bot there: /invite @rca",
    "channel_not_found": "check the id; for a private channel invite the bot: /invite @rca",
    "is_archived": "unarchive it, or name another channel in the directory",
}


async def examine_slack(settings: Settings) -> tuple[Checked, ...]:
    """Return one line per thing tried; nothing when Slack is off. Never raises."""
    if settings.slack_mode is SlackMode.OFF or settings.slack_bot_token is None:
        return ()
    async with _client(settings, settings.slack_bot_token.get_secret_value()) as client:
        hello = await _hello(client)
        lines = list(hello)
        if lines[0].problem is None:
            lines += [await _channel(client, one) for one in _channels(settings.directory)]
            lines += await _groups(client, settings.directory)
    if settings.slack_mode is SlackMode.SOCKET and settings.slack_app_token is not None:
        async with _client(settings, settings.slack_app_token.get_secret_value()) as client:
            lines.append(await _socket(client))
    return tuple(lines)


@asynccontextmanager
async def _client(settings: Settings, token: str) -> AsyncIterator[AsyncWebClient]:
    """A client with a session of its own, closed at the end."""
    base = settings.slack_api_url
    async with ClientSession(timeout=ClientTimeout(total=TIMEOUT_S)) as session:
        yield AsyncWebClient(
            token=token,
            base_url=base if base.endswith("/") else f"{base}/",
            timeout=TIMEOUT_S,
            session=session,
            retry_handlers=[],
        )


async def _hello(client: AsyncWebClient) -> tuple[Checked, ...]:
    what = "Slack takes the bot token"
    try:
        answer = await client.auth_test()
    except (SlackApiError, ClientError, TimeoutError) as error:
        fix = "check SLACK_BOT_TOKEN; the app's page shows it under OAuth & Permissions"
        return (Checked(what=what, problem=_said(error), fix=_fix(error, fix)),)
    headers = {name.lower(): value for name, value in dict(answer.headers).items()}
    granted = {scope.strip() for scope in str(headers.get(SCOPES_HEADER, "")).split(",")} - {""}
    team = answer.get("team") or answer.get("team_id")
    return (Checked(what=f"{what} (workspace {team})"), *_scopes(granted))


def _scopes(granted: set[str]) -> tuple[Checked, ...]:
    what = "the Slack app has the scopes it needs"
    if not granted:
        return (Checked(what=f"{what}: Slack did not say which it has"),)
    missing = [f"{scope} ({why})" for scope, why in NEEDED_SCOPES.items() if scope not in granted]
    if not missing:
        return (Checked(what=what),)
    return (
        Checked(
            what=what,
            problem=f"missing: {', '.join(missing)}",
            fix="add them under OAuth & Permissions, or paste deploy/slack/manifest.yaml, and reinstall the app",
        ),
    )


def _channels(directory: Directory) -> tuple[str, ...]:
    """Every channel we read or post in, once."""
    named = [
        *directory.channels,
        *(t.incident_channel for t in directory.tenants.values() if t.incident_channel),
        *(entry.channel for entry in directory.entries.values() if entry.channel),
    ]
    return tuple(dict.fromkeys(named))


async def _channel(client: AsyncWebClient, channel_id: str) -> Checked:
    what = f"the bot is in channel {channel_id}"
    try:
        await client.conversations_history(channel=channel_id, limit=1)
    except SlackApiError as error:
        code = code_of(error)
        fix = _CHANNEL_FIX.get(code, "look the error up in Slack's documentation")
        return Checked(what=what, problem=f"Slack answered {code}", fix=fix)
    except (ClientError, TimeoutError) as error:
        return Checked(what=what, problem=_said(error), fix="try again when Slack answers")
    return Checked(what=what)


async def _groups(client: AsyncWebClient, directory: Directory) -> list[Checked]:
    wanted: dict[str, str] = {}
    for team in directory.teams.values():
        if team.usergroup:
            wanted.setdefault(team.usergroup, f"teams.{team.id}.usergroup")
    for role in ("admin", "responder", "viewer"):
        for one in getattr(directory.roles, role):
            if one.startswith("S"):
                wanted.setdefault(one, f"roles.{role}")
    if not wanted:
        return []
    what = "the user groups of the directory exist"
    try:
        answer = await client.usergroups_list(include_disabled=True)
    except (SlackApiError, ClientError, TimeoutError) as error:
        fix = _fix(error, "give the app usergroups:read")
        return [Checked(what=what, problem=_said(error), fix=fix)]
    groups: list[dict[str, Any]] = answer.get("usergroups", [])
    listed = {str(group["id"]): group for group in groups}
    problems = [
        Checked(
            what=what,
            problem=f"{where}: {group_id} is {_state(listed.get(group_id))}",
            fix="correct the id in the directory, or enable the group in Slack",
        )
        for group_id, where in sorted(wanted.items())
        if _state(listed.get(group_id)) is not None
    ]
    return problems or [Checked(what=what)]


def _state(group: Mapping[str, Any] | None) -> str | None:
    if group is None:
        return "unknown to Slack"
    return "disabled" if group.get("date_delete") else None


async def _socket(client: AsyncWebClient) -> Checked:
    what = "Slack opens a socket for the app-level token"
    try:
        await client.apps_connections_open(app_token=client.token or "")
    except (SlackApiError, ClientError, TimeoutError) as error:
        fix = "check SLACK_APP_TOKEN: an app-level token with the scope connections:write"
        return Checked(what=what, problem=_said(error), fix=_fix(error, fix))
    return Checked(what=what)


def _fix(error: Exception, answered: str) -> str:
    """What to do when Slack answered with an error; a token is not to blame where nobody answered."""
    return answered if isinstance(error, SlackApiError) else REACH_IT


def _said(error: Exception) -> str:
    """What came back, in one line and without anything we sent."""
    if isinstance(error, SlackApiError):
        return f"Slack answered {code_of(error)}"
    return f"Slack could not be reached: {type(error).__name__}"
