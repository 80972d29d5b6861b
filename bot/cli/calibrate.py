"""``rca-bot calibrate``: fits the model to known truth and to people's answers, and writes it if it helps."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from bot.cli.diagnose import model_in
from bot.cli.files import lines_in, truths_in
from bot.cli.stored import with_store
from bot.cli.verb import Verb
from bot.clock import system_clock
from bot.ports import BotError
from bot.records import Verdict
from bot.settings import Settings
from bot.store import Labelled as AnswerWithCase
from bot.store import Store
from rca.case import CaseError, parse_case
from rca.causal import Model
from rca.evaluation import Truth
from rca.evidence import Cause
from rca.held_out import Comparison, Labelled, answers_of, compare, split, why_not
from rca.learning import ENOUGH, learn
from rca.model_file import HeldOut, ModelFile, write_model

CAUSES: Final = frozenset(Cause)
DOUBTFUL_BELOW: Final = 0.5  # share; answers that fit less often are themselves in doubt


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cases", metavar="F.jsonl[.gz]", help="cases whose truth is known")
    parser.add_argument("--truth", metavar="T.jsonl[.gz]", help="the truth about them")
    parser.add_argument(
        "--answers", action="store_true", help="what people said of diagnoses, from the database"
    )
    parser.add_argument(
        "--model",
        metavar="FILE",
        help="the model in use; without it what MODEL names, or the shipped one",
    )
    parser.add_argument("--out", required=True, metavar="MODEL.json")


def _run(arguments: argparse.Namespace) -> int:
    labelled = [*_known(arguments), *(_answered() if arguments.answers else ())]
    in_use = _in_use(arguments.model)
    learnt, kept = split(labelled)
    answers = [answer for one in learnt for answer in answers_of(one)]
    if len(answers) < ENOUGH:
        return _refused(f"{len(answers)} answers to learn from; {ENOUGH} are needed")
    model = learn(
        answers
    )  # around the shipped weights: around fitted ones, answers would count twice
    found = compare(kept, in_use, model)
    print(
        f"learnt from {len(answers)} answers, held out {found.before.n} of {found.incidents} incidents"
    )
    print(f"before: {_said(found.before)}\nafter:  {_said(found.after)}")
    if (why := why_not(found)) is not None:
        return _refused(why)
    _write(Path(arguments.out), model, len(answers), found)
    print(f"written to {arguments.out}; set MODEL to it, and restart the bot")
    if (share := found.after.top1) is not None and share < DOUBTFUL_BELOW:
        print(
            f"rca-bot: even so, the cause that people named came first in only {100.0 * share:.0f} % of the held-out "
            "incidents; read some of their answers before you use it",
            file=sys.stderr,
        )
    return 0


def _in_use(path: str | None) -> Model:
    named = Settings.for_tools(os.environ).model_path
    return model_in(path or (str(named) if named else None))


def _write(path: Path, model: Model, answers: int, found: Comparison) -> None:
    document = ModelFile(
        made_at=system_clock(),
        answers=answers,
        before=found.before,
        after=found.after,
        weights=dict(model.weights),
        offsets=dict(model.offsets),
        sharpness=model.sharpness,
    )
    path.write_text(write_model(document), encoding="utf-8")


def _refused(why: str) -> int:
    print(f"rca-bot: {why}; nothing was written", file=sys.stderr)
    return 1


def _known(arguments: argparse.Namespace) -> tuple[Labelled, ...]:
    """Cases with their truth.

    Raises:
        BotError: one without the other, or nothing to learn from at all.
    """
    if arguments.cases is None and arguments.truth is None:
        if not arguments.answers:
            raise BotError("name --cases with --truth, or --answers, or all three")
        return ()
    if arguments.cases is None or arguments.truth is None:
        raise BotError("--cases and --truth need each other")
    truths = {truth.case_id: truth for truth in truths_in(arguments.truth)}
    return tuple(_labelled(arguments.cases, truths))


def _labelled(path: str, truths: Mapping[str, Truth]) -> Iterator[Labelled]:
    for number, line in enumerate(lines_in(path), 1):
        if not line.strip():
            continue
        try:
            case, _ = parse_case(line)
        except CaseError as error:
            raise CaseError(f"{path}:{number}: {error}") from error
        if case.case_id in truths:
            right = frozenset(truths[case.case_id].causes)
            yield Labelled(
                incident=f"case:{case.case_id}", case=case, right=right, wrong=CAUSES - right
            )


def _answered() -> tuple[Labelled, ...]:
    found = asyncio.run(with_store(Settings.for_tools(os.environ), _read))
    return labelled_by_people(found)


async def _read(store: Store) -> tuple[AnswerWithCase, ...]:
    return await store.answers.labelled()


def labelled_by_people(found: Sequence[AnswerWithCase]) -> tuple[Labelled, ...]:
    """Return one labelled case per diagnosis and person: what they said was right, and what was wrong.

    ``none`` means that none of the causes was right.
    """

    def whose(one: AnswerWithCase) -> tuple[str, str]:
        return one.answer.signal_id, one.answer.by

    together = (list(group) for _, group in groupby(sorted(found, key=whose), key=whose))
    return tuple(_of_person(group) for group in together)


def _of_person(group: Sequence[AnswerWithCase]) -> Labelled:
    said = {one.answer.cause_type: one.answer.verdict for one in group}
    right = frozenset(cause for cause in CAUSES if said.get(cause) is Verdict.RIGHT)
    wrong = frozenset(cause for cause in CAUSES if said.get(cause) is Verdict.WRONG)
    if said.get("none") is Verdict.RIGHT:
        wrong = CAUSES - right
    first = group[0]
    return Labelled(
        incident=f"incident:{first.answer.incident_id}", case=first.case, right=right, wrong=wrong
    )


def _said(score: HeldOut) -> str:
    named = (("ECE", score.ece), ("Brier", score.brier), ("top-1", score.top1))
    parts = [f"{name} {'-' if value is None else f'{value:.3f}'}" for name, value in named]
    return ", ".join([*parts, f"log loss {score.log_loss:.3f}"])


VERB: Final = Verb(
    name="calibrate",
    help="fit the model's weights to cases with known truth and to people's answers",
    declare=_declare,
    run=_run,
)
