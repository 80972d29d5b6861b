"""Builds the case: asks every source at once, each with a time limit; a failure leaves a hole, never an exception."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.ports import Facts, Source
from rca.case import Anomaly, Case, Dataset, FactKind, Hole

SOURCE_TIME_LIMIT: Final = timedelta(seconds=10)

log = logging.getLogger(__name__)


async def collect(
    anomaly: Anomaly,
    dataset: Dataset | None,
    sources: Sequence[Source],
    *,
    case_id: str,
    as_of: datetime,
    time_limit: timedelta = SOURCE_TIME_LIMIT,
) -> Case:
    """Return the case of *anomaly* with everything the sources knew at *as_of*.

    The first source that has a fact gives it; a fact that none of them has is a hole with the reasons they gave.
    """
    answers = await asyncio.gather(
        *(_ask(source, anomaly, dataset, as_of, time_limit) for source in sources)
    )
    found: dict[str, object] = {}
    for answer in answers:
        for fact, value in answer.found.items():
            found.setdefault(fact, value)
    return Case.model_validate(
        {
            **found,
            "case_id": case_id,
            "as_of": as_of,
            "anomaly": anomaly,
            "dataset": dataset,
            "holes": _holes(answers, found),
        }
    )


async def _ask(
    source: Source,
    anomaly: Anomaly,
    dataset: Dataset | None,
    as_of: datetime,
    time_limit: timedelta,
) -> Facts:
    try:
        async with asyncio.timeout(time_limit.total_seconds()):
            return await source.read(anomaly, dataset, as_of)
    except TimeoutError:
        reason = f"{source.name} did not answer within {time_limit.total_seconds():g} s"
    except Exception as error:
        reason = f"{source.name} failed: {type(error).__name__}"
        log.warning(
            "a source failed",
            exc_info=error,
            extra={"source": source.name, "dataset": anomaly.dataset},
        )
    return Facts(found={}, holes=tuple(Hole(fact=kind, reason=reason) for kind in FactKind))


def _holes(answers: Sequence[Facts], found: dict[str, object]) -> tuple[Hole, ...]:
    """One hole per missing fact, its reasons joined; facts that nobody spoke of are named too."""
    reasons: dict[str, list[str]] = {kind.value: [] for kind in FactKind if kind.value not in found}
    for answer in answers:
        for hole in answer.holes:
            if hole.fact in found:
                continue
            reasons.setdefault(hole.fact, [])
            if hole.reason not in reasons[hole.fact]:
                reasons[hole.fact].append(hole.reason)
    return tuple(
        Hole(fact=fact, reason="; ".join(said) or "no source provides it")
        for fact, said in reasons.items()
    )
