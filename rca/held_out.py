"""Whether a fitted model is better than the one in use, on incidents that the fit never saw. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rca.case import Case
from rca.causal import Model
from rca.engine import diagnose
from rca.evaluation import calibration_error
from rca.evidence import Cause
from rca.learning import Answer
from rca.model_file import HeldOut

SHARE: Final = 0.25  # of the incidents, the newest: a model is for what comes next
FEWEST: Final = 8  # ours: with fewer, one answer moves every measure by more than an eighth
ECE_SLACK: Final = 0.01  # ours: half of what one answer in fifty moves it by
BRIER_SLACK: Final = 0.005  # ours: the same, for squares
SMALLEST: Final = 1e-6  # probability; a logarithm needs more than nothing


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


def measure(cases: Sequence[Labelled], model: Model) -> HeldOut:
    """Return how *model* does on *cases*; those whose first hypothesis nobody spoke of are left out."""
    stated: list[tuple[float, bool]] = []
    for one in cases:
        top = diagnose(one.case, model=model).top
        hit = one.hit(top.cause_type) if top else None
        if top is not None and hit is not None:
            stated.append((top.confidence, hit))
    count = len(stated)
    if not count:
        return HeldOut(n=0, ece=None, brier=None, top1=None, log_loss=0.0)
    said = (confidence if hit else 1.0 - confidence for confidence, hit in stated)
    return HeldOut(
        n=count,
        ece=calibration_error(stated),
        brier=sum((confidence - hit) ** 2 for confidence, hit in stated) / count,
        top1=sum(hit for _, hit in stated) / count,
        log_loss=sum(-math.log(max(SMALLEST, each)) for each in said) / count,
    )


def why_not(before: HeldOut, after: HeldOut) -> str | None:
    """Return why a model that does *after* must not replace one that does *before*; None when it may."""
    if min(before.n, after.n) < FEWEST:
        return f"{after.n} answers were held out; {FEWEST} are needed to say whether it is better"
    if after.log_loss >= before.log_loss:
        return "the fitted model explains the held-out answers no better"
    if _worse(before.ece, after.ece, ECE_SLACK):
        return "the fitted model's confidences are less often right (ECE)"
    if _worse(before.brier, after.brier, BRIER_SLACK):
        return "the fitted model's confidences are further off (Brier)"
    if _worse(after.top1, before.top1, 0.0):
        return "the fitted model puts the right cause first less often"
    return None


def _worse(before: float | None, after: float | None, slack: float) -> bool:
    return before is not None and after is not None and after > before + slack
