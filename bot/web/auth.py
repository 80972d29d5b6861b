"""Who calls: a bearer token, bound to one tenant and one role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from aiohttp import web

from bot.directory import Role
from bot.policy.who_may import Act, may
from bot.web.errors import ApiError, ErrorBody

REALM: Final = 'Bearer realm="rca-bot"'
MAX_SECRET_CHARS: Final = 512  # ours have under 100


class Caller(Protocol):
    """Who a token belongs to, as the store keeps it."""

    @property
    def tenant_id(self) -> str:
        """The only tenant this token reads and writes."""

    @property
    def role(self) -> Role:
        """What it may do there."""

    @property
    def name(self) -> str:
        """What people call it; shown as the author of what it does."""


OwnerOf = Callable[[str], Awaitable[Caller | None]]
"""Returns whose secret this is, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Lets a request in, or says why not."""

    owner_of: OwnerOf

    async def admit(self, request: web.Request, act: Act) -> Caller:
        """Return who calls.

        Raises:
            ApiError: 401 without a valid token, 403 when its role does not allow *act*.
        """
        secret = _secret_in(request)
        if secret is None:
            raise _unauthorized(REALM, "Send Authorization: Bearer TOKEN.")
        owner = await self.owner_of(secret)
        if owner is None:
            raise _unauthorized(f'{REALM}, error="invalid_token"', "This token is not valid.")
        if not may(owner.role, act):
            message = f"A token with the role {owner.role.value} may not {act.value}."
            raise ApiError(HTTPStatus.FORBIDDEN, ErrorBody(error="forbidden", message=message))
        return owner


def _secret_in(request: web.Request) -> str | None:
    values = request.headers.getall("Authorization", [])
    if len(values) != 1:
        return None
    scheme, _, secret = values[0].partition(" ")
    secret = secret.strip()
    plain = secret.isascii() and secret.isprintable() and 0 < len(secret) <= MAX_SECRET_CHARS
    return secret if scheme.lower() == "bearer" and plain else None


def _unauthorized(challenge: str, message: str) -> ApiError:
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        ErrorBody(error="unauthorized", message=message),
        headers={"WWW-Authenticate": challenge},
    )
