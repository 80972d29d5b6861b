"""One writes at a time, in the order of asking; the urgent go first, and nobody who gave up holds others up."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.engine import create_engine
from bot.turns import Everybody, Turn, turn_of


async def write(turn: Turn, name: str, order: list[str], *, urgent: bool = False) -> None:
    """Take the turn and note it."""
    async with turn.taken(urgent=urgent):
        order.append(name)
        await asyncio.sleep(0)


async def test_in_the_order_of_asking_and_the_urgent_first() -> None:
    """Whoever is at it finishes; then the urgent, each in the order they came."""
    turn, order = Turn(), list[str]()
    async with asyncio.TaskGroup() as group:
        for name, urgent in (("a", False), ("b", False), ("U", True), ("c", False), ("V", True)):
            group.create_task(write(turn, name, order, urgent=urgent))
    assert order == ["a", "U", "V", "b", "c"]


async def test_one_that_gave_up_is_passed_over() -> None:
    """A cancelled writer neither writes nor keeps the next from writing."""
    turn, order = Turn(), list[str]()
    async with turn.taken():
        gone = asyncio.create_task(write(turn, "gone", order))
        next_one = asyncio.create_task(write(turn, "next", order))
        await asyncio.sleep(0)
        gone.cancel()
    await next_one
    assert order == ["next"]


async def test_one_that_gave_up_just_as_its_turn_came() -> None:
    """The turn that was handed to it goes on to the next."""
    turn, order = Turn(), list[str]()
    async with turn.taken():
        gone = asyncio.create_task(write(turn, "gone", order))
        next_one = asyncio.create_task(write(turn, "next", order))
        await asyncio.sleep(0)
    gone.cancel()  # its turn is set, but it has not run yet
    await next_one
    assert order == ["next"]
    async with asyncio.timeout(1), turn.taken():
        pass


async def test_a_writer_that_failed_hands_on() -> None:
    """An error inside ends the turn like anything else."""
    turn = Turn()
    with pytest.raises(RuntimeError):
        async with turn.taken():
            raise RuntimeError
    async with asyncio.timeout(1), turn.taken():
        pass


async def test_whoever_writes_through_one_engine_shares_its_queue(
    engine: AsyncEngine, sqlite_url: str
) -> None:
    """On SQLite; PostgreSQL lets everybody write, and another engine is another queue."""
    assert turn_of(engine) is turn_of(engine)
    assert isinstance(turn_of(engine), Everybody) == (engine.dialect.name == "postgresql")
    other = create_engine(sqlite_url)
    assert turn_of(other) is not turn_of(engine)
    await other.dispose()
