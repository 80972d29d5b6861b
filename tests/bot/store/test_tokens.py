"""Tokens: shown once, kept as a hash, bound to a tenant and a role."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.directory import Role
from bot.store.tables import TOKENS
from tests.bot.store.world import MINUTE, NOW, World


async def create(world: World, name: str = "ci", tenant_id: str = "acme") -> str:
    return await world.store.tokens.create(
        tenant_id=tenant_id, role=Role.RESPONDER, name=name, now=world.now
    )


async def test_a_secret_leads_to_its_owner(world: World) -> None:
    """And only the whole secret does."""
    secret = await create(world)
    assert secret.startswith("rca_")
    owner = await world.store.tokens.owner(secret)
    assert owner is not None
    assert (owner.tenant_id, owner.role, owner.name) == ("acme", Role.RESPONDER, "ci")
    for wrong in (secret[:-1], secret + "x", secret.upper(), "", "rca_", "\ud800"):
        assert await world.store.tokens.owner(wrong) is None


async def test_the_secret_is_kept_nowhere(world: World, engine: AsyncEngine) -> None:
    """No column of its row holds it, or a part of it."""
    secret = await create(world)
    async with engine.connect() as connection:
        row = (await connection.execute(select(TOKENS))).one()
    assert all(secret[4:12] not in str(value) for value in row)


async def test_no_two_secrets_are_the_same(world: World) -> None:
    """Not even for one name."""
    assert len({await create(world) for _ in range(20)}) == 20


async def test_a_revoked_token_opens_nothing(world: World) -> None:
    """Ended once, it is gone; ending it again says that there was none."""
    secret = await create(world, "one")
    world.now += MINUTE
    kept = await create(world, "two")
    first, second = await world.store.tokens.list()
    assert (first.name, first.created_at, second.name) == ("one", NOW, "two")
    assert await world.store.tokens.revoke(first.token_id)
    assert not await world.store.tokens.revoke(first.token_id)
    assert await world.store.tokens.owner(secret) is None
    assert await world.store.tokens.owner(kept) == second
    assert await world.store.tokens.list() == (second,)
