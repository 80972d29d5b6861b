"""The sweep: finds due rows that have no job, and incidents that stayed well; losing a sweep costs its interval."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from bot.deps import Deps

AT_ONCE: Final = 500  # rows per sweep; more than that are found by the next one
STAYED_WELL: Final = timedelta(
    minutes=30
)  # how long a check must keep passing before its incident is over

log = logging.getLogger(__name__)


async def sweep(deps: Deps) -> None:
    """Wake whatever is due and asleep, and resolve what has been well for ``STAYED_WELL``."""
    now = deps.clock()
    due = await deps.store.due(now, AT_ONCE)
    if due:
        await deps.store.resubmit(due)
        log.info("due rows had no job and were woken", extra={"rows": len(due)})
    since = now - STAYED_WELL
    for incident in await deps.store.incidents.well_since(since, AT_ONCE):
        await deps.store.incidents.resolve(
            incident.incident_id, by="rca-bot", now=now, well_since=since
        )
