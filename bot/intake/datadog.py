"""Datadog monitors: the webhook template that we ship, and Datadog's own message in Slack.

Datadog's webhook says what its owner writes into it, so ``deploy/datadog-webhook.json`` is the contract. A monitor
names its dataset by a tag: ``dataset:``, ``relation:`` or ``table:``. In Slack a message counts only when it links
to a Datadog monitor, its title begins with a transition, and its text holds such a tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from bot.intake.format import Format, IntakeError, Payload, SlackMessage, parse
from bot.intake.slack_text import plain
from bot.intake.words import kind_of, severity_of, time_of_ms
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "datadog"
DATASET_TAGS: Final = ("dataset", "relation", "table")
TRANSITIONS: Final = {
    "triggered": (AlertStatus.FIRING, Severity.ERROR),
    "warn": (AlertStatus.FIRING, Severity.WARNING),
    "no data": (AlertStatus.FIRING, Severity.WARNING),
    "renotify": (AlertStatus.FIRING, Severity.ERROR),
    "recovered": (AlertStatus.RESOLVED, Severity.INFO),
}
"""What each transition says; ``Re-Triggered`` and the like mean the same once more."""

_UNFILLED: Final = re.compile(r"^\$[A-Z_]+$")
_TAG: Final = re.compile(r"(?<![\w.-])(?P<key>[a-z_]{1,40}):(?P<value>[^\s,;{}()\[\]]{1,300})")
_TITLE: Final = re.compile(
    r"^\[?(?:P[1-5]\] \[)?(?P<what>(?:Re-)?(?:Triggered|Warn|No data|Recovered)|Renotify)\b"
    r"[^:]{0,60}\]?:? (?P<name>.+)$",
    re.IGNORECASE,
)
_MONITOR: Final = re.compile(
    r"^https://(?:[\w-]+\.)*(?:datadoghq\.(?:com|eu)|ddog-gov\.com)/(?:monitors|event)"
)


def _filled(value: object) -> object:
    """What Datadog could not fill stands as it was written, or is empty; both mean nothing."""
    if isinstance(value, str) and (not value.strip() or _UNFILLED.match(value.strip())):
        return None
    return value


Filled = Annotated[str | None, BeforeValidator(_filled)]
Time = Annotated[str | float | None, BeforeValidator(_filled)]


class Notification(Payload):
    """Our template, as Datadog fills it in."""

    source: Annotated[str, Field(pattern="^datadog$")]
    alert_transition: str
    title: Filled = None
    body: Filled = None
    dataset: Filled = None
    tags: Filled = None
    alert_scope: Filled = None
    alert_id: Filled = None
    alert_metric: Filled = None
    alert_status: Filled = None
    alert_type: Filled = None
    alert_priority: Filled = None
    last_updated: Time = None
    date: Time = None
    link: Filled = None


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return the alert of a monitor's transition.

    Raises:
        IntakeError: not our template, a transition we do not know, or no tag names a dataset.
    """
    told = parse(Notification, body)
    meaning = _meaning(told.alert_transition)
    if meaning is None:
        known = ", ".join(sorted(TRANSITIONS))
        raise IntakeError(f"alert_transition: not one of {known}, with or without re-")
    tags = _tags(f"{told.tags or ''} {told.alert_scope or ''}")
    named = tuple(name for name in (told.dataset, *_datasets(tags)) if name)
    if not named:
        raise IntakeError(f"tags: none names a dataset ({', '.join(DATASET_TAGS)})")
    status, severity = meaning
    ours = severity_of(told.alert_priority) if status is AlertStatus.FIRING else None
    return (
        Alert(
            format=NAME,
            status=status,
            dataset_hints=named,
            anomaly_type=_kind(tags, told.alert_metric, told.title),
            detected_at=time_of_ms(told.last_updated) or time_of_ms(told.date),
            severity=ours or severity,
            title=told.title or f"Datadog monitor {told.alert_id or ''}".strip(),
            message="\n".join(part for part in (told.alert_status, told.body) if part) or None,
            metric_name=told.alert_metric,
            column=tags.get("column"),
            check_id=told.alert_id,
            url=told.link,
        ),
    )


def from_slack(message: SlackMessage) -> tuple[Alert, ...] | None:
    """Return the alert of a monitor's message, or None when it is somebody else's or names no dataset."""
    text = message.text
    url = next((link.url for link in text.links if _MONITOR.match(link.url)), None)
    title = next((found for line in text.lines if (found := _TITLE.match(plain(line)))), None)
    if url is None or title is None:
        return None
    tags = _tags(" ".join(plain(line) for line in text.lines if _MONITOR.match(line) is None))
    named = tuple(_datasets(tags))
    meaning = _meaning(title["what"])
    if not named or meaning is None:
        return None
    status, severity = meaning
    rest = "\n".join(line for line in text.lines if plain(line) != title.string)
    return (
        Alert(
            format=NAME,
            status=status,
            dataset_hints=named,
            anomaly_type=_kind(tags, title["name"]),
            severity=severity,
            title=title["name"],
            message=rest or None,
            column=tags.get("column"),
            check_id=title["name"],
            url=url,
        ),
    )


def _meaning(transition: str) -> tuple[AlertStatus, Severity] | None:
    return TRANSITIONS.get(transition.strip().casefold().removeprefix("re-"))


def _tags(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for match in _TAG.finditer(text):
        found.setdefault(match["key"], match["value"].strip("`*\"'").rstrip("."))
    return found


def _datasets(tags: Mapping[str, str]) -> Iterator[str]:
    return (tags[key] for key in DATASET_TAGS if tags.get(key))


def _kind(tags: Mapping[str, str], *texts: str | None) -> AnomalyType:
    told = tags.get("anomaly_type")
    if told in set(AnomalyType):
        return AnomalyType(told)
    return kind_of(told, *texts) or AnomalyType.QUALITY_CHECK


def delivery(body: Mapping[str, object]) -> str | None:
    """Return the event's id, which stays when Datadog tries again."""
    event_id = _filled(body.get("id"))
    return event_id if isinstance(event_id, str) else None


FORMAT: Final = Format(
    name=NAME,
    about="Datadog monitors: our webhook template, and Datadog's message in Slack with a dataset tag.",
    from_slack=from_slack,
    from_webhook=from_webhook,
    delivery=delivery,
)
