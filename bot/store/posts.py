"""Posts: messages of ours, kept before they are sent, and how much of each Slack has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, and_, or_, select, update
from sqlalchemy.sql import ColumnElement

from bot.ports import Job, JobKind
from bot.records import Post, PostKind, PostState
from bot.store import rows
from bot.store.following import bump
from bot.store.recording import insert_posts
from bot.store.tables import INCIDENTS, POSTS
from bot.store.transaction import Database, Writing

WANTS_TELLING: Final = or_(
    POSTS.c.state == PostState.INTENT,
    and_(POSTS.c.state == PostState.POSTED, POSTS.c.told < POSTS.c.wanted),
)
"""Posts that Slack has not, or not as people should see them."""


class Posts:
    """Messages, and who is sending each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, posts: Sequence[Post], now: datetime) -> None:
        """Keep *posts* and wake the outbox; those known by their id change nothing."""
        async with self._database.writing() as tx:
            await insert_posts(tx, posts, now)

    async def get(self, post_id: str) -> Post | None:
        """Return one post, or None."""
        return await self._one(POSTS.c.post_id == post_id)

    async def card_of(self, incident_id: str) -> Post | None:
        """Return the incident's card, or None when it has none yet."""
        return await self._one(
            and_(POSTS.c.incident_id == incident_id, POSTS.c.kind == PostKind.CARD)
        )

    async def _one(self, where: ColumnElement[bool]) -> Post | None:
        async with self._database.reading() as connection:
            found = await connection.execute(select(POSTS).where(where))
            row = found.first()
            return rows.post(row) if row else None

    async def claim(self, post_id: str, now: datetime, lease: timedelta) -> Post | None:
        """Take the post to send for *lease*, and count the attempt.

        Returns:
            None when Slack has it as it should be, or when it is not to be sent now: then a job looks again
            when the other worker's lease, or the pause after a failure, has ended.
        """
        async with self._database.writing() as tx:
            claimed = await tx.connection.execute(
                update(POSTS)
                .where(POSTS.c.post_id == post_id, WANTS_TELLING, free(now))
                .values(claimed_until=now + lease, attempts=POSTS.c.attempts + 1)
                .returning(POSTS)
            )
            row = claimed.first()
            if row is not None:
                return rows.post(row)
            await _look_again(tx, post_id)
            return None

    async def posted(
        self, post_id: str, *, message_ts: str | None, told: int, now: datetime
    ) -> None:
        """Slack has the post as it was wanted at *told*; what changed since is sent after it.

        The card of an incident without a thread opens one: it becomes the incident's place.
        """
        del now
        async with self._database.writing() as tx:
            changed = await tx.connection.execute(
                update(POSTS)
                .where(POSTS.c.post_id == post_id)
                .values(
                    state=PostState.POSTED,
                    message_ts=message_ts or POSTS.c.message_ts,
                    told=told,
                    attempts=0,
                    error=None,
                    claimed_until=None,
                    retry_at=None,
                )
                .returning(POSTS)
            )
            row = changed.first()
            if row is None:
                return
            if row.told < row.wanted:
                tx.wake(Job(kind=JobKind.POST, row_id=post_id))
            if row.kind == PostKind.CARD and row.message_ts and row.thread_ts is None:
                await _open_thread(tx, row)

    async def failed(self, post_id: str, *, error: str, retry_at: datetime, now: datetime) -> None:
        """It was not sent, or nobody knows; nobody tries again before *retry_at*."""
        del now
        await self._release(post_id, error=error, retry_at=retry_at)

    async def dead(self, post_id: str, *, error: str, now: datetime) -> None:
        """Slack refused it for good."""
        async with self._database.writing() as tx:
            changed = await tx.connection.execute(
                update(POSTS)
                .where(POSTS.c.post_id == post_id, POSTS.c.state != PostState.DEAD)
                .values(state=PostState.DEAD, error=error, claimed_until=None, retry_at=None)
                .returning(POSTS)
            )
            row = changed.first()
            if row is not None and row.incident_id is not None:
                details = {"kind": row.kind, "error": error}
                await tx.note(row.incident_id, now, "post given up", details=details)

    async def bump_card(self, incident_id: str, now: datetime) -> None:
        """Wish the incident's card drawn anew."""
        del now
        async with self._database.writing() as tx:
            await bump(tx, incident_id)

    async def _release(self, post_id: str, **values: object) -> None:
        async with self._database.writing() as tx:
            await tx.connection.execute(
                update(POSTS)
                .where(POSTS.c.post_id == post_id)
                .values({"claimed_until": None, **values})
            )


def free(now: datetime) -> ColumnElement[bool]:
    """Return the condition under which nobody else sends a post, and no pause has to be kept."""
    return and_(
        or_(POSTS.c.claimed_until.is_(None), POSTS.c.claimed_until <= now),
        or_(POSTS.c.retry_at.is_(None), POSTS.c.retry_at <= now),
    )


async def _open_thread(tx: Writing, card: Row[Any]) -> None:
    await tx.connection.execute(
        update(INCIDENTS)
        .where(
            INCIDENTS.c.incident_id == card.incident_id,
            INCIDENTS.c.channel_id == card.channel_id,
            INCIDENTS.c.thread_ts.is_(None),
        )
        .values(thread_ts=card.message_ts)
    )


async def _look_again(tx: Writing, post_id: str) -> None:
    """A worker that died in the middle leaves its claim behind: somebody looks when it has ended."""
    found = await tx.connection.execute(
        select(POSTS.c.claimed_until, POSTS.c.retry_at).where(
            POSTS.c.post_id == post_id, WANTS_TELLING
        )
    )
    row = found.first()
    if row is not None:
        ends = [at for at in (row.claimed_until, row.retry_at) if at is not None]
        tx.wake(Job(kind=JobKind.POST, row_id=post_id, due_at=max(ends, default=None)))
