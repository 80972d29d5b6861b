"""Conditions of escalation rules: CEL, compiled once, checked against the declared evidence, never raising at night.

What is not known is ``null``. ``null`` equals only ``null``, so ``evidence.ingestion_healthy == true`` is false when
health is not known; any other comparison with ``null`` is an error in CEL. A condition that can meet one is refused
when the pages are read, with the key that needs ``!= null`` in front of it. Every declared key is always there, so
``has()`` is not needed. Should an evaluation fail all the same, the caller gets ``Unanswerable`` and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

import cel
from pydantic import BaseModel

from runbook.expression import Reading, read_expression
from runbook.samples import Sample, samples
from runbook.shape import ITEM, Path, World

MAX_LENGTH: Final = (
    2_000  # characters; ours: nobody reads a longer condition at three in the morning
)


class Yields(StrEnum):
    """What an expression has to give."""

    YES_OR_NO = "true or false"
    INSTANT = "a timestamp or null"
    TEXT = "a text or null"


class ConditionError(ValueError):
    """An expression that cannot be used; the text says what is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class UnanswerableError(Exception):
    """An expression that could not be evaluated on these facts; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A compiled expression and what it yields."""

    source: str
    yields: Yields
    program: cel.Program


class Variables:
    """The facts an evaluation looks at, converted once for any number of conditions.

    Raises:
        UnanswerableError: a value that CEL cannot hold.
    """

    __slots__ = ("context",)

    def __init__(self, documents: Mapping[str, BaseModel]) -> None:
        try:
            self.context = cel.Context(
                {
                    name: document.model_dump(mode="python", by_alias=True)
                    for name, document in documents.items()
                }
            )
        except Exception as error:  # the package raises many kinds, and none may stop a diagnosis
            raise UnanswerableError(_one_line(error)) from error


def compile_condition(source: str, worlds: Sequence[World], yields: Yields) -> Condition:
    """Return *source* compiled, after trying it on samples of each of the *worlds*.

    Args:
        source: CEL text.
        worlds: the declared variables, once per signal the rule is evaluated on.
        yields: what the expression has to give.

    Raises:
        ConditionError: it does not parse, names something undeclared, or fails on a sample.
    """
    if len(source) > MAX_LENGTH:
        raise ConditionError([f"longer than {MAX_LENGTH} characters"])
    try:
        program = cel.compile(source)
    except Exception as error:
        raise ConditionError([_one_line(error)]) from error
    condition = Condition(source=source, yields=yields, program=program)
    problems = [problem for world in worlds for problem in _problems(condition, world)]
    if problems:
        raise ConditionError(tuple(dict.fromkeys(problems)))
    return condition


def holds(condition: Condition, variables: Variables) -> bool:
    """Return whether a YES_OR_NO condition holds.

    Raises:
        UnanswerableError: it could not be evaluated on these facts.
    """
    return _evaluated(condition, variables.context) is True


def instant(condition: Condition, variables: Variables) -> datetime | None:
    """Return the timestamp that an INSTANT condition gives, or None when it is not known.

    Raises:
        UnanswerableError: it could not be evaluated on these facts.
    """
    answer = _evaluated(condition, variables.context)
    return answer if isinstance(answer, datetime) else None


def text(condition: Condition, variables: Variables) -> str | None:
    """Return the text that a TEXT condition gives, or None when it is not known.

    Raises:
        UnanswerableError: it could not be evaluated on these facts.
    """
    answer = _evaluated(condition, variables.context)
    return answer if isinstance(answer, str) else None


def _evaluated(condition: Condition, context: cel.Context | dict[str, object]) -> object:
    try:
        answer: object = condition.program.execute(context)
    except Exception as error:  # the package raises many kinds, and none may stop a diagnosis
        raise UnanswerableError(_one_line(error)) from error
    if not _fits(answer, condition.yields):
        raise UnanswerableError(f"gives {type(answer).__name__} instead of {condition.yields}")
    return answer


def _fits(answer: object, yields: Yields) -> bool:
    match yields:
        case Yields.YES_OR_NO:
            return isinstance(answer, bool)
        case Yields.INSTANT:
            return answer is None or (isinstance(answer, datetime) and answer.tzinfo is not None)
        case Yields.TEXT:
            return answer is None or isinstance(answer, str)
    assert_never(yields)


def _problems(condition: Condition, world: World) -> tuple[str, ...]:
    """What is wrong with *condition* in *world*: undeclared names, else the first sample it fails on."""
    reading = read_expression(condition.source, world)
    if reading.problems:
        return reading.problems
    for sample in samples(world, reading):
        try:
            _evaluated(condition, dict(sample.variables))
        except UnanswerableError as error:
            return (_on_sample(str(error), sample, reading),)
    return ()


def _on_sample(problem: str, sample: Sample, reading: Reading) -> str:
    absent = [_spelled(path) for path in sample.absent if _leads_to(path, reading)]
    if not absent:
        return problem
    return f"fails when {', '.join(absent)} is null, so ask for != null first: {problem}"


def _leads_to(path: Path, reading: Reading) -> bool:
    return any(named[: len(path)] == path for named in reading.paths)


def _spelled(path: Path) -> str:
    return ".".join(path).replace(f".{ITEM}", ITEM)


def _one_line(error: Exception) -> str:
    """The package's words, without its drawing of the place and its general advice."""
    first = str(error).split("\n", maxsplit=1)[0].split(". ", maxsplit=1)[0]
    return first if isinstance(error, ValueError) else f"{type(error).__name__}: {first}"
