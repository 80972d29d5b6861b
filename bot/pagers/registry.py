"""Finds the pagers and builds each team's own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import aiohttp

import bot.pagers
from bot.directory import Team
from bot.ports import BotError, PageOrder, Pager
from bot.records import Post

NOT_PAGERS: Final = frozenset({"registry", "http"})
PAGERDUTY_URL: Final = (
    "https://events.pagerduty.com"  # accounts in the EU: https://events.eu.pagerduty.com
)

AskForMention = Callable[[str, PageOrder], Awaitable[Post]]
"""Keeps a ``PostKind.MENTION`` of a user group, once per ``dedup_key``, and returns the row as it stands now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What pagers work with: one HTTP session, the environment's secrets by name, and a way into Slack."""

    session: aiohttp.ClientSession
    secrets: Mapping[str, str] = field(repr=False)
    mention: AskForMention
    pagerduty_url: str = PAGERDUTY_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerKind:
    """One kind of pager, by the name the directory uses; ``build`` raises BotError when a setting is missing."""

    name: str
    build: Callable[[Team, Means], Pager]


@cache
def kinds() -> Mapping[str, PagerKind]:
    """Return every kind of pager by its name.

    Raises:
        RuntimeError: a module has no ``PAGER``, or two carry one name.
    """
    found: dict[str, PagerKind] = {}
    for module in pkgutil.iter_modules(bot.pagers.__path__):
        if module.name in NOT_PAGERS:
            continue
        kind = getattr(importlib.import_module(f"bot.pagers.{module.name}"), "PAGER", None)
        if not isinstance(kind, PagerKind):
            raise RuntimeError(f"bot/pagers/{module.name}.py has no PAGER constant")  # noqa: TRY004 - an absence
        if kind.name in found:
            raise RuntimeError(f"two pagers are named {kind.name}")
        found[kind.name] = kind
    return found


def build(team: Team, means: Means) -> Pager:
    """Return the pager of *team*.

    Raises:
        BotError: the kind is unknown, or one of its settings is missing; the text names team and setting.
    """
    kind = kinds().get(team.pager)
    if kind is None:
        known = ", ".join(sorted(kinds()))
        raise BotError(f"team {team.id}: there is no pager named {team.pager}; there are {known}")
    return kind.build(team, means)


def build_all(teams: Iterable[Team], means: Means) -> Mapping[str, Pager]:
    """Return each team's pager by team id.

    Raises:
        BotError: one line per team whose pager cannot be built, all at once.
    """
    pagers: dict[str, Pager] = {}
    wrong: list[str] = []
    for team in teams:
        try:
            pagers[team.id] = build(team, means)
        except BotError as error:
            wrong.append(str(error))
    if wrong:
        raise BotError("\n".join(wrong))
    return pagers


def secret_of(team: Team, means: Means, *, env: str | None, setting: str) -> str:
    """Return the secret that *team* names by its environment variable.

    Raises:
        BotError: the directory names none, or the environment does not hold it.
    """
    if not env:
        raise BotError(f"team {team.id}: pager {team.pager} needs {setting} in the directory")
    secret = means.secrets.get(env, "").strip()
    if not secret:
        raise BotError(f"team {team.id}: the environment variable {env} is not set")
    return secret
