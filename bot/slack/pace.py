"""How fast a channel may be posted to: a slot for each message, and silence where Slack asked for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

BURST: Final = 4  # messages a channel takes at once before its pace is kept
PACE: Final = timedelta(
    seconds=1
)  # docs.slack.dev, rate limits: about one message per second per channel
FORGOTTEN: Final = timedelta(minutes=10)  # a slot that nobody came for: another replica took it

MANY: Final = 1_000  # slots kept before forgotten ones are looked for


@dataclass(slots=True)
class Pace:
    """A token bucket per channel that hands out slots, so that five hundred waiting posts come back once each.

    Source: the generic cell rate algorithm (ITU-T I.371): ``_spent_until`` is when the channel's pace would be
    kept again if nothing more were posted; it may lie at most a burst ahead of a post that is sent at once.
    """

    _spent_until: dict[str, datetime] = field(default_factory=dict)
    _quiet_until: dict[str, datetime] = field(default_factory=dict)
    _slots: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def slot(self, post_id: str, channel_id: str, now: datetime) -> datetime | None:
        """Return when *post_id* may be posted to *channel_id*; None for now, and then its slot is used."""
        quiet = self.quiet(channel_id, now)
        if quiet is not None:
            return quiet
        kept = self._slots.pop(post_id, None)
        at = kept[1] if kept else self._next(channel_id, now)
        if at <= now:
            return None
        self._slots[post_id] = (channel_id, at)
        return at

    def quiet(self, channel_id: str, now: datetime) -> datetime | None:
        """Return until when nothing may be sent to *channel_id*, or None."""
        until = self._quiet_until.get(channel_id)
        return until if until is not None and until > now else None

    def waiting(self, post_id: str) -> datetime | None:
        """Return the slot that *post_id* waits for, or None."""
        kept = self._slots.get(post_id)
        return kept[1] if kept else None

    def hush(self, channel_id: str, until: datetime) -> None:
        """Keep *channel_id* quiet, as Slack asked; afterwards its pace is kept without a burst."""
        self._quiet_until[channel_id] = until
        self._spent_until[channel_id] = until + PACE * (BURST - 1)
        self._slots = {key: kept for key, kept in self._slots.items() if kept[0] != channel_id}

    def _next(self, channel_id: str, now: datetime) -> datetime:
        """Take the channel's next free slot; it may be this very instant."""
        spent_until = max(self._spent_until.get(channel_id, now), now)
        self._spent_until[channel_id] = spent_until + PACE
        if len(self._slots) > MANY:
            self._slots = {k: kept for k, kept in self._slots.items() if kept[1] > now - FORGOTTEN}
        return spent_until - PACE * (BURST - 1)
