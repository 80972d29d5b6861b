"""``rca-bot why``: what one hypothesis of a case rests on, and what speaks against it."""

from __future__ import annotations

import argparse
from typing import Final

from bot.cli.diagnose import model_in
from bot.cli.files import document_in
from bot.cli.verb import Verb
from bot.ports import BotError
from bot.render import plain
from bot.render.why import no_such_rank, why
from rca.case import CaseError, parse_case
from rca.engine import diagnose


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--case", required=True, metavar="FILE", help="one case; - is standard input"
    )
    parser.add_argument("--model", metavar="FILE", help="weights written by rca-bot calibrate")
    parser.add_argument("--hypothesis", type=int, default=1, metavar="N", help="its rank, from 1")


def _run(arguments: argparse.Namespace) -> int:
    path = arguments.case
    try:
        case, _ = parse_case(document_in(path))
    except CaseError as error:
        raise CaseError(f"{path}: {error}") from error
    diagnosis = diagnose(case, model=model_in(arguments.model))
    message = why(diagnosis, arguments.hypothesis)
    if message is None:
        raise BotError(no_such_rank(diagnosis, arguments.hypothesis))
    print(plain.text(message))
    return 0


VERB: Final = Verb(
    name="why",
    help="say what a hypothesis of a case rests on, and what speaks against it",
    declare=_declare,
    run=_run,
)
