"""Our own message model: what is said, in which order; knows nothing of Slack.

Text is made of spans, so that a value from data can never be read as markup: a plain ``str`` is words,
everything else says what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A value out of data or configuration, shown in a fixed-width face."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strong:
    """Words that must be seen first."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A point in time, shown in the reader's own time zone where that is known."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A web address with the words that stand for it."""

    url: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody by Slack user id; only ids from our own records or the directory, never from data."""

    slack_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A user group by id, with its name for places that cannot mention; saying it wakes people."""

    usergroup_id: str
    name: str


Span = str | Code | Strong | Instant | Link | Person | Group
Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """The first line; plain words only."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A few lines that belong together."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One value under the runbook's own key."""

    label: str
    value: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Values side by side."""

    items: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do; ``code`` is for copying, ``warning`` says what it would change."""

    line: Line
    code: str | None = None
    warning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Things to do, in this order."""

    title: str
    items: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A short table; ``more`` is the number of rows that exist beyond those given."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Small print."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Divider:
    """A line across."""


class ButtonStyle(StrEnum):
    """How a button looks; ``danger`` wakes somebody."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """What is asked before a click counts."""

    title: str
    text: str
    yes: str
    no: str = "Cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something to click; ``value`` is an id and never state."""

    action_id: str
    text: str
    value: str
    style: ButtonStyle = ButtonStyle.PLAIN
    confirm: Confirm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """The buttons of a message."""

    items: tuple[Button, ...]


Part = Title | Text | Facts | Steps | Table | Context | Divider | Buttons


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message.

    Attributes:
        parts: what is said, most important first.
        fallback: one line of plain words for notifications and screen readers.
        color: ``#rrggbb`` of the state, or None.
        foot: what stands beside the colour: state, small print, buttons.
    """

    parts: tuple[Part, ...]
    fallback: str
    color: str | None = None
    foot: tuple[Part, ...] = ()
