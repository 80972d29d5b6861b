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
    if previous is None or _verdict(previous) != _verdict(diagnosis):
        return Reason.TOLD_CHANGED
    until = joined.incident.snoozed_until
    if until is not None and now < until:
        return Reason.QUIET_SNOOZED
    return Reason.QUIET_JOINED


def _verdict(diagnosis: Diagnosis) -> tuple[object, ...]:
    """What a reader acts on; the exact confidence within a band is not part of it."""
    return diagnosis.top_cause_type, diagnosis.band
