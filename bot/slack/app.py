"""The Bolt app: the same listeners for Socket Mode and HTTP.

``process_before_response`` makes Bolt answer Slack only after the listener has ended, and a listener ends when
its inbox row is committed. So a 200 means that we have it; a failed commit is a 500, and Slack sends it again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.decisions import Actor
from bot.deps import Deps
from bot.directory import Role
from bot.intake.registry import is_from_a_bot
from bot.ports import BotError
from bot.records import InboxKind, Post, PostKind
from bot.render.text import escape
from bot.slack.actions import press, whisper
from bot.slack.command import CommandRequest, choose, find_commands
from bot.slack.requests import (
    NoAnswerError,
    UsageError,
    Words,
    read_click,
    read_command,
    read_mention,
    read_message,
)
from bot.slack.shortcut import CALLBACK, diagnose_message, read_shortcut

GroupsOf = Callable[[str], tuple[str, ...]]
NO_TENANT = "This channel belongs to no tenant yet. An admin can add it to the directory."

log = logging.getLogger(__name__)


class Listeners:
    """What happens to each kind of Slack request: read it, keep it, answer it."""

    def __init__(self, deps: Deps, groups_of: GroupsOf) -> None:
        self._deps = deps
        self._groups_of = groups_of
        self._commands = find_commands()

    async def on_message(self, event: Mapping[str, Any], context: AsyncBoltContext) -> None:
        """Keep another bot's message in a watched channel, and what becomes of it; people's are left alone."""
        heard = read_message(event)
        if heard is None or not is_from_a_bot(heard.message) or _is_ours(heard.message, context):
            return
        tenant_id = self._deps.directory.tenant_of(heard.channel_id)
        if tenant_id is None or not self._deps.directory.watches(heard.channel_id):
            return
        await self._deps.store.inbox.keep(
            kind=InboxKind.SLACK_MESSAGE,
            sender_id=heard.sender_id,
            tenant_id=tenant_id,
            payload={"channel": heard.channel_id, "message": heard.message},
            now=self._deps.clock(),
        )

    async def on_command(
        self, ack: AsyncAck, command: Mapping[str, Any], context: AsyncBoltContext
    ) -> None:
        """Answer ``/rca …``; the text is seen by the asker alone."""
        try:
            words = read_command(command)
        except UsageError as error:
            await ack(escape(str(error)))
            return
        await ack(await self._answer(words, context))

    async def on_mention(self, event: Mapping[str, Any], context: AsyncBoltContext) -> None:
        """Answer ``@rca …`` the same way, where it was said."""
        if is_from_a_bot(event):
            return
        try:
            words = read_mention(event)
            text = await self._answer(words, context)
        except UsageError as error:
            text = escape(str(error))
        channel_id, user_id = str(event.get("channel", "")), str(event.get("user", ""))
        await self._deps.store.posts.add(
            [
                Post(
                    post_id=f"whisper:{channel_id}:{event.get('ts')}",
                    incident_id=None,
                    kind=PostKind.EPHEMERAL,
                    channel_id=channel_id,
                    thread_ts=event.get("thread_ts"),
                    user_id=user_id,
                    text=text,
                )
            ],
            self._deps.clock(),
        )

    async def on_action(
        self, ack: AsyncAck, body: Mapping[str, Any], context: AsyncBoltContext
    ) -> None:
        """Do what a button of ours says, then acknowledge."""
        try:
            click = read_click(body)
        except UsageError:
            log.warning("a button press could not be read")
            await ack()
            return
        actor = self._actor(click.user_id, click.team_id, click.channel_id, context)
        if actor is None:
            await whisper(NO_TENANT, click, self._deps)
        else:
            await press(click, actor, self._deps)
        await ack()

    async def on_shortcut(
        self, ack: AsyncAck, body: Mapping[str, Any], context: AsyncBoltContext
    ) -> None:
        """Diagnose the message that somebody points at; the answer to them is a whisper."""
        try:
            pointed = read_shortcut(body)
        except UsageError:
            log.warning("a message shortcut could not be read")
            await ack()
            return
        channel_id = pointed.heard.channel_id
        actor = self._actor(pointed.user_id, pointed.team_id, channel_id, context)
        text = NO_TENANT if actor is None else await diagnose_message(pointed, actor, self._deps)
        await self._deps.store.posts.add(
            [
                Post(
                    post_id=f"whisper:{body.get('trigger_id')}:shortcut",
                    incident_id=None,
                    kind=PostKind.EPHEMERAL,
                    channel_id=channel_id,
                    user_id=pointed.user_id,
                    text=escape(text),
                )
            ],
            self._deps.clock(),
        )
        await ack()

    async def _answer(self, words: Words, context: AsyncBoltContext) -> str:
        actor = self._actor(words.user_id, words.team_id, words.channel_id, context)
        if actor is None:
            return NO_TENANT
        command, rest = choose(words.words, self._commands)
        request = CommandRequest(
            actor=actor,
            channel_id=words.channel_id,
            thread_ts=words.thread_ts,
            trigger_id=words.trigger_id,
            words=rest,
        )
        try:
            return await command.run(request, self._deps)
        except NoAnswerError as error:
            return str(error)
        except BotError as error:  # the person can fix it: tell them, log nothing
            return escape(str(error))

    def _actor(
        self, user_id: str, team_id: str | None, channel_id: str, context: AsyncBoltContext
    ) -> Actor | None:
        """Who is asking, for the channel's tenant; None where the channel has none.

        In a channel that is shared with another company its people may look; more only if the directory names
        them.
        """
        directory = self._deps.directory
        tenant_id = directory.tenant_of(channel_id)
        if tenant_id is None:
            return None
        role = directory.role_of(user_id, self._groups_of(user_id))
        named = (*directory.roles.admin, *directory.roles.responder)
        if _is_guest(team_id, context) and user_id not in named:
            role = Role.VIEWER
        return Actor(user_id=user_id, tenant_id=tenant_id, role=role)


def _no_news(record: logging.LogRecord) -> bool:
    """Bolt reads SLACK_BOT_TOKEN by itself and warns that our client has it already, at every start."""
    return "`token` will be unused" not in record.getMessage()


def _is_guest(team_id: str | None, context: AsyncBoltContext) -> bool:
    """Whether somebody belongs to another workspace than the one our token is for."""
    ours = context.authorize_result
    if team_id is None or ours is None or ours.team_id is None:
        return False
    return team_id not in (ours.team_id, ours.enterprise_id)


def _is_ours(message: Mapping[str, Any], context: AsyncBoltContext) -> bool:
    """Whether we wrote it: of an edit, Bolt does not ask."""
    by_bot = context.bot_id is not None and message.get("bot_id") == context.bot_id
    return by_bot or (
        context.bot_user_id is not None and message.get("user") == context.bot_user_id
    )


def build_slack_app(
    client: AsyncWebClient, signing_secret: str | None, listeners: Listeners
) -> AsyncApp:
    """Return the Bolt app with every listener; it owns no connection until it is asked something."""
    bolt_log = logging.getLogger("slack_bolt")
    bolt_log.addFilter(_no_news)
    app = AsyncApp(
        client=client,
        signing_secret=signing_secret or "socket-mode-signs-nothing",
        process_before_response=True,
        logger=bolt_log,
    )
    app.event("message")(listeners.on_message)
    app.event("app_mention")(listeners.on_mention)
    app.command("/rca")(listeners.on_command)
    app.shortcut(CALLBACK)(listeners.on_shortcut)
    app.action(re.compile(r"^incident_"))(listeners.on_action)
    return app
