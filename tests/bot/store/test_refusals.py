"""Refused bodies are counted per tenant and format; the first problem stays."""

from __future__ import annotations

from bot.records import Refusal
from bot.store.refusals import MAX_PROBLEM
from tests.bot.store.world import MINUTE, NOW, World


async def refuse(world: World, tenant_id: str, format_name: str, problem: str) -> None:
    await world.store.refusals.count(
        tenant_id=tenant_id, format_name=format_name, problem=problem, now=world.now
    )


async def test_refusals_are_counted_by_tenant_and_format(world: World) -> None:
    """The count grows, the time is the last one's, the problem the first one's, and it wakes nobody."""
    await refuse(world, "acme", "soda", "event: missing")
    world.now += MINUTE
    await refuse(world, "acme", "soda", "checkResults: missing")
    await refuse(world, "globex", "soda", "document: no object")
    world.now += MINUTE
    await refuse(world, "acme", "datadog", "x" * 2 * MAX_PROBLEM)
    assert await world.store.refusals.list("acme") == (
        Refusal(
            format_name="datadog", count=1, last_at=NOW + 2 * MINUTE, problem="x" * MAX_PROBLEM
        ),
        Refusal(format_name="soda", count=2, last_at=NOW + MINUTE, problem="event: missing"),
    )
    assert [one.count for one in await world.store.refusals.list("globex")] == [1]
    assert await world.wake() == set()


async def test_who_was_refused_nothing_has_no_refusals(world: World) -> None:
    """An empty list, not an error."""
    assert await world.store.refusals.list("acme") == ()
