"""``rca-bot diagnose``: one case for people, or many cases for a file, on all cores."""

from __future__ import annotations

import argparse
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import IO, Final

from rich.console import Console
from rich.progress import track

from bot.cli.files import STDIN, document_in, lines_in
from bot.cli.verb import Verb
from bot.render.terminal import print_diagnosis
from rca.case import Case, CaseError, parse_case
from rca.causal import SHIPPED, Model
from rca.diagnosis import Diagnosis
from rca.engine import diagnose
from rca.model_file import ModelFileError, read_model
from runbook.advice import advise
from runbook.context import context_of
from runbook.load import Runbook, load_runbook

CHUNK: Final = (
    8  # cases a worker takes at once: enough to hide the hand-over, few enough to share the work
)


AHEAD: Final = 3  # chunks for each worker: one in work, the others ready when it is done


@cache
def shipped() -> Runbook:
    """Return the shipped runbook, read once per process."""
    return load_runbook()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What came of one line: the diagnosis as JSON, or what is wrong with it."""

    number: int
    diagnosis: str | None = None
    problem: str | None = None
    unknown_keys: tuple[str, ...] = ()


def complete(case: Case, book: Runbook, model: Model = SHIPPED) -> Diagnosis:
    """Return the diagnosis of *case* as of its own instant, with the runbook's advice; pure."""
    diagnosis = diagnose(case, model=model)
    context = context_of(case, diagnosis, opened_at=case.anomaly.detected_at, now=case.as_of)
    return advise(diagnosis, case, context, book, case.as_of)


def diagnose_lines(lines: Iterable[bytes], workers: int, model: Model = SHIPPED) -> Iterator[Line]:
    """Yield what came of each line, in order; a broken line costs that line only.

    Reads no further ahead than the workers need: memory is that of a few lines for each, however many there are.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    if workers <= 1:
        yield from map(partial(_diagnose_line, model=model), numbered)
        return
    waiting: deque[Future[list[Line]]] = deque()
    pool = ProcessPoolExecutor(workers)
    try:
        while chunk := list(islice(numbered, CHUNK)):
            waiting.append(pool.submit(_diagnose_chunk, chunk, model))
            if len(waiting) > AHEAD * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def model_in(path: str | None) -> Model:
    """Return the model in the file at *path*; the shipped one when none is named.

    Raises:
        ModelFileError: the file is no model; named with what is wrong.
    """
    if path is None:
        return SHIPPED
    try:
        return read_model(Path(path).read_bytes()).model
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error


def _diagnose_chunk(chunk: Sequence[tuple[int, bytes]], model: Model) -> list[Line]:
    return [_diagnose_line(numbered, model) for numbered in chunk]


def _diagnose_line(numbered: tuple[int, bytes], model: Model) -> Line:
    number, raw = numbered
    try:
        case, unknown = parse_case(raw)
    except CaseError as error:
        return Line(number=number, problem=str(error))
    return Line(
        number=number, diagnosis=complete(case, shipped(), model).to_json(), unknown_keys=unknown
    )


def _declare(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--case", metavar="FILE", help="one case; - reads standard input")
    which.add_argument("--cases", metavar="F.jsonl[.gz]", help="one case per line")
    parser.add_argument(
        "--json", action="store_true", help="print the document instead of the view"
    )
    parser.add_argument("--out", metavar="D.jsonl", help="where the diagnoses of --cases go")
    parser.add_argument("--model", metavar="FILE", help="weights written by rca-bot calibrate")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")


def _run(arguments: argparse.Namespace) -> int:
    return _one(arguments) if arguments.cases is None else _many(arguments)


def _one(arguments: argparse.Namespace) -> int:
    path = arguments.case
    try:
        case, unknown = parse_case(document_in(path))
    except CaseError as error:
        raise CaseError(f"{path}: {error}") from error
    _warn(path, unknown)
    diagnosis = complete(case, shipped(), model_in(arguments.model))
    if arguments.json:
        print(diagnosis.to_json())
    else:
        print_diagnosis(diagnosis, Console())
    return 0


def _many(arguments: argparse.Namespace) -> int:
    broken = 0
    with _writing(arguments.out) as out:
        answers: Iterable[Line] = diagnose_lines(
            lines_in(arguments.cases), arguments.workers, model_in(arguments.model)
        )
        if sys.stderr.isatty():
            console = Console(stderr=True)
            total = _count(arguments.cases)
            answers = track(answers, "Diagnosing", total=total, console=console)
        for line in answers:
            where = f"{arguments.cases}:{line.number}"
            _warn(where, line.unknown_keys)
            if line.diagnosis is None:
                broken += 1
                print(f"rca-bot: {where}: {line.problem}", file=sys.stderr)
            else:
                out.write(line.diagnosis + "\n")
    if broken:
        print(f"rca-bot: {broken} broken lines were left out", file=sys.stderr)
    return 1 if broken else 0


def _warn(where: str, unknown: tuple[str, ...]) -> None:
    if unknown:
        names = ", ".join(unknown[:10])
        print(f"rca-bot: {where}: ignored unknown keys: {names}", file=sys.stderr)


@contextmanager
def _writing(path: str | None) -> Iterator[IO[str]]:
    if path in (None, STDIN):
        yield sys.stdout
    else:
        with Path(str(path)).open("w", encoding="utf-8") as out:
            yield out


def _count(path: str) -> int | None:
    """How many lines there will be, for the bar; unknown where reading twice is not possible."""
    if path == STDIN:
        return None
    return sum(1 for line in lines_in(path) if line.strip())


VERB: Final = Verb(
    name="diagnose",
    help="diagnose one case file, or many from JSON lines",
    declare=_declare,
    run=_run,
)
