"""The runbook's General Escalation Matrix: what people do, and when somebody is paged, for each confidence band."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from rca.diagnosis import Band, band_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One band's row.

    Attributes:
        band: the band; its edges are ``rca.diagnosis.band_of``'s.
        response: what people do, in the runbook's words.
        escalate_after: from the opening of the incident; None when nobody is paged by time.
        escalate_to: a team, or None for the first team of the top hypothesis's page.
        hypotheses: how many hypotheses' steps are shown, best first; None for all of them.
        manual_review: whether the steps of the page for no signal are shown too.
    """

    band: Band
    response: str
    escalate_after: timedelta | None
    escalate_to: str | None
    hypotheses: int | None
    manual_review: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All rows, one per band."""

    rows: tuple[Row, ...]

    def row(self, band: Band) -> Row:
        """Return the row of *band*."""
        return next(row for row in self.rows if row.band is band)

    def row_for(self, confidence: float | None) -> Row:
        """Return the row that owns *confidence*, which is None when there is no hypothesis.

        Raises:
            ValueError: not a number in [0, 1].
        """
        return self.row(band_of(confidence))
