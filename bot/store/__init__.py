"""Keeping: one short transaction per method, and every job in the same transaction as the row it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ports import Job, Jobs
from bot.store.answers import Answers, Labelled
from bot.store.changes import Change, NoIncidentError
from bot.store.deadlines import Deadlines, Fired
from bot.store.due import due
from bot.store.facts import FactStore, LoadReport
from bot.store.inbox import Inbox
from bot.store.incidents import Incidents
from bot.store.pages import PageRequested, Pages
from bot.store.polls import Polls
from bot.store.posts import Posts
from bot.store.refusals import Refusals
from bot.store.retention import Retention
from bot.store.signals import Signals
from bot.store.tokens import TokenOwner, Tokens
from bot.store.transaction import Database

__all__ = [
    "Change",
    "Fired",
    "Labelled",
    "LoadReport",
    "NoIncidentError",
    "PageRequested",
    "Store",
    "TokenOwner",
]


class Store:
    """Everything that is kept, by groups; built on an engine whose database is up to date."""

    def __init__(self, engine: AsyncEngine, jobs: Jobs) -> None:
        self._database = Database(engine, jobs)
        self.inbox = Inbox(self._database)
        self.incidents = Incidents(self._database)
        self.deadlines = Deadlines(self._database)
        self.pages = Pages(self._database)
        self.posts = Posts(self._database)
        self.facts = FactStore(self._database)
        self.polls = Polls(self._database)
        self.refusals = Refusals(self._database)
        self.retention = Retention(self._database)
        self.signals = Signals(self._database)
        self.answers = Answers(self._database)
        self.tokens = Tokens(self._database)

    async def due(self, now: datetime, limit: int) -> tuple[Job, ...]:
        """Return jobs for at most *limit* rows that are due and that nobody is at."""
        return await due(self._database, now, limit)

    async def resubmit(self, jobs: Sequence[Job]) -> None:
        """Submit *jobs*; those that wait already are one with them."""
        async with self._database.writing() as tx:
            tx.wake(*jobs)
