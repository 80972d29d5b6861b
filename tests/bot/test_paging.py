"""A page: asked for until it is taken, or told as undelivered; ended when the incident is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.deps import Deps
from bot.pagers.slack_mention import SlackMentionPager
from bot.paging import mention, order_of, send_page
from bot.ports import Accepted, BotError, PageOrder, PageOutcome, Refused
from bot.records import Incident, PageState, Post, PostKind, PostState
from bot.testing import FrozenClock
from rca.case import Severity
from tests.bot.surroundings import NOON, Telephone, deps_of, directory_of, opened
from tests.golden.scenes import NAMES, SYNC_FAILURE, diagnosis, hypothesis, page, view

NEVER = Refused(reason="the key is not known", retry_after=None)
LATER = Refused(reason="too many requests", retry_after=timedelta(seconds=1))
TEAMS = directory_of({"infra": {"next": "platform", "usergroup": "S0INFRA"}, "platform": {}})


async def asked(deps: Deps, incident: Incident, team: str = "infra") -> str:
    """Ask for a page and return its id."""
    requested = await deps.store.pages.request(
        incident.incident_id, team=team, reason="30 min", by="U0ALICE", now=deps.clock()
    )
    return requested.page.page_id


async def states(deps: Deps, incident: Incident) -> dict[str, PageState]:
    """How far each team's page is."""
    view = await deps.store.incidents.view(incident.incident_id)
    assert view is not None
    return {page.team: page.state for page in view.pages}


async def mentions(deps: Deps, incident: Incident) -> list[Post]:
    """The posts that wake a user group."""
    view = await deps.store.incidents.view(incident.incident_id)
    assert view is not None
    return [post for post in view.posts if post.kind is PostKind.MENTION]


async def test_taken_at_once(engine: AsyncEngine) -> None:
    """A provider that takes the page hears of it once, however often the job comes."""
    infra = Telephone()
    deps = deps_of(engine, TEAMS, {"infra": infra})
    incident = await opened(deps)
    page_id = await asked(deps, incident)
    for _ in range(3):
        assert await send_page(page_id, deps) is None
    assert len(infra.paged) == 1
    assert await states(deps, incident) == {"infra": PageState.ACCEPTED}


@pytest.mark.parametrize(
    ("person", "whom"), [(None, "Infra team"), ("dana@acme.example", "dana@acme.example")]
)
async def test_whoever_is_woken_reads_for_whom(
    engine: AsyncEngine, person: str | None, whom: str
) -> None:
    """The page says the team's name, as people call it, or the person it is for."""
    infra = Telephone()
    teams = directory_of({"infra": {"name": "Infra team"}})
    deps = deps_of(engine, teams, {"infra": infra})
    incident = await opened(deps)
    requested = await deps.store.pages.request(
        incident.incident_id, team="infra", reason="30 min", by="bot", person=person, now=NOON
    )
    await send_page(requested.page.page_id, deps)
    (order,) = infra.paged
    assert order.details["paged_for"] == whom


async def test_refused_for_good_names_the_reason(engine: AsyncEngine) -> None:
    """What the provider said is in the mention, even when it said it at the first try; the next team is paged."""
    deps = deps_of(engine, TEAMS, {"infra": Telephone(outcomes=[NEVER]), "platform": Telephone()})
    incident = await opened(deps)
    await send_page(await asked(deps, incident), deps)
    (post,) = await mentions(deps, incident)
    assert "the key is not known" in (post.text or "")
    assert "<!subteam^S0INFRA>" in (post.text or "")
    assert await states(deps, incident) == {
        "infra": PageState.UNDELIVERED,
        "platform": PageState.REQUESTED,
    }


async def test_nobody_is_shouted_at_for_what_is_over(engine: AsyncEngine) -> None:
    """The incident is resolved while its page is being refused: no mention, and nobody else is paged."""
    deps = deps_of(engine, TEAMS)
    incident = await opened(deps)

    class Resolving(Telephone):
        async def page(self, order: PageOrder, now: datetime) -> PageOutcome:
            await deps.store.incidents.resolve(incident.incident_id, by="U0ALICE", now=now)
            return await super().page(order, now)

    ringing = deps_of(engine, TEAMS, {"infra": Resolving(outcomes=[NEVER])})
    await send_page(await asked(deps, incident), ringing)
    assert await mentions(deps, incident) == []
    assert await states(deps, incident) == {"infra": PageState.UNDELIVERED}


async def test_asked_for_again_after_it_was_not_delivered(engine: AsyncEngine) -> None:
    """A second request for a team that was not reached is a page of its own: tried again, and shouted again."""
    clock = FrozenClock(NOON)
    infra = Telephone(outcomes=[NEVER, NEVER])
    deps = deps_of(engine, TEAMS, {"infra": infra, "platform": Telephone()}, clock=clock)
    incident = await opened(deps)
    for count in (1, 2):
        await send_page(await asked(deps, incident), deps)
        assert len(infra.paged) == count
        assert len(await mentions(deps, incident)) == count
        clock.advance(timedelta(minutes=5))
    assert len({order.dedup_key for order in infra.paged}) == 1


