"""One source, one question: what it gave, within bounds, or why it gave nothing. It never raises."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sized
from dataclasses import replace
from typing import Final

from bot.ports import Ask, Facts, Source
from rca.case import Hole, Lineage

MOST_GIVEN: Final = 50_000  # facts of one kind; ours: a sync every 5 minutes is 26,000 in a first question's 90 days
MOST_HOLES: Final = 50  # ours: five reasons for each kind of fact and some more
MOST_NOTICED: Final = 100  # ours: each becomes an alert of its own
MAX_NOTE: Final = 2_000  # characters of all reasons together, as they are kept with a poll

NOTHING: Final = Facts(found={})

log = logging.getLogger(__name__)


async def read_source(source: Source, ask: Ask) -> tuple[Facts, str | None]:
    """Return the source's facts, or the problem: no answer in time, an error, or holes and nothing else.

    A kind of fact with more than ``MOST_GIVEN`` entries is a hole that says how many came.
    """
    limit = source.pace.time_limit.total_seconds()
    try:
        async with asyncio.timeout(limit):
            given: object = await source.read(ask)
        if not isinstance(given, Facts):
            return NOTHING, f"{source.name} gave {type(given).__name__} in place of facts"
        facts = _bounded(source, given)
        said = notes(facts)
    except TimeoutError:
        return NOTHING, f"{source.name} did not answer within {limit:g} s"
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():  # we are to stop
            raise
        return NOTHING, f"{source.name} gave its question up"
    except Exception as error:
        log.warning(
            "a source failed",
            exc_info=error,
            extra={"source": source.name, "dataset": ask.dataset.name},
        )
        return NOTHING, f"{source.name} failed: {type(error).__name__}"
    if facts.holes and not any(value is not None for value in facts.found.values()):
        return facts, said
    return facts, None


def notes(facts: Facts) -> str | None:
    """Return the reasons of the holes, each once; None when there are none."""
    said = "; ".join(dict.fromkeys(hole.reason for hole in facts.holes))
    return said[:MAX_NOTE] or None


def _bounded(source: Source, facts: Facts) -> Facts:
    """*facts* as far as we take them: a source that runs wild takes neither our memory nor people's attention."""
    many = dict(_too_many(facts))
    if len(facts.noticed) > MOST_NOTICED:
        log.warning(
            "a source noticed more than is taken",
            extra={"source": source.name, "noticed": len(facts.noticed), "taken": MOST_NOTICED},
        )
    odd = [type(hole).__name__ for hole in facts.holes if not isinstance(hole, Hole)]
    if odd:
        raise TypeError(f"gave {odd[0]} in place of a hole")
    said = tuple(
        Hole(
            fact=fact,
            reason=f"{source.name} gave {count:,} {fact}; more than {MOST_GIVEN:,} are not taken",
        )
        for fact, count in many.items()
    )
    return replace(
        facts,
        found={fact: value for fact, value in facts.found.items() if fact not in many},
        holes=tuple(map(_short, (*said, *facts.holes)[:MOST_HOLES])),
        noticed=tuple(facts.noticed)[:MOST_NOTICED],
    )


def _too_many(facts: Facts) -> Iterator[tuple[str, int]]:
    for fact, value in facts.found.items():
        count = _nodes(value) if isinstance(value, Lineage) else _size(value)
        if count > MOST_GIVEN:
            yield fact, count


def _size(value: object) -> int:
    return len(value) if isinstance(value, Sized) else 0


def _nodes(lineage: Lineage) -> int:
    """Return how many nodes a graph speaks of, in its edges or in its columns."""
    return max(len(lineage.parents), len(lineage.columns_used or {}))


def _short(hole: Hole) -> Hole:
    if len(hole.reason) <= MAX_NOTE:
        return hole
    return hole.model_copy(update={"reason": hole.reason[:MAX_NOTE]})
