"""``rca-bot token create|list|revoke``: bearer tokens for the API, each bound to a tenant and a role."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Final

from bot.cli.stored import with_store
from bot.cli.verb import Verb
from bot.clock import system_clock
from bot.directory import Directory, Role
from bot.ports import BotError
from bot.settings import Settings
from bot.store import Store


def _declare(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(dest="part", required=True)
    create = parts.add_parser("create", help="make a token; it is shown this once")
    create.add_argument("--tenant", required=True)
    create.add_argument("--role", choices=[role.value for role in Role], default="responder")
    create.add_argument("--name", required=True, help="who or what uses it")
    parts.add_parser("list", help="names, tenants and roles; never the tokens")
    revoke = parts.add_parser("revoke", help="end a token")
    revoke.add_argument("token_id")


def _run(arguments: argparse.Namespace) -> int:
    parts: dict[str, Callable[[argparse.Namespace, Store], Awaitable[str]]] = {
        "create": _create,
        "list": _list,
        "revoke": _revoke,
    }
    settings = Settings.for_tools(os.environ)
    if arguments.part == "create":
        _demand_known(arguments.tenant, settings.directory)
    print(asyncio.run(with_store(settings, lambda store: parts[arguments.part](arguments, store))))
    return 0


def _demand_known(tenant: str, directory: Directory) -> None:
    """A token of a misspelt tenant would open an empty room.

    Raises:
        BotError: the directory names tenants, and not this one.
    """
    if directory.tenants and tenant not in directory.tenants:
        known = ", ".join(sorted(directory.tenants))
        raise BotError(f"the directory has no tenant {tenant!r}; known: {known}")


async def _create(arguments: argparse.Namespace, store: Store) -> str:
    return await store.tokens.create(
        tenant_id=arguments.tenant,
        role=Role(arguments.role),
        name=arguments.name,
        now=system_clock(),
    )


async def _list(arguments: argparse.Namespace, store: Store) -> str:
    del arguments
    owners = await store.tokens.list()
    return "\n".join(f"{o.token_id}  {o.tenant_id}  {o.role}  {o.name}" for o in owners) or "none"


async def _revoke(arguments: argparse.Namespace, store: Store) -> str:
    if not await store.tokens.revoke(arguments.token_id):
        raise BotError(f"There is no token {arguments.token_id}.")
    return f"{arguments.token_id} is revoked."


VERB: Final = Verb(name="token", help="make, list or revoke API tokens", declare=_declare, run=_run)
