"""A diagnosis is recorded with everything that follows from it, in one transaction."""

from __future__ import annotations

import pytest

from bot.ports import JobKind
from bot.records import Deadline, DeadlineState, Incident, Post, PostKind, Reason
from tests.bot.store.world import MINUTE, NOW, World, deadline


async def states(world: World, incident: Incident) -> dict[str, tuple[DeadlineState, int]]:
    """Return each deadline by its rule: its state, and after how many minutes it is due."""
    view = await world.store.incidents.view(incident.incident_id)
    assert view is not None
    return {one.rule: (one.state, (one.due_at - NOW) // MINUTE) for one in view.deadlines}


async def test_everything_is_there_after_recording(world: World) -> None:
    """The view holds the diagnosis, its deadline, its posts and the story; and each has its job."""
    incident = await world.open()
    due = deadline(incident)
    await world.record(incident, deadlines=(due,))
    view = await world.store.incidents.view(incident.incident_id)
    assert view is not None
    assert view.incident.signal_id == "s-1"
    assert view.diagnosis is not None
    assert view.diagnosis.signal_id == "s-1"
    assert view.deadlines == (due,)
    assert {post.kind for post in view.posts} == {PostKind.CARD, PostKind.DETAILS}
    assert [entry.what for entry in view.timeline] == ["opened", "diagnosed"]
    assert view.timeline[-1].details["reason"] == "told_opened"
    assert await world.wake() == {
        (JobKind.POST, f"card:{incident.incident_id}"),
        (JobKind.POST, f"details:{incident.incident_id}"),
    }
    world.now = due.due_at
    assert await world.wake() == {(JobKind.DEADLINE, due.deadline_id)}


async def test_the_same_diagnosis_again_changes_nothing(world: World) -> None:
    """A repeated job records nothing twice and wakes nobody."""
    incident = await world.open()
    await world.record(incident, deadlines=(deadline(incident),))
    await world.wake()
    view = await world.store.incidents.view(incident.incident_id)
    await world.record(incident, deadlines=(deadline(incident, MINUTE),))
    assert await world.store.incidents.view(incident.incident_id) == view
    assert await world.wake() == set()


async def test_the_newest_diagnosis_is_in_force(world: World) -> None:
    """The older one stays in the history, inactive."""
    incident = await world.open()
    await world.record(incident, "s-1")
    world.now += MINUTE
    await world.record(incident, "s-2", reason=Reason.TOLD_CHANGED)
    known = await world.store.signals.list("acme", "shopify_orders", active_only=False, limit=5)
    assert [(one.signal_id, one.is_active) for one in known] == [("s-2", True), ("s-1", False)]
    active = await world.store.signals.active_of(incident.incident_id)
    assert active is not None
    assert active.signal_id == "s-2"


@pytest.mark.parametrize(
    ("reason", "stale"),
    [
        (Reason.TOLD_CHANGED, {PostKind.CARD, PostKind.DETAILS}),
        (Reason.TOLD_ASKED, {PostKind.CARD, PostKind.DETAILS}),
        (Reason.QUIET_JOINED, {PostKind.CARD}),
        (Reason.QUIET_SNOOZED, {PostKind.CARD}),
    ],
)
async def test_a_second_diagnosis_edits_what_is_there(
    world: World, reason: Reason, stale: set[PostKind]
) -> None:
    """No second card: the first is drawn anew, and the details when there is news."""
    incident = await world.open()
    await world.record(incident)
    await world.wake()
    await world.record(incident, "s-2", reason=reason)
    view = await world.store.incidents.view(incident.incident_id)
    assert view is not None
    assert len(view.posts) == 2
    assert {post.kind for post in view.posts if post.wanted == 2} == stale
    assert await world.wake() == {
        (JobKind.POST, f"{kind}:{incident.incident_id}") for kind in stale
    }


async def test_a_second_card_under_another_id_is_not_kept(world: World) -> None:
    """An incident has one card, whatever a caller calls it."""
    incident = await world.open()
    await world.record(incident)
    other = Post(
        post_id="another card",
        incident_id=incident.incident_id,
        kind=PostKind.CARD,
        channel_id="C2",
    )
    await world.record(incident, "s-2", posts=(other,))
    assert await world.store.posts.get("another card") is None
    card = await world.store.posts.card_of(incident.incident_id)
    assert card is not None
    assert card.channel_id == "C1"


PENDING, FIRED, CANCELLED = DeadlineState.PENDING, DeadlineState.FIRED, DeadlineState.CANCELLED


@pytest.mark.parametrize(
    ("first", "second", "after"),
    [
        ({"a": 30}, {"a": 30}, {"a": (PENDING, 30)}),
        ({"a": 30}, {"a": 10}, {"a": (PENDING, 10)}),
        ({"a": 30}, {"a": 60}, {"a": (PENDING, 30)}),
        ({"a": 30}, {}, {"a": (CANCELLED, 30)}),
        ({"a": 30}, {"b": 60}, {"a": (CANCELLED, 30), "b": (PENDING, 60)}),
        ({}, {"a": 30}, {"a": (PENDING, 30)}),
    ],
    ids=str,
)
async def test_a_second_diagnosis_renews_the_deadlines(
    world: World,
    first: dict[str, int],
    second: dict[str, int],
    after: dict[str, tuple[DeadlineState, int]],
) -> None:
    """A pending one keeps the earlier time; one whose rule is gone is cancelled; a new one is added."""
    incident = await world.open()
    for signal_id, wanted in (("s-1", first), ("s-2", second)):
        await world.record(incident, signal_id, deadlines=by_rule(incident, wanted))
    assert await states(world, incident) == after


def by_rule(incident: Incident, wanted: dict[str, int]) -> tuple[Deadline, ...]:
    return tuple(
        deadline(incident, minutes * MINUTE, rule=rule) for rule, minutes in wanted.items()
    )


async def test_a_dropped_rule_comes_back(world: World) -> None:
    """A diagnosis that for once lacked a fact must not keep people from being paged by the next."""
    incident = await world.open()
    for signal_id, wanted in (("s-1", {"a": 30}), ("s-2", {}), ("s-3", {"a": 40})):
        await world.record(incident, signal_id, deadlines=by_rule(incident, wanted))
    assert await states(world, incident) == {"a": (PENDING, 40)}


async def test_a_fired_deadline_stays_fired(world: World) -> None:
    """Nobody is paged twice by one rule."""
    incident = await world.open()
    due = deadline(incident, 0 * MINUTE, rule="a")
    await world.record(incident, deadlines=(due,))
    await world.store.deadlines.fire(due.deadline_id, NOW)
    await world.record(incident, "s-2", deadlines=by_rule(incident, {"a": 10}))
    await world.record(incident, "s-3")
    assert await states(world, incident) == {"a": (FIRED, 0)}


@pytest.mark.parametrize("word", ["acknowledge", "resolve"])
async def test_nobody_is_paged_about_what_somebody_has(world: World, word: str) -> None:
    """A diagnosis that was under way while somebody took it on, or ended it, brings no deadline back."""
    incident = await world.open()
    await world.record(incident, deadlines=by_rule(incident, {"a": 30}))
    await getattr(world.store.incidents, word)(incident.incident_id, by="U1", now=NOW)
    await world.record(incident, "s-2", deadlines=by_rule(incident, {"a": 10, "b": 10}))
    assert await states(world, incident) == {"a": (CANCELLED, 30)}


async def test_a_late_diagnosis_of_a_resolved_incident_is_not_active(world: World) -> None:
    """It is kept, but nothing that is over shows up as active."""
    incident = await world.open()
    await world.store.incidents.resolve(incident.incident_id, by="U1", now=NOW)
    await world.record(incident)
    (known,) = await world.store.signals.list("acme", "shopify_orders", active_only=False, limit=5)
    assert not known.is_active
    assert await world.store.signals.list("acme", "shopify_orders", active_only=True, limit=5) == ()


async def test_a_diagnosis_and_its_case_can_be_read_again_by_its_tenant(world: World) -> None:
    """What it looked at is exported; another tenant sees nothing."""
    incident = await world.open()
    await world.record(incident)
    case = await world.store.signals.case("acme", "s-1")
    assert case is not None
    assert case.case_id == "case of s-1"
    found = await world.store.signals.get("acme", "s-1")
    assert found is not None
    assert found.case_id == "case of s-1"
    assert await world.store.signals.case("globex", "s-1") is None
    assert await world.store.signals.get("globex", "s-1") is None
    assert (
        await world.store.signals.list("globex", "shopify_orders", active_only=False, limit=5) == ()
    )
