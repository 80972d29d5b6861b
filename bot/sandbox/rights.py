"""Short-lived rights that Slack hands out with a payload: to open one modal, to answer through a response_url."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from bot.sandbox.records import Json, ResponseUrl, SlackRefusedError, Trigger, User, View, ViewKind

TRIGGER_LIVES: Final = timedelta(seconds=3)  # Slack: a trigger_id is good for 3 seconds, once
RESPONSE_URL_LIVES: Final = timedelta(minutes=30)  # Slack: 5 answers within 30 minutes
RESPONSE_URL_USES: Final = 5


class Rights:
    """Triggers and response URLs that were handed out, and what is left of them."""

    def __init__(self) -> None:
        self._serial = count(1)
        self._triggers: dict[str, Trigger] = {}
        self._used_triggers: set[str] = set()
        self._response_urls: dict[str, ResponseUrl] = {}

    def new_trigger(self, user: User, now: datetime) -> Trigger:
        """Hand out the right to open one modal."""
        trigger_id = f"{next(self._serial)}.{int(now.timestamp())}.sandbox"
        made = Trigger(trigger_id=trigger_id, user_id=user.user_id, made_at=now)
        self._triggers[trigger_id] = made
        return made

    def use_trigger(self, trigger_id: str, now: datetime) -> Trigger:
        """Use up a trigger.

        Raises:
            SlackRefusedError: ``invalid_trigger_id``, ``exchanged_trigger_id`` (used before), or
                ``expired_trigger_id`` (older than 3 s).
        """
        found = self._triggers.get(trigger_id)
        if found is None:
            raise SlackRefusedError("invalid_trigger_id")
        if trigger_id in self._used_triggers:
            raise SlackRefusedError("exchanged_trigger_id")
        if now - found.made_at > TRIGGER_LIVES:
            raise SlackRefusedError("expired_trigger_id")
        self._used_triggers.add(trigger_id)
        return found

    def new_response_url(
        self, user: User, channel_id: str, now: datetime, message_ts: str | None = None
    ) -> ResponseUrl:
        """Hand out the right to answer; *message_ts* is the message that ``replace_original`` replaces."""
        made = ResponseUrl(
            key=f"r{next(self._serial)}",
            user_id=user.user_id,
            channel_id=channel_id,
            made_at=now,
            message_ts=message_ts,
        )
        self._response_urls[made.key] = made
        return made

    def use_response_url(self, key: str, now: datetime) -> ResponseUrl:
        """Use one of the answers.

        Raises:
            SlackRefusedError: ``used_url`` (unknown, or used five times) or ``expired_url`` (after 30 minutes).
        """
        found = self._response_urls.get(key)
        if found is None or found.used >= RESPONSE_URL_USES:
            raise SlackRefusedError("used_url")
        if now - found.made_at > RESPONSE_URL_LIVES:
            raise SlackRefusedError("expired_url")
        self._response_urls[key] = replace(found, used=found.used + 1)
        return found

    def remember(self, key: str, message_ts: str) -> None:
        """Let the next ``replace_original`` mean the message that this URL's answer made."""
        self._response_urls[key] = replace(self._response_urls[key], message_ts=message_ts)


class Views:
    """The modal in front of each user, and each user's App Home."""

    def __init__(self) -> None:
        self._serial = count(1)
        self._views: dict[str, View] = {}

    def open(self, user: User, app: User, team_id: str, body: Json) -> View:
        """Show a modal to *user*; the one before it stays known by its id."""
        return self._keep(user, app, team_id, body, f"V0SANDBOX{next(self._serial)}")

    def publish(self, user: User, app: User, team_id: str, body: Json) -> View:
        """Set the App Home of *user*."""
        old = self.home(user)
        view_id = old.view_id if old else f"V0SANDBOX{next(self._serial)}"
        return self._keep(user, app, team_id, body, view_id)

    def update(self, ref: str, body: Json, expected_hash: str | None) -> View:
        """Change a view by its id or its ``external_id``.

        Raises:
            SlackRefusedError: ``not_found`` or ``hash_conflict``.
        """
        old = self._views.get(ref) or next(
            (one for one in self._views.values() if one.body.get("external_id") == ref), None
        )
        if old is None:
            raise SlackRefusedError("not_found")
        if expected_hash is not None and expected_hash != old.hash:
            raise SlackRefusedError("hash_conflict")
        changed = replace(old, body=body, hash=f"h{next(self._serial)}")
        self._views[old.view_id] = changed
        return changed

    def close(self, view_id: str) -> None:
        """Take a view away."""
        self._views.pop(view_id, None)

    def get(self, view_id: str) -> View | None:
        """Return the view, or None."""
        return self._views.get(view_id)

    def modal(self, user: User) -> View | None:
        """Return the modal that *user* sees, or None."""
        return self._last(user, ViewKind.MODAL)

    def home(self, user: User) -> View | None:
        """Return the App Home of *user*, or None."""
        return self._last(user, ViewKind.HOME)

    def _last(self, user: User, kind: ViewKind) -> View | None:
        mine = [v for v in self._views.values() if v.user_id == user.user_id and v.kind is kind]
        return mine[-1] if mine else None

    def _keep(self, user: User, app: User, team_id: str, body: Json, view_id: str) -> View:
        made = View(
            view_id=view_id,
            kind=ViewKind(body["type"]),
            user_id=user.user_id,
            body=body,
            hash=f"h{next(self._serial)}",
            app_id=app.app_id or "",
            team_id=team_id,
            bot_id=app.bot_id,
        )
        self._views[view_id] = made
        return made
