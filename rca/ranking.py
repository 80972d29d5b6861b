"""From signals to ranked hypotheses: the only place where confidence is made.

The confidence of a cause is the probability of all states of the causal model that it belongs to (``posterior.py``).
What explains a signal better than chance does is named, and a symptom never outranks its cause.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from rca.case import Anomaly
from rca.causal import Model
from rca.detection import Signal, Skipped
from rca.diagnosis import Factor, Hypothesis, SignalReading
from rca.evidence import CAUSE_OF, Cause, SignalCode
from rca.posterior import CODES, PLACE, Posterior, Vector, has_unknown_ties, hear

CAUSES: Final = tuple(Cause)

# strength, and probability of being a cause itself; from here a signal is more likely a fault than chance
SHOWS_FROM: Final = 0.5
# confidence; a weaker hypothesis without a telling signal is not worth a line
LISTED_FROM: Final = 0.10

DIGITS: Final = 2  # of a term; what is printed adds up
SUREST: Final = 9.9  # log odds; of a confidence of 0.99995, from which four digits say 1
SMALLEST: Final = 1e-12  # probability; a logarithm needs more than nothing

_MEMBER: Final = np.array([[float(CAUSE_OF[code] is cause) for cause in CAUSES] for code in CODES])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A cause with its probability and its own signals.

    ``unguarded`` is what its probability would be if nothing that could not be checked might speak against it.
    """

    cause: Cause
    confidence: float
    unguarded: float
    own: tuple[Signal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signals:
    """All that shows, and the cause that is ranked first."""

    by_code: Mapping[SignalCode, Signal]
    top: Cause


def rank(
    signals: Sequence[Signal], skipped: Mapping[SignalCode, Skipped], anomaly: Anomaly, model: Model
) -> tuple[Hypothesis, ...]:
    """Return the hypotheses that the signals speak for, most probable first.

    Args:
        signals: what shows, at most one of each code.
        skipped: the detectors that could not look; their silence counts for nothing.
        anomaly: its kind and direction are evidence too.
        model: the weights.
    """
    by_code = {signal.code: signal for signal in signals}
    posterior, *doubts = _thinkable(by_code, skipped, anomaly, model)
    unguarded = posterior.faults @ _MEMBER
    confidence = unguarded
    for doubted in doubts:
        confidence = np.minimum(confidence, doubted.faults @ _MEMBER)
    found = _candidates(signals, posterior, np.minimum(1.0, confidence), unguarded)
    listed = sorted(found, key=lambda c: (-c.confidence, CAUSES.index(c.cause)))
    if not listed:
        return ()
    shown = _Signals(by_code=by_code, top=listed[0].cause)
    return tuple(
        _hypothesis(n, candidate, posterior, shown) for n, candidate in enumerate(listed, start=1)
    )


def _thinkable(
    by_code: Mapping[SignalCode, Signal],
    skipped: Mapping[SignalCode, Skipped],
    anomaly: Anomaly,
    model: Model,
) -> Iterator[Posterior]:
    """Yield what to think of what is known, then what if that which could not be checked were otherwise.

    Detectors may have seen nothing, ties may be there, half a fact may tell the truth; in every combination.
    """
    glimpsed = {c: skip.glimpse for c, skip in skipped.items() if skip.glimpse is not None}
    for seen in ({}, glimpsed) if glimpsed else ({},):
        shown = {**by_code, **seen}
        for assume_ties in (False, True) if has_unknown_ties(shown) else (False,):
            heard = hear(shown, anomaly, model, assume_ties=assume_ties)
            for dark in _seen_quiet(skipped.keys() - seen):
                yield heard.but_for(dark)


def _seen_quiet(skipped: Collection[SignalCode]) -> Iterator[frozenset[SignalCode]]:
    """Yield *skipped*, whole and without the detectors of some causes, as if those had looked and seen nothing.

    What nobody could look at must not make us surer than if it had been quiet, whatever else is dark; or than if all
    but one of its detectors had been, as of a list that is empty: that no sync is missing it cannot say.
    """
    causes = sorted({CAUSE_OF[code] for code in skipped})
    for number in range(len(causes), -1, -1):
        for dark in combinations(causes, number):
            yield frozenset(code for code in skipped if CAUSE_OF[code] in dark)
    if len(causes) < len(skipped):
        yield from (frozenset((code,)) for code in skipped)


def _candidates(
    signals: Sequence[Signal], posterior: Posterior, confidence: Vector, unguarded: Vector
) -> Iterator[_Candidate]:
    """Yield the causes that are worth a line, each with its signals, the most probable first."""
    for place, cause in enumerate(CAUSES):
        own = sorted(
            (s for s in signals if s.cause is cause), key=lambda s: -posterior.faults[PLACE[s.code]]
        )
        if own and (confidence[place] >= LISTED_FROM or max(s.strength for s in own) >= SHOWS_FROM):
            yield _Candidate(
                cause=cause,
                confidence=float(confidence[place]),
                unguarded=float(unguarded[place]),
                own=tuple(own),
            )


def _hypothesis(
    number: int, candidate: _Candidate, posterior: Posterior, signals: _Signals
) -> Hypothesis:
    own = candidate.own
    return Hypothesis(
        rank=number,
        cause_type=candidate.cause,
        confidence=round(candidate.confidence, 4),
        evidence=own[0].evidence,
        signals=tuple(
            SignalReading(signal=s.code, strength=round(s.strength, 4), evidence=s.evidence)
            for s in own
        ),
        because=own[0].because,
        symptom_of=_explained_by(own[0], posterior, signals),
        factors=_factors(candidate, posterior, signals.by_code),
    )


def _explained_by(own: Signal, posterior: Posterior, signals: _Signals) -> Cause | None:
    """Return the top cause when it explains *own* better than chance does, and *own* is hardly a cause by itself."""
    if own.cause is signals.top:
        return None
    causing = [PLACE[code] for code in signals.by_code if CAUSE_OF[code] is signals.top]
    best = max(causing, key=lambda i: posterior.faults[i])
    explains = posterior.symptom[best, PLACE[own.code]] > 0.0
    return signals.top if explains and posterior.faults[PLACE[own.code]] < SHOWS_FROM else None


def _factors(
    candidate: _Candidate, posterior: Posterior, by_code: Mapping[SignalCode, Signal]
) -> tuple[Factor, ...]:
    """Return terms that add up, each as it is rounded, to the log odds of the candidate's confidence."""
    terms = _alone(candidate.own[0].code, posterior, by_code)
    unguarded, sure = _log_odds(candidate.unguarded), _log_odds(candidate.confidence)
    told = round(sum(factor.value for factor in terms), DIGITS)
    terms += [
        Factor(
            name="other_causes",
            value=round(unguarded - told, DIGITS),
            text="what else explains the facts, or happened together with it",
        ),
        Factor(
            name="not_checked",
            value=round(sure - unguarded, DIGITS),
            text="what could not be checked might speak against it",
        ),
        Factor(
            name="certainty",
            value=round(min(SUREST, max(-SUREST, sure)) - sure, DIGITS),
            text="nothing is told as surer or more doubtful than four digits can say",
        ),
    ]
    return tuple(factor for factor in terms if factor.value)


def _log_odds(confidence: float) -> float:
    """Return the log odds of *confidence* as four digits tell it, or as it is beyond them; with two decimals."""
    told = round(confidence, 4)
    exact = told if 0.0 < told < 1.0 else min(1.0 - SMALLEST, max(SMALLEST, confidence))
    return round(math.log(exact / (1.0 - exact)), DIGITS)


def _alone(
    code: SignalCode, posterior: Posterior, by_code: Mapping[SignalCode, Signal]
) -> list[Factor]:
    """Return the terms of the state in which *code* alone is the cause, against the state without any."""
    i = PLACE[code]
    terms = [
        ("prior", posterior.prior_of(i), "how often this is the cause at all"),
        (
            "kind_of_anomaly",
            float(posterior.context[1 + i] - posterior.context[0]),
            "how this kind of alert fits",
        ),
        (code.value, float(posterior.own[i]), "the signal itself"),
    ]
    others = [(c.value, float(posterior.symptom[i, PLACE[c]])) for c in by_code if c is not code]
    terms += [
        (name, value, "explained by it" if value > 0.0 else "not explained by it")
        for name, value in others
    ]
    silent = float(
        posterior.symptom[i].sum() - posterior.symptom[i, i] - sum(value for _, value in others)
    )
    terms.append(("silence", silent, "consequences that were looked for and did not show"))
    total = float(posterior.logs[1 + i] - posterior.logs[0])
    terms.append(
        ("calibration", total - sum(value for _, value, _ in terms), "fitted from answers")
    )
    return [Factor(name=name, value=round(value, DIGITS), text=text) for name, value, text in terms]
