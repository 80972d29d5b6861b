"""Builds the case: asks every source at once, each with a time limit; a failure leaves a hole, never an exception."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from bot.ports import Facts, Source
from rca.case import Anomaly, Case, Dataset, FactKind, Hole

SOURCE_TIME_LIMIT: Final = timedelta(seconds=10)
MAX_WHERE: Final = 300  # characters of the fields that are wrong

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
    frame = {"case_id": case_id, "as_of": as_of, "anomaly": anomaly, "dataset": dataset}
    try:
        return _case(frame, answers)
    except ValidationError:  # somebody's facts do not fit; the others' are not lost with them
        named = zip(sources, answers, strict=True)
        return _case(frame, [_fitting(frame, source, answer) for source, answer in named])


def _case(frame: Mapping[str, object], answers: Sequence[Facts]) -> Case:
    found: dict[str, object] = {}
    for answer in answers:
        for fact, value in answer.found.items():
            found.setdefault(fact, value)
    return Case.model_validate({**found, **frame, "holes": _holes(answers, found)})


def _fitting(frame: Mapping[str, object], source: Source, answer: Facts) -> Facts:
    """The source's facts if they make a case by themselves, else holes that name what is wrong with them."""
    try:
        _case(frame, [answer])
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        where = dict.fromkeys(".".join(str(part) for part in one["loc"]) for one in problems)
        reason = f"{source.name} gave facts that cannot be used: {', '.join(where)[:MAX_WHERE]}"
        log.error(  # noqa: TRY400 - the traceback would quote the facts
            "a source gave facts that cannot be used",
            extra={"source": source.name, "reason": reason},
        )
        return _nothing(reason)
    return answer


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
    return _nothing(reason)


def _nothing(reason: str) -> Facts:
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
