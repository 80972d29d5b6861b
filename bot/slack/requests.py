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
MENTION: Final = re.compile(r"<@[^>]+>")
SPAN: Final = re.compile(r"(\d{1,4})(m|h|d)")
SPAN_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
MAX_SNOOZE: Final = timedelta(days=14)


class UsageError(BotError):
    """What was typed is not a command; the text says what would be."""


class NoAnswerError(BotError):
    """There is nothing to do for what was asked; the text is Slack markup, made by ``bot.render.answers``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A command line: who typed it, where, and its words."""

    user_id: str
    channel_id: str
    trigger_id: str
    thread_ts: str | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A pressed button: which one, on which incident, by whom."""

    action: str
    incident_id: str
    team: str | None
    user_id: str
    channel_id: str
    message_ts: str
    thread_ts: str | None
    sender_id: str


def read_command(command: Mapping[str, Any]) -> Words:
    """Return the words of a slash command.

    Raises:
        UsageError: more words than any command has.
    """
    return Words(
        user_id=str(command.get("user_id", "")),
        channel_id=str(command.get("channel_id", "")),
        trigger_id=str(command.get("trigger_id", "")),
        thread_ts=None,
        words=_words(str(command.get("text", ""))),
    )


def read_mention(event: Mapping[str, Any]) -> Words:
    """Return the words of ``@rca …``, without the mention; the answer belongs into the same thread."""
    return Words(
        user_id=str(event.get("user", "")),
        channel_id=str(event.get("channel", "")),
        trigger_id=f"{event.get('channel')}:{event.get('ts')}",
        thread_ts=str(event.get("thread_ts") or event.get("ts") or "") or None,
        words=_words(MENTION.sub(" ", str(event.get("text", "")))),
    )


def read_click(body: Mapping[str, Any]) -> Click:
    """Return which button of ours was pressed.

    Raises:
        UsageError: the payload lacks what every button press has.
    """
    try:
        action = body["actions"][0]
        container = body.get("container") or {}
        channel = (body.get("channel") or {}).get("id") or container["channel_id"]
        verb, _, team = str(action["action_id"]).partition(":")
        return Click(
            action=verb,
            incident_id=str(action["value"])[:MAX_NAME],
            team=team or None,
            user_id=str(body["user"]["id"]),
            channel_id=str(channel),
            message_ts=str(container.get("message_ts") or body["message"]["ts"]),
            thread_ts=container.get("thread_ts"),
            sender_id=str(body.get("trigger_id") or action["action_ts"]),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise UsageError("I cannot read this button press.") from error


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
    words = tuple(word[:MAX_NAME] for word in text.replace("`", " ").split())
    if len(words) > MAX_WORDS:
        raise UsageError("That is more than I can take at once. Try /rca help.")
    return words
