"""The schema of a page's front matter: what people may write, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rca.diagnosis import Band, Urgency
from rca.evidence import Cause, SignalCode

TOP_PAGE: Final = "top_page"  # escalate_to: the first team of the top hypothesis's page
ROLES: Final = frozenset({"source_owner", "deployer"})  # the bot finds out who that is
NO_SIGNAL: Final = "no_signal"
MATRIX: Final = "matrix"
PARAMETERS: Final = frozenset({"tenant_id", "connector_id", "signal_id"})  # what the bot binds

_SPAN: Final = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?")
_PARAMETER: Final = re.compile(r"(?<!:):([a-z_]\w*)")
_TENANT_BOUND: Final = frozenset({"tenant_id", "signal_id"})


def parameters_of(sql: str) -> tuple[str, ...]:
    """Return the names of the bound parameters in *sql*, each once, in order."""
    return tuple(dict.fromkeys(_PARAMETER.findall(sql)))


def _span(value: object) -> object:
    """Read ``90s``, ``30m``, ``1h``, ``1h30m``, ``2d`` or 0; anything else is left for pydantic to refuse."""
    if value == 0 and not isinstance(value, bool):
        return timedelta(0)
    match = _SPAN.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError('write a span as "30m", "1h", "1h30m", "90s", "2d" or 0')
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _count(value: object) -> object:
    """Read ``all`` as None and a number from 0 as itself."""
    if value == "all":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError('write a number from 0, or "all"')


Span = Annotated[timedelta, BeforeValidator(_span)]
TeamId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=100)]
Sentence = Annotated[str, Field(min_length=1, max_length=500)]


class _Front(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class QuickReferenceFront(_Front):
    """A row of the Quick Reference."""

    floor: Annotated[float, Field(ge=0, le=1)] | None
    confidence_label: Sentence
    first_action: Sentence
    teams: Annotated[tuple[TeamId, ...], Field(min_length=1)]


class StepFront(_Front):
    """One step: a title with at most one of a query, a command or a text."""

    title: Sentence
    sql: Annotated[str, Field(max_length=5_000)] | None = None
    command: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None
    text: Sentence | None = None
    changes_things: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(part is not None for part in (self.sql, self.command, self.text)) > 1:
            raise ValueError("give one of sql, command and text")
        if self.changes_things and self.command is None:
            raise ValueError("only a command can change things")
        return self

    @model_validator(mode="after")
    def _safe_query(self) -> Self:
        if self.sql is None:
            return self
        statement = self.sql.strip()
        if not re.match(r"select\b", statement, re.IGNORECASE) or ";" in statement:
            raise ValueError("sql is one SELECT, without a semicolon")
        names = set(parameters_of(statement))
        if names - PARAMETERS:
            unknown = ", ".join(sorted(names - PARAMETERS))
            raise ValueError(f"sql names :{unknown}; the bot binds {', '.join(sorted(PARAMETERS))}")
        if not names & _TENANT_BOUND:
            raise ValueError(
                "sql needs :tenant_id or :signal_id, so that it reads one tenant's rows"
            )
        return self


class IncidentRuleFront(_Front):
    """One escalation rule about the whole incident, whatever its cause."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", max_length=100)]
    when: Annotated[str, Field(min_length=1)]
    since: str | None = None
    after: Span | None = None
    team: TeamId
    otherwise: TeamId | None = None
    person: str | None = None
    urgency: Urgency
    reason: Sentence

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.since is None) != (self.after is None):
            raise ValueError("since and after belong together")
        if self.otherwise is not None and self.person is None:
            raise ValueError(
                "otherwise is for the case that person is not known, so it needs person"
            )
        return self


class RuleFront(IncidentRuleFront):
    """One escalation rule of a cause's page, evaluated on each of its signals that shows."""

    signals: Annotated[tuple[SignalCode, ...], Field(min_length=1)]


class CauseFront(_Front):
    """Front matter of a cause's page."""

    cause: Cause
    title: Sentence
    quick_reference: QuickReferenceFront
    steps: Annotated[tuple[StepFront, ...], Field(min_length=1)]
    escalations: tuple[RuleFront, ...] = ()


class NoSignalFront(_Front):
    """Front matter of the page for an empty diagnosis, and of the rules about the whole incident."""

    cause: Literal["no_signal"]
    title: Sentence
    quick_reference: QuickReferenceFront
    steps: Annotated[tuple[StepFront, ...], Field(min_length=1)]
    escalations: tuple[IncidentRuleFront, ...] = ()


class RowFront(_Front):
    """One row of the matrix."""

    band: Band
    response: Sentence
    escalate_after: Span | None
    escalate_to: TeamId
    hypotheses: Annotated[int | None, BeforeValidator(_count)]
    manual_review: bool = False


class MatrixFront(_Front):
    """Front matter of the matrix, with the queries that are useful whatever the cause."""

    cause: Literal["matrix"]
    title: Sentence
    bands: tuple[RowFront, ...]
    queries: tuple[StepFront, ...] = ()

    @model_validator(mode="after")
    def _every_band_once(self) -> Self:
        given = [row.band for row in self.bands]
        if sorted(given) != sorted(Band):
            raise ValueError(f"bands must be {', '.join(Band)}, each once")
        return self
