"""The inbox: kept before anybody is told, and once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.ports import JobKind
from bot.records import InboxKind, InboxState, Kept, Reason
from tests.bot.store.world import MINUTE, NOW, World


async def keep(
    world: World,
    sender_id: str = "Ev1",
    *,
    kind: InboxKind = InboxKind.WEBHOOK,
    tenant_id: str = "acme",
    state: InboxState = InboxState.NEW,
    reason: Reason | None = None,
) -> Kept:
    return await world.store.inbox.keep(
        kind=kind,
        sender_id=sender_id,
        tenant_id=tenant_id,
        payload={"n": 1, "text": "caf\u00e9", "list": [None, True]},
        now=world.now,
        state=state,
        reason=reason,
    )


async def test_a_delivery_is_kept_once(world: World) -> None:
    """The first is fresh and wakes the intake; the same again returns the same row and wakes nobody."""
    first = await keep(world)
    assert first.fresh
    assert first.item.payload == {"n": 1, "text": "caf\u00e9", "list": [None, True]}
    assert first.item.received_at == NOW
    assert await world.wake() == {(JobKind.INBOX, first.item.inbox_id)}
    world.now += MINUTE
    again = await keep(world)
    assert again == Kept(item=first.item, fresh=False)
    assert await world.wake() == set()


@pytest.mark.parametrize(
    "other",
    [{"kind": InboxKind.COMMAND}, {"tenant_id": "globex"}, {"sender_id": "Ev2"}],
    ids=str,
)
async def test_what_differs_in_one_part_is_another_delivery(
    world: World, other: dict[str, Any]
) -> None:
    """Kind, tenant and the sender's id together make a delivery: no tenant hides another's."""
    first = await keep(world)
    second = await keep(world, **other)
    assert second.fresh
    assert second.item.inbox_id != first.item.inbox_id


async def test_deliveries_that_race_are_one(world: World) -> None:
    """Ten at the same instant: one row, one of them fresh."""
    kept = await asyncio.gather(*(keep(world) for _ in range(10)))
    assert sum(one.fresh for one in kept) == 1
    assert len({one.item.inbox_id for one in kept}) == 1


async def test_what_is_done_already_wakes_nobody(world: World) -> None:
    """A button press is kept as done: it only stops a second delivery."""
    kept = await keep(world, state=InboxState.DONE)
    assert kept.item.state is InboxState.DONE
    assert await world.wake() == set()


async def test_the_first_word_about_a_delivery_stands(world: World) -> None:
    """Closed is closed; a late second word changes nothing."""
    inbox = world.store.inbox
    inbox_id = (await keep(world)).item.inbox_id
    await inbox.close(inbox_id, state=InboxState.DONE, reason=Reason.TOLD_OPENED, now=NOW)
    await inbox.close(inbox_id, state=InboxState.FAILED, reason=Reason.GAVE_UP, now=NOW)
    item = await inbox.get(inbox_id)
    assert item is not None
    assert (item.state, item.reason) == (InboxState.DONE, "told_opened")


async def test_attempts_are_counted(world: World) -> None:
    """Each attempt is one more; there is no row, there is no attempt."""
    inbox_id = (await keep(world)).item.inbox_id
    assert [await world.store.inbox.count_attempt(inbox_id) for _ in range(3)] == [1, 2, 3]
    assert await world.store.inbox.count_attempt("nobody") == 0
    assert await world.store.inbox.get("nobody") is None


async def test_unrecognised_messages_are_the_tenants_own_newest_first(world: World) -> None:
    """Only what no format knew, only of this tenant, the newest first, counted beyond the limit."""
    unknown = Reason.QUIET_UNRECOGNISED
    for n in range(3):
        world.now = NOW + n * MINUTE
        await keep(world, f"mine {n}", state=InboxState.IGNORED, reason=unknown)
    await keep(world, "theirs", tenant_id="globex", state=InboxState.IGNORED, reason=unknown)
    await keep(world, "known", state=InboxState.DONE, reason=Reason.TOLD_OPENED)
    newest = await world.store.inbox.unrecognised("acme", 2)
    assert [item.sender_id for item in newest] == ["mine 2", "mine 1"]
    assert await world.store.inbox.count_unrecognised("acme") == 3
