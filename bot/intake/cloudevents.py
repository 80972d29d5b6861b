"""CloudEvents 1.0 about data, structured (all in the body) or binary (attributes in ``ce-`` headers).

CloudEvents say who speaks and when, not what ``data`` means. It is read as our native document when it is one;
else it names its dataset and its status under the keys below. An event without them is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import unquote

from pydantic import Field

from bot.intake.document import read_document
from bot.intake.format import Format, IntakeError, Payload, parse
from bot.intake.words import kind_of, number_of, severity_of, status_of, tidy, time_of
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "cloudevents"
HEADER: Final = "ce-"
MAX_ATTRIBUTE: Final = 2_000  # characters
DATASET_KEYS: Final = ("dataset", "relation", "table", "table_name", "dbt_unique_id")
"""Keys of ``data`` that name a dataset, surest first; without them the event's subject does."""

Name = Annotated[str, Field(min_length=1)]


class Event(Payload):
    """A CloudEvent's attributes and its data."""

    specversion: Annotated[str, Field(pattern=r"^1\.")]
    id: Name
    source: Name
    type: Name
    subject: str | None = None
    time: str | None = None
    data: Mapping[str, object]


def envelope(headers: Mapping[str, str], body: Mapping[str, object]) -> Mapping[str, object]:
    """Return a binary event as the structured one that says the same; a structured one as it is."""
    if f"{HEADER}specversion" not in headers:
        return body
    named = {
        name.removeprefix(HEADER): tidy(unquote(value, errors="replace"), MAX_ATTRIBUTE)
        for name, value in headers.items()
        if name.startswith(HEADER)
    }
    return {**named, "data": body}


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return the alert in the event's data, or the alerts of a native document there.

    Raises:
        IntakeError: not a CloudEvent 1.x, or its data names no dataset or no status we know.
    """
    event = parse(Event, body)
    if "rca" in event.data:
        try:
            return read_document(event.data, NAME)
        except IntakeError as error:
            raise IntakeError(f"data.{error}") from None
    return (_alert(event, _texts(event.data)),)


def _texts(data: Mapping[str, object]) -> Mapping[str, str]:
    return {key: value for key, value in data.items() if isinstance(value, str) and value.strip()}


def _alert(event: Event, said: Mapping[str, str]) -> Alert:
    named = tuple(said[key] for key in DATASET_KEYS if key in said)
    if not named and not event.subject:
        raise IntakeError(f"data.dataset: missing; known keys: {', '.join(DATASET_KEYS)}")
    status = status_of(said.get("status") or event.type.rpartition(".")[2])
    if status is None:
        raise IntakeError("data.status: neither it nor the last word of type says failed or passed")
    check = said.get("check") or said.get("check_id")
    message = said.get("message")
    return Alert(
        format=NAME,
        status=status,
        dataset_hints=named or (event.subject or "",),
        anomaly_type=_kind(said.get("anomaly_type"), check, message),
        detected_at=time_of(event.time),
        severity=severity_of(said.get("severity"))
        or (Severity.INFO if status is AlertStatus.RESOLVED else Severity.ERROR),
        title=said.get("title") or f"{check or event.type}: {said.get('status') or status}",
        message=message,
        metric_name=said.get("metric"),
        observed=number_of(event.data.get("value")),
        expected=number_of(event.data.get("expected")),
        column=said.get("column"),
        check_id=check,
        url=said.get("url"),
    )


def _kind(told: str | None, *texts: str | None) -> AnomalyType:
    if told in set(AnomalyType):
        return AnomalyType(told)
    return kind_of(told, *texts) or AnomalyType.QUALITY_CHECK


def delivery(body: Mapping[str, object]) -> str | None:
    """Return source and id, which together are one event however often it is sent."""
    source, event_id = body.get("source"), body.get("id")
    if not isinstance(source, str) or not isinstance(event_id, str):
        return None
    return f"{source}\n{event_id}"


FORMAT: Final = Format(
    name=NAME,
    about="CloudEvents 1.0, structured or binary, whose data names a dataset and a status.",
    from_webhook=from_webhook,
    envelope=envelope,
    delivery=delivery,
)
