"""Single lines in an incident's thread: what just happened, for those who follow it."""

from __future__ import annotations

from bot.ports import Incident, Page
from bot.render.message import Instant, Line, Message, Strong, Text
from bot.render.names import Names
from bot.render.plain import plain_line
from bot.render.text import one_line, percent
from bot.render.who_next import page_line
from bot.render.words import capital, verdict
from rca.diagnosis import Diagnosis


def note(*lines: Line) -> Message:
    """Return a message of a few lines, with the first as its fallback."""
    return Message(parts=(Text(lines=lines),), fallback=plain_line(lines[0]))


def paged_note(page: Page, names: Names) -> Message:
    """Return how far a page is, in one line; it mentions nobody but the one who asked."""
    return note((*page_line(page, names), f" Reason: {one_line(page.reason, 300)}"))


def undelivered_note(page: Page, names: Names, fallback_team: str | None = None) -> Message:
    """Return the line that wakes a team by its user group, because its pager could not.

    Args:
        page: the one that was not delivered.
        names: gives the user group.
        fallback_team: the team that is paged instead, if any.
    """
    why = one_line(page.error or "no answer", 200)
    instead: Line = (
        (f" {names.team(fallback_team)} is being paged instead.",) if fallback_team else ()
    )
    return note(
        (
            names.group(page.team),
            " ",
            Strong(text="PAGE NOT DELIVERED"),
            f": the pager did not take it ({why}).",
            *instead,
        ),
        (f"Reason for the page: {one_line(page.reason, 300)}",),
    )


def acknowledged_note(incident: Incident, names: Names) -> Message:
    """Return who has taken the incident, and that nobody is paged by time any more."""
    at: Line = (" ", Instant(at=incident.acknowledged_at)) if incident.acknowledged_at else ()
    return note(
        (
            "Acknowledged by ",
            names.actor(incident.acknowledged_by),
            *at,
            ". Nobody is paged by time.",
        )
    )


def resolved_note(incident: Incident, names: Names) -> Message:
    """Return who closed the incident, and when."""
    at: Line = (" ", Instant(at=incident.resolved_at)) if incident.resolved_at else ()
    return note(("Resolved by ", names.actor(incident.resolved_by), *at, "."))


def changed_note(before: Diagnosis, after: Diagnosis) -> Message:
    """Return what a new diagnosis says differently from the one before."""
    return note((f"The diagnosis has changed: {_sure(before)} before, now {_sure(after)}.",))


def snoozed_note(incident: Incident, names: Names, by: str) -> Message:
    """Return who put the incident off, and until when."""
    until: Line = (" until ", Instant(at=incident.snoozed_until)) if incident.snoozed_until else ()
    return note(("Snoozed by ", names.actor(by), *until, "."))


def monitoring_note(incident: Incident) -> Message:
    """Return that the check passes again."""
    dataset = one_line(incident.dataset, 200)
    return note(
        (capital(f"{dataset}: the check passes again. This resolves by itself if it stays so."),)
    )


def _sure(diagnosis: Diagnosis) -> str:
    sure = f" ({percent(diagnosis.top.confidence)} sure)" if diagnosis.top else ""
    return f"{verdict(diagnosis)}{sure}"
