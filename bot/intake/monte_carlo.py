"""Monte Carlo's webhook, as far as it is known for certain.

Known: ``payload.event_list`` with ``table_name``, ``data`` and ``rule``, the alert's state and severity, its
address, and the signature. Which fields each kind of alert fills is not published, so an event that names no
table is refused and counted, never guessed. How it reads in Slack is not known, so it is not read there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Final

from pydantic import Field

from bot.intake.format import Format, IntakeError, Payload, parse
from bot.intake.signatures import signed_by_form
from bot.intake.words import kind_of, number_of, severity_of, time_of
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "monte_carlo"
OVER: Final = frozenset({"fixed", "expected", "no_action_needed", "false_positive"})
"""States in which nobody has to do anything any more."""


class _Hit(Payload):
    field: str | None = None
    value: float | str | None = None
    measured_at: str | None = Field(None, alias="measurement_timestamp")
    metric: str | None = Field(None, alias="metric_display_name")


class _Seen(Payload):
    hits: tuple[_Hit, ...] = ()
    metric: str | None = Field(None, alias="metric_display_name")


class _Comparison(Payload):
    full_table_id: str | None = None
    threshold: float | str | None = None


class _Rule(Payload):
    uuid: str | None = None
    description: str | None = None
    rule_type: str | None = None
    comparisons: tuple[_Comparison, ...] = ()


class _Event(Payload):
    table_name: str | None = None
    full_table_id: str | None = None
    data: _Seen | None = None
    rule: _Rule | None = None


class _Payload(Payload):
    events: Annotated[tuple[_Event, ...], Field(min_length=1, max_length=500)] = Field(
        alias="event_list"
    )
    feedback: str | None = Field(None, alias="alert_feedback")
    severity: str | None = Field(None, alias="declared_alert_severity")
    incident_id: str | None = None
    url: str | None = None


class _Account(Payload):
    id: Annotated[str, Field(min_length=1)]


class _Body(Payload):
    account: _Account
    type: str | None = None
    payload: _Payload


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return one alert per event that names a table.

    Raises:
        IntakeError: not Monte Carlo's envelope, or none of its events names a table.
    """
    told = parse(_Body, body)
    alerts = tuple(_alert(event, told) for event in told.payload.events if _tables(event))
    if not alerts:
        raise IntakeError("payload.event_list[0].table_name: no event names a table")
    return alerts


def _tables(event: _Event) -> tuple[str, ...]:
    """What the event calls its table; ``project:dataset.table`` also with dots alone."""
    compared = (one.full_table_id for one in event.rule.comparisons) if event.rule else ()
    named = [name for name in (event.full_table_id, *compared, event.table_name) if name]
    return tuple(dict.fromkeys(name.replace(":", ".") for name in named))


def _alert(event: _Event, told: _Body) -> Alert:
    payload, rule, seen = told.payload, event.rule, event.data or _Seen.model_validate({})
    over = (payload.feedback or "").casefold() in OVER
    hit = seen.hits[-1] if seen.hits else _Hit.model_validate({})
    kind = kind_of(told.type, rule.rule_type if rule else None, seen.metric or hit.metric)
    what = (rule.description if rule else None) or seen.metric or hit.metric or told.type
    return Alert(
        format=NAME,
        status=AlertStatus.RESOLVED if over else AlertStatus.FIRING,
        dataset_hints=_tables(event),
        anomaly_type=kind or AnomalyType.QUALITY_CHECK,
        detected_at=time_of(hit.measured_at),
        severity=severity_of(payload.severity) or (Severity.INFO if over else Severity.ERROR),
        title=f"{what or 'Alert'} on {_tables(event)[0]}",
        metric_name=seen.metric or hit.metric,
        observed=number_of(hit.value),
        expected=next(_thresholds(rule), None),
        column=hit.field,
        check_id=rule.uuid if rule else None,
        url=payload.url,
    )


def _thresholds(rule: _Rule | None) -> Iterator[float]:
    for comparison in rule.comparisons if rule else ():
        if (number := number_of(comparison.threshold)) is not None:
            yield number


FORMAT: Final = Format(
    name=NAME,
    about="Monte Carlo's webhook: alerts that name a table, signed with its secret.",
    from_webhook=from_webhook,
    signed=partial(signed_by_form, header="x-mcd-signature"),
)
