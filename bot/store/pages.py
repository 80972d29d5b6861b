"""Pages: one call for one team about one incident, asked of its provider until it is taken."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, and_, or_, select, update
from sqlalchemy.sql import ColumnElement

from bot.ports import Job, JobKind
from bot.records import Page, PageState
from bot.store import rows
from bot.store.changes import NoIncidentError
from bot.store.following import WHOLE, bump, locked_incident
from bot.store.tables import PAGES
from bot.store.transaction import Database, Writing

LONGEST_KEY: Final = 255  # PagerDuty Events v2: dedup_key, characters

WANTS_WORK: Final = or_(
    PAGES.c.state == PageState.REQUESTED,
    and_(PAGES.c.state == PageState.ACCEPTED, PAGES.c.resolve_wanted),
)
"""Pages with something left to do: to be taken, or to be ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequested:
    """The page for this team, and whether this request is the one that wakes them."""

    page: Page
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Whom to page, why and at whose wish."""

    team: str
    reason: str
    by: str
    now: datetime
    person: str | None = None
    fallback_of: str | None = None


class Pages:
    """Pages, and who is at work on each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(
        self,
        incident_id: str,
        *,
        team: str,
        reason: str,
        by: str,
        now: datetime,
        person: str | None = None,
        fallback_of: str | None = None,
    ) -> PageRequested:
        """Ask for *team*; while its page is on its way or taken, that one is returned.

        A page that could not be delivered, or that was resolved, is asked for anew.

        Raises:
            NoIncidentError: there is no such incident.
        """
        request = Request(
            team=team, reason=reason, by=by, now=now, person=person, fallback_of=fallback_of
        )
        async with self._database.writing() as tx:
            incident = await locked_incident(tx, incident_id)
            if incident is None:
                raise NoIncidentError(incident_id)
            return await request_page(tx, incident, request)

    async def get(self, page_id: str) -> Page | None:
        """Return one page, or None."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(PAGES).where(PAGES.c.page_id == page_id))
            row = found.first()
            return rows.page(row) if row else None

    async def claim(self, page_id: str, now: datetime, lease: timedelta) -> Page | None:
        """Take the page to work on for *lease*, and count the attempt.

        Returns:
            None when nothing is to be done, or not now: then a job looks again when the other worker's
            lease, or the pause after a failure, has ended.
        """
        async with self._database.writing() as tx:
            claimed = await tx.connection.execute(
                update(PAGES)
                .where(PAGES.c.page_id == page_id, WANTS_WORK, free(now))
                .values(claimed_until=now + lease, attempts=PAGES.c.attempts + 1)
                .returning(PAGES)
            )
            row = claimed.first()
            if row is not None:
                return rows.page(row)
            await _look_again(tx, page_id)
            return None

    async def accepted(
        self,
        page_id: str,
        *,
        pager: str,
        reference: str | None,
        url: str | None,
        now: datetime,
    ) -> None:
        """The provider took it; from now on people read "paged"."""
        values = {
            "state": PageState.ACCEPTED,
            "pager": pager,
            "reference": reference,
            "url": url,
            "accepted_at": now,
            "error": None,
            "attempts": 0,
        }
        await self._release(page_id, "page accepted", now, **values)

    async def failed(self, page_id: str, *, error: str, retry_at: datetime, now: datetime) -> None:
        """The provider did not take it this time; nobody tries again before *retry_at*."""
        await self._release(page_id, "page failed", now, error=error, retry_at=retry_at)

    async def undelivered(self, page_id: str, *, error: str, now: datetime) -> None:
        """The provider will not take it; people must be told otherwise."""
        await self._release(
            page_id, "page undelivered", now, state=PageState.UNDELIVERED, error=error
        )

    async def resolved(self, page_id: str, now: datetime) -> None:
        """It is over for the provider too."""
        await self._release(page_id, "page resolved", now, state=PageState.RESOLVED)

    async def _release(self, page_id: str, what: str, now: datetime, **values: object) -> None:
        async with self._database.writing() as tx:
            changed = await tx.connection.execute(
                update(PAGES)
                .where(PAGES.c.page_id == page_id, PAGES.c.state != PageState.RESOLVED)
                .values({"claimed_until": None, "retry_at": None, **values})
                .returning(PAGES)
            )
            row = changed.first()
            if row is None:
                return
            details = {"team": row.team, "error": row.error}
            await tx.note(row.incident_id, now, what, details=details)
            taken = row.state == PageState.ACCEPTED
            await bump(tx, row.incident_id, *(WHOLE if taken else ()))
            if taken and row.resolve_wanted:
                tx.wake(Job(kind=JobKind.PAGE, row_id=page_id, due_at=row.retry_at))


async def request_page(tx: Writing, incident: Row[Any], request: Request) -> PageRequested:
    """Request a page within the caller's transaction, which holds the incident's row."""
    key = dedup_key(incident.tenant_id, incident.incident_id, request.team)
    found = await tx.connection.execute(
        select(PAGES).where(PAGES.c.dedup_key == key).with_for_update()
    )
    known = found.first()
    if known is not None and known.state in (PageState.REQUESTED, PageState.ACCEPTED):
        return PageRequested(page=rows.page(known), fresh=False)
    values = {
        "reason": request.reason,
        "requested_by": request.by,
        "requested_at": request.now,
        "state": PageState.REQUESTED,
        "person": request.person,
        "fallback_of": request.fallback_of,
        **_AS_NEW,
    }
    if known is None:
        new = {
            "page_id": str(uuid.uuid4()),
            "incident_id": incident.incident_id,
            "team": request.team,
            "dedup_key": key,
        }
        written = await tx.connection.execute(
            PAGES.insert().values({**new, **values}).returning(PAGES)
        )
    else:
        written = await tx.connection.execute(
            update(PAGES).where(PAGES.c.page_id == known.page_id).values(values).returning(PAGES)
        )
    page = rows.page(written.one())
    tx.wake(Job(kind=JobKind.PAGE, row_id=page.page_id))
    details = {"team": request.team, "reason": request.reason}
    await tx.note(
        incident.incident_id, request.now, "page requested", actor=request.by, details=details
    )
    await bump(tx, incident.incident_id)
    return PageRequested(page=page, fresh=True)


_AS_NEW: Final = {
    "pager": None,
    "accepted_at": None,
    "reference": None,
    "url": None,
    "attempts": 0,
    "error": None,
    "resolve_wanted": False,
    "claimed_until": None,
    "retry_at": None,
}


def dedup_key(tenant_id: str, incident_id: str, team: str) -> str:
    """Return the provider's key for this incident and team: always the same, whatever the attempt.

    At most ``LONGEST_KEY`` characters; a tenant whose name does not fit is written as a hash.
    """
    key = f"rca:{tenant_id}:{incident_id}:{team}"
    if len(key) <= LONGEST_KEY:
        return key
    return f"rca:{hashlib.sha256(tenant_id.encode()).hexdigest()[:32]}:{incident_id}:{team}"


def free(now: datetime) -> ColumnElement[bool]:
    """Return the condition under which nobody else is at a page, and no pause has to be kept."""
    return and_(
        or_(PAGES.c.claimed_until.is_(None), PAGES.c.claimed_until <= now),
        or_(PAGES.c.retry_at.is_(None), PAGES.c.retry_at <= now),
    )


async def _look_again(tx: Writing, page_id: str) -> None:
    """A worker that died in the middle leaves its claim behind: somebody looks when it has ended."""
    found = await tx.connection.execute(
        select(PAGES.c.claimed_until, PAGES.c.retry_at).where(
            PAGES.c.page_id == page_id, WANTS_WORK
        )
    )
    row = found.first()
    if row is not None:
        ends = [at for at in (row.claimed_until, row.retry_at) if at is not None]
        tx.wake(Job(kind=JobKind.PAGE, row_id=page_id, due_at=max(ends, default=None)))
