"""What people's answers teach: a few weights of the causal model, moved no further than the answers justify."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships no types

from rca.case import Anomaly, Case
from rca.causal import SHIPPED, Model
from rca.detection import Signal, Skipped
from rca.engine import readings
from rca.evidence import CAUSE_OF, Cause, SignalCode
from rca.posterior import CODES, weigh

Vector = npt.NDArray[np.float64]

ENOUGH: Final = 20  # answers; below, the shipped model is the better guess (references, D.3)
NEWEST: Final = 300  # answers; older ones are of another pipeline
WEIGHT_SPREAD: Final = (
    0.35  # how far a weight may stray from 1, as a standard deviation (references, D.3)
)
OFFSET_SPREAD: Final = 0.8  # natural-log units; the same for a cause's prior (references, D.3)
CLICK_NOISE: Final = 0.08  # share of the answers that are wrong (references, D.3)
HELD_BACK: Final = (
    0.25  # share of the answers, the newest, that a new model must explain better than the old one
)
SMALLEST: Final = 1e-6

CAUSES: Final = tuple(Cause)
_MEMBER: Final = np.array([[float(CAUSE_OF[code] is cause) for cause in CAUSES] for code in CODES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said about one diagnosis: that *cause* was, or was not, a cause of the case."""

    case: Case
    cause: Cause
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lesson:
    """An answer with the readings it is about."""

    signals: Mapping[SignalCode, Signal]
    skipped: Mapping[SignalCode, Skipped]
    anomaly: Anomaly
    place: int
    right: bool


def learn(answers: Sequence[Answer], *, start: Model = SHIPPED) -> Model:
    """Return the model that explains *answers* best without straying far from *start*.

    Args:
        answers: oldest first; the newest NEWEST are used.
        start: the model in use.

    Returns:
        *start* itself when there are fewer than ENOUGH answers, or when the refitted model does not explain the
        newest quarter of them better.

    Source: maximum a posteriori with normal priors and a click-noise likelihood (references, D.4).
    """
    if len(answers) < ENOUGH:
        return start
    lessons = [_lesson(answer) for answer in answers[-NEWEST:]]
    cut = len(lessons) - max(1, round(HELD_BACK * len(lessons)))
    trial = _fit(lessons[:cut], start)
    if _surprise(lessons[cut:], trial) >= _surprise(lessons[cut:], start):
        return start
    return _fit(lessons, start)


def _lesson(answer: Answer) -> _Lesson:
    signals, skipped = readings(answer.case)
    return _Lesson(
        signals={signal.code: signal for signal in signals},
        skipped=skipped,
        anomaly=answer.case.anomaly,
        place=CAUSES.index(answer.cause),
        right=answer.right,
    )


def _fit(lessons: Sequence[_Lesson], start: Model) -> Model:
    def loss(moves: Vector) -> float:
        scale = np.repeat([WEIGHT_SPREAD, OFFSET_SPREAD], len(CAUSES))
        return _surprise(lessons, _moved(start, moves)) + float(((moves / scale) ** 2).sum()) / 2.0

    found = minimize(loss, np.zeros(2 * len(CAUSES)), method="L-BFGS-B", options={"maxiter": 15})
    return _moved(start, found.x)


def _moved(start: Model, moves: Vector) -> Model:
    """Return *start* with its weights multiplied and its offsets shifted."""
    weights, offsets = moves[: len(CAUSES)], moves[len(CAUSES) :]
    return Model(
        weights={
            c: start.weights[c] * math.exp(move) for c, move in zip(CAUSES, weights, strict=True)
        },
        offsets={
            c: start.offsets[c] + float(move) for c, move in zip(CAUSES, offsets, strict=True)
        },
        sharpness=start.sharpness,
    )


def _surprise(lessons: Sequence[_Lesson], model: Model) -> float:
    """Return -ln P(answers | model), with people who are wrong now and then."""
    total = 0.0
    for lesson in lessons:
        faults = weigh(lesson.signals, lesson.skipped, lesson.anomaly, model).faults
        probability = float(min(1.0, (faults @ _MEMBER)[lesson.place]))
        said = probability if lesson.right else 1.0 - probability
        total -= math.log(max(SMALLEST, said * (1.0 - CLICK_NOISE) + (1.0 - said) * CLICK_NOISE))
    return total
