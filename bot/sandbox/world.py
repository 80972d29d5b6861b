"""The stage for stories: the real bot behind real HTTP, a stand-in Slack, and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.app import App, built
from bot.clock import Clock
from bot.housekeeping import sweep
from bot.jobs import submit_only
from bot.ports import BotError, JobKind, Jobs, RunJob
from bot.records import IncidentView
from bot.sandbox.library import Recorded, recorded
from bot.sandbox.records import Message
from bot.sandbox.server import Sandbox
from bot.sandbox.stage import environment, new_sandbox
from bot.settings import Settings
from bot.testing import FrozenClock

NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ALERTS: Final = "data-alerts"
TENANT: Final = "acme"


@runtime_checkable
class Drains(Protocol):
    """Jobs whose due work can be done by hand."""

    async def drain(self, run: Mapping[JobKind, RunJob]) -> int:
        """Do what is due by the clock, and return how many jobs that were."""

    async def stop(self) -> None:
        """Hand out no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A bot, its Slack and its pagers; nothing is done until ``work`` is called, and time stands still."""

    clock: FrozenClock
    sandbox: Sandbox
    settings: Settings
    app: App
    jobs: Drains
    library: Mapping[str, Recorded]
    address: str

    async def work(self) -> None:
        """Do everything that is due now, until nothing is."""
        await self.jobs.drain(self.app.run)

    async def later(self, **span: float) -> None:
        """Let time pass, then do what has become due."""
        self.clock.advance(timedelta(**span))
        await self.work()

    async def tick(self) -> None:
        """Let the housekeeping sweep run once, and do what it wakes."""
        await sweep(self.app.deps)
        await self.work()

    async def alert(self, name: str) -> Message:
        """Let the alert of a recorded incident arrive, and be answered."""
        message = await self.sandbox.alert(ALERTS, self.library[name].message)
        await self.work()
        return message

    async def incident(self, dataset: str, tenant_id: str = TENANT) -> IncidentView:
        """Return the newest incident of *dataset*.

        Raises:
            BotError: there is none.
        """
        recent = await self.app.store.incidents.recent(tenant_id, dataset, 1)
        view = await self.app.store.incidents.view(recent[0].incident_id) if recent else None
        if view is None:
            raise BotError(f"there is no incident of {dataset}")
        return view

    def thread(self, message: Message) -> tuple[Message, ...]:
        """Return our replies in the thread of *message*, as they stand now."""
        return self.sandbox.messages(ALERTS, message.ts)

    def card(self, message: Message) -> Message:
        """Return the card that answers *message*: the first reply in its thread."""
        return self.thread(message)[0]


def words(message: Message) -> str:
    """Return everything a message says, in one text."""
    found = [message.text]
    waiting: list[Any] = [list(message.blocks), list(message.attachments)]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, Mapping):
            if isinstance(value.get("text"), str):
                found.append(value["text"])
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return "\n".join(found)


def buttons(message: Message) -> tuple[str, ...]:
    """Return the action ids of a message's buttons, in order."""
    return tuple(
        str(element["action_id"])
        for block in message.all_blocks()
        if block.get("type") == "actions"
        for element in block["elements"]
    )


@asynccontextmanager
async def open_world(
    folder: Path, database_url: str, *, at: datetime = NOON
) -> AsyncIterator[World]:
    """Yield a world at *at* with the recorded incidents' facts loaded.

    Args:
        folder: where the directory file is written.
        database_url: of an empty database of its own.
        at: the instant at which time stands.
    """
    clock = FrozenClock(at)
    async with new_sandbox(clock=clock) as sandbox:
        settings = Settings.from_env(environment(sandbox, folder, database_url))
        async with reopened(sandbox, settings, clock) as world:
            for incident in world.library.values():
                await world.app.store.facts.load(incident.case, at)
            yield world


@asynccontextmanager
async def _by_hand(engine: AsyncEngine, clock: Clock) -> AsyncIterator[Jobs]:
    """The database's own adapter, without the lock that keeps a second bot out: a story restarts its bot."""
    yield submit_only(engine, clock)


@asynccontextmanager
async def reopened(
    sandbox: Sandbox, settings: Settings, clock: FrozenClock
) -> AsyncIterator[World]:
    """Yield a world whose bot has just started on the database of *settings*, as after a crash."""
    async with built(settings, clock=clock, open_jobs=_by_hand) as app:
        runner = web.AppRunner(app.site, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            sandbox.connect(f"{address}/slack/events")
            assert isinstance(app.jobs, Drains)  # noqa: S101 - every adapter of ours does
            yield World(
                clock=clock,
                sandbox=sandbox,
                settings=settings,
                app=app,
                jobs=app.jobs,
                library={one.name: one for one in recorded(NOON)},
                address=address,
            )
        finally:
            await runner.cleanup()
