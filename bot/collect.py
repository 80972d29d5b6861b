"""Builds the case: asks the sources that may know more, keeps what they said, and reads what is known by then.

Everything that a source gives goes through our own tables, so an alert, a poll and a push add to one history.
A failure leaves a hole, never an exception.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from bot.catalog import placed
from bot.directory import Directory
from bot.ports import Ask, Facts, Source
from bot.reading import notes, read_source
from bot.store import Store
from bot.store.polls import Poll, PollKey
from rca.case import Anomaly, Case, Dataset, FactKind, Hole, Lineage

OVERLAP: Final = timedelta(days=1)  # read again each time: jobs that were running, days that grew
PATIENCE: Final = timedelta(seconds=5)  # of somebody who waits for a card
NEAREST: Final = ("warehouse", "elementary", "dbt", "dbt_cloud")
"""Kinds of sources that tell of columns and counts, the nearest to the data first."""

HISTORIES: Final = frozenset(
    {
        FactKind.COLUMN_SNAPSHOTS,
        FactKind.VOLUME_HISTORY,
        FactKind.DIMENSION_PROFILES,
        FactKind.SEGMENT_PROFILES,
    }
)
"""Facts that mean something only beside older ones of the same teller."""

MAX_WHERE: Final = 300  # characters of the fields that are wrong
NAME_SHOWN: Final = 60  # characters of a dataset's name in a reason; a card shows 200 of the whole
ADD_IT: Final = "put the name among a dataset's aliases, or add it with rca-bot discover"
NOT_PROVIDED: Final = "no source provides it"
NOT_ASKED: Final = "it was not asked for"
NOTHING_LOST: Final[Mapping[str, Sequence[str]]] = {}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of asking one source: its facts, kept by now, or why there are none."""

    facts: Facts
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Asks sources and keeps what they say; one dataset is asked about once at a time, however many alerts wait."""

    sources: tuple[Source, ...]
    store: Store
    directory: Directory
    patience: timedelta = PATIENCE
    asking: dict[PollKey, asyncio.Task[Answer]] = field(default_factory=dict, repr=False)
    answered: dict[PollKey, datetime] = field(default_factory=dict, repr=False)

    async def case(
        self,
        anomaly: Anomaly,
        dataset: Dataset | None,
        *,
        case_id: str,
        as_of: datetime,
        near: Sequence[str] = (),
    ) -> Case:
        """Return the case of *anomaly* with everything that was known, or could be asked for, at *as_of*.

        A kind of fact that nobody could read is a hole with the reasons; so is one that is only known from long
        before its source failed. Of a dataset that the catalog does not have, everything is a hole, which names
        those that are *near*.
        """
        if dataset is None:
            reason = unknown_dataset(anomaly.dataset, near)
            holes = tuple(Hole(fact=kind, reason=reason) for kind in FactKind)
            return Case(case_id=case_id, as_of=as_of, anomaly=anomaly, holes=holes)
        lost = await self._freshen(anomaly.tenant_id, dataset, as_of)
        return await self.known(anomaly, dataset, case_id=case_id, as_of=as_of, lost=lost)

    async def known(
        self,
        anomaly: Anomaly,
        dataset: Dataset,
        *,
        case_id: str,
        as_of: datetime,
        lost: Mapping[str, Sequence[str]] = NOTHING_LOST,
        kinds: Collection[FactKind] = tuple(FactKind),
    ) -> Case:
        """Return the case of *anomaly* from what is kept already, without asking anybody.

        Args:
            anomaly: what is wrong.
            dataset: the catalog's entry.
            case_id: the case's name.
            as_of: the instant of which the case speaks.
            lost: kinds of facts that are not to be believed, with the reasons.
            kinds: all that the question needs; reading a rich case takes tenths of a second.
        """
        stored = await self.store.facts.read(
            anomaly.tenant_id, dataset.name, as_of, entry=dataset, kinds=kinds
        )
        found = {fact: value for fact, value in stored.found.items() if fact not in lost}
        lineage = found.get(FactKind.LINEAGE.value)
        known = placed(dataset, lineage if isinstance(lineage, Lineage) else None)
        frame = {"case_id": case_id, "as_of": as_of, "anomaly": anomaly, "dataset": known}
        return Case.model_validate({**frame, **found, "holes": _holes(found, stored, lost, kinds)})

    async def push(
        self, tenant_id: str, dataset: Dataset, found: Mapping[str, object], at: datetime
    ) -> None:
        """Keep facts that somebody sent, but for histories that a source of ours tells.

        Raises:
            ValidationError: the facts are not of the case's kinds; nothing is kept.
        """
        believed = self._believed(None, tenant_id, dataset, found)
        if believed:
            await self.store.facts.push(tenant_id, dataset, believed, at)

    def _believed(
        self, source: Source | None, tenant_id: str, dataset: Dataset, found: Mapping[str, object]
    ) -> Mapping[str, object]:
        """What of *found* is kept: a history is told by one source, the nearest to the data.

        Two that take turns have two words for one type and two ways to cut a day: every turn would look like a
        change. Where nothing may be counted, the warehouse tells columns and no counts.
        """
        entry = self.directory.entry(tenant_id, dataset.name)
        counted = entry is not None and entry.time_column is not None
        mine = self._distance(source) if source else len(NEAREST) + 1
        nearer = [s for s in self.covering(tenant_id, dataset) if self._distance(s) < mine]
        told = {
            kind.value
            for other in nearer
            for kind in other.gives & HISTORIES
            if counted or kind is FactKind.COLUMN_SNAPSHOTS or self._distance(other) > 0
        }
        return {fact: value for fact, value in found.items() if fact not in told}

    def _distance(self, source: Source) -> int:
        """How far from the data a source looks; one that we do not rank looks from furthest."""
        entry = self.directory.sources.get(source.source_id)
        kind = entry.kind if entry else ""
        return NEAREST.index(kind) if kind in NEAREST else len(NEAREST)

    async def close(self) -> None:
        """Stop asking; what was asked and not answered yet is asked again after the next start."""
        for task in (waiting := tuple(self.asking.values())):
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def covering(self, tenant_id: str, dataset: Dataset) -> tuple[Source, ...]:
        """Return the sources that may know about the tenant's dataset."""
        return tuple(
            source
            for source in self.sources
            if self.serves(source, tenant_id) and source.covers(dataset)
        )

    def serves(self, source: Source, tenant_id: str) -> bool:
        """Return whether the directory lets *source* be read for the tenant."""
        entry = self.directory.sources.get(source.source_id)
        return entry is None or entry.tenant in (None, tenant_id)

    async def ask(
        self, source: Source, tenant_id: str, dataset: Dataset, as_of: datetime, poll: Poll | None
    ) -> Answer:
        """Read *source*, keep what it said, and return it; whoever asks meanwhile gets the same answer."""
        key = PollKey(source_id=source.source_id, tenant_id=tenant_id, dataset=dataset.name)
        running = self.asking.get(key)
        last = self.answered.get(key)
        if running is None and last is not None and _is_fresh(source, last, as_of):
            return Answer(facts=Facts(found={}), problem=None)  # since the caller looked
        if running is None:
            running = asyncio.create_task(self._ask(source, key, dataset, as_of, poll))
            self.asking[key] = running
            running.add_done_callback(lambda _: self.asking.pop(key, None))
        return await asyncio.shield(running)

    async def _freshen(
        self, tenant_id: str, dataset: Dataset, as_of: datetime
    ) -> dict[str, list[str]]:
        """Ask every source whose last answer is not fresh; return the kinds of facts that are lost, and why."""
        sources = self.covering(tenant_id, dataset)
        polls = await self.store.polls.of_dataset(tenant_id, dataset.name) if sources else {}
        last = {source_id: poll.last_success_at for source_id, poll in polls.items()}
        asked = [s for s in sources if not _is_fresh(s, last.get(s.source_id), as_of)]
        answers = await asyncio.gather(
            *(self._in_time(s, tenant_id, dataset, as_of, polls.get(s.source_id)) for s in asked)
        )
        lost: dict[str, list[str]] = {}
        for source, answer in zip(asked, answers, strict=True):
            if answer.problem is not None:
                reason = _since(answer.problem, polls.get(source.source_id))
                for kind in source.gives:
                    lost.setdefault(kind, []).append(reason)
        believed = (s for s in sources if _is_believed(s, polls.get(s.source_id), as_of))
        kept = {kind.value for source in believed for kind in source.gives} | _given(answers)
        return {kind: reasons for kind, reasons in lost.items() if kind not in kept}

    async def _in_time(
        self, source: Source, tenant_id: str, dataset: Dataset, as_of: datetime, poll: Poll | None
    ) -> Answer:
        """Ask, but keep nobody waiting who was woken: a late answer is kept, and looked at when it comes."""
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                return await self.ask(source, tenant_id, dataset, as_of, poll)
        except TimeoutError:
            waited = f"{self.patience.total_seconds():g} s"
            problem = f"{source.name} had not answered after {waited}"
            return Answer(facts=Facts(found={}), problem=problem)

    async def _ask(
        self, source: Source, key: PollKey, dataset: Dataset, as_of: datetime, poll: Poll | None
    ) -> Answer:
        last = poll.last_success_at if poll else None
        since = last - OVERLAP if last else as_of - source.pace.reach
        facts, problem = await read_source(source, self._request(key, dataset, as_of, since))
        if problem is None:
            problem = await self._keep(source, key, dataset, facts, as_of)
        if problem is None:
            await self.store.polls.succeeded(key, as_of, note=notes(facts))
            self.answered[key] = as_of
            return Answer(facts=facts, problem=None)
        await self.store.polls.failed(key, as_of, problem)
        return Answer(facts=Facts(found={}), problem=problem)

    def _request(self, key: PollKey, dataset: Dataset, as_of: datetime, since: datetime) -> Ask:
        entry = self.directory.entry(key.tenant_id, dataset.name)
        return Ask(
            tenant_id=key.tenant_id,
            dataset=dataset,
            as_of=as_of,
            since=since,
            time_column=entry.time_column if entry else None,
            dimensions=entry.dimensions if entry else (),
            segments=entry.segments if entry else (),
        )

    async def _keep(
        self, source: Source, key: PollKey, dataset: Dataset, facts: Facts, as_of: datetime
    ) -> str | None:
        """Keep the facts; return why that is impossible: facts that do not fit are the source's problem."""
        believed = replace(facts, found=self._believed(source, key.tenant_id, dataset, facts.found))
        try:
            await self.store.facts.keep(key.tenant_id, dataset, believed, as_of)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=False)
            where = dict.fromkeys(".".join(str(part) for part in one["loc"]) for one in problems)
            reason = f"{source.name} gave facts that cannot be used: {', '.join(where)[:MAX_WHERE]}"
            return _unkept(source, error, reason)
        except Exception as error:  # noqa: BLE001 - the database refuses a value; without one, all that follows fails
            return _unkept(source, error, f"{source.name} gave facts that cannot be kept")
        return None


