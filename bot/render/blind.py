"""What could not be checked, and what was looked at without finding anything: two different answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bot.render.message import Code, Line, Span
from bot.render.text import count_of, number, one_line
from rca.case import FactKind
from rca.diagnosis import Diagnosis

REASON_SHOWN: Final = 200  # characters of one reason on the card
REASONS_ON_A_CARD: Final = 5
FACTS: Final = frozenset(kind.value.replace("_", " ") for kind in FactKind)
"""How the engine's reasons call the kinds of facts."""

NAMES_IN_A_ROW: Final = 13  # there are thirteen detectors; more would not be ours


def could_not_look(diagnosis: Diagnosis, most: int = REASONS_ON_A_CARD) -> tuple[Line, ...]:
    """Return one line per reason, with the detectors it kept from looking; empty when all could look."""
    by_reason: dict[str, list[str]] = {}
    facts_of: dict[str, dict[str, None]] = {}
    for spot in diagnosis.blind_spots:
        fact, reason = _parts(spot.reason)
        by_reason.setdefault(reason, []).append(spot.detector)
        facts_of.setdefault(reason, {}).update({fact: None} if fact else {})
    is_all = len(by_reason) == 1 and not diagnosis.checked  # then the kinds of facts say nothing
    shown = [
        (*_codes(tuple(detectors)), f": {_said(() if is_all else facts_of[reason], reason)}")
        for reason, detectors in list(by_reason.items())[:most]
    ]
    more = len(by_reason) - len(shown)
    return (*shown, (f"and {count_of(more, 'more reason')}",)) if more else tuple(shown)


def _parts(reason: str) -> tuple[str, str]:
    """The kind of fact that a reason begins with, and the rest: what keeps several kinds from us is said once."""
    head, _, rest = reason.partition(": ")
    return (head, rest) if head in FACTS and rest else ("", reason)


def _said(facts: Iterable[str], reason: str) -> str:
    return one_line(": ".join(filter(None, (", ".join(facts), reason))), REASON_SHOWN)


def looked_and_found_nothing(diagnosis: Diagnosis) -> Line:
    """Return the detectors that looked and saw nothing; an empty line when there are none."""
    shown = {reading.signal for h in diagnosis.hypotheses for reading in h.signals}
    return _codes(tuple(str(code) for code in diagnosis.checked if code not in shown))


def coverage(diagnosis: Diagnosis) -> Line:
    """Return how many checks looked and how many could not, as two numbers."""
    blind = len({spot.detector for spot in diagnosis.blind_spots})
    looked = count_of(len(diagnosis.checked), "check")
    return (f"{looked} looked, {number(blind)} could not.",)


def _codes(names: tuple[str, ...]) -> Line:
    spans: list[Span] = []
    for name in names[:NAMES_IN_A_ROW]:
        spans.extend(
            (", ", Code(text=one_line(name, 80))) if spans else (Code(text=one_line(name, 80)),)
        )
    more = len(names) - NAMES_IN_A_ROW
    return (*spans, f" and {number(more)} more") if more > 0 else tuple(spans)
