"""Slack's bodies, read into what the flow understands. Pure; whatever is wrong becomes a ``UsageError``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bot.ports import BotError
from rca.case import AnomalyType

MAX_WORDS: Final = 20
MAX_NAME: Final = 300
MENTION: Final = re.compile(r"<@[^<>]*>")
LINKED: Final = re.compile(
    r"<(?:[^<>|]*\|)?([^<>|]*)>"
)  # <https://raw.orders|raw.orders>, <#C1|name>
ENTITIES: Final = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
)  # all that Slack escapes, in this order
SAID: Final = (None, "bot_message", "thread_broadcast", "file_share")
"""Subtypes of messages that say something; the rest speaks of members, pins and topics."""
SPAN: Final = re.compile(r"(\d{1,4})(m|h|d)")
SPAN_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
MAX_SNOOZE: Final = timedelta(days=14)


class UsageError(BotError):
    """What was typed is not a command; the text says what would be."""


class NoAnswerError(BotError):
    """There is nothing to do for what was asked; the text is Slack markup, made by ``bot.render.answers``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A command line: who typed it, where, and its words; ``team_id`` is the workspace the person belongs to."""

    user_id: str
    team_id: str | None
    channel_id: str
    trigger_id: str
    thread_ts: str | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A pressed button: which one, on which incident, by whom; ``team_id`` is the workspace they belong to."""

    action: str
    incident_id: str
    team: str | None
    user_id: str
    team_id: str | None
    channel_id: str
    message_ts: str
    thread_ts: str | None
    sender_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message as it reads now; ``sender_id`` names this wording of it, however often it is delivered."""

    channel_id: str
    sender_id: str
    message: Mapping[str, Any]


def read_command(command: Mapping[str, Any]) -> Words:
    """Return the words of a slash command.

    Raises:
        UsageError: more words than any command has, or a payload without what every command has.
    """
    try:
        return Words(
            user_id=_given(command, "user_id"),
            team_id=_text(command.get("team_id")),
            channel_id=_given(command, "channel_id"),
            trigger_id=_given(command, "trigger_id"),
            thread_ts=None,
            words=_words(_text(command.get("text")) or ""),
        )
    except KeyError as error:
        raise UsageError("I cannot read this command.") from error


def read_mention(event: Mapping[str, Any]) -> Words:
    """Return the words of ``@rca …``, without the mention; the answer belongs into the same thread.

    Raises:
        UsageError: more words than any command has, or an event without what every mention has.
    """
    try:
        channel_id, ts = _given(event, "channel"), _given(event, "ts")
        home = (_text(event.get(key)) for key in ("user_team", "source_team", "team"))
        return Words(
            user_id=_given(event, "user"),
            team_id=next(filter(None, home), None),
            channel_id=channel_id,
            trigger_id=f"{channel_id}:{ts}",
            thread_ts=_text(event.get("thread_ts")) or ts,
            words=_words(MENTION.sub(" ", _text(event.get("text")) or "")),
        )
    except KeyError as error:
        raise UsageError("I cannot read this mention.") from error


def read_click(body: Mapping[str, Any]) -> Click:
    """Return which button of ours was pressed.

    Raises:
        UsageError: the payload lacks what every button press has.
    """
    try:
        action = body["actions"][0]
        container = body.get("container") or {}
        channel_id = _text((body.get("channel") or {}).get("id")) or _given(container, "channel_id")
        verb, _, team = _given(action, "action_id").partition(":")
        user, value = body["user"], str(action["value"])[:MAX_NAME]
        trigger = _text(body.get("trigger_id"))
        return Click(
            action=verb,
            incident_id=value,
            team=team or None,
            user_id=_given(user, "id"),
            team_id=_text(user.get("team_id")) or _text((body.get("team") or {}).get("id")),
            channel_id=channel_id,
            message_ts=_text(container.get("message_ts")) or str(body["message"]["ts"]),
            thread_ts=_text(container.get("thread_ts")),
            sender_id=trigger or f"{_given(action, 'action_ts')}:{user['id']}:{value}",
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise UsageError("I cannot read this button press.") from error


def read_message(event: Mapping[str, Any]) -> Heard | None:
    """Return what a ``message`` event says, or None when it says nothing new.

    An edit is heard as the message reads after it. That Slack unfolded a link in it is no edit.
    """
    channel_id, subtype = _text(event.get("channel")), event.get("subtype")
    message: object = event
    if subtype == "message_changed":
        message = event.get("message")
        if isinstance(message, Mapping) and not _is_edited(message, event.get("previous_message")):
            return None
    elif subtype not in SAID:
        return None
    if not isinstance(message, Mapping) or message.get("subtype") not in SAID:
        return None
    ts = _text(message.get("ts"))
    if channel_id is None or ts is None:
        return None
    edit = "" if message is event else f":{_edited_ts(message) or _text(event.get('ts'))}"
    return Heard(channel_id=channel_id, sender_id=f"{channel_id}:{ts}{edit}", message=dict(message))


def _is_edited(message: Mapping[str, Any], before: object) -> bool:
    if not isinstance(before, Mapping):
        return True
    same_edit = _edited_ts(message) == _edited_ts(before)
    return not (same_edit and message.get("text") == before.get("text"))


def _edited_ts(message: Mapping[str, Any]) -> str | None:
    edited = message.get("edited")
    return _text(edited.get("ts")) if isinstance(edited, Mapping) else None


def read_anomaly_type(word: str) -> AnomalyType:
    """Return the anomaly type *word* names; ``volume`` is enough for ``volume_anomaly``.

    Raises:
        UsageError: no anomaly type is called so; the text lists them.
    """
    for kind in AnomalyType:
        if word.lower() in (kind.value, kind.value.partition("_")[0]):
            return kind
    known = ", ".join(kind.value for kind in AnomalyType)
    raise UsageError(f"I know no anomaly type {word}. One of: {known}.")


def read_span(word: str) -> timedelta:
    """Return the length of time that ``30m``, ``2h`` or ``1d`` stand for, at most 14 days.

    Raises:
        UsageError: it is not such a length, or too long.
    """
    match = SPAN.fullmatch(word.lower())
    span = timedelta(**{SPAN_UNITS[match[2]]: int(match[1])}) if match else None
    if not span or span > MAX_SNOOZE:
        raise UsageError(f"{word} is no length of time. Say 30m, 2h or 1d, at most 14d.")
    return span


def _words(text: str) -> tuple[str, ...]:
    """What was typed, word by word: names that Slack made a link of, and signs that it escaped, read as typed."""
    plain = LINKED.sub(r"\1", text)
    for entity, sign in ENTITIES:
        plain = plain.replace(entity, sign)
    words = tuple(word[:MAX_NAME] for word in plain.replace("`", " ").split())
    if len(words) > MAX_WORDS:
        raise UsageError("That is more than I can take at once. Try /rca help.")
    return words


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _given(payload: Mapping[str, Any], key: str) -> str:
    """The text under *key*; KeyError where there is none."""
    value = _text(payload[key])
    if value is None:
        raise KeyError(key)
    return value
