"""Great Expectations 1.x: the Slack action's message, and a validation result as JSON.

The message names assets and counts, never the expectations; the JSON
(``ValidationResult.to_json_dict()``) has all of it: each expectation is an alert or an all-clear, and a result that is
kept. Its time in Slack has no zone, so the message's own holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import AliasChoices, Field

from bot.intake.format import Format, IntakeError, Payload, SlackMessage, parse
from bot.intake.slack_text import plain
from bot.intake.words import kind_of, number_of, severity_of, time_of
from bot.payloads.checks import ERROR, FAILED, PASSED, run_of
from bot.ports import Pushed
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, DqResult, FactKind, Severity

NAME: Final = "great_expectations"

MAX_RESULT_ID: Final = 900  # characters; a name in a case has at most a thousand

_COUNTS: Final = ("observed_value", "element_count", "unexpected_count", "unexpected_percent")
_HEADER: Final = re.compile(r"^.+ - .+ - (?P<outcome>Failure|Success)\b")
_MET: Final = re.compile(r"(?P<met>\d+) of (?P<all>\d+) Expectations were met")


def from_slack(message: SlackMessage) -> tuple[Alert, ...] | None:
    """Return one alert per asset of a checkpoint's message, or None when it is somebody else's."""
    text = message.text
    header = _HEADER.match(text.header or "")
    if header is None or not any(label == "Expectation Suite" for label, _ in text.fields):
        return None
    return tuple(_assets(text.header or "", text.fields, header["outcome"], text.link()))


def _assets(
    header: str, fields: tuple[tuple[str, str], ...], outcome: str, url: str | None
) -> Iterator[Alert]:
    """Each ``Asset`` field begins a section; its suite and its counts follow."""
    starts = [n for n, (label, _) in enumerate(fields) if label == "Asset"]
    for start, end in zip(starts, [*starts[1:], len(fields)], strict=True):
        section = dict(fields[start:end])
        met = _MET.search(plain(section.get("Summary", "")))
        failed = met["met"] != met["all"] if met else outcome == "Failure"
        yield Alert(
            format=NAME,
            status=AlertStatus.FIRING if failed else AlertStatus.RESOLVED,
            dataset_hints=(plain(section["Asset"]),),
            anomaly_type=AnomalyType.QUALITY_CHECK,
            severity=Severity.ERROR if failed else Severity.INFO,
            title=re.sub(r"\s*:\w+:$", "", header),
            message=plain(section.get("Summary", "")) or None,
            metric_name="expectations_met" if met else None,
            observed=number_of(met["met"]) if met else None,
            expected=number_of(met["all"]) if met else None,
            check_id=plain(section.get("Expectation Suite", "")) or None,
            url=url,
        )


Name = Annotated[str, Field(min_length=1)]


class _Config(Payload):
    id: str | None = None
    type: Name
    arguments: Mapping[str, object] = Field(
        default_factory=dict, validation_alias=AliasChoices("kwargs")
    )
    severity: str | None = None


class _Raised(Payload):
    raised_exception: bool = False
    exception_message: str | None = None


class _Result(Payload):
    success: bool
    expectation_config: _Config
    result: Mapping[str, object] = Field(default_factory=dict)
    exception_info: _Raised = Field(default_factory=_Raised)


class _Batch(Payload):
    data_asset_name: Name


class _RunId(Payload):
    run_time: str | None = None


class _Meta(Payload):
    great_expectations_version: str
    active_batch_definition: _Batch
    validation_time: str | None = None
    run_id: _RunId = Field(default_factory=_RunId)


class Validation(Payload):
    """``ValidationResult.to_json_dict()``: one suite on one asset."""

    success: bool
    suite_name: str
    results: tuple[_Result, ...]
    meta: _Meta
    result_url: str | None = None

    @property
    def asset(self) -> str:
        """What was looked at."""
        return self.meta.active_batch_definition.data_asset_name

    @property
    def validated_at(self) -> datetime | None:
        """When it was looked at."""
        return time_of(self.meta.validation_time) or time_of(self.meta.run_id.run_time)

    @property
    def run(self) -> str | None:
        """What links the alerts and the results of this validation."""
        return run_of(NAME, self.suite_name, self.asset, at=self.validated_at)


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return one alert per expectation: firing where it was not met, resolved where it was.

    Raises:
        IntakeError: not a validation result.
    """
    validation = parse(Validation, body)
    if not validation.results:
        raise IntakeError("results: holds no expectation")
    return tuple(_expectation(result, validation) for result in validation.results)


