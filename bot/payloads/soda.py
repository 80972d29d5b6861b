"""Reads what Soda Core says of one contract's verification: what it sends to Soda Cloud, or its result in Python.

The first is the payload of type ``sodaCoreInsertScanResults``; the second is ``ContractVerificationResult`` as
``dataclasses.asdict`` and ``json.dumps(…, default=str)`` write it. A check that was not evaluated looked at nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.payloads.checks import MAX_ID, outcome_of, run_of, utc_of
from rca.case import DqResult

TOOL: Final = "soda_core"
MAX_CHECKS: Final = 2_000  # of one verification
LARGEST: Final = (
    2.0**62
)  # no count is larger, and a larger number is none that every database keeps
COUNTS: Final = (
    *("failedRowsCount", "failedRowsPercent", "checkRowsTested", "datasetRowsTested"),
    *("missing_count", "invalid_count", "duplicate_count", "check_rows_tested"),
)

Name = Annotated[str, Field(min_length=1, max_length=500)]
Said = Annotated[Mapping[str, Any], BeforeValidator(lambda value: value or {})]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Identities(_Part):
    vc1: str | None = None


class _CloudCheck(_Part):
    identities: _Identities = Field(default_factory=_Identities)
    path: Name | None = Field(None, alias="checkPath")
    name: str | None = None
    kind: str | None = Field(None, alias="checkType")
    column: str | None = None
    table: Name
    prefix: tuple[Name, ...] = Field((), alias="datasetPrefix", max_length=10)
    outcome: str
    attributes: tuple[Mapping[str, Any], ...] = Field((), alias="resourceAttributes")
    diagnostics: Said = Field(default_factory=dict)


class CloudScan(_Part):
    """The payload that Soda Core sends to Soda Cloud."""

    definition: Name = Field(alias="definitionName")
    data_at: str | None = Field(None, alias="dataTimestamp")
    ended_at: str | None = Field(None, alias="scanEndTimestamp")
    checks: tuple[_CloudCheck, ...] = Field(max_length=MAX_CHECKS)


class _Collection(_Part):
    dataset: Name = Field(alias="dataset_name")
    prefix: tuple[Name, ...] = Field((), alias="dataset_prefix", max_length=10)
    definition: Name = Field(alias="soda_qualified_dataset_name")


class _PythonCheck(_Part):
    path: Name = Field(alias="check_path")
    name: str | None = None
    kind: str | None = Field(None, alias="type")
    column: str | None = Field(None, alias="column_name")
    identity: str | None = None
    attributes: Said = Field(default_factory=dict)


class _PythonResult(_Part):
    check: _PythonCheck
    outcome: str
    measured: Said = Field(default_factory=dict, alias="diagnostic_metric_values")
    value: Any = Field(None, alias="threshold_value")


class Verification(_Part):
    """``ContractVerificationResult`` as JSON."""

    collection: _Collection = Field(alias="check_collection")
    data_at: str | None = Field(None, alias="data_timestamp")
    ended_at: str | None = Field(None, alias="ended_timestamp")
    results: tuple[_PythonResult, ...] = Field(alias="check_results", max_length=MAX_CHECKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SodaCheck:
    """One check of a verification, whichever way it was told."""

    dataset_hints: tuple[str, ...]
    check_id: str
    name: str
    kind: str | None
    column: str | None
    outcome: str
    severity: str | None
    value: float | None
    said: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SodaRun:
    """One verification of one contract; ``at`` is when it ended, None when that is not told."""

    definition: str
    at: datetime | None
    checks: tuple[SodaCheck, ...]

    @property
    def correlation_id(self) -> str | None:
        """What links the run's alerts and results."""
        return run_of(TOOL, self.definition, at=self.at)


def read_soda(body: Mapping[str, object]) -> SodaRun:
    """Return what *body* says, in either of its two shapes.

    Raises:
        pydantic.ValidationError: it has neither shape; the error names the fields.
    """
    if "check_collection" in body:
        return _of_python(Verification.model_validate(body))
    return _of_cloud(CloudScan.model_validate(body))


def _of_cloud(scan: CloudScan) -> SodaRun:
    return SodaRun(
        definition=scan.definition,
        at=utc_of(scan.ended_at) or utc_of(scan.data_at),
        checks=tuple(_cloud_check(check) for check in scan.checks),
    )


def _cloud_check(check: _CloudCheck) -> SodaCheck:
    attributes = {str(one.get("name")): one.get("value") for one in check.attributes}
    details = check.diagnostics.get("v4")
    counts = details if isinstance(details, Mapping) else {}
    path = check.path or check.identities.vc1 or check.name or check.kind or "check"
    return SodaCheck(
        dataset_hints=_hints(check.prefix, check.table),
        check_id=path,
        name=check.name or path,
        kind=check.kind,
        column=check.column,
        outcome=outcome_of(check.outcome),
        severity=_text(attributes.get("severity")),
        value=_number(check.diagnostics.get("value")),
        said=_said(counts),
    )


def _of_python(verification: Verification) -> SodaRun:
    hints = _hints(verification.collection.prefix, verification.collection.dataset)
    return SodaRun(
        definition=verification.collection.definition,
        at=utc_of(verification.ended_at) or utc_of(verification.data_at),
        checks=tuple(_python_check(result, hints) for result in verification.results),
    )


def _python_check(result: _PythonResult, hints: tuple[str, ...]) -> SodaCheck:
    check = result.check
    return SodaCheck(
        dataset_hints=hints,
        check_id=check.path,
        name=check.name or check.path,
        kind=check.kind,
        column=check.column,
        outcome=outcome_of(result.outcome),
        severity=_text(check.attributes.get("severity")),
        value=_number(result.value),
        said=_said(result.measured),
    )


def _hints(prefix: tuple[str, ...], table: str) -> tuple[str, ...]:
    """The whole name first, then the table's own."""
    return tuple(dict.fromkeys((".".join((*prefix, table)), table)))


def _said(counts: Mapping[str, Any]) -> Mapping[str, object]:
    """Counts only: rows and values of the data are not kept."""
    numbers = {key: _number(counts.get(key)) for key in COUNTS}
    return {key: number for key, number in numbers.items() if number is not None}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < LARGEST else None


def _text(value: object) -> str | None:
    return value[:MAX_ID] if isinstance(value, str) else None


def results_of(run: SodaRun, received_at: datetime) -> tuple[tuple[tuple[str, ...], DqResult], ...]:
    """Return the outcome of every check with what its dataset may be called; no time lies after *received_at*."""
    at = min(run.at or received_at, received_at)
    own = run.correlation_id or run_of(TOOL, run.definition, at=at)
    return tuple(
        (
            check.dataset_hints,
            DqResult(
                id=f"{own}:{check.check_id}"[-MAX_ID:],
                check_id=check.check_id,
                status=check.outcome,
                severity=check.severity,
                context_metadata={
                    "tool": TOOL,
                    "name": check.name,
                    "value": check.value,
                    **check.said,
                },
                executed_at=at,
                correlation_id=run.correlation_id,
            ),
        )
        for check in run.checks
    )
