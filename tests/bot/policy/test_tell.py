"""When people are told, and why not."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.policy.tell import why_tell
from bot.records import Incident, IncidentState, Joined, Reason
from rca.case import AnomalyType
from rca.diagnosis import Diagnosis, band_of
from rca.evidence import Cause

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def joined(*, opened: bool = False, snoozed_until: datetime | None = None) -> Joined:
    incident = Incident(
        incident_id="inc-1",
        tenant_id="acme",
        dataset="shopify_orders",
        anomaly_type=AnomalyType.VOLUME,
        state=IncidentState.OPEN,
        severity=None,
        opened_at=NOW,
        detected_at=NOW,
        correlation_id=None,
        place=None,
        snoozed_until=snoozed_until,
    )
    return Joined(incident=incident, opened=opened)


def verdict(cause: Cause | None, confidence: float) -> Diagnosis:
    return Diagnosis(
        signal_id="s",
        case_id="c",
        tenant_id="acme",
        dataset="shopify_orders",
        anomaly_type=AnomalyType.VOLUME,
        detected_at=NOW,
        as_of=NOW,
        top_cause_type=cause,
        top_confidence=confidence,
        band=band_of(confidence if cause else None),
    )


SURE = verdict(Cause.INGESTION_FAILURE, 0.93)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (SURE, SURE, Reason.QUIET_JOINED),
        (SURE, verdict(Cause.INGESTION_FAILURE, 0.86), Reason.QUIET_JOINED),
        (SURE, verdict(Cause.INGESTION_FAILURE, 0.85), Reason.TOLD_CHANGED),
        (SURE, verdict(Cause.SCHEMA_DRIFT, 0.93), Reason.TOLD_CHANGED),
        (SURE, verdict(None, 0.0), Reason.TOLD_CHANGED),
        (verdict(None, 0.0), verdict(None, 0.0), Reason.QUIET_JOINED),
        (None, SURE, Reason.TOLD_CHANGED),
    ],
)
def test_only_a_change_of_cause_or_band_is_news(before, after, reason):
    """The same verdict again is quiet; another cause, another band or a first verdict is told."""
    assert why_tell(joined(), before, after, NOW) is reason


def test_a_new_incident_is_told():
    """What opens an incident is told, whatever else holds."""
    assert why_tell(joined(opened=True), SURE, SURE, NOW, asked_by="U1") is Reason.TOLD_OPENED


def test_whoever_asks_is_answered_even_in_a_snooze():
    """A person's question is answered although nothing changed and the incident is snoozed."""
    snoozed = joined(snoozed_until=NOW + SECOND)
    assert why_tell(snoozed, SURE, SURE, NOW, asked_by="U1") is Reason.TOLD_ASKED


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        (NOW - SECOND, Reason.QUIET_JOINED),
        (NOW, Reason.QUIET_JOINED),
        (NOW + SECOND, Reason.QUIET_SNOOZED),
    ],
)
def test_a_snooze_has_an_end(until, reason):
    """Repetition is quiet either way; the reason says whether a snooze made it so."""
    assert why_tell(joined(snoozed_until=until), SURE, SURE, NOW) is reason


def test_a_snooze_does_not_hide_news():
    """Another cause is told during a snooze."""
    snoozed = joined(snoozed_until=NOW + SECOND)
    other = verdict(Cause.SCHEMA_DRIFT, 0.9)
    assert why_tell(snoozed, SURE, other, NOW) is Reason.TOLD_CHANGED
