"""What people and other bots do in the workspace; each act reaches the app as Slack would tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.sandbox import payloads
from bot.sandbox.deliver import Answer, Deliverer, Delivery, DeliveryKind
from bot.sandbox.elements import Element, action_of, elements_of, find, option_of
from bot.sandbox.records import (
    Channel,
    Draft,
    Json,
    Message,
    ResponseUrl,
    SandboxError,
    SlackRefusedError,
    User,
    View,
)
from bot.sandbox.responses import Responses
from bot.sandbox.rights import Rights, Views
from bot.sandbox.wire import Args
from bot.sandbox.workspace import Change, ChangeKind, Workspace

_SELECTS: Final = frozenset({"static_select", "external_select", "overflow", "radio_buttons"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing somebody did, for the log: ``alert``, ``say``, ``mention``, ``command``, ``click``, ``shortcut``."""

    kind: str
    user: str
    detail: str


class People:
    """The acts of people; every method takes users and channels by id or name.

    ``acts`` lists what was done, oldest first. ``problems`` holds what an answer of the app was refused for.
    """

    def __init__(
        self,
        *,
        workspace: Workspace,
        app: User,
        rights: Rights,
        views: Views,
        responses: Responses,
        deliverer: Deliverer,
    ) -> None:
        self.acts: list[Act] = []
        self.problems: list[str] = []
        self.base_url = ""
        self._workspace = workspace
        self._app = app
        self._rights = rights
        self._views = views
        self._responses = responses
        self._deliverer = deliverer

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

    # ── views ────────────────────────────────────────────────────────────────────────────────────────

    async def open_home(self, user: str) -> Answer:
        """Let a person open the app's Home."""
        author = self._workspace.user(user)
        place = self._workspace.open_im(author, self._app)
        event = payloads.home_opened_event(author, place, self._workspace.new_ts())
        return await self._deliver_event(event)

    async def click_view(
        self, user: str, view: View, action_id: str, *, choice: str | None = None
    ) -> Answer:
        """Let a person click an element of a modal or of their App Home."""
        author = self._workspace.user(user)
        element = find(view.body["blocks"], action_id)
        self._did("click", author, action_id)
        return await self._interact(
            payloads.view_actions(
                action=action_of(element, self._workspace.new_ts(), choice),
                view=view,
                state={},
                user=author,
                app=self._app,
                team=self._team,
                trigger_id=self._trigger(author),
            )
        )

    async def suggest(self, user: str, action_id: str, value: str) -> tuple[Json, ...]:
        """Return the options the app offers when a person types *value* into a searchable list of the open modal."""
        author = self._workspace.user(user)
        view = self._modal(author)
        element = find(view.body["blocks"], action_id)
        payload = payloads.block_suggestion(
            view=view,
            block_id=element.block_id,
            action_id=action_id,
            value=value,
            user=author,
            app=self._app,
            team=self._team,
        )
        fields = (await self._interact(payload)).fields()
        groups = fields.get("option_groups") or [{"options": fields.get("options") or []}]
        return tuple(option for group in groups for option in group.get("options", ()))

    async def submit(self, user: str, values: Mapping[str, str]) -> Answer:
        """Let a person send the modal they see; *values* maps action ids to texts or values of options.

        The modal closes, changes or stays with its errors, as the app's answer says.
        """
        author = self._workspace.user(user)
        view = self._modal(author)
        answer = await self._interact(
            payloads.view_submission(
                view=view,
                state=_state(view, values),
                user=author,
                app=self._app,
                team=self._team,
                trigger_id=self._trigger(author),
            )
        )
        if answer.ok:
            self._follow(view, author, answer.fields())
        return answer

    async def close_view(self, user: str) -> None:
        """Let a person cancel the modal they see; the app is told when it asked for it."""
        author = self._workspace.user(user)
        view = self._modal(author)
        self._views.close(view.view_id)
        self._workspace.touch()
        if view.body.get("notify_on_close"):
            closed = payloads.view_closed(view=view, user=author, app=self._app, team=self._team)
            await self._interact(closed)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def _team(self) -> tuple[str, str]:
        return self._workspace.team_id, self._workspace.domain

    def _did(self, kind: str, user: User, detail: str) -> None:
        self.acts.append(Act(kind=kind, user=user.name, detail=detail))

    def _trigger(self, user: User) -> str:
        return self._rights.new_trigger(user, self._workspace.now()).trigger_id

    def _url_of(self, right: ResponseUrl) -> str:
        return f"{self.base_url}/response/{right.key}"

    def _modal(self, user: User) -> View:
        view = self._views.modal(user)
        if view is None:
            raise SandboxError(f"{user.name} sees no modal")
        return view

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

    async def _deliver_event(self, event: Json) -> Answer:
        return await self._deliverer.deliver(self.event_delivery(event))

    def event_delivery(self, event: Json) -> Delivery:
        """Return the delivery that carries *event*, under a new event id."""
        envelope = payloads.event_callback(
            event,
            app=self._app,
            team_id=self._workspace.team_id,
            event_id=self._workspace.new_id("Ev"),
        )
        return Delivery(kind=DeliveryKind.EVENT, payload=envelope)

    async def _interact(self, payload: Json) -> Answer:
        return await self._deliverer.deliver(
            Delivery(kind=DeliveryKind.INTERACTION, payload=payload)
        )

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

    def _follow(self, view: View, user: User, fields: dict[str, Any]) -> None:
        match fields.get("response_action"):
            case "errors":
                return
            case "update":
                self._views.update(view.view_id, fields["view"], None)
            case "push":
                self._views.open(user, self._app, self._workspace.team_id, fields["view"])
            case "clear" | _:
                self._views.close(view.view_id)
        self._workspace.touch()


def _typed(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _state(view: View, values: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return ``state.values`` of the view after *values* were typed in; what was left out keeps its start value."""
    state: dict[str, dict[str, Any]] = {}
    for element in elements_of(view.body["blocks"]):
        entry = _entry(element, values.get(element.action_id))
        if entry is not None:
            state.setdefault(element.block_id, {})[element.action_id] = entry
    missing = [name for name in values if not any(name in block for block in state.values())]
    if missing:
        raise SandboxError(f"the modal has no input {', '.join(missing)}")
    return state


def _entry(element: Element, value: str | None) -> dict[str, Any] | None:
    kind = element.body.get("type")
    if kind in _SELECTS:
        chosen = element.body.get("initial_option") if value is None else option_of(element, value)
        return {"type": kind, "selected_option": chosen}
    if kind == "plain_text_input":
        typed = element.body.get("initial_value") if value is None else value
        return {"type": kind, "value": typed}
    return None