def unknown_dataset(name: str, near: Sequence[str]) -> str:
    """Return why nothing is known of *name*, which datasets may be meant, and how it becomes known."""
    meant = f"; did you mean {' or '.join(each[:NAME_SHOWN] for each in near)}?" if near else ";"
    return f"{name[:NAME_SHOWN]} is not in the catalog{meant} {ADD_IT}"


def _unkept(source: Source, error: Exception, reason: str) -> str:
    """Log it without a traceback, which would quote the facts."""
    log.error(
        "a source gave facts that cannot be used",
        extra={"source": source.name, "reason": reason, "error": type(error).__name__},
    )
    return reason


def _is_fresh(source: Source, last: datetime | None, as_of: datetime) -> bool:
    return last is not None and as_of - last < source.pace.fresh_for


def _is_believed(source: Source, poll: Poll | None, as_of: datetime) -> bool:
    last = poll.last_success_at if poll else None
    return last is not None and as_of - last < source.pace.stale_after


def _since(problem: str, poll: Poll | None) -> str:
    last = poll.last_success_at if poll else None
    return f"{problem} (last read at {last:%Y-%m-%d %H:%M} UTC)" if last else problem


def _given(answers: Sequence[Answer]) -> set[str]:
    """Kinds of facts that some source has just read: nothing of them is lost."""
    return {
        fact
        for answer in answers
        for fact, value in answer.facts.found.items()
        if value is not None
    }


def _holes(
    found: Mapping[str, object],
    stored: Facts,
    lost: Mapping[str, Sequence[str]],
    kinds: Collection[FactKind],
) -> tuple[Hole, ...]:
    """One hole per missing kind of fact, its reasons joined; kinds that nobody spoke of are named too."""
    unread = set(FactKind) - set(kinds)
    reasons: dict[str, list[str]] = {
        kind.value: list(lost.get(kind.value, ())) for kind in FactKind if kind.value not in found
    }
    for hole in stored.holes:
        said = reasons.get(hole.fact)
        if said is not None and hole.fact not in lost and hole.reason not in said:
            said.append(hole.reason)
    return tuple(
        Hole(
            fact=fact,
            reason="; ".join(dict.fromkeys(said))
            or (NOT_ASKED if fact in unread else NOT_PROVIDED),
        )
        for fact, said in reasons.items()
    )
