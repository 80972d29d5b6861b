"""What people do in modals and in the app's Home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.sandbox import payloads
from bot.sandbox.acting import Acting
from bot.sandbox.content import check_view
from bot.sandbox.deliver import Answer
from bot.sandbox.elements import Element, action_of, elements_of, find, option_of
from bot.sandbox.records import Json, SandboxError, SlackRefusedError, User, View

_SELECTS: Final = frozenset({"static_select", "external_select", "overflow", "radio_buttons"})


class ViewUsers(Acting):
    """Acts in views; every method takes users by id or name."""

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
        groups = fields.get("option_groups") or [fields]
        return tuple(option for group in groups for option in group.get("options") or ())

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

    def _modal(self, user: User) -> View:
        view = self._views.modal(user)
        if view is None:
            raise SandboxError(f"{user.name} sees no modal")
        return view

    def _follow(self, view: View, user: User, fields: Json) -> None:
        """Do with the modal what the app's answer says; a view Slack would not show is noted and changes nothing."""
        action, shown = fields.get("response_action"), fields.get("view")
        if action == "errors":
            return
        try:
            if action in ("update", "push"):
                self._show_next(view, user, shown if isinstance(shown, dict) else {}, action)
            else:
                self._views.close(view.view_id)
        except SlackRefusedError as refusal:
            self.problems.append(f"the answer to a modal was refused: {refusal}")
        self._workspace.touch()

    def _show_next(self, view: View, user: User, shown: Json, action: str) -> None:
        check_view(shown)
        if action == "update":
            self._views.update(view.view_id, shown, None)
        else:
            self._views.open(user, self._app, self._workspace.team_id, shown)


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
