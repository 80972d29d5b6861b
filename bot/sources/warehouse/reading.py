"""One read of the warehouse: the columns now, and the counts that are owed, in the time there is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pydantic import BaseModel

from bot.clock import Clock as Now
from bot.ports import Ask, Facts, Pace
from bot.sources.warehouse.counting import (
    FIRST,
    Clock,
    Ledger,
    Subject,
    facts_of,
    query_of,
    windows_at_once,
    worth_telling,
)
from bot.sources.warehouse.dialects import Address
from bot.sources.warehouse.failures import LateError, QueryError
from bot.sources.warehouse.options import Unit, WarehouseOptions
from bot.sources.warehouse.queries import Queries
from bot.sources.warehouse.tables import Table, Tables
from bot.sources.warehouse.windows import TimeKind, Window, closed, runs, time_kind
from rca.case import ColumnSnapshot, FactKind, Hole

COUNTED: Final = (
    FactKind.VOLUME_HISTORY,
    FactKind.DIMENSION_PROFILES,
    FactKind.SEGMENT_PROFILES,
)
GIVES: Final = frozenset({FactKind.COLUMN_SNAPSHOTS, *COUNTED})
LEFT_TO_TELL: Final = timedelta(seconds=5)  # of the read's time, to hand over what was read
LIVE: Final = timedelta(
    minutes=10
)  # columns are read as they are now; that is no earlier instant's
MOST_SUBJECTS: Final = 40  # dimensions and segments of one dataset


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What one read has so far; each subject adds to it by itself."""

    found: dict[FactKind, list[BaseModel]] = field(default_factory=dict)
    problems: dict[FactKind, list[str]] = field(default_factory=dict)

    def lacks(self, kind: FactKind, reason: str) -> None:
        said = self.problems.setdefault(kind, [])
        if reason not in said:
            said.append(reason)

    def facts(self) -> Facts:
        holes = (Hole(fact=kind, reason="; ".join(said)) for kind, said in self.problems.items())
        found = {kind.value: tuple(facts) for kind, facts in self.found.items()}
        return Facts(found=found, holes=tuple(holes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads datasets; keeps in mind which windows are still owed of each."""

    name: str
    address: Address
    options: WarehouseOptions
    pace: Pace
    queries: Queries
    tables: Tables
    now: Now
    ledgers: dict[Subject, Ledger] = field(default_factory=dict, repr=False)

    async def read(self, ask: Ask) -> Facts:
        """Return the columns, and the counts of windows that were over at ``ask.as_of``."""
        reading = _Reading()
        try:
            table = await self.tables.find(ask.dataset.relation or "", self.now())
        except QueryError as error:
            for kind in sorted(GIVES):
                reading.lacks(kind, self.asked(f"the columns of {ask.dataset.relation}", error))
            return reading.facts()
        self._columns(reading, table, ask)
        clock = self._clock(reading, table, ask)
        if clock is not None:
            await self._count_all(reading, table, clock, ask)
        return reading.facts()

    def _columns(self, reading: _Reading, table: Table, ask: Ask) -> None:
        late = self.now() - ask.as_of
        if late > LIVE:
            reason = f"{self.name} knows only the columns of now, not those of {ask.as_of:%Y-%m-%d %H:%M} UTC"
            reading.lacks(FactKind.COLUMN_SNAPSHOTS, reason)
            return
        snapshot = ColumnSnapshot(captured_at=ask.as_of, columns=table.columns)
        reading.found[FactKind.COLUMN_SNAPSHOTS] = [snapshot]

    def _clock(self, reading: _Reading, table: Table, ask: Ask) -> Clock | None:
        """The time column, or why nothing can be counted without a look at every row."""
        try:
            return self.time_of(table, ask.dataset.name, ask.time_column)
        except QueryError as error:
            for kind in COUNTED:
                reading.lacks(kind, str(error))
            return None

    def time_of(self, table: Table, dataset: str, name: str | None) -> Clock:
        """Return the time column of a dataset's table.

        Raises:
            QueryError: there is none that rows can be counted by, and why.
        """
        if name is None:
            raise QueryError(
                f"no time_column in datasets.{dataset}: counting would scan the whole table"
            )
        column = table.column(name)
        where = f"the time_column {table.title}.{column.name}"
        kind = time_kind(column.type, self.address.warehouse.plain_timestamp)
        if kind is None:
            raise QueryError(f"{where} is of type {column.type}, neither a date nor a timestamp")
        if kind is TimeKind.DATE and self.options.window is Unit.HOUR:
            raise QueryError(f"{where} is a date: hours cannot be told apart by it")
        return Clock(column=column.name, kind=kind, zone=self.options.time_zone)

    async def _count_all(self, reading: _Reading, table: Table, clock: Clock, ask: Ask) -> None:
        """Count everything at once, as far as there are slots, and end in time with what was counted by then."""
        subjects = _subjects(ask)
        for kind, what in (
            (FactKind.DIMENSION_PROFILES, "dimensions"),
            (FactKind.SEGMENT_PROFILES, "segments"),
        ):
            if all(subject.kind is not kind for subject in subjects):
                reading.lacks(kind, f"no {what} in datasets.{ask.dataset.name}: none are counted")
        tasks = {
            asyncio.create_task(self._count(reading, subject, table, clock, ask)): subject
            for subject in subjects
        }
        limit = self.pace.time_limit - LEFT_TO_TELL
        try:
            _, late = await asyncio.wait(tasks, timeout=limit.total_seconds())
        finally:
            running = [task for task in tasks if not task.done()]
            for task in running:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        seconds = f"{limit.total_seconds():g} s"
        for task in late:
            subject = tasks[task]
            reason = (
                f"counting {subject.title} took longer than {seconds}; the rest comes next time"
            )
            reading.lacks(subject.kind, reason)
        for task in set(tasks) - late:
            task.result()

    async def _count(
        self, reading: _Reading, subject: Subject, table: Table, clock: Clock, ask: Ask
    ) -> None:
        """Count one subject in every window that is owed, the newest first, and tell what was counted."""
        late_from = ask.as_of - self.options.late
        ledger = self.ledgers.setdefault(subject, Ledger())
        since = min(ask.since, late_from)
        wanted = closed(self.options.window, self.options.time_zone, since, ask.as_of)
        ledger.ask(wanted, ask.as_of - self.pace.reach)
        owed = [window for window in ledger.owed if window.end <= ask.as_of]
        size = min(ledger.size, windows_at_once(subject, self.options.max_values))
        counted: dict[Window, tuple[BaseModel, int]] = {}
        try:
            for run in runs(owed, min(FIRST, size), size):
                counted |= await self._run(subject, table, clock, ledger, run)
        except QueryError as error:
            reading.lacks(subject.kind, self.asked(f"{subject.title} of {table.title}", error))
        finally:
            if counted or not owed:
                told = reading.found.setdefault(subject.kind, [])
                told += worth_telling(counted, late_from)

    async def _run(
        self,
        subject: Subject,
        table: Table,
        clock: Clock,
        ledger: Ledger,
        windows: tuple[Window, ...],
    ) -> dict[Window, tuple[BaseModel, int]]:
        query = query_of(subject, table, clock, windows, self.options.max_values)
        try:
            rows = await self.queries.run(query)
        except LateError:
            ledger.too_slow(windows)
            raise
        counted = await asyncio.to_thread(facts_of, subject, windows, rows)
        ledger.paid(windows)
        return dict(counted)

    def asked(self, what: str, error: QueryError) -> str:
        """Say what was asked of whom, and what came back."""
        return f"asked {self.name} at {self.address.place} for {what}: {error}"


def _subjects(ask: Ask) -> tuple[Subject, ...]:
    columns = dict.fromkeys(
        ((), *((one,) for one in ask.dimensions), *(tuple(s) for s in ask.segments if len(s) > 1))
    )
    return tuple(
        Subject(tenant_id=ask.tenant_id, dataset=ask.dataset.name, columns=each)
        for each in list(columns)[: MOST_SUBJECTS + 1]
    )
