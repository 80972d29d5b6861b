"""Lines in an incident's thread: what just happened, for those who follow it."""

from __future__ import annotations

from typing import Final

from bot.records import Page
from bot.render.message import Line, Message, Strong, Text
from bot.render.names import Names
from bot.render.plain import plain_line
from bot.render.text import one_line
from bot.render.who_next import page_line
from bot.render.words import confidence, verdict
from rca.diagnosis import Diagnosis

REASON_SHOWN: Final = 300  # characters


def paged_note(page: Page, names: Names) -> Message:
    """Return how far a page is, and why it was asked for; it wakes nobody."""
    return _note((*page_line(page, names), f" Reason: {one_line(page.reason, REASON_SHOWN)}"))


def undelivered_note(page: Page, names: Names, fallback_team: str | None = None) -> Message:
    """Return the lines that wake a team by its user group, because its pager could not.

    Args:
        page: the one that was not delivered.
        names: gives the user group.
        fallback_team: the team that is paged instead, if any.
    """
    why = one_line(page.error or "no answer", REASON_SHOWN)
    instead: Line = (f" Paging {names.team(fallback_team)} instead.",) if fallback_team else ()
    return _note(
        (
            names.group(page.team),
            " ",
            Strong(text="PAGE NOT DELIVERED"),
            f": the pager did not take it ({why}).",
            *instead,
        ),
        (f"Reason for the page: {one_line(page.reason, REASON_SHOWN)}",),
    )


def changed_note(before: Diagnosis, after: Diagnosis) -> Message:
    """Return what a new diagnosis says differently from the one before."""
    return _note((f"The diagnosis has changed: before {_sure(before)}, now {_sure(after)}.",))


def _note(*lines: Line) -> Message:
    return Message(parts=(Text(lines=lines),), fallback=plain_line(lines[0]))


def _sure(diagnosis: Diagnosis) -> str:
    sure = f" ({confidence(diagnosis.top.confidence)} sure)" if diagnosis.top else ""
    return f"{verdict(diagnosis)}{sure}"
