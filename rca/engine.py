"""A case in, a diagnosis out: pure, deterministic, in milliseconds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from rca.case import Case, FactKind
from rca.causal import SHIPPED, Model
from rca.detection import Answer, Detector, Signal, Skipped
from rca.diagnosis import BlindSpot, Diagnosis, band_of
from rca.evidence import SignalCode
from rca.ranking import rank
from rca.registry import DETECTORS
from rca.view import CaseView, view_of

__all__ = ["SHIPPED", "Model", "diagnose"]

NAMESPACE: Final = uuid.UUID(
    "6f0d7f5e-3c55-5b8e-9a55-0a1f5f0e7c11"
)  # of our signal ids; never changes


def diagnose(
    case: Case, *, model: Model = SHIPPED, detectors: Mapping[SignalCode, Detector] = DETECTORS
) -> Diagnosis:
    """Return what most likely broke, how sure we are, and what could not be checked.

    Args:
        case: the anomaly and all facts; those later than ``as_of`` are ignored.
        model: the weights of the ranking.
        detectors: who looks; all of them unless told otherwise.

    Returns:
        The diagnosis without first actions, escalations and guidance, which are the runbook's.
    """
    signals, skipped = readings(case, detectors=detectors)
    hypotheses = rank(signals, skipped, case.anomaly, model)
    top = hypotheses[0] if hypotheses else None
    anomaly = case.anomaly
    return Diagnosis(
        signal_id=_signal_id(case),
        case_id=case.case_id,
        tenant_id=anomaly.tenant_id,
        dataset=anomaly.dataset,
        anomaly_type=anomaly.anomaly_type,
        detected_at=anomaly.detected_at,
        as_of=case.as_of,
        correlation_id=anomaly.correlation_id,
        top_cause_type=top.cause_type if top is not None else None,
        top_confidence=top.confidence if top is not None else 0.0,
        hypothesis_count=len(hypotheses),
        band=band_of(top.confidence if top is not None else None),
        hypotheses=hypotheses,
        checked=tuple(code for code in detectors if code not in skipped),
        blind_spots=tuple(
            BlindSpot(detector=code.value, reason=skip.reason) for code, skip in skipped.items()
        ),
    )


def readings(
    case: Case, *, detectors: Mapping[SignalCode, Detector] = DETECTORS
) -> tuple[tuple[Signal, ...], Mapping[SignalCode, Skipped]]:
    """Return what shows in *case*, and who could not look and why; everything else looked and saw nothing."""
    view = view_of(case)
    answers = {code: _ask(detector, view) for code, detector in detectors.items()}
    signals = tuple(answer for answer in answers.values() if isinstance(answer, Signal))
    return signals, {
        code: answer for code, answer in answers.items() if isinstance(answer, Skipped)
    }


def _ask(detector: Detector, view: CaseView) -> Answer:
    """Return the detector's answer; a fact it needs and nobody could read, or a crash of its own, becomes a skip."""
    for fact in detector.reads:
        if not view.knows(fact):
            return _without(fact, detector, view)
    try:
        answer = detector.detect(view)
    except Exception as error:  # noqa: BLE001 - one broken detector must not silence the others
        return Skipped(
            reason=f"the detector failed ({type(error).__name__}); the others are not affected"
        )
    if answer is None:
        for fact in detector.reads:
            if fact.value in view.holes:
                return Skipped(reason=_why_unknown(fact, view))
    return answer


def _without(fact: FactKind, detector: Detector, view: CaseView) -> Skipped:
    """Return why *fact* is not known, with what the rest of the detector's facts shows."""
    reason = _why_unknown(fact, view)
    if detector.glimpse is None:
        return Skipped(reason=reason)
    try:
        return Skipped(reason=reason, glimpse=detector.glimpse(view))
    except Exception as error:  # noqa: BLE001 - one broken detector must not silence the others
        return Skipped(reason=f"{reason}; the detector failed ({type(error).__name__})")


def _why_unknown(fact: FactKind, view: CaseView) -> str:
    name = fact.value.replace("_", " ")
    announced = view.holes.get(fact.value)
    return f"{name}: {announced}" if announced else f"no {name} known"


def _signal_id(case: Case) -> str:
    anomaly = case.anomaly
    parts = (
        anomaly.tenant_id,
        anomaly.dataset,
        anomaly.anomaly_type.value,
        case.case_id,
        case.as_of.isoformat(),
    )
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(parts)))
