"""What a detector is, and the three things it can answer: it shows, it does not, I could not look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rca.case import FactKind
from rca.evidence import CAUSE_OF, Cause, Evidence, SignalCode
from rca.view import CaseView


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A positive reading.

    ``strength`` is in [0, 1] (calibration.py says what it means), ``because`` one plain sentence with the deciding
    numbers. ``specific`` is the part of the weight (natural-log units) that speaks for its own cause only, such as
    new code before a failing test: it is lost when another cause explains the signal.
    The trouble began somewhere between ``onset`` and ``seen_at``; None when nobody can say.
    """

    evidence: Evidence
    strength: float
    because: str
    onset: datetime | None = None
    seen_at: datetime | None = None
    specific: float = 0.0

    @property
    def code(self) -> SignalCode:
        """Which of the thirteen signals this is."""
        return self.evidence.signal

    @property
    def cause(self) -> Cause:
        """The cause this signal speaks for."""
        return CAUSE_OF[self.evidence.signal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The detector could not look; ``reason`` completes the sentence "could not check, because ...".

    ``glimpse`` is what shows in half of its facts: too little to tell, enough to be less sure of the other causes.
    """

    reason: str
    glimpse: Signal | None = None


Answer = Signal | Skipped | None
"""None: looked, and it does not show (or too little to say)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One pure reading of a case; skipped by the engine when a fact in ``reads`` is not known.

    ``glimpse`` looks then at what it has besides, if it has any.
    """

    code: SignalCode
    reads: tuple[FactKind, ...]
    detect: Callable[[CaseView], Answer]
    glimpse: Callable[[CaseView], Signal | None] | None = None

    @property
    def cause(self) -> Cause:
        """The cause its signal speaks for."""
        return CAUSE_OF[self.code]
