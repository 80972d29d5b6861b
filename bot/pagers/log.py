"""Writes a line to the log instead of waking anybody: for trying the bot out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.directory import Team
from bot.pagers.registry import Means, PagerKind
from bot.ports import Accepted, PageOrder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPager:
    """Accepts every page; the line carries the team, the dedup key and the summary."""

    team_id: str

    async def page(self, order: PageOrder, now: datetime) -> Accepted:
        """Write the page to the log, at the level of a warning so that it stands out."""
        self._write(logging.WARNING, "a page was written to the log; nobody was woken", order)
        return Accepted(at=now, reference=order.dedup_key)

    async def resolve(self, order: PageOrder, now: datetime) -> Accepted:
        """Write to the log that the page is over."""
        self._write(logging.INFO, "a page in the log is over", order)
        return Accepted(at=now, reference=order.dedup_key)

    def _write(self, level: int, event: str, order: PageOrder) -> None:
        log.log(
            level,
            event,
            extra={"team": self.team_id, "dedup_key": order.dedup_key, "summary": order.summary},
        )


def build(team: Team, means: Means) -> LogPager:  # noqa: ARG001 - the signature every kind has
    """Return a pager that needs no setting."""
    return LogPager(team_id=team.id)


PAGER: Final = PagerKind(name="log", build=build)
