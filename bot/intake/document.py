"""Our own document about an alert, and how it is read; see ``native`` for where it may stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.intake.format import parse
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

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


def read_document(body: Mapping[str, object], name: str) -> tuple[Alert, ...]:
    """Return the document's alerts, as of the format *name*.

    Raises:
        IntakeError: not a document of this format; names the fields.
    """
    if "alerts" in body:
        return tuple(_alert(alert, name) for alert in parse(NativeList, body).alerts)
    return (_alert(parse(NativeDocument, body), name),)


def _alert(native: NativeAlert, name: str) -> Alert:
    metric = native.metric
    names = (native.dataset, native.relation, native.dbt_node, native.connector_id)
    return Alert(
        format=name,
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
