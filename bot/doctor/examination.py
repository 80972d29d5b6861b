"""The whole examination, in the order in which things are to be fixed: nothing works before what stands above it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.clock import Clock
from bot.doctor.catalog import examine_catalog
from bot.doctor.pagers import examine_pagers
from bot.doctor.slack import examine_slack
from bot.jobs import submit_only
from bot.pagers.registry import Means
from bot.ports import BotError, Checked, PageOrder, Source
from bot.records import Post
from bot.settings import Settings, SlackMode
from bot.sources.registry import open_all
from bot.store import Store
from bot.store.engine import create_engine
from bot.store.migrate import check, current
from runbook.check import check_folder
from runbook.front_matter import ROLES
from runbook.load import load_runbook

MIGRATE: Final = "run rca-bot migrate; serve does it, too"
SOURCE_SECONDS: Final = 60  # for all that one source tries
SECONDS: Final = 10  # for each request of an examination

Said = Callable[[str, Sequence[Checked]], None]
"""Told each section's title and lines as soon as they are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was tried, in the order in which it is to be fixed."""

    lines: tuple[Checked, ...]

    @property
    def to_fix(self) -> tuple[Checked, ...]:
        """What failed, the first thing to fix first."""
        return tuple(line for line in self.lines if line.problem is not None)


async def examine(settings: Settings, clock: Clock, known: Sequence[Checked], said: Said) -> Report:
    """Try everything that *settings* name; a part that cannot be tried says so and does not stop the rest.

    Args:
        settings: as they would be served with.
        clock: for what pagers are sent.
        known: what was wrong with the settings already, said first.
        said: hears each section when it is done.
    """
    async with AsyncExitStack() as stack:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        engine = create_engine(settings.database_url.get_secret_value())
        stack.push_async_callback(engine.dispose)
        sources, unopened = await _sources(settings, session, clock, stack)
        means = Means(
            session=session,
            secrets={name: each.get_secret_value() for name, each in settings.secrets.items()},
            mention=_no_mention,
            pagerduty_url=settings.pagerduty_url,
        )
        reached: list[bool] = []
        sections: tuple[tuple[str, Callable[[], Awaitable[Sequence[Checked]]]], ...] = (
            ("settings", _said_before(known)),
            ("database", lambda: _database(engine)),
            ("Slack", lambda: _slack(settings, reached)),
            ("pagers", lambda: _pagers(settings, means, clock, reached)),
            ("runbook", lambda: _runbook(settings)),
            ("sources", lambda: _each(sources, unopened)),
            ("catalog", lambda: _catalog(settings, engine, clock, sources)),
        )
        lines: list[Checked] = []
        for title, look in sections:
            found = tuple(await look())
            said(title, found)
            lines += found
        return Report(lines=tuple(lines))


def _said_before(known: Sequence[Checked]) -> Callable[[], Awaitable[Sequence[Checked]]]:
    async def say() -> Sequence[Checked]:
        return tuple(known) or (Checked(what="every setting can be read"),)

    return say


async def _slack(settings: Settings, reached: list[bool]) -> Sequence[Checked]:
    """Slack's own section; whether it took the token is noted for the pagers that need it."""
    found = await examine_slack(settings)
    reached.append(bool(found) and found[0].problem is None)
    if found:
        return found
    why = "SLACK_MODE is off" if settings.slack_mode is SlackMode.OFF else "it has no token yet"
    return (Checked(what=f"nothing of Slack was tried: {why}"),)


async def _pagers(
    settings: Settings, means: Means, clock: Clock, reached: Sequence[bool]
) -> Sequence[Checked]:
    teams = settings.directory.teams.values()
    return await examine_pagers(teams, means, clock(), slack=any(reached))


async def _no_mention(usergroup: str, order: PageOrder) -> Post:
    raise BotError(f"nobody is mentioned by an examination: {usergroup}, {order.dedup_key}")


