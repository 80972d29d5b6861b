"""Addresses lead to the right database, opened the right way; others are refused in words."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from bot.ports import BotError
from bot.records import InboxKind, InboxState
from bot.store import engine as engine_module
from bot.store.engine import create_engine
from tests.bot.store.world import NOW, World


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("sqlite:///a.sqlite3", "sqlite+aiosqlite:///a.sqlite3"),
        ("sqlite:////a/b.sqlite3", "sqlite+aiosqlite:////a/b.sqlite3"),
        ("postgres://u:p@h:5433/d", "postgresql+asyncpg://u:p@h:5433/d"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u@/d?host=/run/pg", "postgresql+asyncpg://u@/d?host=%2Frun%2Fpg"),
    ],
)
def test_an_address_gets_its_driver(url: str, opened: str) -> None:
    """Plain addresses, as operators write them, are enough; nothing is connected."""
    engine = create_engine(url)
    assert engine.url.render_as_string(hide_password=False) == opened


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:secret@h/d", "mysql"),
        ("sqlite://", "file"),
        ("sqlite:///:memory:", "file"),
        ("secret", "not a URL"),
        ("", "not a URL"),
    ],
)
def test_another_address_is_refused(url: str, said: str) -> None:
    """With what is wrong, and never with the password."""
    with pytest.raises(BotError, match=said) as refused:
        create_engine(url)
    assert "secret" not in str(refused.value)


async def test_sqlite_is_durable_and_lets_readers_through(sqlite_url: str) -> None:
    """A write-ahead log, foreign keys that hold, and patience with other writers."""
    engine = create_engine(sqlite_url)
    async with engine.connect() as connection:
        asked = ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        said = [(await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in asked]
    await engine.dispose()
    assert said == ["wal", 1, 30_000, 1]


async def test_an_idle_connection_that_was_cut_is_replaced(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while without use, a dead connection costs nobody an error."""
    monkeypatch.setattr(engine_module, "IDLE_S", 0.0)
    engine, killer = create_engine(postgres_url), create_engine(postgres_url)
    try:
        async with engine.connect() as connection:
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        async with killer.connect() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        async with engine.connect() as connection:
            other = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        assert other != pid
    finally:
        await engine.dispose()
        await killer.dispose()


async def test_writers_do_not_lose_to_one_another(world: World) -> None:
    """A hundred writers at once, with readers between them: all are served, none is refused."""

    async def write(n: int) -> None:
        kept = await world.store.inbox.keep(
            kind=InboxKind.WEBHOOK,
            sender_id=str(n % 50),
            tenant_id="acme",
            payload={},
            now=NOW,
            state=InboxState.DONE,
        )
        assert await world.store.inbox.get(kept.item.inbox_id) is not None
        await world.store.inbox.count_attempt(kept.item.inbox_id)

    await asyncio.gather(*(write(n) for n in range(100)))
    again = await world.store.inbox.keep(
        kind=InboxKind.WEBHOOK, sender_id="7", tenant_id="acme", payload={}, now=NOW
    )
    assert again.item.attempts == 2
