"""``rca-bot calibrate``: fits the model's few weights to cases whose truth is known, and writes them if they help."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.cli.diagnose import reading
from bot.cli.verb import Verb
from bot.clock import system_clock
from rca.case import Case, CaseError, parse_case
from rca.causal import SHIPPED, Model
from rca.engine import diagnose
from rca.evaluation import Truth, calibration_error, read_truths
from rca.learning import ENOUGH, Answer, learn
from rca.model_file import HeldOut, ModelFile, write_model

HELD_OUT: Final = 0.25  # share of the cases, the newest, that the fit never sees
SMALLEST: Final = 1e-6  # probability; a logarithm needs more than nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A case with the truth about it."""

    case: Case
    truth: Truth


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cases", required=True, metavar="F.jsonl[.gz]")
    parser.add_argument("--truth", required=True, metavar="T.jsonl[.gz]")
    parser.add_argument("--out", required=True, metavar="MODEL.json")


def _run(arguments: argparse.Namespace) -> int:
    with reading(arguments.truth) as lines:
        truths = {truth.case_id: truth for truth in read_truths(line.decode() for line in lines)}
    labelled = sorted(_labelled(arguments.cases, truths), key=lambda one: one.case.as_of)
    cut = len(labelled) - round(HELD_OUT * len(labelled))
    answers = [answer for one in labelled[:cut] for answer in answers_of(one)]
    if len(answers) < ENOUGH:
        return _refused(f"{len(answers)} answers to learn from; {ENOUGH} are needed")
    model = learn(answers)
    before, after = held_out(labelled[cut:], SHIPPED), held_out(labelled[cut:], model)
    print(f"learnt from {len(answers)} answers, held out {after.n}")
    print(f"before: {_said(before)}\nafter:  {_said(after)}")
    if model is SHIPPED or after.log_loss > before.log_loss:
        return _refused("the fitted model is no better than the shipped one")
    document = ModelFile(
        made_at=system_clock(),
        answers=len(answers),
        before=before,
        after=after,
        weights=dict(model.weights),
        offsets=dict(model.offsets),
        sharpness=model.sharpness,
    )
    Path(arguments.out).write_text(write_model(document), encoding="utf-8")
    return 0


def _refused(why: str) -> int:
    print(f"rca-bot: {why}; nothing was written", file=sys.stderr)
    return 1


def _labelled(path: str, truths: Mapping[str, Truth]) -> Iterator[Labelled]:
    with reading(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                case, _ = parse_case(line)
            except CaseError as error:
                raise CaseError(f"{path}:{number}: {error}") from error
            if case.case_id in truths:
                yield Labelled(case=case, truth=truths[case.case_id])


def answers_of(labelled: Labelled) -> Iterator[Answer]:
    """Yield what somebody who knows the truth says of the first hypothesis; nothing where there is none."""
    top = diagnose(labelled.case).top
    if top is not None:
        right = top.cause_type in labelled.truth.causes
        yield Answer(case=labelled.case, cause=top.cause_type, right=right)


def held_out(cases: Sequence[Labelled], model: Model) -> HeldOut:
    """Return how *model* does on *cases*; those without a hypothesis are left out."""
    tops = ((diagnose(one.case, model=model).top, one.truth) for one in cases)
    stated = [(top.confidence, top.cause_type in truth.causes) for top, truth in tops if top]
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


def _said(score: HeldOut) -> str:
    named = (("ECE", score.ece), ("Brier", score.brier), ("top-1", score.top1))
    parts = [f"{name} {'-' if value is None else f'{value:.3f}'}" for name, value in named]
    return ", ".join([*parts, f"log loss {score.log_loss:.3f}"])


VERB: Final = Verb(
    name="calibrate",
    help="fit the model's weights to cases with known truth",
    declare=_declare,
    run=_run,
)
