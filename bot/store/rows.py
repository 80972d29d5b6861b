"""Rows become the records of ``bot.ports``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from bot.records import (
    Deadline,
    DeadlineState,
    InboxItem,
    InboxKind,
    InboxState,
    Incident,
    IncidentState,
    Page,
    PageState,
    Place,
    Post,
    PostKind,
    PostState,
    TimelineEntry,
)
from rca.case import AnomalyType, Severity
from rca.diagnosis import Diagnosis

AnyRow = Row[Any]


def inbox_item(row: AnyRow) -> InboxItem:
    """Return the delivery in *row*."""
    return InboxItem(
        inbox_id=row.inbox_id,
        kind=InboxKind(row.kind),
        sender_id=row.sender_id,
        tenant_id=row.tenant_id,
        payload=row.payload,
        received_at=row.received_at,
        state=InboxState(row.state),
        reason=row.reason,
        attempts=row.attempts,
    )


def incident(row: AnyRow) -> Incident:
    """Return the incident in *row*."""
    place = Place(channel_id=row.channel_id, thread_ts=row.thread_ts) if row.channel_id else None
    return Incident(
        incident_id=row.incident_id,
        tenant_id=row.tenant_id,
        dataset=row.dataset,
        anomaly_type=AnomalyType(row.anomaly_type),
        state=IncidentState(row.state),
        severity=Severity(row.severity) if row.severity else None,
        opened_at=row.opened_at,
        detected_at=row.detected_at,
        correlation_id=row.correlation_id,
        place=place,
        signal_id=row.signal_id,
        alert_count=row.alert_count,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
        snoozed_until=row.snoozed_until,
        title=row.title,
        alert_url=row.alert_url,
    )


def deadline(row: AnyRow) -> Deadline:
    """Return the deadline in *row*."""
    return Deadline(
        deadline_id=row.deadline_id,
        incident_id=row.incident_id,
        rule=row.rule,
        team=row.team,
        reason=row.reason,
        due_at=row.due_at,
        person=row.person,
        state=DeadlineState(row.state),
    )


def page(row: AnyRow) -> Page:
    """Return the page in *row*."""
    return Page(
        page_id=row.page_id,
        incident_id=row.incident_id,
        team=row.team,
        dedup_key=row.dedup_key,
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        state=PageState(row.state),
        person=row.person,
        pager=row.pager,
        accepted_at=row.accepted_at,
        url=row.url,
        attempts=row.attempts,
        error=row.error,
        fallback_of=row.fallback_of,
        resolve_wanted=row.resolve_wanted,
    )


def post(row: AnyRow) -> Post:
    """Return the post in *row*."""
    return Post(
        post_id=row.post_id,
        incident_id=row.incident_id,
        kind=PostKind(row.kind),
        channel_id=row.channel_id,
        thread_ts=row.thread_ts,
        user_id=row.user_id,
        response_url=row.response_url,
        text=row.text,
        message_ts=row.message_ts,
        state=PostState(row.state),
        wanted=row.wanted,
        told=row.told,
        attempts=row.attempts,
        error=row.error,
    )


def timeline_entry(row: AnyRow) -> TimelineEntry:
    """Return the timeline entry in *row*."""
    return TimelineEntry(
        incident_id=row.incident_id,
        at=row.at,
        what=row.what,
        actor=row.actor,
        details=row.details,
    )


def diagnosis(document: Mapping[str, Any], *, is_active: bool) -> Diagnosis:
    """Return the stored diagnosis; whether it is active is its row's word, since that changes."""
    return Diagnosis.model_validate({**document, "is_active": is_active})
