"""The words in which every check's outcome is kept, whatever tool it ran in, and the id that links a run's results.

One run of a tool's checks over one dataset has one correlation id: its alert and its results carry the same, so the
runbook's correlation chain leads from a diagnosis to every check of the run that raised it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

PASSED: Final = "passed"
FAILED: Final = "failed"  # the runbook's own word: "status = 'failed'"
WARNING: Final = "warning"
ERROR: Final = "error"  # the check itself could not run
UNKNOWN: Final = "unknown"  # it did not look, so it says nothing: never a pass

OLDEST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # earlier "times" are a sender's word for none
MAX_TIME: Final = 64  # characters of a time
MAX_ID: Final = 900  # characters; a name in a case has at most a thousand

_WORDS: Final = {
    PASSED: "pass passed success succeeded ok",
    FAILED: "fail failed failure",
    WARNING: "warn warning warned",
    ERROR: "error errored runtimeerror aborted",
}
_OUTCOME_OF: Final = {word: outcome for outcome, words in _WORDS.items() for word in words.split()}


def outcome_of(word: str | None) -> str:
    """Return the outcome that a tool's *word* stands for; a word that nobody explained is ``UNKNOWN``."""
    spoken = "".join(letter for letter in (word or "").casefold() if letter.isalnum())
    return _OUTCOME_OF.get(spoken, UNKNOWN)


def utc_of(value: object) -> datetime | None:
    """Return an instant in UTC; a time without a zone is UTC, as the tools that leave it out mean it.

    None for what is no time, or one before the year 2000.
    """
    moment = value if isinstance(value, datetime) else None
    if isinstance(value, str):
        text = value.strip()[:MAX_TIME].removesuffix(" UTC")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
    if moment is None:
        return None
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return aware if aware >= OLDEST else None


def run_of(tool: str, *parts: str, at: datetime | None) -> str | None:
    """Return the correlation id of one run, the same for everybody who reads it; None when its time is not told."""
    if at is None:
        return None
    return ":".join((tool, *parts, f"{at:%Y%m%dT%H%M%S%fZ}"))[-MAX_ID:]
