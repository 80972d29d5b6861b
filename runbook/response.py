"""The matrix's response to one diagnosis: its words where several causes stand, and where one stands alone. Pure."""

from __future__ import annotations

import re
from typing import Final

from rca.diagnosis import Diagnosis

SEVERAL: Final = re.compile(r"\btop \d+ hypotheses\b")  # runbook: "Investigate top 2 hypotheses"
ALONE: Final = "the one hypothesis"


def stands_alone(diagnosis: Diagnosis) -> bool:
    """Return whether there is one cause to look into: symptoms are explained by it and are none."""
    return sum(each.symptom_of is None for each in diagnosis.hypotheses) == 1


def response_to(diagnosis: Diagnosis, words: str) -> str:
    """Return the matrix's *words*; where one cause stands alone, they speak of no second one."""
    return SEVERAL.sub(ALONE, words) if stands_alone(diagnosis) else words
