"""Our own format, for senders that nobody has written one for.

As a webhook: one document, or ``{"rca": "alert/1", "alerts": [{...}, ...]}``. In Slack either way works:
the message's metadata (``event_type`` "rca_alert", the document as ``event_payload``), which people do not
see, or the document in the message as a code block that begins with ``{"rca": "alert/1"``.

    {"rca": "alert/1", "dataset": "shopify_orders", "anomaly_type": "volume_anomaly",
     "detected_at": "2026-03-02T07:05:00Z", "severity": "error", "title": "Row count of shopify_orders",
     "metric": {"name": "row_count", "observed": 1203, "expected": 9800, "lower": 9100, "upper": 10500}}

Only ``rca``, ``dataset`` and ``anomaly_type`` are needed. Unknown keys are refused: a misspelt one would be
lost silently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.intake.format import Format, IntakeError, SlackMessage, parse
from bot.intake.slack_text import code_of
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "native"
EVENT_TYPE: Final = "rca_alert"
MAX_DOCUMENT: Final = 50_000  # characters of a document in a message; Slack's text ends at 40,000

_OURS: Final = re.compile(r'^\{\s*"rca"\s*:\s*"alert/1"')

Text = Annotated[str, Field(max_length=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=500)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NativeMetric(_Strict):
    """The number the alert is about, and the range that was expected."""

    name: Text | None = None
    observed: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None


class NativeAlert(_Strict):
    """One alert. ``dataset`` may be the catalog's name, a relation, a dbt unique_id or a connection id."""

    dataset: Name
    anomaly_type: AnomalyType
    status: AlertStatus = AlertStatus.FIRING
    detected_at: AwareDatetime | None = None
    severity: Severity | None = None
    title: Text = ""
    message: Text | None = None
    metric: NativeMetric = Field(default_factory=NativeMetric)
    column: Text | None = None
    check_id: Text | None = None
    correlation_id: Text | None = None
    url: Annotated[str, Field(pattern=r"^https?://", max_length=3_000)] | None = None
    relation: Name | None = None
    dbt_node: Name | None = None
    connector_id: Name | None = None


class NativeDocument(NativeAlert):
    """One alert as a whole document."""

    rca: Literal["alert/1"]


class NativeList(_Strict):
    """Several alerts as one document."""

    rca: Literal["alert/1"]
    alerts: Annotated[tuple[NativeAlert, ...], Field(min_length=1, max_length=200)]


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return the document's alerts.

    Raises:
        IntakeError: not a document of this format; names the fields.
    """
    if "alerts" in body:
        return tuple(_alert(alert) for alert in parse(NativeList, body).alerts)
    return (_alert(parse(NativeDocument, body)),)


def _alert(native: NativeAlert) -> Alert:
    metric = native.metric
    names = (native.dataset, native.relation, native.dbt_node, native.connector_id)
    return Alert(
        format=NAME,
        status=native.status,
        dataset_hints=tuple(name for name in names if name),
        anomaly_type=native.anomaly_type,
        detected_at=native.detected_at,
        severity=native.severity,
        title=native.title or f"{native.anomaly_type.replace('_', ' ')} in {native.dataset}",
        message=native.message,
        metric_name=metric.name,
        observed=metric.observed,
        expected=metric.expected,
        lower=metric.lower,
        upper=metric.upper,
        column=native.column,
        check_id=native.check_id,
        correlation_id=native.correlation_id,
        url=native.url,
    )


def from_slack(message: SlackMessage) -> tuple[Alert, ...] | None:
    """Return the alerts of a message that carries a document, or None when there is none that can be read."""
    for document in _documents(message):
        try:
            return from_webhook(document)
        except IntakeError:
            continue
    return None


def _documents(message: SlackMessage) -> Iterator[Mapping[str, object]]:
    metadata = message.raw.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("event_type") == EVENT_TYPE:
        payload = metadata.get("event_payload")
        if isinstance(payload, Mapping):
            yield {"rca": "alert/1", **payload}
    for paragraph in message.text.paragraphs:
        text = code_of(paragraph)
        if _OURS.match(text) and len(text) <= MAX_DOCUMENT:
            yield from _parsed(text)


def _parsed(text: str) -> Iterator[Mapping[str, object]]:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(document, dict):
        yield document


FORMAT: Final = Format(
    name=NAME,
    about="Our own: a JSON document as a webhook, as a Slack message's metadata, or in a code block.",
    from_slack=from_slack,
    from_webhook=from_webhook,
)
