"""What tests hold in their hands: a clock that stands still until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FrozenClock:
    """A clock that shows one instant; pass it wherever a ``Clock`` is asked for.

    Args:
        at: aware; the machine's own time is not asked.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        """Return the instant it shows."""
        return self._at

    def advance(self, span: timedelta) -> datetime:
        """Move it on by *span* and return the new instant."""
        self._at += span
        return self._at
