"""Prometheus Alertmanager: webhook version 4, and its attachment in Slack (``[FIRING:2] …``).

An alert is about data when a label names a dataset; which labels do is written down in ``DATASET_LABELS``.
In Slack the default template shows labels' values without their names, so a table-like word in the title
counts there, but only when the title speaks of data at all: this channel may also hear of full disks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import Field

from bot.intake.format import Format, IntakeError, Payload, SlackMessage, parse
from bot.intake.slack_text import SlackText, plain
from bot.intake.words import kind_of, number_of, severity_of, time_of
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "alertmanager"
DATASET_LABELS: Final = (
    "dataset",
    "relation",
    "table",
    "table_name",
    "dbt_unique_id",
    "dbt_model",
    "model",
    "connection_id",
    "connector_id",
)
"""Labels that name a dataset, surest first."""

_TITLE: Final = re.compile(r"^\[(?P<status>FIRING|RESOLVED)(?::\d+)?\] ?(?P<rest>.*)$")
_PAIR: Final = re.compile(r"^[\W_]*(?P<label>[a-zA-Z_]\w{0,60})\*?\s?[:=]\*?\s?(?P<value>\S.*)$")
_TABLE_LIKE: Final = re.compile(r"^[a-z][a-z0-9]*(?:[_.][a-z0-9_]+)+$")
_ABOUT_DATA: Final = re.compile(
    r"anomal|quality|dataset|table|column|null|duplicate|rows?\b|sync\b|dbt\b|pipeline",
    re.IGNORECASE,
)


class _Alert(Payload):
    status: AlertStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = Field(default_factory=dict)
    starts_at: str | None = Field(None, alias="startsAt")
    ends_at: str | None = Field(None, alias="endsAt")
    generator_url: str | None = Field(None, alias="generatorURL")


class Notification(Payload):
    """Alertmanager's webhook body, version 4."""

    version: str = Field(pattern="^4$")
    alerts: tuple[_Alert, ...]
    external_url: str | None = Field(None, alias="externalURL")


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return one alert for each in the group that names a dataset.

    Raises:
        IntakeError: not a version 4 notification, or none of its alerts names a dataset.
    """
    notification = parse(Notification, body)
    named = tuple(alert for alert in notification.alerts if _names(alert.labels))
    if not named:
        listed = ", ".join(DATASET_LABELS)
        raise IntakeError(f"alerts[0].labels: no alert has a label that names a dataset ({listed})")
    return tuple(_alert(alert, notification.external_url) for alert in named)


def _alert(alert: _Alert, external_url: str | None) -> Alert:
    labels, notes = alert.labels, alert.annotations
    check = labels.get("alertname")
    resolved = alert.status is AlertStatus.RESOLVED
    summary, description = notes.get("summary"), notes.get("description")
    return Alert(
        format=NAME,
        status=alert.status,
        dataset_hints=_names(labels),
        anomaly_type=_kind(labels.get("anomaly_type"), check, summary, description),
        detected_at=time_of(alert.ends_at if resolved else alert.starts_at),
        severity=severity_of(labels.get("severity")),
        title=summary or check or "",
        message=description,
        metric_name=labels.get("metric"),
        observed=number_of(notes.get("value")),
        expected=number_of(notes.get("expected")),
        column=labels.get("column"),
        check_id=check,
        url=alert.generator_url or external_url,
    )


def _kind(told: str | None, *texts: str | None) -> AnomalyType:
    if told in set(AnomalyType):
        return AnomalyType(told)
    return kind_of(told, *texts) or AnomalyType.QUALITY_CHECK


def _names(labels: Mapping[str, str]) -> tuple[str, ...]:
    """What the labels call the dataset; a table with its schema and database says more than alone."""
    named = [labels[label] for label in DATASET_LABELS if labels.get(label)]
    table = labels.get("table") or labels.get("table_name")
    if table and "." not in table and labels.get("schema"):
        around = (labels.get("database") or labels.get("catalog"), labels["schema"], table)
        named.insert(0, ".".join(part for part in around if part))
    return tuple(named)


def from_slack(message: SlackMessage) -> tuple[Alert, ...] | None:
    """Return the alert in Alertmanager's attachment, or None when it is somebody else's or not about data."""
    text = message.text
    title = next((found for line in text.lines if (found := _TITLE.match(plain(line)))), None)
    if title is None:
        return None
    labels = _labels(text)
    words = title["rest"].split()
    named = _names(labels) or _table_like(words)
    if not named:
        return None
    check = labels.get("alertname") or (words[0] if words else None)
    summary, description = labels.get("summary"), labels.get("description")
    firing = title["status"] == "FIRING"
    return (
        Alert(
            format=NAME,
            status=AlertStatus.FIRING if firing else AlertStatus.RESOLVED,
            dataset_hints=named,
            anomaly_type=_kind(labels.get("anomaly_type"), check, summary, description),
            severity=severity_of(labels.get("severity")) or _spoken_severity(words),
            title=summary or title["rest"],
            message=description or _rest(text, title.string),
            column=labels.get("column"),
            check_id=check,
            url=text.link(),
        ),
    )


def _labels(text: SlackText) -> dict[str, str]:
    """Pairs that the template wrote out: ``table = orders``, ``*table:* `orders` ``, or a field."""
    written = (_PAIR.match(line) for line in text.lines if not line.startswith("http"))
    pairs = [*text.fields, *((found["label"], found["value"]) for found in written if found)]
    labels: dict[str, str] = {}
    for label, value in pairs:
        labels.setdefault(label.casefold(), plain(value))
    return labels


def _table_like(words: Iterable[str]) -> tuple[str, ...]:
    bare = [word.strip("()[],;:'\"`") for word in words]
    if not bare or not (kind_of(bare[0]) or _ABOUT_DATA.search(bare[0])):
        return ()
    return tuple(word for word in bare[1:] if _TABLE_LIKE.match(word) and severity_of(word) is None)


def _spoken_severity(words: Iterable[str]) -> Severity | None:
    found = (severity_of(word.strip("()")) for word in words)
    return next((severity for severity in found if severity), None)


def _rest(text: SlackText, title: str) -> str | None:
    return "\n".join(line for line in text.lines if plain(line) != title) or None


FORMAT: Final = Format(
    name=NAME,
    about="Prometheus Alertmanager: webhook version 4, and the attachment it posts to Slack.",
    from_slack=from_slack,
    from_webhook=from_webhook,
)
