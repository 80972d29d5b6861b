"""What is kept for how long; a tick removes what is older, a little at a time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.store import Store

MOST_ROUNDS: Final = 200  # of one tick; what is left waits for the next one

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How long facts, deliveries and resolved incidents are kept."""

    facts: timedelta
    inbox: timedelta
    incidents: timedelta


async def remove_old(store: Store, ages: Ages, clock: Clock) -> dict[str, int]:
    """Remove what is older than its age and return how many rows, or incidents, that were; safe on every replica."""
    now = clock()
    removed = {
        "facts": await _all(store.retention.remove_facts, now - ages.facts),
        "deliveries": await _all(store.retention.remove_deliveries, now - ages.inbox),
        "incidents": await _all(store.retention.remove_incidents, now - ages.incidents),
    }
    if any(removed.values()):
        log.info("what is older than its age was removed", extra=removed)
    return removed


async def _all(remove: Callable[[datetime], Awaitable[int]], before: datetime) -> int:
    total = 0
    for _ in range(MOST_ROUNDS):
        count = await remove(before)
        total += count
        if count == 0:
            break
    return total
