"""The way of a page: asked of the team's pager until it takes it, or told as undelivered within a minute."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.deps import Deps
from bot.escalation import Retry, next_attempt
from bot.ports import Accepted, Again, BotError, PageOrder, Refused
from bot.records import Incident, IncidentView, Page, PageState, Post, PostKind
from bot.render import answers
from bot.render.names import Names
from bot.render.words import capital, confidence, said
from bot.store import Store
from rca.case import Severity

RESOLVE_PACE: Final = (
    3  # as after the third try, every 8 s: the tries of the page itself do not count here
)
CLAIM: Final = timedelta(seconds=30)  # longer than any pager's own time limit
INCIDENT_ID: Final = re.compile(r"(?<=:)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=:)")

log = logging.getLogger(__name__)


async def send_page(page_id: str, deps: Deps) -> Again | None:
    """Do what one page row wants: wake its team, or tell the provider that it is over."""
    now = deps.clock()
    page = await deps.store.pages.claim(page_id, now, CLAIM)
    if page is None:
        return None
    view = await deps.store.incidents.view(page.incident_id)
    if view is None:  # pragma: no cover - the foreign key forbids it
        return None
    if page.resolve_wanted or not view.incident.is_open:
        return await _resolve(page, view, deps, now)
    return await _wake(page, view, deps, now)


async def _wake(page: Page, view: IncidentView, deps: Deps, now: datetime) -> Again | None:
    pager = deps.pagers.get(page.team)
    if pager is None:
        outcome: Accepted | Refused = Refused(
            reason=f"no pager is set up for team {page.team}", retry_after=None
        )
    else:
        outcome = await pager.page(order_of(page, view, deps.names()), now)
    if isinstance(outcome, Accepted):
        team = deps.directory.team(page.team)
        await deps.store.pages.accepted(
            page.page_id,
            pager=team.pager if team else "",
            reference=outcome.reference,
            url=outcome.url,
            now=outcome.at,
        )
        return None
    step = next_attempt(page.attempts, page.requested_at, deps.clock(), outcome.retry_after)
    if outcome.retry_after is not None and isinstance(step, Retry):
        await deps.store.pages.failed(
            page.page_id, error=outcome.reason, retry_at=step.at, now=deps.clock()
        )
        return Again(at=step.at)
    await _give_up(page, outcome.reason, deps)
    return None


async def _give_up(page: Page, error: str, deps: Deps) -> None:
    """The user group is mentioned, the team's next target is tried, and only then the card turns red.

    In this order, since a page that is undelivered wakes no worker any more: who dies on the way does all of it
    again, and what was done already changes nothing.
    """
    log.error(
        "a page was not delivered",
        extra={"incident_id": page.incident_id, "team": page.team, "error": error},
    )
    view = await deps.store.incidents.view(page.incident_id)
    if view is not None and view.incident.is_open:  # else nobody is to be woken for it any more
        await _shout(replace(page, error=error), view.incident, deps)
        await _try_next(page, deps)
    await deps.store.pages.undelivered(page.page_id, error=error, now=deps.clock())


async def _shout(page: Page, incident: Incident, deps: Deps) -> None:
    if incident.place is None:
        return
    post = Post(
        post_id=f"undelivered:{_request_of(page)}",
        incident_id=page.incident_id,
        kind=PostKind.MENTION,
        channel_id=incident.place.channel_id,
        thread_ts=incident.place.thread_ts,
        text=answers.page_undelivered(page, deps.directory.team(page.team)),
    )
    await deps.store.posts.add([post], deps.clock())


async def _try_next(page: Page, deps: Deps) -> None:
    """One target further and no more: two teams may name each other."""
    team = deps.directory.team(page.team)
    if team is None or team.next is None or page.fallback_of is not None:
        return
    await deps.store.pages.request(
        page.incident_id,
        team=team.next,
        reason=f"{team.name} could not be reached: {page.reason}",
        by=page.requested_by,
        now=deps.clock(),
        fallback_of=page.team,
    )


def _request_of(page: Page) -> str:
    """Name one request of a page: a team that was not reached may be asked for again, and is then told again."""
    return f"{page.page_id}:{page.requested_at.isoformat()}"


async def _resolve(page: Page, view: IncidentView, deps: Deps, now: datetime) -> Again | None:
    """Tell the provider that it is over; a page it was never asked for is simply dropped.

    One that was asked for before, with no answer or with a crash after it, may ring all the same: ending a page
    that a provider does not know changes nothing there.
    """
    pager = deps.pagers.get(page.team)
    may_have_landed = page.state is PageState.ACCEPTED or page.attempts > 1
    if may_have_landed and pager is not None:
        outcome = await pager.resolve(order_of(page, view, deps.names()), now)
        if isinstance(outcome, Refused) and outcome.retry_after is not None:
            since = view.incident.resolved_at or now
            step = next_attempt(RESOLVE_PACE, since, now, outcome.retry_after)
            if isinstance(step, Retry):
                await deps.store.pages.failed(
                    page.page_id, error=outcome.reason, retry_at=step.at, now=now
                )
                return Again(at=step.at)
            log.warning("a page could not be resolved", extra={"page_id": page.page_id})
    await deps.store.pages.resolved(page.page_id, now)
    return None


def order_of(page: Page, view: IncidentView, names: Names) -> PageOrder:
    """Return what the provider is told: one line, and the facts somebody needs on a phone."""
    incident, diagnosis = view.incident, view.diagnosis
    top = diagnosis.top if diagnosis else None
    verdict = f"{said(top.cause_type)} ({confidence(top.confidence)})" if top else "no cause found"
    details = {
        "dataset": incident.dataset,
        "anomaly_type": incident.anomaly_type.value,
        "reason": page.reason,
        "likely_cause": verdict,
        "because": top.because if top else "no hypothesis; full manual investigation required",
        "first_action": (top.first_action if top else None) or "",
        "paged_for": page.person or names.team(page.team),
    }
    return PageOrder(
        dedup_key=page.dedup_key,
        summary=f"{incident.dataset}: {verdict}. {capital(page.reason)}",
        severity=incident.severity or Severity.ERROR,
        source=f"rca-bot/{incident.tenant_id}/{incident.dataset}",
        timestamp=incident.detected_at,
        details={key: value for key, value in details.items() if value},
        link=incident.alert_url,
    )


async def mention(usergroup: str, order: PageOrder, *, store: Store, clock: Clock) -> Post:
    """Ask, once per request of the page, for a message that wakes *usergroup* in the incident's thread.

    Returns:
        The post as it stands now: an intent, posted, or given up.

    Raises:
        BotError: there is no such page, or its incident has no place in Slack.
    """
    view = await _incident_of(order.dedup_key, store)
    page = next((one for one in view.pages if one.dedup_key == order.dedup_key), None)
    place = view.incident.place
    if page is None or place is None:
        raise BotError("the incident has no place in Slack to mention a user group in")
    post_id = f"mention:{_request_of(page)}"
    known = await store.posts.get(post_id)
    if known is not None:
        return known
    post = Post(
        post_id=post_id,
        incident_id=page.incident_id,
        kind=PostKind.MENTION,
        channel_id=place.channel_id,
        thread_ts=place.thread_ts,
        text=answers.paged_by_mention(usergroup, order),
    )
    await store.posts.add([post], clock())
    return post


async def _incident_of(dedup_key: str, store: Store) -> IncidentView:
    """The incident whose id is in the key; names of tenants and teams around it may hold anything, also colons."""
    for found in INCIDENT_ID.finditer(dedup_key):
        view = await store.incidents.view(found[0])
        if view is not None:
            return view
    raise BotError("the page belongs to no incident")
