"""What the facts show although no tool alerts of it: a sync that never came. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bot.ports import Notice
from rca.case import AnomalyType, Severity
from rca.diagnosis import Diagnosis
from rca.evidence import MissingSyncEvidence


def unalerted(diagnosis: Diagnosis) -> tuple[Notice, ...]:
    """Return what *diagnosis* shows and nobody would hear of; the same missing sync has the same key."""
    return tuple(_missing_syncs(diagnosis))[:1]


def _missing_syncs(diagnosis: Diagnosis) -> Iterator[Notice]:
    for hypothesis in diagnosis.hypotheses:
        for reading in hypothesis.signals:
            if isinstance(reading.evidence, MissingSyncEvidence):
                last = reading.evidence.last_sync_at
                yield Notice(
                    key=f"missing_sync:{last.isoformat() if last else 'never'}",
                    anomaly_type=AnomalyType.FRESHNESS,
                    title="No sync in the expected window",
                    severity=Severity.ERROR,
                    message=hypothesis.because,
                    at=reading.evidence.expected_by,
                )
