"""A scene for the real program: a stand-in Slack and pagers here, a database, and bots as processes of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.clock import system_clock
from bot.jobs import submit_only
from bot.ports import Job, JobKind
from bot.records import IncidentView
from bot.sandbox.library import Recorded, recorded
from bot.sandbox.records import Message
from bot.sandbox.server import Sandbox
from bot.sandbox.stage import environment, new_sandbox
from bot.store import Store
from bot.store.tables import DEADLINES, PAGES, POSTS
from tests.system.program import Bot, started

ALERTS = "data-alerts"
NAME = "01_expired_credentials"
DATASET = "shopify_orders"
WITHIN_S = 30.0  # for what takes a second on an idle machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything around the bots, and a look of our own into their database."""

    sandbox: Sandbox
    store: Store
    engine: AsyncEngine
    folder: Path
    env: Mapping[str, str]
    library: Mapping[str, Recorded]

    @asynccontextmanager
    async def bot(self, **settings: str) -> AsyncIterator[Bot]:
        """Yield a serving bot that Slack reaches; in HTTP mode Slack delivers to the newest one."""
        env = {**self.env, **settings}
        async with started(folder=self.folder, env=env) as bot:
            address = await self.address(bot)
            if env["SLACK_MODE"] == "socket":
                await self.sandbox.sockets.connected()
            else:
                self.sandbox.connect(address)
            yield bot

    async def address(self, bot: Bot) -> str:
        """Return where *bot* listens, once it does."""
        return str((await bot.says("rca-bot is running"))["address"])

    async def alert(self, name: str = NAME) -> Message:
        """Let the alert of a recorded incident arrive; it has been acknowledged, or not, when this returns."""
        return await self.sandbox.alert(ALERTS, self.library[name].message)

    def thread(self, message: Message) -> tuple[Message, ...]:
        """Return the replies to *message*, as they stand now."""
        return self.sandbox.messages(ALERTS, message.ts)

    async def answered(self, message: Message) -> tuple[Message, ...]:
        """Return the card and the details in the thread of *message*, once both are there."""
        return await self.sandbox.until(lambda: self._both(message), WITHIN_S)

    def _both(self, message: Message) -> tuple[Message, ...]:
        thread = self.thread(message)
        return thread if len(thread) > 1 else ()

    async def incident(self, dataset: str = DATASET) -> IncidentView:
        """Return the newest incident of *dataset*."""
        recent = await self.store.incidents.recent("acme", dataset, 1)
        view = await self.store.incidents.view(recent[0].incident_id)
        assert view is not None
        return view

    async def claims_lapse(self) -> None:
        """Let the time pass, in the database, for which a process that died had claimed its posts and pages."""
        async with self.engine.begin() as connection:
            for table in (POSTS, PAGES):
                await connection.execute(
                    update(table)
                    .where(table.c.claimed_until.is_not(None))
                    .values(claimed_until=system_clock())
                )

    async def deadlines_pass(self) -> None:
        """Let the time pass, in the database, until every deadline is due."""
        now = system_clock()
        async with self.engine.begin() as connection:
            moved = await connection.execute(
                update(DEADLINES).values(due_at=now).returning(DEADLINES.c.deadline_id)
            )
            due = [Job(kind=JobKind.DEADLINE, row_id=row_id) for row_id in moved.scalars()]
            await submit_only(self.engine, system_clock).submit(connection, due)


@pytest.fixture
async def scene(tmp_path: Path, database_url: str, engine: AsyncEngine) -> AsyncIterator[Scene]:
    """A scene with the recorded incidents' facts in a fresh database; no bot runs yet."""
    store = Store(engine, submit_only(engine, system_clock))
    library = recorded(system_clock())
    for incident in library:
        await store.facts.load(incident.case, system_clock())
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(new_sandbox())
        sandbox.connect(None)
        settings = environment(sandbox, tmp_path, database_url)
        yield Scene(
            sandbox=sandbox,
            store=store,
            engine=engine,
            folder=tmp_path,
            env={**settings, "LOG_FORMAT": "json", "LOG_LEVEL": "INFO"},
            library={one.name: one for one in library},
        )


def hasty_runbook(folder: Path, deadline: str) -> str:
    """Write the shipped runbook into *folder*, with *deadline* (as "4s") in place of its 30 minutes; return where."""
    pages = folder / "runbook"
    pages.mkdir()
    for page in files("runbook").joinpath("pages").iterdir():
        text = page.read_text("utf-8")
        if page.name == "matrix.md":
            assert "escalate_after: 30m" in text
            text = text.replace("escalate_after: 30m", f"escalate_after: {deadline}")
        (pages / page.name).write_text(text, "utf-8")
    return str(pages)
