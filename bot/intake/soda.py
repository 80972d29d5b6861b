"""Soda Cloud's webhook, in both versions of its payload: check results and incidents.

Version 3 tells a check's ``outcome`` (pass, warn, fail), version 4 also its ``evaluationStatus`` (pass, fail,
notEvaluated, excluded). What was not evaluated says nothing about the data. How Soda Cloud reads in Slack and
signs its requests is not published, so neither is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field

from bot.intake.format import Format, IntakeError, Payload, parse
from bot.intake.words import kind_of, number_of, severity_of, time_of
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "soda"
CHECKS: Final = "checkEvaluation"
INCIDENTS: Final = ("incidentCreated", "incidentUpdated")
SILENT: Final = ("validate", "contractPublished")  # say nothing about the data
SODA_HOST: Final = "soda.io"
MAX_URL: Final = 2_000

Name = Annotated[str, Field(min_length=1)]


class _Named(Payload):
    name: Name


class _Dataset(_Named):
    label: str | None = None
    datasource: _Named | None = None


class _Diagnostics(Payload):
    value: float | None = None


class _Check(Payload):
    id: str | None = None
    url: str | None = Field(None, alias="sodaCloudUrl")
    name: str | None = None
    definition: str | None = None
    datasets: Annotated[tuple[_Dataset, ...], Field(min_length=1, max_length=100)]
    column: str | None = None
    outcome: str | None = None
    evaluation: str | None = Field(None, alias="evaluationStatus")
    value: float | None = None
    diagnostics: _Diagnostics | None = None
    measured_at: str | None = Field(None, alias="dataTimestamp")

    @property
    def observed(self) -> float | None:
        """The number that was measured; version 4 has it beside, version 3 among the diagnostics."""
        told = self.diagnostics.value if self.diagnostics else None
        return number_of(self.value if self.value is not None else told)


class _Incident(Payload):
    id: Name
    title: str | None = None
    description: str | None = None
    severity: str | None = None
    status: Name
    url: str | None = Field(None, alias="sodaCloudUrl")
    created_v3: str | None = Field(None, alias="createdTimestamp")
    created_v4: str | None = Field(None, alias="created")
    checks: tuple[_Check, ...] = Field((), alias="checkResults", max_length=500)


class _Event(Payload):
    event: str


class _Evaluation(Payload):
    results: Annotated[tuple[_Check, ...], Field(max_length=500)] = Field(alias="checkResults")


class _IncidentEvent(Payload):
    incident: _Incident


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return one alert per dataset of each check that was evaluated.

    Raises:
        IntakeError: not Soda Cloud's event; an outcome we do not know; an incident whose checks are not told.
    """
    event = parse(_Event, body).event
    if event == CHECKS:
        return _evaluated(parse(_Evaluation, body).results)
    if event in INCIDENTS:
        return _incident(parse(_IncidentEvent, body).incident)
    if event in SILENT:
        return ()
    raise IntakeError(f"event: not one of {', '.join((CHECKS, *INCIDENTS, *SILENT))}")


def _evaluated(checks: tuple[_Check, ...]) -> tuple[Alert, ...]:
    alerts: list[Alert] = []
    for position, check in enumerate(checks):
        outcome = _outcome(check, position)
        if outcome is not None:
            alerts.extend(_alert(check, dataset, outcome) for dataset in check.datasets)
    return tuple(alerts)


def _outcome(check: _Check, position: int) -> Severity | None:
    """INFO for passed, the severity of what is wrong, None for a check that was not evaluated."""
    status, outcome = (
        (word or "").casefold().replace("_", "") for word in (check.evaluation, check.outcome)
    )
    told = outcome if outcome == "warn" and status in ("", "fail") else status or outcome
    if told in ("notevaluated", "excluded", "unevaluated"):
        return None
    found = {"pass": Severity.INFO, "warn": Severity.WARNING, "fail": Severity.ERROR}.get(told)
    if found is None:
        raise IntakeError(f"checkResults[{position}].outcome: not pass, warn or fail")
    return found


def _alert(check: _Check, dataset: _Dataset, outcome: Severity) -> Alert:
    what = check.name or (check.definition or "check").strip().splitlines()[-1].strip(" -")
    return Alert(
        format=NAME,
        status=AlertStatus.RESOLVED if outcome is Severity.INFO else AlertStatus.FIRING,
        dataset_hints=_hints(dataset),
        anomaly_type=kind_of(check.name, check.definition) or AnomalyType.QUALITY_CHECK,
        detected_at=time_of(check.measured_at),
        severity=outcome,
        title=f"{what} on {dataset.name}",
        message=check.definition,
        metric_name="value" if check.observed is not None else None,
        observed=check.observed,
        column=check.column,
        check_id=check.name or check.id,
        url=check.url,
    )


def _hints(dataset: _Dataset) -> tuple[str, ...]:
    """The table's name, which has no schema; before it ``source/table``, for an alias where two sources share it."""
    source = f"{dataset.datasource.name}/{dataset.name}" if dataset.datasource else None
    return tuple(name for name in (source, dataset.name, dataset.label) if name)


def _incident(incident: _Incident) -> tuple[Alert, ...]:
    """One alert per dataset of the incident's checks; a resolved incident says that all is well again."""
    over = incident.status.casefold() == "resolved"
    if not incident.checks:
        raise IntakeError("incident.checkResults: holds no check, so no dataset is named")
    return tuple(
        Alert(
            format=NAME,
            status=AlertStatus.RESOLVED if over else AlertStatus.FIRING,
            dataset_hints=_hints(dataset),
            anomaly_type=kind_of(check.name, check.definition) or AnomalyType.QUALITY_CHECK,
            detected_at=time_of(incident.created_v4) or time_of(incident.created_v3),
            severity=severity_of(incident.severity) or (Severity.INFO if over else Severity.ERROR),
            title=incident.title or f"Soda incident on {dataset.name}",
            message=incident.description or check.definition,
            metric_name="value" if check.observed is not None else None,
            observed=check.observed,
            column=check.column,
            check_id=check.name or check.id,
            url=incident.url or check.url,
        )
        for check in incident.checks
        for dataset in check.datasets
    )


def link_back(body: Mapping[str, object]) -> str | None:
    """Return where Soda takes a link for its incident, when that is Soda's own host by https; else None."""
    incident = body.get("incident")
    told = body.get("incidentLinkCallbackUrl")
    if told is None and isinstance(incident, Mapping):
        told = incident.get("incidentLinkCallbackUrl")
    return told if isinstance(told, str) and _is_sodas(told) else None


def _is_sodas(url: str) -> bool:
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    ours = host == SODA_HOST or host.endswith(f".{SODA_HOST}")
    return parts.scheme == "https" and ours and port in (None, 443) and parts.username is None


FORMAT: Final = Format(
    name=NAME,
    about="Soda Cloud's webhook: check results and incidents, payload versions 3 and 4.",
    from_webhook=from_webhook,
    link_back=link_back,
)
