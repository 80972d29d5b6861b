"""People read the card and decide; the card follows, and so does the pager."""

from __future__ import annotations

from bot.records import IncidentState, PageState
from bot.sandbox.faults import RateLimited
from bot.sandbox.pager import CallState
from bot.sandbox.records import Message
from bot.sandbox.world import ALERTS, World, buttons, words

NAME = "01_expired_credentials"
DATASET = "shopify_orders"
MARKS = ("incident_right", "incident_wrong")


def escalate_button(message: Message) -> str:
    """The card's first escalate button."""
    return next(b for b in buttons(message) if b.startswith("incident_escalate:"))


async def test_escalate_pages_the_team_and_says_so_only_then(world: World) -> None:
    """Escalate, confirm: the team's pager rings once, and then the card says who paged whom, and when."""
    message = await world.alert(NAME)
    card = world.card(message)
    action = escalate_button(card)
    await world.sandbox.click("alice", card, action)
    assert "Paged " not in words(world.card(message))
    await world.work()
    view = await world.incident(DATASET)
    assert [page.state for page in view.pages] == [PageState.ACCEPTED]
    assert len(world.sandbox.phones.calls) == 1
    assert DATASET in world.sandbox.phones.calls[0].summary
    told = words(world.card(message))
    assert "Paged " in told
    assert "<@U0ALICE>" in told
    assert action not in buttons(world.card(message))
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_saying_no_to_the_confirmation_pages_nobody(world: World) -> None:
    """The escalate button asks first; a no reaches nobody."""
    message = await world.alert(NAME)
    card = world.card(message)
    answer = await world.sandbox.click("alice", card, escalate_button(card), confirm=False)
    await world.work()
    assert answer is None
    assert world.sandbox.phones.calls == ()
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_a_double_click_pages_once_and_answers_twice(world: World) -> None:
    """Two people click Escalate on the same card: one page, and the second reads who was first."""
    message = await world.alert(NAME)
    card = world.card(message)
    action = escalate_button(card)
    await world.sandbox.click("alice", card, action)
    await world.work()
    await world.sandbox.click("bob", card, action)
    await world.work()
    assert len(world.sandbox.phones.requests) == 1
    answer = words(world.sandbox.ephemerals("bob")[-1])
    assert "<@U0ALICE>" in answer
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_acknowledge_is_seen_by_all(world: World) -> None:
    """Acknowledge: the card names who has it; a second person is told, and takes nothing away."""
    message = await world.alert(NAME)
    card = world.card(message)
    await world.sandbox.click("alice", card, "incident_ack")
    await world.work()
    await world.sandbox.click("bob", card, "incident_ack")
    await world.work()
    view = await world.incident(DATASET)
    assert view.incident.state is IncidentState.ACKNOWLEDGED
    assert view.incident.acknowledged_by == "U0ALICE"
    assert "<@U0ALICE>" in words(world.card(message))
    assert "<@U0ALICE>" in words(world.sandbox.ephemerals("bob")[-1])
    assert "incident_ack" not in buttons(world.card(message))
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_resolve_turns_the_card_green_and_closes_the_page(world: World) -> None:
    """Only the question whether we were right is left; no diagnosis is active, and the provider hears of it."""
    message = await world.alert(NAME)
    card = world.card(message)
    await world.sandbox.click("alice", card, escalate_button(card))
    await world.work()
    await world.sandbox.click("alice", world.card(message), "incident_resolve")
    await world.work()
    view = await world.incident(DATASET)
    assert view.incident.state is IncidentState.RESOLVED
    assert buttons(world.card(message)) == MARKS
    assert "Resolved by" in words(world.card(message))
    assert "When to escalate" not in words(world.thread(message)[1])
    assert [call.state for call in world.sandbox.phones.calls] == [CallState.RESOLVED]
    active = await world.app.store.signals.list("acme", DATASET, active_only=True, limit=10)
    assert active == ()
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_a_click_on_an_old_card_is_answered(world: World) -> None:
    """A button of a resolved incident does nothing, and says so to the one who pressed it."""
    message = await world.alert(NAME)
    card = world.card(message)
    await world.sandbox.click("alice", card, "incident_resolve")
    await world.work()
    await world.sandbox.click("bob", card, escalate_button(card))
    await world.work()
    assert world.sandbox.phones.calls == ()
    assert "resolved" in words(world.sandbox.ephemerals("bob")[-1])
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_the_pager_is_down_then_up(world: World) -> None:
    """A provider that answers 429 once is asked again; people are told of one page, not of the trouble."""
    message = await world.alert(NAME)
    world.sandbox.faults.add("pagerduty", RateLimited(retry_after_s=3))
    card = world.card(message)
    await world.sandbox.click("alice", card, "incident_escalate:infra")
    await world.work()
    assert [page.state for page in (await world.incident(DATASET)).pages] == [PageState.REQUESTED]
    await world.later(seconds=5)
    view = await world.incident(DATASET)
    assert [page.state for page in view.pages] == [PageState.ACCEPTED]
    assert len(world.sandbox.phones.calls) == 1
    world.thread(message)
    world.sandbox.messages(ALERTS)


async def test_a_page_that_cannot_be_delivered_is_shouted(world: World) -> None:
    """A provider down for a minute: the card is red, the user group is mentioned, the next team is paged."""
    message = await world.alert(NAME)
    world.sandbox.faults.add("pagerduty", RateLimited(retry_after_s=1), times=100)
    await world.sandbox.click("alice", world.card(message), "incident_escalate:infra")
    await world.work()
    for _ in range(12):
        await world.later(seconds=10)
    view = await world.incident(DATASET)
    by_team = {page.team: page.state for page in view.pages}
    assert by_team["infra"] is PageState.UNDELIVERED
    assert "platform" in by_team
    assert "PAGE NOT DELIVERED" in words(world.card(message))
    mentions = [words(reply) for reply in world.thread(message)]
    assert any("<!subteam^S0INFRA" in text for text in mentions)
    world.sandbox.messages(ALERTS)


async def test_reopen_takes_back_a_hasty_resolve(world: World) -> None:
    """Resolved by mistake at three in the morning: open again, with its buttons, and nobody has it."""
    message = await world.alert(NAME)
    await world.sandbox.click("alice", world.card(message), "incident_resolve")
    await world.work()
    await world.sandbox.command("alice", ALERTS, f"/rca reopen {DATASET}")
    await world.work()
    view = await world.incident(DATASET)
    assert view.incident.state is IncidentState.OPEN
    assert "incident_ack" in buttons(world.card(message))
    assert "open again" in words(world.sandbox.ephemerals("alice")[-1])
    await world.sandbox.command("alice", ALERTS, f"/rca reopen {DATASET}")
    assert "already" in words(world.sandbox.ephemerals("alice")[-1])
    world.thread(message)
    world.sandbox.messages(ALERTS)