def _expectation(result: _Result, validation: Validation) -> Alert:
    config = result.expectation_config
    column = config.arguments.get("column")
    lower, upper = (number_of(config.arguments.get(key)) for key in ("min_value", "max_value"))
    metric, seen = _seen(result.result)
    told = severity_of(config.severity) or Severity.ERROR
    return Alert(
        format=NAME,
        status=AlertStatus.RESOLVED if result.success else AlertStatus.FIRING,
        dataset_hints=(validation.asset,),
        anomaly_type=kind_of(config.type) or AnomalyType.QUALITY_CHECK,
        detected_at=validation.validated_at,
        severity=Severity.INFO if result.success else told,
        title=f"{config.type} on {validation.asset}",
        message=_told(result),
        metric_name=metric,
        observed=seen,
        lower=lower,
        upper=upper,
        column=column if isinstance(column, str) else None,
        check_id=config.type,
        correlation_id=validation.run,
        url=validation.result_url,
    )


def _seen(result: Mapping[str, object]) -> tuple[str | None, float | None]:
    for key in ("observed_value", "unexpected_percent", "unexpected_count"):
        if (value := number_of(result.get(key))) is not None:
            return key, value
    return None, None


def _told(result: _Result) -> str | None:
    if result.exception_info.raised_exception:
        return f"The expectation could not be evaluated: {result.exception_info.exception_message}"
    count, percent = (
        number_of(result.result.get(f"unexpected_{key}")) for key in ("count", "percent")
    )
    if result.success or count is None:
        return None
    return f"{count:g} unexpected values" + (f" ({percent:.4g} %)" if percent is not None else "")


def pushed(body: Mapping[str, object], received_at: datetime) -> tuple[Pushed, ...]:
    """Return the outcome of every expectation, met or not; values of the data itself are left out.

    Raises:
        IntakeError: not a validation result.
    """
    validation = parse(Validation, body)
    at = min(validation.validated_at or received_at, received_at)
    found = tuple(
        _dq_result(n, result, validation, at) for n, result in enumerate(validation.results)
    )
    return (Pushed(dataset_hints=(validation.asset,), found={FactKind.DQ_RESULTS.value: found}),)


def _dq_result(position: int, result: _Result, validation: Validation, at: datetime) -> DqResult:
    config = result.expectation_config
    column = config.arguments.get("column")
    check = f"{config.type}.{column}" if isinstance(column, str) else config.type
    run = validation.run or run_of(NAME, validation.suite_name, validation.asset, at=at)
    counts = {key: number_of(result.result.get(key)) for key in _COUNTS}
    said: dict[str, object] = {"tool": NAME, "suite": validation.suite_name}
    said |= {key: count for key, count in counts.items() if count is not None}
    if result.exception_info.raised_exception:
        said["message"] = _told(result)
    outcome = PASSED if result.success else FAILED
    return DqResult(
        id=f"{run}:{config.id or position}"[-MAX_RESULT_ID:],
        check_id=check[:MAX_RESULT_ID],
        status=ERROR if result.exception_info.raised_exception else outcome,
        severity=severity_of(config.severity),
        context_metadata=said,
        executed_at=at,
        correlation_id=validation.run,
    )


FORMAT: Final = Format(
    name=NAME,
    about="Great Expectations 1.x: the Slack action's message; webhook: ValidationResult.to_json_dict().",
    from_slack=from_slack,
    from_webhook=from_webhook,
    pushed=pushed,
)
