"""What a newcomer is invited to try, ticked off by what really happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.sandbox.acting import Act
from bot.sandbox.pager import PhoneCall

COMMAND: Final = "/rca"
VERBS: Final = frozenset(
    {
        "ack", "escalate", "help", "history", "list", "reopen", "resolve", "review", "snooze", "status", "timeline",
        "unrecognised", "why",
    }
)  # fmt: skip
"""First words of the command that are no dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the list."""

    title: str
    hint: str
    done: bool


def steps(acts: Sequence[Act], calls: Sequence[PhoneCall]) -> tuple[Step, ...]:
    """Return the list in the order of an incident's life, with what is done so far."""
    return (
        Step(
            title="An alert arrives",
            hint="Another bot posts it in #data-alerts; the diagnosis follows in its thread.",
            done=any(one.kind == "alert" for one in acts),
        ),
        Step(
            title="Ask about a dataset",
            hint="Type /rca shopify_orders in the message box.",
            done=any(_asks(one) for one in acts),
        ),
        Step(
            title="Escalate",
            hint="Press a red Escalate button on a card, and confirm.",
            done=_pressed(acts, "escalate"),
        ),
        Step(
            title="See the page arrive",
            hint="The phone on the right shows who was woken.",
            done=bool(calls)
            and _pressed(acts, "escalate"),  # a deadline may have woken somebody before
        ),
        Step(
            title="Acknowledge",
            hint="Press Acknowledge: pending deadlines stop.",
            done=_pressed(acts, "ack"),
        ),
        Step(
            title="Resolve",
            hint="Press Resolve: the card turns green and the page closes.",
            done=_pressed(acts, "resolve"),
        ),
    )


def _asks(act: Act) -> bool:
    if act.kind == "shortcut":
        return True
    words = act.detail.split()
    if act.kind == "command" and words[:1] == [COMMAND]:
        words = words[1:]
    elif act.kind != "mention":
        return False
    return bool(words) and words[0] not in VERBS


def _pressed(acts: Sequence[Act], verb: str) -> bool:
    """Whether somebody pressed the button of this verb, or typed it."""
    return any(
        one.detail.startswith(f"incident_{verb}")
        if one.kind == "click"
        else one.kind == "command" and one.detail.split()[:2] == [COMMAND, verb]
        for one in acts
    )