async def _database(engine: AsyncEngine) -> tuple[Checked, ...]:
    what = f"the {engine.dialect.name} database answers and is up to date"
    if (file := _absent(engine)) is not None:
        return (Checked(what=what, problem=f"{file} is not there yet", fix=MIGRATE),)
    try:
        found = await current(engine)
        differs = await check(engine) if found else None
    except (SQLAlchemyError, OSError) as error:
        problem = f"the database: {type(getattr(error, 'orig', None) or error).__name__}"
        return (Checked(what=what, problem=problem, fix="check DATABASE_URL, and its server"),)
    if found is None or differs:
        problem = "is empty" if found is None else "differs from this version"
        return (Checked(what=what, problem=f"the database {problem}", fix=MIGRATE),)
    return (Checked(what=what),)


def _absent(engine: AsyncEngine) -> str | None:
    """The SQLite file that is not there: to connect to it would make it."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    return file if file is not None and not Path(file).exists() else None


async def _runbook(settings: Settings) -> tuple[Checked, ...]:
    if settings.runbook_dir is None:
        return _shipped_runbook(set(settings.directory.teams))
    what = f"the runbook in {settings.runbook_dir} can be used"
    problems = check_folder(settings.runbook_dir, set(settings.directory.teams) or None)
    fix = "rca-bot runbook check names every line"
    found = tuple(Checked(what=what, problem=str(one), fix=fix) for one in problems)
    return found or (Checked(what=what),)


def _shipped_runbook(teams: Collection[str]) -> tuple[Checked, ...]:
    """Every team that it pages and that nobody named: such a page would wake nobody, on the night itself."""
    what = "the shipped runbook is used"
    strangers = sorted(load_runbook().teams() - ROLES - set(teams)) if teams else []
    return tuple(
        Checked(
            what="the shipped runbook pages teams of the directory",
            problem=f"the runbook pages team {team}, which the directory does not name",
            fix=f"add teams.{team}, or name a team of yours in a copy of the runbook (RUNBOOK_DIR)",
        )
        for team in strangers
    ) or (Checked(what=what),)


async def _sources(
    settings: Settings, session: aiohttp.ClientSession, clock: Clock, stack: AsyncExitStack
) -> tuple[tuple[Source, ...], str | None]:
    secrets = {name: each.get_secret_value() for name, each in settings.secrets.items()}
    try:
        opening = open_all(settings.directory, secrets, session, clock)
        return await stack.enter_async_context(opening), None
    except BotError as error:
        return (), str(error)


async def _each(sources: Sequence[Source], unopened: str | None) -> tuple[Checked, ...]:
    if unopened is not None:
        fix = "correct the sources in the directory, and set their secrets"
        return (Checked(what="the sources can be opened", problem=unopened, fix=fix),)
    if not sources:
        return (Checked(what="no source is named: facts come only from webhooks and files"),)
    return tuple([line for source in sources for line in await _checked(source)])


async def _checked(source: Source) -> tuple[Checked, ...]:
    """One source's lines; one that hangs or fails is a line itself, and the next is looked at."""
    what = f"{source.name} can be examined"
    try:
        async with asyncio.timeout(SOURCE_SECONDS):
            return await source.check()
    except TimeoutError:
        problem = f"{source.name} did not answer within {SOURCE_SECONDS} s"
    except Exception as error:  # noqa: BLE001 - one source must not end the examination
        problem = f"{source.name}: {type(error).__name__}"
    return (Checked(what=what, problem=problem, fix="look whether the system itself is well"),)


async def _catalog(
    settings: Settings, engine: AsyncEngine, clock: Clock, sources: Sequence[Source]
) -> tuple[Checked, ...]:
    directory = settings.directory
    if _absent(engine) is not None:
        return examine_catalog(directory, sources, {})
    store = Store(engine, submit_only(engine, clock))
    try:
        stored = {
            tenant_id: frozenset(each.name for each in await store.facts.datasets(tenant_id))
            for tenant_id in directory.tenants
        }
    except (SQLAlchemyError, OSError):  # the database's own section says why
        stored = {}
    return examine_catalog(directory, sources, stored)
