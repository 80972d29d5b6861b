"""What people and other bots say and click; each act reaches the app as Slack would tell it."""

from __future__ import annotations

from typing import Any

from bot.sandbox import payloads
from bot.sandbox.acting import Acting
from bot.sandbox.deliver import Answer, Delivery, DeliveryKind
from bot.sandbox.elements import action_of, find
from bot.sandbox.records import Channel, Draft, Json, Message, ResponseUrl, SlackRefusedError
from bot.sandbox.wire import Args
from bot.sandbox.workspace import Change, ChangeKind


class People(Acting):
    """Acts in channels; every method takes users and channels by id or name."""

    # ── saying ───────────────────────────────────────────────────────────────────────────────────────

    async def alert(
        self,
        channel: str,
        message: str | Json,
        *,
        bot: str = "elementary",
        thread_ts: str | None = None,
        subtype: str | None = None,
    ) -> Message:
        """Let another bot post *message*: text, or an object with text, blocks, attachments or metadata.

        Most bots' messages carry no subtype; ``subtype="bot_message"`` gives the older form without a user.
        """
        author, place = self._workspace.user(bot), self._workspace.channel(channel)
        content: Json = {"text": message} if isinstance(message, str) else message
        draft = Draft(
            text=str(content.get("text", "")),
            blocks=tuple(content.get("blocks", ())),
            attachments=tuple(content.get("attachments", ())),
            metadata=content.get("metadata"),
            thread_ts=thread_ts,
            subtype=subtype,
            username=author.name if subtype else None,
        )
        posted = self._workspace.post(place, author, draft)
        self._did("alert", author, posted.text)
        await self._tell(place, posted)
        return posted

    async def say(
        self, user: str, channel: str, text: str, *, thread_ts: str | None = None
    ) -> Message:
        """Let a person write *text*, which is escaped as Slack escapes what is typed."""
        author, place = self._workspace.user(user), self._workspace.channel(channel)
        said = self._workspace.post(place, author, Draft(text=_typed(text), thread_ts=thread_ts))
        self._did("say", author, text)
        await self._tell(place, said)
        return said

    async def mention(
        self, user: str, channel: str, text: str, *, thread_ts: str | None = None
    ) -> Message:
        """Let a person write ``@rca text``: the app gets a ``message`` and an ``app_mention`` event."""
        author, place = self._workspace.user(user), self._workspace.channel(channel)
        full = f"<@{self._app.user_id}> {_typed(text)}"
        said = self._workspace.post(place, author, Draft(text=full, thread_ts=thread_ts))
        self._did("mention", author, text)
        await self._tell(place, said)
        if self._app.user_id in place.member_ids:
            await self._deliver_event(payloads.mention_event(said))
        return said

    async def command(self, user: str, channel: str, text: str) -> Answer:
        """Let a person run a slash command, such as ``/rca shopify_orders``; its answer is shown as Slack shows it."""
        author, place = self._workspace.user(user), self._workspace.channel(channel)
        name, _, rest = text.strip().partition(" ")
        right = self._rights.new_response_url(author, place.channel_id, self._workspace.now())
        body = payloads.command_body(
            command=name,
            text=rest.strip(),
            user=author,
            channel=place,
            app=self._app,
            team=self._team,
            trigger_id=self._trigger(author),
            response_url=self._url_of(right),
        )
        self._did("command", author, text)
        answer = await self._deliverer.deliver(Delivery(kind=DeliveryKind.COMMAND, payload=body))
        self._show(name, answer, right)
        return answer

    # ── clicking ─────────────────────────────────────────────────────────────────────────────────────

    async def click(
        self,
        user: str,
        message: Message,
        action_id: str,
        *,
        choice: str | None = None,
        confirm: bool = True,
    ) -> Answer | None:
        """Let a person click an element of *message* as they see it, even when it has changed since.

        Args:
            user: who clicks.
            message: what they look at.
            action_id: which element.
            choice: value of the option to choose, for a list.
            confirm: what they answer when the element asks for confirmation.

        Returns:
            The app's acknowledgement; None when the person was asked for confirmation and said no.

        Raises:
            SandboxError: the message has no such element or option.
        """
        element = find(message.all_blocks(), action_id)
        if element.body.get("confirm") and not confirm:
            return None
        author = self._workspace.user(user)
        place = self._workspace.channel(message.channel_id)
        right = self._rights.new_response_url(
            author, place.channel_id, self._workspace.now(), message.ts
        )
        payload = payloads.block_actions(
            action=action_of(element, self._workspace.new_ts(), choice),
            message=message,
            current=self._current(message),
            user=author,
            channel=place,
            app=self._app,
            team=self._team,
            trigger_id=self._trigger(author),
            response_url=self._url_of(right),
        )
        self._did("click", author, action_id)
        return await self._interact(payload)

    async def shortcut(self, user: str, message: Message, callback_id: str) -> Answer:
        """Let a person choose a message shortcut of the app on *message*."""
        author = self._workspace.user(user)
        place = self._workspace.channel(message.channel_id)
        right = self._rights.new_response_url(author, place.channel_id, self._workspace.now())
        payload = payloads.message_action(
            callback_id=callback_id,
            message=message,
            user=author,
            channel=place,
            app=self._app,
            team=self._team,
            trigger_id=self._trigger(author),
            response_url=self._url_of(right),
        )
        self._did("shortcut", author, callback_id)
        return await self._interact(payload)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

    def _current(self, message: Message) -> Message | None:
        channel = self._workspace.channel(message.channel_id)
        try:
            return self._workspace.message(channel, message.ts)
        except SlackRefusedError:
            return None

    async def _tell(self, channel: Channel, message: Message) -> None:
        """Slack tells an app of messages only where it is a member."""
        if self._app.user_id not in channel.member_ids:
            return
        event = payloads.message_event(Change(kind=ChangeKind.POSTED, message=message), channel)
        if event is not None:
            await self._deliver_event(event)

    def _show(self, name: str, answer: Answer, right: ResponseUrl) -> None:
        """Show a command's answer; one that failed is told by Slackbot, as in Slack."""
        channel = self._workspace.channel(right.channel_id)
        if not answer.ok:
            why = "operation_timeout" if answer.status == 0 else "dispatch_failed"
            text = f'{name} failed with the error "{why}"'
            reader, slackbot = self._workspace.user(right.user_id), self._workspace.user("slackbot")
            self._workspace.post_ephemeral(channel, slackbot, Draft(text=text), reader)
        elif answer.fields():
            self._take(right, answer.fields())

    def _take(self, right: ResponseUrl, fields: dict[str, Any]) -> None:
        try:
            self._responses.take(right, Args(fields))
        except SlackRefusedError as refusal:
            self.problems.append(f"the answer to a command was refused: {refusal}")


def _typed(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
