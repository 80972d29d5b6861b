"""Whether a fitted model is better than the one in use, on incidents that the fit never saw. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scipy.special import bdtrc  # type: ignore[import-untyped]  # scipy ships no types

from rca.case import Case
from rca.causal import Model
from rca.engine import diagnose
from rca.evaluation import calibration_error
from rca.evidence import Cause
from rca.learning import Answer
from rca.model_file import HeldOut

SHARE: Final = 0.25  # of the incidents, the newest: a model is for what comes next
FEWEST: Final = 8  # incidents; ours: below five, no gain is beyond chance; with eight, one may fail
CHANCE: Final = 0.05  # probability of taking what is no better for better; the usual one
ECE_SLACK: Final = 0.01  # ours: half of what one answer in fifty moves it by
BRIER_SLACK: Final = 0.005  # ours: the same, for squares
SMALLEST: Final = 1e-6  # probability; a logarithm needs more than nothing


Stated = tuple[float, bool]
"""A confidence, and whether it was right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models on the same held-out answers.

    ``by_chance`` is the probability of such gains per incident if neither were better, in [0, 1].
    """

    before: HeldOut
    after: HeldOut
    incidents: int
    by_chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A case, and which causes somebody says that it had and had not; ``incident`` groups what belongs together."""

    incident: str
    case: Case
    right: frozenset[Cause]
    wrong: frozenset[Cause]

    def hit(self, cause: Cause) -> bool | None:
        """Return whether *cause* is right; None when nobody said. Naming one cause says that others were not it."""
        if cause in self.right:
            return True
        return False if cause in self.wrong or self.right else None


def split(labelled: Sequence[Labelled]) -> tuple[tuple[Labelled, ...], tuple[Labelled, ...]]:
    """Return what to learn from and what to hold out: whole incidents, the newest SHARE of them.

    Args:
        labelled: in any order.
    """
    newest: dict[str, float] = {}
    for one in labelled:
        at = one.case.as_of.timestamp()
        newest[one.incident] = max(at, newest.get(one.incident, at))
    order = sorted(newest, key=lambda incident: (newest[incident], incident))
    kept = set(order[: len(order) - round(SHARE * len(order))])
    by_age = sorted(labelled, key=lambda one: one.case.as_of)
    learnt = tuple(one for one in by_age if one.incident in kept)
    return learnt, tuple(one for one in by_age if one.incident not in kept)


def answers_of(labelled: Labelled) -> Iterator[Answer]:
    """Yield what was said about the first hypothesis, and each cause that was named instead of it."""
    top = diagnose(labelled.case).top
    hit = labelled.hit(top.cause_type) if top else None
    if top is not None and hit is not None:
        yield Answer(case=labelled.case, cause=top.cause_type, right=hit)
    for cause in sorted(labelled.right):
        if top is None or cause is not top.cause_type:
            yield Answer(case=labelled.case, cause=cause, right=True)


def compare(cases: Sequence[Labelled], start: Model, model: Model) -> Comparison:
    """Return how *model* does on *cases* beside *start*, where somebody spoke of the first hypothesis of both.

    An incident of which many people spoke counts once: they saw the same evidence.
    """
    old: list[Stated] = []
    new: list[Stated] = []
    gains: dict[str, list[float]] = {}
    for one in cases:
        before, after = _stated(one, start), _stated(one, model)
        if before is not None and after is not None:
            old.append(before)
            new.append(after)
            gains.setdefault(one.incident, []).append(_surprise(before) - _surprise(after))
    return Comparison(
        before=_measured(old),
        after=_measured(new),
        incidents=len(gains),
        by_chance=_by_chance([sum(each) / len(each) for each in gains.values()]),
    )


def _stated(one: Labelled, model: Model) -> Stated | None:
    """The confidence of the first hypothesis and whether it is right; None when nobody spoke of it."""
    top = diagnose(one.case, model=model).top
    hit = one.hit(top.cause_type) if top else None
    return None if top is None or hit is None else (top.confidence, hit)


def _surprise(stated: Stated) -> float:
    confidence, hit = stated
    return -math.log(max(SMALLEST, confidence if hit else 1.0 - confidence))


def _measured(stated: Sequence[Stated]) -> HeldOut:
    count = len(stated)
    if not count:
        return HeldOut(n=0, ece=None, brier=None, top1=None, log_loss=0.0)
    return HeldOut(
        n=count,
        ece=calibration_error(stated),
        brier=sum((confidence - hit) ** 2 for confidence, hit in stated) / count,
        top1=sum(hit for _, hit in stated) / count,
        log_loss=sum(map(_surprise, stated)) / count,
    )


def _by_chance(gains: Sequence[float]) -> float:
    """Return how likely so many gains are where neither model is better.

    Counted and not measured, because one answer against a near certainty weighs more than all others together.

    Source: the sign test, one-sided and exact; ties are left out.
    """
    moved = [gain for gain in gains if gain != 0.0]
    gained = sum(gain > 0.0 for gain in moved)
    return float(bdtrc(gained - 1, len(moved), 0.5)) if gained else 1.0


def why_not(found: Comparison) -> str | None:
    """Return why the model must not replace the one in use; None when it may."""
    before, after = found.before, found.after
    if found.incidents < FEWEST:
        return f"{found.incidents} incidents were held out; {FEWEST} are needed to say whether it is better"
    reasons = (
        (
            after.log_loss >= before.log_loss,
            "the fitted model explains the held-out answers no better",
        ),
        (
            _worse(before.ece, after.ece, ECE_SLACK),
            "the fitted model's confidences are less often right (ECE)",
        ),
        (
            _worse(before.brier, after.brier, BRIER_SLACK),
            "the fitted model's confidences are further off (Brier)",
        ),
        (
            _worse(after.top1, before.top1, 0.0),
            "the fitted model puts the right cause first less often",
        ),
        (
            found.by_chance > CHANCE,
            "what the fitted model gains on the held-out answers may be chance; more answers will tell",
        ),
    )
    return next((why for holds, why in reasons if holds), None)


def _worse(before: float | None, after: float | None, slack: float) -> bool:
    return before is not None and after is not None and after > before + slack
