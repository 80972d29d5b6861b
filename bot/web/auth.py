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
IN_ADDRESS: Final = "token"  # the query parameter of senders that can set no header


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
        return await self._owner(_secret_in(request), act)

    async def admit_by_address(self, request: web.Request, act: Act) -> Caller:
        """Return who calls, also where the token stands in the address because the sender can set no header.

        Raises:
            ApiError: as ``admit``; 401 for a request with both, which is nobody's habit.
        """
        told = request.query.getall(IN_ADDRESS, [])
        if not told:
            return await self.admit(request, act)
        alone = len(told) == 1 and "Authorization" not in request.headers
        return await self._owner(_plain(told[0]) if alone else None, act)

    async def _owner(self, secret: str | None, act: Act) -> Caller:
        if secret is None:
            raise unauthorized("Send Authorization: Bearer TOKEN.")
        owner = await self.owner_of(secret)
        if owner is None:
            raise unauthorized("This token is not valid.", f'{REALM}, error="invalid_token"')
        if not may(owner.role, act):
            message = f"A token with the role {owner.role.value} may not {act.value}."
            raise ApiError(HTTPStatus.FORBIDDEN, ErrorBody(error="forbidden", message=message))
        return owner


def _secret_in(request: web.Request) -> str | None:
    values = request.headers.getall("Authorization", [])
    if len(values) != 1:
        return None
    scheme, _, secret = values[0].partition(" ")
    return _plain(secret.strip()) if scheme.lower() == "bearer" else None


def _plain(secret: str) -> str | None:
    plain = secret.isascii() and secret.isprintable() and 0 < len(secret) <= MAX_SECRET_CHARS
    return secret if plain else None


def unauthorized(message: str, challenge: str = REALM) -> ApiError:
    """Return a 401 that says how to come in."""
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        ErrorBody(error="unauthorized", message=message),
        headers={"WWW-Authenticate": challenge},
    )
