"""Why one hypothesis is as sure as it is: its reason, its signals, and every term for and against it.

The terms are natural-log odds; as printed they add up to the log odds of the confidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bot.render import blind
from bot.render.message import Code, Line, Message, Part, Strong, Text
from bot.render.text import count_of, number, one_line
from bot.render.words import capital, confidence, said, sentence
from rca.diagnosis import Diagnosis, Factor, Hypothesis

BECAUSE_SHOWN: Final = 600  # characters; one sentence, as on the card
TERM_SHOWN: Final = 80  # characters of a term's name, or of its explanation
TERMS_SHOWN: Final = 20  # there are thirteen signals and seven other terms
SIGNALS_SHOWN: Final = 5  # a cause has at most four kinds of signal
RIVALS_SHOWN: Final = 3  # there are four causes


def why(diagnosis: Diagnosis, rank: int) -> Message | None:
    """Return why the hypothesis of *rank* has its confidence; None when there is none of that rank.

    Args:
        diagnosis: as it was stored or just made.
        rank: from 1; of a diagnosis without hypotheses, rank 1 tells what was looked at and what could not be.
    """
    if not diagnosis.hypotheses:
        return _message(diagnosis, _nothing(diagnosis)) if rank == 1 else None
    chosen = next((one for one in diagnosis.hypotheses if one.rank == rank), None)
    return _message(diagnosis, _parts(diagnosis, chosen)) if chosen else None


def no_such_rank(diagnosis: Diagnosis, rank: int) -> str:
    """Return, in plain words, that there is no hypothesis of *rank*, and how many there are."""
    found = count_of(len(diagnosis.hypotheses), "hypothesis", "hypotheses")
    return f"There is no hypothesis {rank}: the diagnosis has {found}."


def total(factors: Sequence[Factor]) -> float:
    """Return the sum of the terms: the log odds of the confidence that they explain."""
    return sum(factor.value for factor in factors)


def _message(diagnosis: Diagnosis, parts: Iterator[Part]) -> Message:
    return Message(parts=tuple(parts), fallback=f"Why: {one_line(diagnosis.dataset, 200)}")


def _parts(diagnosis: Diagnosis, chosen: Hypothesis) -> Iterator[Part]:
    name = capital(said(chosen.cause_type))
    of = f"hypothesis {chosen.rank} of {len(diagnosis.hypotheses)}"
    yield Text(
        lines=(
            (
                Strong(text=f"{one_line(diagnosis.dataset, 200)}: {name}"),
                f", {confidence(chosen.confidence)} sure ({of}).",
            ),
            (f"Why: {sentence(one_line(chosen.because, BECAUSE_SHOWN))}.",),
            *_signals(chosen),
        )
    )
    helping = [factor for factor in chosen.factors if factor.value > 0.0]
    if helping:
        yield Text(lines=((Strong(text="Speaks for it:"),), *_terms(helping)))
    against = [factor for factor in chosen.factors if factor.value <= 0.0]
    doubts = (*_terms(against), *_doubts(diagnosis, chosen))
    yield Text(lines=((Strong(text="Speaks against it:"),), *(doubts or (("Nothing.",),))))
    if chosen.factors:
        together = f"Together {total(chosen.factors):+.2f} in log odds"
        yield Text(lines=((f"{together}, which is {confidence(chosen.confidence)}.",),))


def _signals(chosen: Hypothesis) -> Iterator[Line]:
    for reading in chosen.signals[:SIGNALS_SHOWN]:
        yield (
            "Signal ",
            Code(text=str(reading.signal)),
            f", strength {number(reading.strength)}.",
        )
    more = len(chosen.signals) - SIGNALS_SHOWN
    if more > 0:
        yield (f"and {count_of(more, 'more signal')}",)


def _terms(factors: Sequence[Factor]) -> tuple[Line, ...]:
    """One line a term, the heaviest first."""
    ordered = sorted(factors, key=lambda factor: -abs(factor.value))
    lines: list[Line] = [(_term(factor),) for factor in ordered[:TERMS_SHOWN]]
    rest = ordered[TERMS_SHOWN:]
    if rest:
        lines.append((f"{total(rest):+.2f}  {count_of(len(rest), 'more term')}",))
    return tuple(lines)


def _term(factor: Factor) -> str:
    meaning = f": {one_line(factor.text, TERM_SHOWN)}" if factor.text else ""
    return f"{factor.value:+.2f}  {one_line(said(factor.name), TERM_SHOWN)}{meaning}"


def _doubts(diagnosis: Diagnosis, chosen: Hypothesis) -> Iterator[Line]:
    """What is no term of its own, but speaks for somebody else or for nobody."""
    if chosen.symptom_of:
        yield (f"{capital(said(chosen.symptom_of))} explains it; it is a symptom.",)
    rivals = [one for one in diagnosis.hypotheses if one is not chosen and not one.symptom_of]
    for rival in rivals[:RIVALS_SHOWN]:
        sure = confidence(rival.confidence)
        yield (f"{capital(said(rival.cause_type))} is possible as well, {sure} sure.",)
    if diagnosis.blind_spots:
        could_not = count_of(len({spot.detector for spot in diagnosis.blind_spots}), "check")
        yield (f"{could_not} could not look.",)


def _nothing(diagnosis: Diagnosis) -> Iterator[Part]:
    quiet = blind.looked_and_found_nothing(diagnosis)
    looked: Line = ("Looked and found nothing: ", *quiet, ".") if quiet else ("No check looked.",)
    yield Text(
        lines=(
            (Strong(text=f"{one_line(diagnosis.dataset, 200)}: no signal detected."),),
            looked,
            *blind.could_not_look(diagnosis),
        )
    )