async def test_one_target_further_and_no_more(engine: AsyncEngine) -> None:
    """Two teams that name each other as next: each is tried once."""
    teams = directory_of({"a": {"next": "b"}, "b": {"next": "a"}})
    phones = {"a": Telephone(outcomes=[NEVER]), "b": Telephone(outcomes=[NEVER])}
    deps = deps_of(engine, teams, phones)
    incident = await opened(deps)
    await send_page(await asked(deps, incident, "a"), deps)
    view = await deps.store.incidents.view(incident.incident_id)
    assert view is not None
    (second,) = [page for page in view.pages if page.team == "b"]
    await send_page(second.page_id, deps)
    assert await states(deps, incident) == {
        "a": PageState.UNDELIVERED,
        "b": PageState.UNDELIVERED,
    }
    assert [len(phone.paged) for phone in phones.values()] == [1, 1]


@pytest.mark.parametrize(("tries", "ended"), [(0, 0), (1, 1)], ids=["never asked", "in doubt"])
async def test_over_before_it_was_taken(engine: AsyncEngine, tries: int, ended: int) -> None:
    """A page whose earlier try has no known end is ended at the provider; one that was never sent is dropped."""
    clock = FrozenClock(NOON)
    infra = Telephone(outcomes=[LATER] * tries)
    deps = deps_of(engine, TEAMS, {"infra": infra}, clock=clock)
    incident = await opened(deps)
    page_id = await asked(deps, incident)
    if tries:
        await send_page(page_id, deps)
    await deps.store.incidents.resolve(incident.incident_id, by="U0ALICE", now=deps.clock())
    clock.advance(timedelta(seconds=20))
    await send_page(page_id, deps)
    assert len(infra.ended) == ended
    assert await states(deps, incident) == {"infra": PageState.RESOLVED}


@pytest.mark.parametrize(
    ("tenant_id", "team"), [("acme", "night:watch"), ("a:b", "infra"), ("acme", "équipe été")]
)
async def test_a_mention_finds_its_incident(engine: AsyncEngine, tenant_id: str, team: str) -> None:
    """Names of tenants and teams may hold colons: the user group is mentioned in the incident's thread all the same."""
    deps = deps_of(engine, directory_of({team: {}}))
    incident = await opened(deps, tenant_id=tenant_id)
    order = await order_for(deps, incident, team)
    post = await mention("S0NIGHT", order, store=deps.store, clock=deps.clock)
    again = await mention("S0NIGHT", order, store=deps.store, clock=deps.clock)
    assert post.incident_id == incident.incident_id
    assert again.post_id == post.post_id
    assert "<!subteam^S0NIGHT>" in (post.text or "")
    assert len(await mentions(deps, incident)) == 1


async def test_a_mention_that_slack_refused_is_tried_anew_when_asked_again(
    engine: AsyncEngine,
) -> None:
    """The first mention was refused for good; whoever asks for the team again gets a new one, not the old refusal."""
    clock = FrozenClock(NOON)
    deps = deps_of(engine, directory_of({"infra": {}}), clock=clock)
    incident = await opened(deps)

    async def ask(group: str, order: PageOrder) -> Post:
        return await mention(group, order, store=deps.store, clock=clock)

    ringing = deps_of(
        engine, TEAMS, {"infra": SlackMentionPager(usergroup="S0INFRA", mention=ask)}, clock=clock
    )
    page_id = await asked(deps, incident)
    await send_page(page_id, ringing)
    (first,) = await mentions(deps, incident)
    await deps.store.posts.dead(first.post_id, error="is_archived", now=clock())
    clock.advance(timedelta(seconds=5))
    await send_page(page_id, ringing)
    assert (await states(deps, incident))["infra"] is PageState.UNDELIVERED
    clock.advance(timedelta(minutes=1))
    await send_page(await asked(deps, incident), ringing)
    waiting = [p for p in await mentions(deps, incident) if p.state is PostState.INTENT]
    assert any(post.post_id.startswith("mention:") for post in waiting)


async def test_a_mention_needs_its_page(engine: AsyncEngine) -> None:
    """A key of nobody's page mentions nobody."""
    deps = deps_of(engine, TEAMS)
    order = PageOrder(
        dedup_key="rca:acme:00000000-0000-4000-8000-000000000000:infra",
        summary="-",
        severity=Severity.ERROR,
        source="-",
        timestamp=NOON,
        details={},
    )
    with pytest.raises(BotError, match="no incident"):
        await mention("S0INFRA", order, store=deps.store, clock=deps.clock)


async def order_for(deps: Deps, incident: Incident, team: str) -> PageOrder:
    """What the pager of *team* is asked."""
    phone = Telephone(outcomes=[Accepted(at=NOON)])
    await send_page(await asked(deps, incident, team), replace(deps, pagers={team: phone}))
    return phone.paged[0]


@pytest.mark.parametrize(("sure", "said"), [(0.84, "84 %"), (0.93, "93 %"), (1.0, ">99 %")])
def test_a_page_says_how_sure_the_bot_is_as_the_card_does(sure: float, said: str) -> None:
    """Whoever is woken reads the same words; nothing is certain."""
    found = diagnosis(hypothesis(1, sure, SYNC_FAILURE, "it failed."))
    order = order_of(replace(page(), reason="escalated by hand"), view(found), NAMES)
    assert order.summary == f"shopify_orders: ingestion failure ({said}). Escalated by hand"
    assert order.details["likely_cause"] == f"ingestion failure ({said})"
