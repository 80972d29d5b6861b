"""Tell people, or keep quiet; always with a reason."""

from __future__ import annotations

from datetime import datetime

from bot.records import Joined, Reason
from rca.diagnosis import Diagnosis


def why_tell(
    joined: Joined,
    previous: Diagnosis | None,
    diagnosis: Diagnosis,
    now: datetime,
    *,
    asked_by: str | None = None,
) -> Reason:
    """Return why people are told of *diagnosis*, or why not.

    Args:
        joined: the incident, and whether this anomaly opened it.
        previous: what was told before; None when nothing was.
        diagnosis: what we know now.
        now: what a snooze is compared with.
        asked_by: the person who asked, if one did.

    Returns:
        A new incident, an answer to a person and a change of the top cause or of the band are told. A snooze
        silences repetition, not news.
    """
    if joined.opened:
        return Reason.TOLD_OPENED
    if asked_by is not None:
        return Reason.TOLD_ASKED
    if previous is None or verdict_of(previous) != verdict_of(diagnosis):
        return Reason.TOLD_CHANGED
    until = joined.incident.snoozed_until
    if until is not None and now < until:
        return Reason.QUIET_SNOOZED
    return Reason.QUIET_JOINED


def verdict_of(diagnosis: Diagnosis) -> tuple[object, ...]:
    """Return what a reader acts on; the exact confidence within a band is not part of it."""
    return diagnosis.top_cause_type, diagnosis.band


def is_news(before: Diagnosis | None, after: Diagnosis) -> bool:
    """Return whether facts that came by themselves make *after* worth telling over *before*.

    Only another or a surer cause is. A cause that shows less than it did, or no more, is what a repair looks
    like: it never takes back what people are working on.
    """
    if before is None or not after.hypotheses:
        return False
    return verdict_of(before) != verdict_of(after) and after.top_confidence > before.top_confidence
