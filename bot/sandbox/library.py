"""The recorded incident library: cases with known truth, each with the alert that announces it.

The alerts have the exact shapes that Elementary, Great Expectations, Alertmanager and our native format
send to Slack; the tests and the demo post them through the sandbox as those tools' bots.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from rca.case import Anomaly, AnomalyType, Case, Dataset, parse_case
from rca.evidence import Cause
from rca.shift import shifted_to

FOLDER: Final = files("bot.sandbox").joinpath("library")
LATELY: Final = timedelta(minutes=1)  # an alert reaches Slack about this long after its check ran


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One incident as if it was noticed a minute ago; ``causes`` is what was injected, none for a false alarm."""

    name: str
    causes: tuple[Cause, ...]
    format: str
    case: Case
    message: Mapping[str, Any]


def recorded(now: datetime) -> tuple[Recorded, ...]:
    """Return the library, moved so that every anomaly was detected a minute before *now*."""
    pages = sorted(
        (entry for entry in FOLDER.iterdir() if entry.name.endswith(".json")),
        key=lambda entry: entry.name,
    )
    return tuple(_recorded(json.loads(page.read_text("utf-8")), now) for page in pages)


def _recorded(document: Mapping[str, Any], now: datetime) -> Recorded:
    case, _ = parse_case(document["case"])
    seen_after = case.as_of - case.anomaly.detected_at
    case = shifted_to(case, now - LATELY + seen_after)
    dataset = case.dataset or Dataset(name=case.anomaly.dataset)
    return Recorded(
        name=document["name"],
        causes=tuple(Cause(cause) for cause in document["causes"]),
        format=document["format"],
        case=case,
        message=MESSAGES[document["format"]](case.anomaly, dataset),
    )


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


TESTS: Final[Mapping[AnomalyType, str]] = MappingProxyType(
    {
        AnomalyType.VOLUME: "volume_anomalies",
        AnomalyType.FRESHNESS: "freshness_anomalies",
        AnomalyType.SCHEMA: "schema_changes",
        AnomalyType.DISTRIBUTION: "dimension_anomalies",
        AnomalyType.QUALITY_CHECK: "not_null",
        AnomalyType.OTHER: "custom_check",
    }
)


def _elementary(anomaly: Anomaly, dataset: Dataset) -> dict[str, Any]:
    """As Elementary posts it: header and status in blocks, the rest in an attachment, no text."""
    test = TESTS[anomaly.anomaly_type]
    table = dataset.relation or dataset.name
    at = anomaly.detected_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return {
        "blocks": [
            _header(f'Failure: "{test}" test failed on {dataset.name}'),
            _section(f"*Test:* {test} | *Status:* fail | *Time:* {at}"),
            {"type": "divider"},
        ],
        "attachments": [
            {
                "color": "#ff0000",
                "blocks": [
                    _section(f"*Table*\n{table}"),
                    _section("*Result Message*"),
                    _section(f"```{_measured(anomaly)}```"),
                ],
            }
        ],
    }


def _great_expectations(anomaly: Anomaly, dataset: Dataset) -> dict[str, Any]:
    """As Great Expectations posts it: no names of expectations, and a time without a zone."""
    at = anomaly.detected_at.astimezone(UTC).strftime("%Y/%m/%d %I:%M %p")
    return {
        "blocks": [
            _header(f"slack - {dataset.name}_checkpoint - Failure :no_entry:"),
            {"type": "section", "text": {"type": "plain_text", "text": f"Runtime: {at}"}},
            _section(
                f"\n*Asset*: `{dataset.name}`  \n*Expectation Suite*: "
                f"`{TESTS[anomaly.anomaly_type]}`\n*Summary*: *3* of *4* Expectations were met"
            ),
            {"type": "divider"},
        ]
    }


def _alertmanager(anomaly: Anomaly, dataset: Dataset) -> dict[str, Any]:
    """As Alertmanager's Slack receiver posts it: one legacy attachment."""
    name = "RowCountLow" if anomaly.anomaly_type is AnomalyType.VOLUME else "DataQuality"
    return {
        "attachments": [
            {
                "color": "danger",
                "title": f"[FIRING:1] {name} {dataset.name} ({anomaly.severity or 'error'})",
                "text": _measured(anomaly),
                "fallback": f"[FIRING:1] {name} {dataset.name}",
            }
        ]
    }


def _native(anomaly: Anomaly, dataset: Dataset) -> dict[str, Any]:
    """Our own format, carried as message metadata."""
    metric = anomaly.metric
    return {
        "text": f"{anomaly.anomaly_type.value.replace('_', ' ')} on {dataset.name}",
        "metadata": {
            "event_type": "rca_alert",
            "event_payload": {
                "dataset": dataset.name,
                "anomaly_type": anomaly.anomaly_type.value,
                "severity": anomaly.severity.value if anomaly.severity else "error",
                "detected_at": anomaly.detected_at.isoformat(),
                "metric": metric.model_dump(exclude_none=True) if metric else None,
            },
        },
    }


def _measured(anomaly: Anomaly) -> str:
    metric = anomaly.metric
    if metric is None or metric.observed is None:
        return "The check failed."
    expected = f", expected {metric.expected:,.6g}" if metric.expected is not None else ""
    return f"The last {metric.name} value is {metric.observed:,.6g}{expected}."


MESSAGES: Final[Mapping[str, Callable[[Anomaly, Dataset], dict[str, Any]]]] = MappingProxyType(
    {
        "elementary": _elementary,
        "great_expectations": _great_expectations,
        "alertmanager": _alertmanager,
        "native": _native,
    }
)
