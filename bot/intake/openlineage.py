"""OpenLineage: runs of any pipeline as events, with checks, columns and lineage.

A check that failed and a run that failed are alerts; a run that began or went well is none. Checks that passed are an
all-clear where one event tells all checks of a dataset; dbt's structured logs tell each test alone, and one that passed
says nothing of the others. The facts of every finished run are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from bot.intake.format import Format, IntakeError
from bot.intake.words import kind_of, severity_of
from bot.payloads.checks import FAILED, PASSED, UNKNOWN, WARNING
from bot.payloads.openlineage import (
    DBT_NODE,
    TOOL,
    Event,
    OlCheck,
    checks_of,
    dq_result,
    edges_of,
    read_events,
    snapshot_of,
)
from bot.ports import Pushed
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, DqResult, FactKind, Severity
from rca.expected import refusal


def _read(body: Mapping[str, object]) -> tuple[Event, ...]:
    try:
        events = read_events(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise IntakeError(refusal(problems)) from None
    for event in events:
        if event.job is None and event.dataset is None:
            raise IntakeError("job: neither a job nor a dataset is named")
    return events


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return one alert per check that looked, and one per dataset that a failed run was to write.

    Raises:
        IntakeError: not OpenLineage; names the fields.
    """
    return tuple(alert for event in _read(body) for alert in _alerts(event))


def _alerts(event: Event) -> Iterator[Alert]:
    checks = [check for check in checks_of(event) if check.outcome != UNKNOWN]
    alone = event.job is not None and event.job.name.startswith("test.")
    yield from (_of_check(c, event) for c in checks if not (alone and c.outcome == PASSED))
    broken = any(check.outcome != PASSED for check in checks)
    if event.run is not None and (event.kind or "").upper() == "FAIL" and not broken:
        yield from _of_run(event)


def _of_check(check: OlCheck, event: Event) -> Alert:
    passed = check.outcome == PASSED
    told = severity_of(check.severity) if check.outcome == FAILED else None
    worst = Severity.WARNING if check.outcome == WARNING else Severity.ERROR
    return Alert(
        format=TOOL,
        status=AlertStatus.RESOLVED if passed else AlertStatus.FIRING,
        dataset_hints=check.dataset.hints,
        anomaly_type=kind_of(check.kind, check.check_id) or AnomalyType.QUALITY_CHECK,
        detected_at=event.at,
        severity=Severity.INFO if passed else told or worst,
        title=f"{check.kind or check.check_id} on {check.dataset.name}",
        message=None if passed else event.error,
        column=check.column,
        check_id=check.check_id,
        correlation_id=event.correlation_id,
    )


def _of_run(event: Event) -> Iterator[Alert]:
    """A job that failed leaves what it writes as it was; dbt's own name stands for a table that is not named."""
    job = event.job.name if event.job else ""
    named = [dataset.hints for dataset in event.made]
    if not named and DBT_NODE.match(job):
        named = [(job,)]
    for hints in named:
        yield Alert(
            format=TOOL,
            status=AlertStatus.FIRING,
            dataset_hints=hints,
            anomaly_type=AnomalyType.QUALITY_CHECK,
            detected_at=event.at,
            severity=Severity.ERROR,
            title=f"{job} failed",
            message=event.error,
            check_id=job,
            correlation_id=event.correlation_id,
        )


def pushed(body: Mapping[str, object], received_at: datetime) -> tuple[Pushed, ...]:
    """Return the checks, columns and edges that finished runs tell of, by dataset.

    Raises:
        IntakeError: not OpenLineage; names the fields.
    """
    return tuple(
        one for event in _read(body) if event.is_over for one in _facts(event, received_at)
    )


def _facts(event: Event, received_at: datetime) -> Iterator[Pushed]:
    at = min(event.at, received_at)
    results: dict[tuple[str, ...], list[DqResult]] = {}
    for check in checks_of(event):
        results.setdefault(check.dataset.hints, []).append(dq_result(check, event, at))
    edges = edges_of(event)
    written = (*event.made, *((event.dataset,) if event.dataset else ()))
    failed = (event.kind or "").upper() in ("FAIL", "ABORT")
    for dataset in dict.fromkeys(one.hints for one in (*event.inputs, *written)):
        found: dict[str, object] = {}
        if dataset in results:
            found[FactKind.DQ_RESULTS.value] = tuple(results[dataset])
        if edges is not None:
            found[FactKind.LINEAGE.value] = edges
        columns = [snapshot_of(one, at) for one in written if one.hints == dataset and not failed]
        if known := [each for each in columns if each is not None]:
            found[FactKind.COLUMN_SNAPSHOTS.value] = tuple(known[:1])
        if found:
            yield Pushed(dataset_hints=dataset, found=found)


FORMAT: Final = Format(
    name=TOOL,
    about="OpenLineage events of runs, jobs and datasets; also at POST /api/v1/lineage.",
    from_webhook=from_webhook,
    pushed=pushed,
)
