"""The way of a page: asked of the team's pager until it takes it, or told as undelivered within a minute."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.deps import Deps
from bot.escalation import Retry, next_attempt
from bot.ports import Accepted, Again, BotError, PageOrder, Refused
from bot.records import IncidentView, Page, PageState, Post, PostKind
from bot.render import answers
from bot.store import Store
from rca.case import Severity

RESOLVE_PACE: Final = (
    3  # as after the third try, every 8 s: the tries of the page itself do not count here
)
CLAIM: Final = timedelta(seconds=30)  # longer than any pager's own time limit

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
        outcome = await pager.page(order_of(page, view), now)
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
    """The card turns red, the user group is mentioned, and the team's next target is tried."""
    now = deps.clock()
    log.error(
        "a page was not delivered",
        extra={"incident_id": page.incident_id, "team": page.team, "error": error},
    )
    await deps.store.pages.undelivered(page.page_id, error=error, now=now)
    team = deps.directory.team(page.team)
    view = await deps.store.incidents.view(page.incident_id)
    if view is not None and view.incident.place is not None:
        place = view.incident.place
        await deps.store.posts.add(
            [
                Post(
                    post_id=f"undelivered:{page.page_id}",
                    incident_id=page.incident_id,
                    kind=PostKind.MENTION,
                    channel_id=place.channel_id,
                    thread_ts=place.thread_ts,
                    text=answers.page_undelivered(page, team),
                )
            ],
            now,
        )
    if team is not None and team.next is not None and page.fallback_of is None:
        await deps.store.pages.request(
            page.incident_id,
            team=team.next,
            reason=f"{team.name} could not be reached: {page.reason}",
            by=page.requested_by,
            now=now,
            fallback_of=page.team,
        )


async def _resolve(page: Page, view: IncidentView, deps: Deps, now: datetime) -> Again | None:
    """Tell the provider that it is over; a page it never took is simply dropped."""
    pager = deps.pagers.get(page.team)
    if page.state is PageState.ACCEPTED and pager is not None:
        outcome = await pager.resolve(order_of(page, view), now)
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


def order_of(page: Page, view: IncidentView) -> PageOrder:
    """Return what the provider is told: one line, and the facts somebody needs on a phone."""
    incident, diagnosis = view.incident, view.diagnosis
    top = diagnosis.top if diagnosis else None
    verdict = (
        f"{top.cause_type.replace('_', ' ')} ({top.confidence:.0%})" if top else "no cause found"
    )
    details = {
        "dataset": incident.dataset,
        "anomaly_type": incident.anomaly_type.value,
        "reason": page.reason,
        "likely_cause": verdict,
        "because": top.because if top else "no hypothesis; full manual investigation required",
        "first_action": (top.first_action if top else None) or "",
        "paged_for": page.person or page.team,
    }
    return PageOrder(
        dedup_key=page.dedup_key,
        summary=f"{incident.dataset}: {verdict}. {page.reason}",
        severity=incident.severity or Severity.ERROR,
        source=f"rca-bot/{incident.tenant_id}/{incident.dataset}",
        timestamp=incident.detected_at,
        details={key: value for key, value in details.items() if value},
        link=incident.alert_url,
    )


async def mention(usergroup: str, order: PageOrder, *, store: Store, clock: Clock) -> Post:
    """Ask, once per ``dedup_key``, for a message that wakes *usergroup* in the incident's thread.

    Returns:
        The post as it stands now: an intent, posted, or given up.

    Raises:
        BotError: the incident has no place in Slack.
    """
    _, incident_id, _ = order.dedup_key.rsplit(":", 2)
    post_id = f"mention:{order.dedup_key}"
    known = await store.posts.get(post_id)
    if known is not None:
        return known
    incident = await store.incidents.get(incident_id)
    if incident is None or incident.place is None:
        raise BotError("the incident has no place in Slack to mention a user group in")
    post = Post(
        post_id=post_id,
        incident_id=incident_id,
        kind=PostKind.MENTION,
        channel_id=incident.place.channel_id,
        thread_ts=incident.place.thread_ts,
        text=answers.paged_by_mention(usergroup, order),
    )
    await store.posts.add([post], clock())
    return post
