"""The vocabulary in words: one place for how causes, anomalies, states and acts are called."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from bot.records import Incident, IncidentState, Page, PageState
from bot.render.text import one_line, percent
from rca.case import AnomalyType
from rca.diagnosis import Diagnosis
from runbook.response import response_to

RED: Final = "#a30200"
AMBER: Final = "#daa038"
BLUE: Final = "#1264a3"
GREY: Final = "#9e9e9e"
GREEN: Final = "#2eb886"

ALMOST_CERTAIN: Final = 0.999  # a confidence that was rounded up to 1 is still no certainty
RESPONSE_SHOWN: Final = 300  # characters of the runbook's response


class Look(StrEnum):
    """How an incident looks: what state it is in for somebody who glances at it."""

    UNDELIVERED = "page not delivered"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


COLOR_OF: Final = {
    Look.UNDELIVERED: RED,
    Look.OPEN: RED,
    Look.ACKNOWLEDGED: AMBER,
    Look.SNOOZED: GREY,
    Look.MONITORING: BLUE,
    Look.RESOLVED: GREEN,
}

EMOJI_OF: Final = {
    Look.UNDELIVERED: "\N{LARGE RED CIRCLE}",
    Look.OPEN: "\N{LARGE RED CIRCLE}",
    Look.ACKNOWLEDGED: "\N{LARGE ORANGE CIRCLE}",
    Look.SNOOZED: "\N{MEDIUM WHITE CIRCLE}",
    Look.MONITORING: "\N{LARGE BLUE CIRCLE}",
    Look.RESOLVED: "\N{LARGE GREEN CIRCLE}",
}
"""The only emoji we use: the colour of the state, for places that have no coloured bar."""


def look_of(incident: Incident, pages: tuple[Page, ...], *, snoozed: bool) -> Look:
    """Return how *incident* looks; while it is open, a page that reached nobody outweighs everything else."""
    if incident.state is IncidentState.RESOLVED:
        return Look.RESOLVED
    if any(page.state is PageState.UNDELIVERED for page in pages):
        return Look.UNDELIVERED
    if incident.state is IncidentState.MONITORING:
        return Look.MONITORING
    if snoozed:
        return Look.SNOOZED
    return Look.ACKNOWLEDGED if incident.state is IncidentState.ACKNOWLEDGED else Look.OPEN


def said(code: str) -> str:
    """Return a code in words: ``ingestion_failure`` reads "ingestion failure"."""
    return " ".join(code.replace("_", " ").split())


def kind_of(anomaly_type: AnomalyType) -> str:
    """Return the kind of anomaly in words; of any other kind, just "anomaly"."""
    return "anomaly" if anomaly_type is AnomalyType.OTHER else said(anomaly_type)


def confidence(value: float) -> str:
    """Return a confidence in [0, 1] as a percentage that never claims to be certain."""
    return percent(min(value, ALMOST_CERTAIN))


def capital(words: str) -> str:
    """Return *words* with a capital first letter and the rest untouched."""
    return words[:1].upper() + words[1:]


def sentence(words: str) -> str:
    """Return *words* without the full stop at the end, so that more can follow."""
    return words.strip().rstrip(".;, ")


def verdict(diagnosis: Diagnosis | None) -> str:
    """Return the verdict in a few plain words, for a title, a list or a notification."""
    if diagnosis is None:
        return "not diagnosed yet"
    if diagnosis.top is None:
        return "no signal detected"
    return f"likely {said(diagnosis.top.cause_type)}"


def response(diagnosis: Diagnosis) -> str:
    """Return the runbook's response in one sentence; where one cause stands alone, it speaks of no second one."""
    words = diagnosis.guidance.response if diagnosis.guidance else ""
    return capital(sentence(one_line(response_to(diagnosis, words), RESPONSE_SHOWN)))
