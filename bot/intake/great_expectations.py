"""Great Expectations 1.x: the Slack action's message, and a validation result as JSON.

The message names assets and counts, never the expectations; the JSON
(``ValidationResult.to_json_dict()``) has all of it. Its time in Slack has no zone, so the message's own holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import AliasChoices, Field

from bot.intake.format import Format, IntakeError, Payload, SlackMessage, parse
from bot.intake.slack_text import plain
from bot.intake.words import kind_of, number_of, severity_of, time_of
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "great_expectations"

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
    config, batch = result.expectation_config, validation.meta.active_batch_definition
    column = config.arguments.get("column")
    lower, upper = (number_of(config.arguments.get(key)) for key in ("min_value", "max_value"))
    metric, seen = _seen(result.result)
    told = severity_of(config.severity) or Severity.ERROR
    return Alert(
        format=NAME,
        status=AlertStatus.RESOLVED if result.success else AlertStatus.FIRING,
        dataset_hints=(batch.data_asset_name,),
        anomaly_type=kind_of(config.type) or AnomalyType.QUALITY_CHECK,
        detected_at=time_of(validation.meta.validation_time)
        or time_of(validation.meta.run_id.run_time),
        severity=Severity.INFO if result.success else told,
        title=f"{config.type} on {batch.data_asset_name}",
        message=_told(result),
        metric_name=metric,
        observed=seen,
        lower=lower,
        upper=upper,
        column=column if isinstance(column, str) else None,
        check_id=config.type,
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


FORMAT: Final = Format(
    name=NAME,
    about="Great Expectations 1.x: the Slack action's message; webhook: ValidationResult.to_json_dict().",
    from_slack=from_slack,
    from_webhook=from_webhook,
)
