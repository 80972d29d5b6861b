"""OpenMetadata's ChangeEvent about a test case's result.

``entity`` and ``newValue`` come as objects or as JSON in a text; times are milliseconds. Every other change is
understood and says nothing to act on. How it reads in Slack is not known for certain, so it is not read there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from bot.intake.format import Format, IntakeError, Payload, parse
from bot.intake.signatures import signed_by_hex
from bot.intake.words import kind_of, number_of, time_of_ms
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "openmetadata"
RESULT: Final = "testCaseResult"
TEST_CASE: Final = "testCase"
SUCCESS: Final = "success"
QUEUED: Final = "queued"
SEVERITY_OF: Final = {"failed": Severity.ERROR, "aborted": Severity.WARNING, SUCCESS: Severity.INFO}

_LINK: Final = re.compile(r"^<#E::table::(?P<fqn>.+?)(?:::columns::(?P<column>.+?))?>$")
_PART: Final = re.compile(r'"[^"]*"|[^."]+')


def _opened(value: object) -> object:
    """An object, also where it was written into a text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ValueError("neither an object nor JSON") from error
    return value


class _Number(Payload):
    name: str | None = None
    value: str | float | None = None


class _Result(Payload):
    status: str = Field(alias="testCaseStatus")
    timestamp: float | None = None
    result: str | None = None
    values: tuple[_Number, ...] = Field((), alias="testResultValue")


class _Definition(Payload):
    name: str | None = Field(None, alias="fullyQualifiedName")


class _TestCase(Payload):
    name: Annotated[str, Field(min_length=1)]
    entity_link: str | None = Field(None, alias="entityLink")
    entity_fqn: str | None = Field(None, alias="entityFQN")
    definition: _Definition = Field(
        default_factory=lambda: _Definition.model_validate({}), alias="testDefinition"
    )


class _Field(Payload):
    name: str
    new_value: object = Field(None, alias="newValue")


class _Changes(Payload):
    added: tuple[_Field, ...] = Field((), alias="fieldsAdded")
    updated: tuple[_Field, ...] = Field((), alias="fieldsUpdated")


class _Event(Payload):
    event_type: str = Field(alias="eventType")
    entity_type: str = Field(alias="entityType")
    timestamp: float | None = None
    changes: _Changes | None = Field(None, alias="changeDescription")


class _Named(Payload):
    entity: Annotated[_TestCase, BeforeValidator(_opened)]


class _Told(Payload):
    newValue: Annotated[_Result, BeforeValidator(_opened)]  # noqa: N815 - the place named in errors


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return the alert of a test case's new result; none for any other change.

    Raises:
        IntakeError: not a ChangeEvent, or a test's result that names no table or has an unknown status.
    """
    event = parse(_Event, body)
    told = _result_in(event)
    if told is None:
        return ()
    place, value = told
    test = parse(_Named, body).entity
    try:
        result = parse(_Told, {"newValue": value}).newValue
    except IntakeError as error:
        raise IntakeError(f"{place}.{error}") from None
    if result.status.casefold() == QUEUED:
        return ()
    return (_alert(test, result, event, place),)


def _result_in(event: _Event) -> tuple[str, object] | None:
    """Where the event holds a new result, and the result as it came."""
    if event.entity_type != TEST_CASE or event.changes is None:
        return None
    lists = (("fieldsUpdated", event.changes.updated), ("fieldsAdded", event.changes.added))
    for name, fields in lists:
        for position, field in enumerate(fields):
            if field.name == RESULT:
                return f"changeDescription.{name}[{position}]", field.new_value
    return None


def _alert(test: _TestCase, result: _Result, event: _Event, place: str) -> Alert:
    severity = SEVERITY_OF.get(result.status.casefold())
    if severity is None:
        raise IntakeError(
            f"{place}.newValue.testCaseStatus: not Success, Failed, Aborted or Queued"
        )
    table, column = _about(test)
    numbers = ((one.name, number_of(one.value)) for one in result.values)
    metric, seen = next(((name, seen) for name, seen in numbers if seen is not None), (None, None))
    passed = result.status.casefold() == SUCCESS
    kind = kind_of(test.definition.name, test.name) or AnomalyType.QUALITY_CHECK
    return Alert(
        format=NAME,
        status=AlertStatus.RESOLVED if passed else AlertStatus.FIRING,
        dataset_hints=_hints(table),
        anomaly_type=kind,
        detected_at=time_of_ms(result.timestamp) or time_of_ms(event.timestamp),
        severity=severity,
        title=f"Test {test.name} {result.status.casefold()}",
        message=result.result,
        metric_name=metric,
        observed=seen,
        column=column,
        check_id=test.name,
    )


def _about(test: _TestCase) -> tuple[str, str | None]:
    """The table's full name and the column that a test case is about."""
    if found := _LINK.match(test.entity_link or ""):
        return found["fqn"], found["column"]
    if test.entity_link is None and test.entity_fqn:
        return test.entity_fqn, None
    raise IntakeError("entity.entityLink: names no table")


def _hints(fqn: str) -> tuple[str, ...]:
    """``service.database.schema.table`` without the service, which no warehouse knows, then whole."""
    parts = _PART.findall(fqn)
    return (".".join(parts[1:]), fqn) if len(parts) > 1 else (fqn,)


def delivery(body: Mapping[str, object]) -> str | None:
    """Return the event's own id: OpenMetadata may send an event more than once."""
    event_id = body.get("id")
    return event_id if isinstance(event_id, str) and event_id else None


FORMAT: Final = Format(
    name=NAME,
    about="OpenMetadata's webhook: results of test cases, signed with its secret.",
    from_webhook=from_webhook,
    signed=partial(signed_by_hex, header="x-om-signature"),
    delivery=delivery,
)
