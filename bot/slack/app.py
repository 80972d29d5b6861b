"""The Bolt app: the same listeners for Socket Mode and HTTP.

``process_before_response`` makes Bolt answer Slack only after the listener has ended, and a listener ends when
its inbox row is committed. So a 200 means that we have it; a failed commit is a 500, and Slack sends it again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.decisions import Actor
from bot.deps import Deps
from bot.intake.registry import is_from_a_bot
from bot.ports import BotError
from bot.records import InboxKind, Post, PostKind
from bot.render.text import escape
from bot.slack.actions import press
from bot.slack.command import CommandRequest, choose, find_commands
from bot.slack.requests import NoAnswerError, Words, read_click, read_command, read_mention

GroupsOf = Callable[[str], tuple[str, ...]]
NO_TENANT = "This channel belongs to no tenant yet. An admin can add it to the directory."

log = logging.getLogger(__name__)


class Listeners:
    """What happens to each kind of Slack request: read it, keep it, answer it."""

    def __init__(self, deps: Deps, groups_of: GroupsOf) -> None:
        self._deps = deps
        self._groups_of = groups_of
        self._commands = find_commands()

    async def on_message(self, event: Mapping[str, Any]) -> None:
        """Keep another bot's message in a watched channel; people's messages are left alone."""
        channel_id = str(event.get("channel", ""))
        tenant_id = self._deps.directory.tenant_of(channel_id)
        if tenant_id is None or not self._deps.directory.watches(channel_id):
            return
        if not is_from_a_bot(event) or event.get("subtype") not in (None, "bot_message"):
            return
        await self._deps.store.inbox.keep(
            kind=InboxKind.SLACK_MESSAGE,
            sender_id=f"{channel_id}:{event['ts']}",  # Slack's own name for a message, however often it is sent
            tenant_id=tenant_id,
            payload={"channel": channel_id, "message": dict(event)},
            now=self._deps.clock(),
        )

    async def on_command(self, ack: AsyncAck, command: Mapping[str, Any]) -> None:
        """Answer ``/rca …``; the text is seen by the asker alone."""
        await ack(await self._answer(lambda: read_command(command), str(command["channel_id"])))

    async def on_mention(self, event: Mapping[str, Any]) -> None:
        """Answer ``@rca …`` the same way, where it was said."""
        if is_from_a_bot(event):
            return
        channel_id = str(event["channel"])
        text = await self._answer(lambda: read_mention(event), channel_id)
        await self._deps.store.posts.add(
            [
                Post(
                    post_id=f"whisper:{channel_id}:{event['ts']}",
                    incident_id=None,
                    kind=PostKind.EPHEMERAL,
                    channel_id=channel_id,
                    thread_ts=event.get("thread_ts"),
                    user_id=str(event["user"]),
                    text=text,
                )
            ],
            self._deps.clock(),
        )

    async def on_action(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Do what a button of ours says, then acknowledge."""
        click = read_click(body)
        actor = self._actor(click.user_id, click.channel_id)
        if actor is not None:
            await press(click, actor, self._deps)
        await ack()

    async def _answer(self, read: Callable[[], Words], channel_id: str) -> str:
        try:
            words = read()
            actor = self._actor(words.user_id, channel_id)
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
            return await command.run(request, self._deps)
        except NoAnswerError as error:
            return str(error)
        except BotError as error:  # the person can fix it: tell them, log nothing
            return escape(str(error))

    def _actor(self, user_id: str, channel_id: str) -> Actor | None:
        """Who is asking, for the channel's tenant; None where the channel has none."""
        tenant_id = self._deps.directory.tenant_of(channel_id)
        if tenant_id is None:
            return None
        role = self._deps.directory.role_of(user_id, self._groups_of(user_id))
        return Actor(user_id=user_id, tenant_id=tenant_id, role=role)


def build_slack_app(
    client: AsyncWebClient, signing_secret: str | None, listeners: Listeners
) -> AsyncApp:
    """Return the Bolt app with every listener; it owns no connection until it is asked something."""
    app = AsyncApp(
        client=client,
        signing_secret=signing_secret or "socket-mode-signs-nothing",
        process_before_response=True,
        logger=logging.getLogger("slack_bolt"),
    )
    app.event("message")(listeners.on_message)
    app.event("app_mention")(listeners.on_mention)
    app.command("/rca")(listeners.on_command)
    app.action(re.compile(r"^incident_"))(listeners.on_action)
    return app
