"""What is wrong, in the catalog's names: from an alert, from an open incident, or from a question. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.catalog import Catalog
from bot.records import Alert, InboxItem, Incident
from rca.case import Anomaly, AnomalyType, Dataset

UNBELIEVABLE: Final = timedelta(days=365)  # a sender that says so has no clock: Go's zero time


def anomaly_of(alert: Alert, item: InboxItem, position: int, catalog: Catalog) -> Anomaly:
    """Return what *alert*, at *position* of its delivery, says is wrong.

    The dataset has the catalog's name, or the sender's own when it is not covered.
    """
    hints = alert.dataset_hints
    dataset = catalog.resolve(hints) or _foremost(catalog.all_of(hints))
    metric = {
        "name": alert.metric_name,
        "observed": alert.observed,
        "expected": alert.expected,
        "lower": alert.lower,
        "upper": alert.upper,
    }
    return Anomaly.model_validate(
        {
            "tenant_id": item.tenant_id,
            "dataset": dataset.name if dataset else next(iter(hints), "unknown"),
            "anomaly_type": alert.anomaly_type,
            "detected_at": _believable(alert.detected_at, item.received_at),
            "severity": alert.severity,
            "metric": metric if any(value is not None for value in metric.values()) else None,
            "column": alert.column,
            "check_id": alert.check_id,
            "correlation_id": alert.correlation_id or f"{item.inbox_id}:{position}",
            "source": alert.format,
        }
    )


def anomaly_again(incident: Incident) -> Anomaly:
    """Return what an open incident is about, to be looked at anew."""
    return Anomaly(
        tenant_id=incident.tenant_id,
        dataset=incident.dataset,
        anomaly_type=incident.anomaly_type,
        detected_at=incident.detected_at,
        severity=incident.severity,
        correlation_id=incident.correlation_id,
    )


def anomaly_asked(tenant_id: str, dataset: str, kind: AnomalyType, now: datetime) -> Anomaly:
    """Return what somebody asks about, while no alert has said anything."""
    return Anomaly(
        tenant_id=tenant_id, dataset=dataset, anomaly_type=kind, detected_at=now, source="asked"
    )


def _believable(detected_at: datetime | None, received_at: datetime) -> datetime:
    """When it was detected: not after we heard of it, and not in a past that nobody has facts about."""
    if detected_at is None or detected_at < received_at - UNBELIEVABLE:
        return received_at
    return min(detected_at, received_at)


def _foremost(datasets: Sequence[Dataset]) -> Dataset | None:
    """Which of a connection's datasets stands for all of them: one message, about what matters most."""
    ranked = sorted(datasets, key=lambda one: (not one.critical, not one.merchant_facing, one.name))
    return ranked[0] if ranked else None
