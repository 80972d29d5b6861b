"""Answers to a command or a click: in the acknowledgement's body, or later through its response_url."""

from __future__ import annotations

from dataclasses import replace

from bot.sandbox.content import draft_of
from bot.sandbox.records import Draft, Message, ResponseUrl, User
from bot.sandbox.rights import Rights
from bot.sandbox.wire import Args
from bot.sandbox.workspace import Workspace


class Responses:
    """Turns answers into messages; ``app`` is the bot that speaks."""

    def __init__(self, workspace: Workspace, rights: Rights, app: User) -> None:
        self._workspace = workspace
        self._rights = rights
        self._app = app

    def through_url(self, key: str, args: Args) -> None:
        """Take an answer that came to a response_url.

        Raises:
            SlackRefusedError: the URL is unknown, used up or too old, or the content is refused.
        """
        self.take(self._rights.use_response_url(key, self._workspace.now()), args)

    def take(self, right: ResponseUrl, args: Args) -> None:
        """Say, replace or delete, as the answer asks; only the asker sees it unless ``in_channel``."""
        original = self._original(right)
        if args.flag("delete_original"):
            if original is not None:
                self._workspace.delete(original)
            return
        draft = replace(draft_of(args), thread_ts=args.optional("thread_ts"))
        if args.flag("replace_original") and original is not None:
            self._workspace.replace(original, draft)
        else:
            said = self._say(right, draft, in_channel=args.text("response_type") == "in_channel")
            if right.message_ts is None:
                self._rights.remember(right.key, said.ts)

    def _say(self, right: ResponseUrl, draft: Draft, *, in_channel: bool) -> Message:
        channel = self._workspace.channel(right.channel_id)
        if in_channel:
            return self._workspace.post(channel, self._app, draft)
        reader = self._workspace.user(right.user_id)
        return self._workspace.post_ephemeral(channel, self._app, draft, reader)

    def _original(self, right: ResponseUrl) -> Message | None:
        if right.message_ts is None:
            return None
        channel = self._workspace.channel(right.channel_id)
        ephemeral = self._workspace.ephemeral(channel, right.message_ts)
        if ephemeral is not None:
            return ephemeral
        everyone = self._workspace.thread(channel, right.message_ts)
        return next((one for one in everyone if one.ts == right.message_ts), None)
