"""The diagnosis: ranked hypotheses, what was checked, what could not be, and what to do (format ``rca.diagnosis/1``).

rca fills everything but ``first_action``, ``escalations`` and ``guidance``: those are the runbook's and stay
empty until ``runbook.advice.advise`` has completed the document.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from rca.case import AnomalyType, Document
from rca.evidence import Cause, Evidence, SignalCode

DIAGNOSIS_FORMAT: Final = "rca.diagnosis/1"

Confidence = Annotated[float, Field(ge=0, le=1)]


class Band(StrEnum):
    """Row of the runbook's confidence matrix; edges as in ``band_of``."""

    ACT = "act"
    INVESTIGATE_TOP = "investigate_top"
    INVESTIGATE_ALL = "investigate_all"
    MANUAL = "manual"


ACT_ABOVE: Final = 0.85  # runbook, General Escalation Matrix: "> 0.85"
TOP_FROM: Final = 0.60  # "0.60 - 0.85"
ALL_FROM: Final = 0.40  # "0.40 - 0.60"; below, or none: manual


def band_of(confidence: float | None) -> Band:
    """Return the matrix row that owns *confidence*: (0.85, 1], [0.60, 0.85], [0.40, 0.60), [0, 0.40) or none.

    Args:
        confidence: of the top hypothesis, in [0, 1]; None when there is no hypothesis.

    Raises:
        ValueError: not a number in [0, 1].

    Source: runbook, General Escalation Matrix.
    """
    if confidence is None:
        return Band.MANUAL
    if not 0.0 <= confidence <= 1.0:
        message = f"confidence must be a number from 0 to 1, got {confidence!r}"
        raise ValueError(message)
    if confidence > ACT_ABOVE:
        return Band.ACT
    if confidence >= TOP_FROM:
        return Band.INVESTIGATE_TOP
    return Band.INVESTIGATE_ALL if confidence >= ALL_FROM else Band.MANUAL


class Urgency(StrEnum):
    """How an escalation reaches its target."""

    NOW = "now"  # page as soon as it is due
    NOTIFY = "notify"  # tell them in the thread; wakes nobody
    REDIRECT = "redirect"  # nobody to tell: look somewhere else first


class Escalation(Document):
    """Who is to be told of a hypothesis, why, and from when; ``due_at`` is null when it is due at once."""

    rule: str
    team: str
    person: str | None = None
    urgency: Urgency
    reason: str
    due_at: AwareDatetime | None = None


class Factor(Document):
    """One named term of a confidence, in natural-log units; those of a hypothesis add up to the log odds of it."""

    name: str
    value: float
    text: str | None = None


class SignalReading(Document):
    """One signal that shows, how strongly in [0, 1], and the facts that back it."""

    signal: SignalCode
    strength: Confidence
    evidence: Evidence


class Hypothesis(Document):
    """One possible cause; ``evidence`` is that of its strongest signal."""

    rank: Annotated[int, Field(ge=1)]
    cause_type: Cause
    confidence: Confidence
    evidence: Evidence
    signals: tuple[SignalReading, ...]
    because: str
    symptom_of: Cause | None = None
    first_action: str | None = None
    escalations: tuple[Escalation, ...] = ()
    factors: tuple[Factor, ...] = ()


class BlindSpot(Document):
    """A detector that could not look, and why."""

    detector: str
    reason: str


class GuidanceStep(Document):
    """One thing to do: a query to run, a command to copy, or a sentence."""

    title: str
    sql: str | None = None
    command: str | None = None
    changes_things: bool = False


class Guidance(Document):
    """What the runbook says to do about this diagnosis.

    ``escalate_after_s`` is null when nobody is paged by time ("only if action fails"), 0 when at once.
    ``notes`` say which rules could not be evaluated, and why.
    ``connector_id`` is what ``:connector_id`` stands for in the queries of the steps.
    """

    response: str
    escalate_after_s: Annotated[int, Field(ge=0)] | None = None
    escalate_to: str | None = None
    steps: tuple[GuidanceStep, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    name_team_at_once: bool = False
    connector_id: str | None = None
    notes: tuple[str, ...] = ()


class Diagnosis(Document):
    """What most likely broke, how sure we are, and what could not be checked."""

    format: Literal["rca.diagnosis/1"] = DIAGNOSIS_FORMAT
    signal_id: str
    case_id: str
    tenant_id: str
    dataset: str
    anomaly_type: AnomalyType
    detected_at: AwareDatetime
    as_of: AwareDatetime
    correlation_id: str | None = None
    is_active: bool = True
    top_cause_type: Cause | None = None
    top_confidence: Confidence = 0.0
    hypothesis_count: Annotated[int, Field(ge=0)] = 0
    band: Band
    hypotheses: tuple[Hypothesis, ...] = ()
    checked: tuple[SignalCode, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    guidance: Guidance | None = None

    @property
    def top(self) -> Hypothesis | None:
        """The hypothesis of rank 1, or None."""
        return self.hypotheses[0] if self.hypotheses else None

    def to_json(self) -> str:
        """Return the document as one line of JSON under the contract's keys."""
        return self.model_dump_json(by_alias=True)
