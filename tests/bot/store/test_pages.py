"""A page is asked for once per incident and team, by one worker at a time, until its provider has it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ports import JobKind
from bot.records import Incident, Page, PageState
from bot.store import NoIncidentError
from bot.store.pages import LONGEST_KEY, dedup_key
from tests.bot.store.world import LEASE, MINUTE, NOW, World

SECOND = timedelta(seconds=1)


async def request(world: World, incident: Incident, team: str = "infra") -> Page:
    requested = await world.store.pages.request(
        incident.incident_id, team=team, reason="escalated by hand", by="U1", now=world.now
    )
    return requested.page


async def page_of(world: World, page_id: str) -> Page:
    found = await world.store.pages.get(page_id)
    assert found is not None
    return found


async def test_a_team_is_asked_for_once(world: World) -> None:
    """The second request, by whomever, returns the first page and writes nothing."""
    incident = await world.open()
    first = await world.store.pages.request(
        incident.incident_id, team="infra", reason="auth errors", by="U1", now=NOW, person="dana"
    )
    assert first.fresh
    assert first.page.dedup_key == f"rca:acme:{incident.incident_id}:infra"
    assert await world.wake() == {(JobKind.PAGE, first.page.page_id)}
    second = await world.store.pages.request(
        incident.incident_id, team="infra", reason="again", by="U2", now=NOW
    )
    assert (second.fresh, second.page) == (False, first.page)
    assert await world.wake() == set()
    assert await world.happened(incident) == ["opened", "page requested"]


async def test_requests_that_race_are_one(world: World) -> None:
    """Ten clicks at the same instant wake the team once; another team is another page."""
    incident = await world.open()
    pages = await asyncio.gather(*(request(world, incident) for _ in range(10)))
    assert len({page.page_id for page in pages}) == 1
    assert (await request(world, incident, "data_eng")).page_id != pages[0].page_id


async def test_paging_about_nothing_is_our_mistake(world: World) -> None:
    """An id that nobody has looked up is refused by name."""
    with pytest.raises(NoIncidentError, match="nobody"):
        await world.store.pages.request("nobody", team="infra", reason="", by="U1", now=NOW)


async def test_one_worker_at_a_time(world: World) -> None:
    """Of ten that claim, one gets it, and the attempt is counted once."""
    page = await request(world, await world.open())
    claims = await asyncio.gather(
        *(world.store.pages.claim(page.page_id, NOW, LEASE) for _ in range(10))
    )
    assert sum(claim is not None for claim in claims) == 1
    assert (await page_of(world, page.page_id)).attempts == 1


async def test_the_claim_of_a_dead_worker_ends(world: World) -> None:
    """Whoever finds it claimed looks again when the claim has ended, and gets it then, not before."""
    page = await request(world, await world.open())
    claim = world.store.pages.claim
    await claim(page.page_id, NOW, LEASE)
    await world.wake()
    assert await claim(page.page_id, NOW, LEASE) is None
    world.now = NOW + LEASE
    assert await claim(page.page_id, world.now - SECOND, LEASE) is None
    assert (JobKind.PAGE, page.page_id) in await world.wake()
    claimed = await claim(page.page_id, world.now, LEASE)
    assert claimed is not None
    assert claimed.attempts == 2


async def test_a_failure_is_tried_again_after_its_pause(world: World) -> None:
    """The claim is given back, the error shown, and nobody tries before the named time."""
    incident = await world.open()
    page = await request(world, incident)
    claim = world.store.pages.claim
    await claim(page.page_id, NOW, LEASE)
    retry_at = NOW + 2 * SECOND
    await world.store.pages.failed(page.page_id, error="503", retry_at=retry_at, now=NOW)
    assert (await page_of(world, page.page_id)).error == "503"
    await world.wake()
    assert await claim(page.page_id, retry_at - SECOND, LEASE) is None
    world.now = retry_at
    assert await world.wake() == {(JobKind.PAGE, page.page_id)}
    assert await claim(page.page_id, retry_at, LEASE) is not None
    assert (await world.happened(incident))[-1] == "page failed"


async def test_paged_is_said_once_the_provider_has_it(world: World) -> None:
    """Accepted: with provider, time and address, nothing left to do, and card and details are drawn anew."""
    incident = await world.open()
    await world.record(incident)
    page = await request(world, incident)
    await world.store.pages.claim(page.page_id, NOW, LEASE)
    await world.wake()
    await world.store.pages.accepted(
        page.page_id, pager="pagerduty", reference="p-1", url="https://pd.example/1", now=NOW
    )
    found = await page_of(world, page.page_id)
    assert (found.state, found.pager, found.url, found.accepted_at) == (
        PageState.ACCEPTED,
        "pagerduty",
        "https://pd.example/1",
        NOW,
    )
    drawn = {f"{kind}:{incident.incident_id}" for kind in ("card", "details")}
    assert await world.wake() == {(JobKind.POST, post_id) for post_id in drawn}
    assert await world.store.pages.claim(page.page_id, NOW + MINUTE, LEASE) is None
    assert await world.wake() == set()


@pytest.mark.parametrize("ending", ["undelivered", "resolved"])
async def test_a_page_that_ended_can_be_asked_for_anew(world: World, ending: str) -> None:
    """Nobody was reached, or the incident came back: a click wakes the team again, under the same key."""
    page = await request(world, await world.open())
    if ending == "undelivered":
        await world.store.pages.undelivered(page.page_id, error="refused", now=NOW)
    else:
        await world.store.pages.resolved(page.page_id, NOW)
    await world.wake()
    again = await request(world, (await world.join(inbox_id="in-2")).incident)
    assert (again.page_id, again.dedup_key) == (page.page_id, page.dedup_key)
    assert (again.state, again.attempts, again.error) == (PageState.REQUESTED, 0, None)
    assert await world.wake() == {(JobKind.PAGE, page.page_id)}


async def test_an_incident_that_ends_while_the_page_is_on_its_way(world: World) -> None:
    """Resolved between claim and acceptance: the provider is told at once that it is over."""
    incident = await world.open()
    page = await request(world, incident)
    await world.store.pages.claim(page.page_id, NOW, LEASE)
    await world.store.incidents.resolve(incident.incident_id, by="U1", now=NOW)
    await world.wake()
    await world.store.pages.accepted(page.page_id, pager="log", reference=None, url=None, now=NOW)
    assert (JobKind.PAGE, page.page_id) in await world.wake()
    claimed = await world.store.pages.claim(page.page_id, NOW, LEASE)
    assert claimed is not None
    assert claimed.resolve_wanted
    await world.store.pages.resolved(page.page_id, NOW)
    assert (await page_of(world, page.page_id)).state is PageState.RESOLVED
    assert await world.store.pages.claim(page.page_id, NOW, LEASE) is None


async def test_a_late_word_about_a_resolved_page_is_left_alone(world: World) -> None:
    """Resolved is the end: a worker that comes late with its answer changes nothing."""
    page = await request(world, await world.open())
    await world.store.pages.resolved(page.page_id, NOW)
    await world.store.pages.failed(page.page_id, error="late", retry_at=NOW, now=NOW)
    assert (await page_of(world, page.page_id)).error is None


async def test_an_unknown_page_is_nobodys_work(world: World) -> None:
    """A job about a row that is not there does nothing."""
    assert await world.store.pages.get("nobody") is None
    assert await world.store.pages.claim("nobody", NOW, LEASE) is None
    await world.store.pages.resolved("nobody", NOW)
    assert await world.wake() == set()


INCIDENT_ID = "6f2f7c0e-3a0c-5d0e-9f51-7d0f5b0f6a11"


@given(st.text(max_size=400), st.sampled_from(["infra", "data_eng_lead", "t" * 64]))
def test_a_providers_key_always_fits_and_names_the_incident(tenant_id: str, team: str) -> None:
    """At most 255 characters, the same each time, and incident and team can be read from its end."""
    key = dedup_key(tenant_id, INCIDENT_ID, team)
    assert len(key) <= LONGEST_KEY
    assert key == dedup_key(tenant_id, INCIDENT_ID, team)
    assert key.rsplit(":", 2)[1:] == [INCIDENT_ID, team]
