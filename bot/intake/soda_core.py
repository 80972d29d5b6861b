"""Soda Core's own results, posted by whoever runs it: one contract's verification with every check's outcome.

Soda Cloud's webhook is another format, ``soda``. A check that was not evaluated is kept as unknown and alerts nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from bot.intake.format import Format, IntakeError
from bot.intake.words import kind_of, severity_of
from bot.payloads.checks import ERROR, FAILED, PASSED, WARNING
from bot.payloads.soda import TOOL, SodaCheck, SodaRun, read_soda, results_of
from bot.ports import Pushed
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, DqResult, FactKind, Severity
from rca.expected import refusal

SEVERITY_OF: Final = {
    PASSED: Severity.INFO,
    WARNING: Severity.WARNING,
    FAILED: Severity.ERROR,
    ERROR: Severity.ERROR,
}
"""Of the checks that looked; what is missing here says nothing about the data."""


def _read(body: Mapping[str, object]) -> SodaRun:
    try:
        run = read_soda(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise IntakeError(refusal(problems)) from None
    if not run.checks:
        raise IntakeError("checks: holds no check")
    return run


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return one alert per check that looked: firing where it failed or warned, resolved where it passed.

    Raises:
        IntakeError: not a result of Soda Core; names the fields.
    """
    run = _read(body)
    return tuple(_alert(check, run) for check in run.checks if check.outcome in SEVERITY_OF)


def _alert(check: SodaCheck, run: SodaRun) -> Alert:
    passed = check.outcome == PASSED
    told = severity_of(check.severity) if check.outcome == FAILED else None
    return Alert(
        format=TOOL,
        status=AlertStatus.RESOLVED if passed else AlertStatus.FIRING,
        dataset_hints=check.dataset_hints,
        anomaly_type=kind_of(check.kind, check.name) or AnomalyType.QUALITY_CHECK,
        detected_at=run.at,
        severity=told or SEVERITY_OF[check.outcome],
        title=f"{check.name} on {check.dataset_hints[0]}",
        metric_name=check.kind if check.value is not None else None,
        observed=check.value,
        column=check.column,
        check_id=check.check_id,
        correlation_id=run.correlation_id,
    )


def pushed(body: Mapping[str, object], received_at: datetime) -> tuple[Pushed, ...]:
    """Return the outcome of every check, by dataset.

    Raises:
        IntakeError: not a result of Soda Core; names the fields.
    """
    by_dataset: dict[tuple[str, ...], list[DqResult]] = {}
    for hints, result in results_of(_read(body), received_at):
        by_dataset.setdefault(hints, []).append(result)
    return tuple(
        Pushed(dataset_hints=hints, found={FactKind.DQ_RESULTS.value: tuple(results)})
        for hints, results in by_dataset.items()
    )


FORMAT: Final = Format(
    name=TOOL,
    about="Soda Core: what it sends to Soda Cloud, or a ContractVerificationResult as JSON.",
    from_webhook=from_webhook,
    pushed=pushed,
)
