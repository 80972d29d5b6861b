"""The only place that builds real things: settings become parts, parts start, and stop in reverse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

import aiohttp
from aiohttp import web
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.clock import Clock, system_clock
from bot.collect import Collector
from bot.deps import Deps
from bot.flow import fire_deadline, handle_inbox
from bot.housekeeping import sweep
from bot.jobs import open_jobs
from bot.pagers.registry import Means, build_all
from bot.paging import mention, send_page
from bot.polling import agree, poll
from bot.ports import Again, BotError, JobKind, Jobs, RunJob, Source
from bot.retention import Ages, remove_old
from bot.settings import Settings, SlackMode
from bot.shelf import Shelf
from bot.site import site
from bot.slack.app import Listeners, build_slack_app
from bot.slack.outbox import Outbox
from bot.slack.people import People
from bot.sources.registry import open_all
from bot.store import Store
from bot.store.engine import create_engine
from bot.store.migrate import upgrade
from rca.causal import SHIPPED, Model
from rca.engine import diagnose
from rca.model_file import ModelFileError, read_model
from runbook.check import check_folder
from runbook.problem import RunbookError

SWEEP_EVERY: Final = timedelta(seconds=30)
PEOPLE_EVERY: Final = timedelta(minutes=10)
PAGES_EVERY: Final = timedelta(seconds=10)
POLL_EVERY: Final = timedelta(seconds=10)  # to look what is due; each source has a pace of its own
CATALOG_EVERY: Final = timedelta(minutes=5)
RETENTION_EVERY: Final = timedelta(hours=1)
TICK_JITTER: Final = 0.2  # of each interval, so that replicas do not look at the same moment
FINISH_WITHIN: Final = timedelta(
    seconds=3
)  # with the web server's own limit still below the ten seconds after which Docker kills
SLACK_TIMEOUT_S: Final = 10  # longer than Slack ever took for us; shorter than a post's claim

log = logging.getLogger(__name__)


Tick = Callable[[], Awaitable[object] | bool]

OpenJobs = Callable[[AsyncEngine, Clock], AbstractAsyncContextManager[Jobs]]
"""Chooses and opens the durable queue; ``bot.jobs.open_jobs`` goes by the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Every part, built and ready; nothing runs until ``running``."""

    settings: Settings
    engine: AsyncEngine
    store: Store
    jobs: Jobs
    deps: Deps
    run: Mapping[JobKind, RunJob]
    site: web.Application
    slack: AsyncApp | None
    people: People
    shelf: Shelf


@asynccontextmanager
async def built(
    settings: Settings, *, clock: Clock = system_clock, open_jobs: OpenJobs = open_jobs
) -> AsyncIterator[App]:
    """Yield the parts for *settings*, with the database brought up to date.

    Raises:
        BotError, RunbookError: a setting, a team or a page is wrong; the text says which.
    """
    async with AsyncExitStack() as stack:
        _demand_known_teams(settings)
        shelf = Shelf(settings.runbook_dir)
        engine = create_engine(settings.database_url.get_secret_value())
        stack.push_async_callback(engine.dispose)
        await upgrade(engine)
        jobs = await stack.enter_async_context(open_jobs(engine, clock))
        store = Store(engine, jobs)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        sources = await stack.enter_async_context(
            open_all(settings.directory, _secrets(settings), session, clock)
        )
        deps = _deps(settings, store, shelf, session, clock, sources)
        stack.push_async_callback(deps.collector.close)
        people = People()
        client = _slack_client(settings)
        slack = None
        if client is not None:
            slack = build_slack_app(client, _secret(settings), Listeners(deps, people.groups_of))
        yield App(
            settings=settings,
            engine=engine,
            store=store,
            jobs=jobs,
            deps=deps,
            run=_run(deps, client, clock),
            site=site(settings, deps, engine, slack),
            slack=slack,
            people=people,
            shelf=shelf,
        )


def _demand_known_teams(settings: Settings) -> None:
    """A team's own pages may page only teams of the directory: a page to nobody is found out at the start.

    Raises:
        RunbookError: names every page that speaks of another team.
    """
    if settings.runbook_dir is not None and settings.directory.teams:
        problems = check_folder(settings.runbook_dir, set(settings.directory.teams))
        if problems:
            raise RunbookError(problems)


def _deps(  # noqa: PLR0917 - the parts, each of its own type
    settings: Settings,
    store: Store,
    shelf: Shelf,
    session: aiohttp.ClientSession,
    clock: Clock,
    sources: tuple[Source, ...],
) -> Deps:
    secrets = _secrets(settings)
    means = Means(
        session=session,
        secrets=secrets,
        mention=partial(mention, store=store, clock=clock),
        pagerduty_url=settings.pagerduty_url,
    )
    return Deps(
        store=store,
        directory=settings.directory,
        book=shelf.book,
        collector=Collector(sources=sources, store=store, directory=settings.directory),
        pagers=build_all(settings.directory.teams.values(), means),
        clock=clock,
        diagnose=partial(diagnose, model=_model(settings)),
    )


def _model(settings: Settings) -> Model:
    """The weights in use.

    Raises:
        BotError: the file is no model; names it and what is wrong in it.
    """
    path = settings.model_path
    if path is None:
        return SHIPPED
    try:
        return read_model(path.read_bytes()).model
    except (ModelFileError, OSError) as error:
        raise BotError(f"MODEL: {path}: {error}") from None


def _secrets(settings: Settings) -> Mapping[str, str]:
    return {name: secret.get_secret_value() for name, secret in settings.secrets.items()}


def _secret(settings: Settings) -> str | None:
    secret = settings.slack_signing_secret
    return secret.get_secret_value() if secret else None


def _slack_client(settings: Settings) -> AsyncWebClient | None:
    if settings.slack_mode is SlackMode.OFF or settings.slack_bot_token is None:
        return None
    base = settings.slack_api_url
    return AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=base if base.endswith("/") else f"{base}/",
        timeout=SLACK_TIMEOUT_S,
        retry_handlers=[],  # the outbox decides when to try again, and looks before it does
    )


def _run(deps: Deps, client: AsyncWebClient | None, clock: Clock) -> Mapping[JobKind, RunJob]:
    tell: RunJob
    if client is None:
        tell = partial(_nowhere_to_tell, deps=deps)
    else:
        home = deps.directory.incident_channel
        tell = Outbox(
            client=client, store=deps.store, clock=clock, names=deps.names, home=home
        ).tell
    return MappingProxyType(
        {
            JobKind.INBOX: partial(handle_inbox, deps=deps),
            JobKind.DEADLINE: partial(fire_deadline, deps=deps),
            JobKind.PAGE: partial(send_page, deps=deps),
            JobKind.POST: tell,
        }
    )


async def _nowhere_to_tell(post_id: str, deps: Deps) -> Again | None:
    await deps.store.posts.dead(post_id, error="Slack is off", now=deps.clock())
    return None


@asynccontextmanager
async def running(app: App) -> AsyncIterator[str]:
    """Run *app* and yield the address of its web server; leaving stops everything in reverse.

    A part that ends by itself cancels the block, so that a supervisor restarts the process.
    """
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(app.site, access_log=None, shutdown_timeout=5)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, app.settings.http_host, app.settings.http_port).start()
        scheduler = _scheduler(app)
        scheduler.start()
        stack.callback(scheduler.shutdown, wait=False)
        if app.slack is not None:
            await app.people.refresh(app.slack.client)
            await _open_socket(app, app.slack, stack)
        async with asyncio.TaskGroup() as group:
            working = group.create_task(_work(app))
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
            await app.jobs.stop()
            await _finish(working)


async def _work(app: App) -> None:
    await sweep(app.deps)
    await agree(app.deps)
    await app.jobs.run(app.run)


async def _finish(working: asyncio.Task[None]) -> None:
    """Give running jobs ``FINISH_WITHIN`` to end; what is cancelled then is due again at the next start."""
    ended, _ = await asyncio.wait((working,), timeout=FINISH_WITHIN.total_seconds())
    if not ended:
        log.warning("running jobs were interrupted; they are due again at the next start")
        working.cancel()


async def _open_socket(app: App, slack: AsyncApp, stack: AsyncExitStack) -> None:
    token = app.settings.slack_app_token
    if app.settings.slack_mode is not SlackMode.SOCKET or token is None:
        return
    handler = AsyncSocketModeHandler(slack, token.get_secret_value())
    await handler.connect_async()  # type: ignore[no-untyped-call]  # the library leaves it untyped
    stack.push_async_callback(handler.close_async)


def _ages(settings: Settings) -> Ages:
    return Ages(
        facts=timedelta(days=settings.keep_facts_days),
        inbox=timedelta(days=settings.keep_inbox_days),
        incidents=timedelta(days=settings.keep_incidents_days),
    )


def _scheduler(app: App) -> AsyncIOScheduler:
    """Idempotent ticks; losing one costs its interval. What is due is in the database, not here."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    ticks: dict[str, tuple[Tick, timedelta]] = {
        "sweep": (partial(sweep, app.deps), SWEEP_EVERY),
        "runbook": (app.shelf.refresh, PAGES_EVERY),
    }
    ages = _ages(app.settings)
    ticks["retention"] = (partial(remove_old, app.store, ages, app.deps.clock), RETENTION_EVERY)
    if app.deps.collector.sources:
        ticks["polls"] = (partial(agree, app.deps), CATALOG_EVERY)
    for source in app.deps.collector.sources:
        ticks[f"poll {source.source_id}"] = (partial(poll, source, app.deps), POLL_EVERY)
    if app.slack is not None:
        ticks["people"] = (partial(app.people.refresh, app.slack.client), PEOPLE_EVERY)
    for name, (tick, every) in ticks.items():
        scheduler.add_job(
            tick,
            "interval",
            seconds=every.total_seconds(),
            jitter=every.total_seconds() * TICK_JITTER,
            id=name,
            max_instances=1,
            coalesce=True,
        )
    return scheduler
