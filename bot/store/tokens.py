"""Bearer tokens of the API: bound to a tenant and a role, kept only as a hash."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, select

from bot.directory import Role
from bot.store.tables import TOKENS
from bot.store.transaction import Database

PREFIX: Final = "rca_"  # so that a leaked one can be found by a scanner
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOwner:
    """Whose token it is, and what it may do."""

    token_id: str
    tenant_id: str
    role: Role
    name: str
    created_at: datetime


class Tokens:
    """Who may call the API."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, *, tenant_id: str, role: Role, name: str, now: datetime) -> str:
        """Return a new secret; it is shown this once and kept nowhere."""
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        async with self._database.writing() as tx:
            await tx.connection.execute(
                TOKENS.insert().values(
                    token_id=str(uuid.uuid4()),
                    tenant_id=tenant_id,
                    role=role,
                    name=name,
                    secret_hash=_hashed(secret),
                    created_at=now,
                )
            )
        return secret

    async def owner(self, secret: str) -> TokenOwner | None:
        """Return whose secret this is, or None; looked up by its hash, so timing tells nothing of it."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(TOKENS).where(TOKENS.c.secret_hash == _hashed(secret))
            )
            row = found.first()
            return _owner(row) if row else None

    async def revoke(self, token_id: str) -> bool:
        """End a token; return whether there was one."""
        async with self._database.writing() as tx:
            ended = await tx.connection.execute(delete(TOKENS).where(TOKENS.c.token_id == token_id))
            return ended.rowcount > 0

    async def list(self) -> tuple[TokenOwner, ...]:
        """Return every token's owner, the oldest first."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(TOKENS).order_by(TOKENS.c.created_at, TOKENS.c.token_id)
            )
            return tuple(_owner(row) for row in found)


def _owner(row: Row[Any]) -> TokenOwner:
    return TokenOwner(
        token_id=row.token_id,
        tenant_id=row.tenant_id,
        role=Role(row.role),
        name=row.name,
        created_at=row.created_at,
    )


def _hashed(secret: str) -> str:
    """A plain hash is enough: the secret has 256 random bits, so nobody can try them all."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
