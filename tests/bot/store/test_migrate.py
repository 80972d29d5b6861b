"""The steps lead to the tables in the code and back, on both databases."""

from __future__ import annotations

import asyncio

from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.engine import create_engine
from bot.store.migrate import BASE, check, current, downgrade, upgrade


async def _tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    return set(names) - {"alembic_version"}


async def test_the_tables_are_what_the_code_says(engine: AsyncEngine) -> None:
    """After all steps nothing is missing and nothing is left over."""
    assert await check(engine) is None


async def test_a_difference_is_named(engine: AsyncEngine) -> None:
    """A column that the code does not know is seen, so that the test above means something."""
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox ADD COLUMN forgotten TEXT"))
    difference = await check(engine)
    assert difference is not None
    assert "forgotten" in difference


async def test_every_step_can_be_taken_back(empty_database_url: str) -> None:
    """Up, down and up again: down leaves no table, and the second way up ends where the first did."""
    engine = create_engine(empty_database_url)
    try:
        await upgrade(engine)
        head, tables = await current(engine), await _tables(engine)
        await downgrade(engine, BASE)
        assert (await current(engine), await _tables(engine)) == (None, set())
        await upgrade(engine)
        assert (await current(engine), await _tables(engine)) == (head, tables)
    finally:
        await engine.dispose()


async def test_replicas_that_start_together_migrate_once(empty_database_url: str) -> None:
    """Four upgrades of an empty database at the same time all succeed."""
    engines = [create_engine(empty_database_url) for _ in range(4)]
    try:
        await asyncio.gather(*(upgrade(engine) for engine in engines))
        assert await check(engines[0]) is None
    finally:
        await asyncio.gather(*(engine.dispose() for engine in engines))


async def test_old_code_leaves_a_newer_database_alone(engine: AsyncEngine) -> None:
    """During a rollout an old replica may start again: it neither fails nor touches anything."""
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999_later'"))
    await upgrade(engine)
    assert await current(engine) == "9999_later"
