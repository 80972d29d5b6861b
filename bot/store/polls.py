"""Polls: when each source was asked about each dataset, what came back, and who asks next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, or_, select, tuple_, update

from bot.store.fact_tables import POLLS
from bot.store.transaction import Database

MAX_ERROR: Final = 2_000  # characters

_KEY: Final = (POLLS.c.source_id, POLLS.c.tenant_id, POLLS.c.dataset)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PollKey:
    """One source and one dataset of one tenant."""

    source_id: str
    tenant_id: str
    dataset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """How asking one source about one dataset has gone; ``failures`` in a row, 0 after a success.

    ``last_problem`` is what the last answer lacked, also when it had something else.
    """

    key: PollKey
    next_at: datetime
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_problem: str | None
    failures: int


class Polls:
    """One row per source and dataset; a lease says that a replica is at it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def agree(
        self, source_id: str, wanted: Mapping[PollKey, datetime], *, at_once: int = 500
    ) -> None:
        """Make the source's rows those of *wanted*: new ones are due at their time, others are forgotten."""
        async with self._database.writing() as tx:
            found = await tx.connection.execute(select(*_KEY).where(POLLS.c.source_id == source_id))
            known = {PollKey(source_id=r[0], tenant_id=r[1], dataset=r[2]) for r in found}
            for key in sorted(known - set(wanted)):  # in one order on every replica
                await tx.connection.execute(delete(POLLS).where(_is(key)))
            fresh = [
                _key_values(key) | {"next_at": due, "failures": 0}
                for key, due in wanted.items()
                if key not in known
            ]
            for start in range(0, len(fresh), at_once):
                insert = tx.insert(POLLS).on_conflict_do_nothing()
                await tx.connection.execute(insert, fresh[start : start + at_once])

    async def claim(
        self, source_id: str, now: datetime, *, lease: timedelta, limit: int
    ) -> tuple[Poll, ...]:
        """Take at most *limit* due rows for as long as *lease*; no other replica gets them meanwhile."""
        free = or_(POLLS.c.leased_until.is_(None), POLLS.c.leased_until <= now)
        due = (
            select(*_KEY)
            .where(POLLS.c.source_id == source_id, POLLS.c.next_at <= now, free)
            .order_by(POLLS.c.next_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._database.writing() as tx:
            taken = await tx.connection.execute(
                update(POLLS)
                .where(tuple_(*_KEY).in_(due))
                .values(leased_until=now + lease)
                .returning(POLLS)
            )
            polls = [_poll(row) for row in taken]
        return tuple(sorted(polls, key=lambda poll: (poll.next_at, poll.key)))

    async def release(self, key: PollKey, next_at: datetime) -> None:
        """Give a claimed row back, due again at *next_at*."""
        async with self._database.writing() as tx:
            await tx.connection.execute(
                update(POLLS).where(_is(key)).values(leased_until=None, next_at=next_at)
            )

    async def succeeded(self, key: PollKey, now: datetime, note: str | None = None) -> None:
        """The source answered; *note* is what its answer lacked."""
        await self._said(
            key, now, {"last_success_at": now, "last_problem": _short(note), "failures": 0}
        )

    async def failed(self, key: PollKey, now: datetime, problem: str) -> None:
        """The source did not answer, or not with facts."""
        values = {"last_failure_at": now, "last_problem": _short(problem)}
        await self._said(key, now, values | {"failures": 1}, {"failures": POLLS.c.failures + 1})

    async def _said(
        self,
        key: PollKey,
        now: datetime,
        values: Mapping[str, object],
        differently: Mapping[str, Any] | None = None,
    ) -> None:
        async with self._database.writing() as tx:
            insert = tx.insert(POLLS).values(_key_values(key) | {"next_at": now} | dict(values))
            changed = dict(values) | dict(differently or {})
            await tx.connection.execute(
                insert.on_conflict_do_update(index_elements=list(_KEY), set_=changed)
            )

    async def of_dataset(self, tenant_id: str, dataset: str) -> Mapping[str, Poll]:
        """Return how each source's asking about the dataset has gone, by source."""
        where = (POLLS.c.tenant_id == tenant_id, POLLS.c.dataset == dataset)
        return {poll.key.source_id: poll for poll in await self._list(*where)}

    async def list(self, source_ids: Sequence[str] | None = None) -> tuple[Poll, ...]:
        """Return every row, or those of some sources, by source, tenant and dataset."""
        where = () if source_ids is None else (POLLS.c.source_id.in_(source_ids),)
        return await self._list(*where)

    async def _list(self, *where: Any) -> tuple[Poll, ...]:  # noqa: ANN401 - conditions of SQLAlchemy
        async with self._database.reading() as connection:
            found = await connection.execute(select(POLLS).where(*where).order_by(*_KEY))
            return tuple(_poll(row) for row in found)


def _is(key: PollKey) -> Any:  # noqa: ANN401 - a condition of SQLAlchemy
    return tuple_(*_KEY) == tuple_(key.source_id, key.tenant_id, key.dataset)


def _key_values(key: PollKey) -> dict[str, object]:
    return {"source_id": key.source_id, "tenant_id": key.tenant_id, "dataset": key.dataset}


def _short(text: str | None) -> str | None:
    return text[:MAX_ERROR] if text else None


def _poll(row: Row[Any]) -> Poll:
    return Poll(
        key=PollKey(source_id=row.source_id, tenant_id=row.tenant_id, dataset=row.dataset),
        next_at=row.next_at,
        last_success_at=row.last_success_at,
        last_failure_at=row.last_failure_at,
        last_problem=row.last_problem,
        failures=row.failures,
    )
