"""What people decide: who may, for which tenant, once; and what follows from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.decisions import (
    Actor,
    NoSuchIncidentError,
    NoSuchTeamError,
    NotAllowedError,
    acknowledge,
    escalate,
    reopen,
    resolve,
    reviewed,
    snooze,
)
from bot.deps import Deps
from bot.directory import Role
from bot.examine import REVIEWED
from bot.flow import handle_inbox
from bot.ports import Job, JobKind
from bot.records import DeadlineState, IncidentState
from bot.testing import FrozenClock
from tests.bot.surroundings import NOON, deps_of, directory_of, opened

DATASET = "shopify_orders"
DIRECTORY = directory_of(
    {"infra": {}, "data_eng_lead": {}}, datasets={DATASET: {"name": DATASET, "tenant": "acme"}}
)
Decide = Callable[[str, Actor, Deps], Awaitable[object]]


def actor(role: Role = Role.RESPONDER, tenant_id: str = "acme") -> Actor:
    """Somebody who decides."""
    return Actor(user_id="U0ALICE", tenant_id=tenant_id, role=role)


async def _snooze(incident_id: str, by: Actor, deps: Deps) -> object:
    return await snooze(incident_id, by, timedelta(hours=2), deps)


async def _escalate(incident_id: str, by: Actor, deps: Deps) -> object:
    return await escalate(incident_id, "infra", by, deps)


async def _reviewed(incident_id: str, by: Actor, deps: Deps) -> object:
    await reviewed(incident_id, by, "key", deps)
    return None


DECISIONS = {
    "acknowledge": acknowledge,
    "resolve": resolve,
    "reopen": reopen,
    "snooze": _snooze,
    "escalate": _escalate,
    "review": _reviewed,
}
each_decision = pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS)


@each_decision
async def test_a_viewer_decides_nothing(engine: AsyncEngine, decide: Decide) -> None:
    """The refusal says which role would do; the incident is as it was."""
    deps = deps_of(engine, DIRECTORY)
    incident = await opened(deps)
    with pytest.raises(NotAllowedError, match="responder"):
        await decide(incident.incident_id, actor(Role.VIEWER), deps)
    assert await deps.store.incidents.get(incident.incident_id) == incident


@each_decision
@pytest.mark.parametrize("role", [Role.RESPONDER, Role.ADMIN])
async def test_another_tenants_incident_is_none(
    engine: AsyncEngine, decide: Decide, role: Role
) -> None:
    """Even an admin of another tenant reads the same words as for an id that nobody has."""
    deps = deps_of(engine, DIRECTORY)
    incident = await opened(deps)
    said = []
    for incident_id in (incident.incident_id, "nobody"):
        with pytest.raises(NoSuchIncidentError) as refused:
            await decide(incident_id, actor(role, "globex"), deps)
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert await deps.store.incidents.get(incident.incident_id) == incident


@pytest.mark.parametrize("decide", [acknowledge, resolve])
async def test_the_second_time_changes_nothing(engine: AsyncEngine, decide: Decide) -> None:
    """The first one stands, with who and when; the second is told."""
    deps = deps_of(engine, DIRECTORY)
    incident = await opened(deps)
    first = await decide(incident.incident_id, actor(), deps)
    second = await decide(incident.incident_id, actor(), deps)
    assert (first.changed, second.changed) == (True, False)  # type: ignore[attr-defined]  # both return a Change
    assert first.incident == second.incident  # type: ignore[attr-defined]  # both return a Change


async def test_escalating_once(engine: AsyncEngine) -> None:
    """The second request returns the first page; an unknown team is answered with those there are."""
    deps = deps_of(engine, DIRECTORY)
    incident = await opened(deps)
    first = await escalate(incident.incident_id, "infra", actor(), deps)
    second = await escalate(incident.incident_id, "infra", actor(), deps)
    assert (first.fresh, second.fresh) == (True, False)
    assert first.page.page_id == second.page.page_id
    with pytest.raises(NoSuchTeamError, match="data_eng_lead, infra"):
        await escalate(incident.incident_id, "Infra", actor(), deps)


async def test_nobody_is_paged_for_what_is_over(engine: AsyncEngine) -> None:
    """A resolved incident pages nobody, and says so."""
    deps = deps_of(engine, DIRECTORY)
    incident = await opened(deps)
    await resolve(incident.incident_id, actor(), deps)
    with pytest.raises(NoSuchIncidentError, match="resolved"):
        await escalate(incident.incident_id, "infra", actor(), deps)


async def kept_questions(deps: Deps) -> tuple[Job, ...]:
    """What the intake has to do, however fresh it is."""
    later = deps.clock() + timedelta(minutes=5)
    return tuple(j for j in await deps.store.due(later, 10) if j.kind is JobKind.INBOX)


async def test_a_review_is_noted_and_looked_at(engine: AsyncEngine) -> None:
    """The same request twice is one look; an incident without a place in Slack gets none by it."""
    deps = deps_of(engine, DIRECTORY)
    incident = await opened(deps, place=None)
    for _ in range(2):
        await reviewed(incident.incident_id, actor(), "key", deps)
    (job,) = await kept_questions(deps)
    await handle_inbox(job.row_id, deps)
    view = await deps.store.incidents.view(incident.incident_id)
    assert view is not None
    assert REVIEWED in {entry.what for entry in view.timeline}
    assert view.diagnosis is not None
    assert view.incident.place is None


async def test_what_was_resolved_in_haste_pages_again(engine: AsyncEngine) -> None:
    """Resolve cancels the deadlines; taken back, the dataset is looked at anew and somebody is due again."""
    clock = FrozenClock(NOON)
    deps = deps_of(engine, DIRECTORY, clock=clock)
    incident = await opened(deps)
    await reviewed(incident.incident_id, actor(), "key", deps)
    (job,) = await kept_questions(deps)
    await handle_inbox(job.row_id, deps)
    clock.advance(timedelta(minutes=1))
    await resolve(incident.incident_id, actor(), deps)
    change = await reopen(incident.incident_id, actor(), deps)
    assert change.incident.state is IncidentState.OPEN
    (job,) = await kept_questions(deps)
    await handle_inbox(job.row_id, deps)
    view = await deps.store.incidents.view(incident.incident_id)
    assert view is not None
    assert {one.state for one in view.deadlines} == {DeadlineState.PENDING}
    assert len(await deps.store.incidents.find_open("acme", DATASET)) == 1
