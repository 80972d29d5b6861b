"""Senders that sign: which of the directory's secrets a request was signed with, and so whose it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from bot.directory import Directory, Role
from bot.ports import BotError
from bot.web.auth import IN_ADDRESS, unauthorized

Signed = Callable[[Mapping[str, str], bytes, str], bool]
"""Checks headers by lower-case names and the raw body against a secret, in constant time; never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed: one webhook of the directory; it may do what it was set up for and nothing an admin may."""

    name: str
    tenant_id: str
    role: Role = Role.RESPONDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One webhook of the directory, with its secret."""

    signer: Signer
    secret: str = field(repr=False)
    signed: Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The webhooks that sign, by format."""

    by_format: Mapping[str, Sequence[Hook]]

    def may_sign(self, format_name: str, request: web.Request) -> bool:
        """Return whether the request is to be taken by its signature: the format has secrets, and it shows no token."""
        if not self.by_format.get(format_name) or IN_ADDRESS in request.query:
            return False
        return not request.headers.get("Authorization", "").lower().startswith("bearer ")

    def demand_signer(self, format_name: str, request: web.Request, raw: bytes) -> Signer:
        """Return who signed *raw*. Every secret is tried, so that time tells nothing of which one was near.

        Raises:
            ApiError: 401, no secret of the format makes this signature.
        """
        headers = {key.lower(): value for key, value in request.headers.items()}
        hooks = self.by_format.get(format_name, ())
        found = [hook.signer for hook in hooks if hook.signed(headers, raw, hook.secret)]
        if not found:
            raise unauthorized("The signature is missing or not made with a secret I know.")
        return found[0]


def hooks_of(
    directory: Directory,
    secrets: Mapping[str, str],
    signature_of: Callable[[str], Signed | None],
) -> Hooks:
    """Return the directory's webhooks with their secrets.

    Raises:
        BotError: one line per webhook whose format does not sign, or whose secret is not set or another tenant's.
    """
    found: dict[str, list[Hook]] = {}
    wrong: list[str] = []
    for entry in directory.webhooks.values():
        signed = signature_of(entry.format)
        secret = secrets.get(entry.secret_env, "").strip()
        if signed is None:
            wrong.append(f"webhooks.{entry.id}.format: {entry.format!r} has no signature to check")
        elif not secret:
            wrong.append(f"webhooks.{entry.id}: {entry.secret_env} is not set")
        elif (owner := _stranger(found.get(entry.format, ()), secret, entry.tenant)) is not None:
            wrong.append(
                f"webhooks.{entry.id}: {entry.secret_env} holds the same secret as {owner} "
                "of another tenant"
            )
        else:
            signer = Signer(name=f"webhook {entry.id}", tenant_id=entry.tenant)
            hook = Hook(signer=signer, secret=secret, signed=signed)
            found.setdefault(entry.format, []).append(hook)
    if wrong:
        raise BotError("\n".join(wrong))
    return Hooks(by_format=found)


def _stranger(hooks: Sequence[Hook], secret: str, tenant_id: str) -> str | None:
    """The webhook of another tenant with this secret: a signature could not tell the two apart."""
    return next(
        (
            hook.signer.name.replace(" ", "s.", 1)
            for hook in hooks
            if hook.secret == secret and hook.signer.tenant_id != tenant_id
        ),
        None,
    )
