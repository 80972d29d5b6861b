"""Finds the verbs and runs the one that was named."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Final

import bot.cli
from bot.cli.verb import Verb
from bot.ports import BotError
from bot.render.text import clean
from bot.version import version
from rca.case import RcaError
from runbook.problem import RunbookError

PLUMBING: Final = frozenset({"main", "verb", "stored", "files"})
USAGE: Final = 2  # exit status for what the person can fix, as argparse has it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``rca-bot`` with *arguments* and return its exit status: 0 done, 1 done with faults, 2 not done."""
    try:
        with _written_out():
            chosen = _parser().parse_args(arguments)
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, TextIOWrapper):
                    # a terminal without some letter gets its number
                    stream.reconfigure(errors="backslashreplace")
            return int(chosen.run(chosen))
    except BrokenPipeError:
        _write_nowhere()
        return 0
    except (BotError, RcaError, RunbookError, OSError) as error:
        print(f"rca-bot: {clean(_plain(error))}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return 130


@contextmanager
def _written_out() -> Iterator[None]:
    """Write out all that was printed inside, where that ended without a fault.

    Raises:
        BrokenPipeError: whoever reads standard output has seen enough, as ``head`` has.
    """
    try:
        yield
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # so a console of rich ends
            raise ended.__context__ from None
        sys.stdout.flush()
        raise
    sys.stdout.flush()


def _write_nowhere() -> None:
    """Let go of what nobody reads: the interpreter would try again to write it, and fail, when it ends."""
    with suppress(OSError):  # a standard output that is no file of the system
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rca-bot",
        description="Answers data-quality alerts with the likely root cause, the evidence and the first action.",
    )
    parser.add_argument("--version", action="version", version=f"rca-bot {version()}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in sorted(find_verbs(), key=lambda each: each.name):
        part = verbs.add_parser(verb.name, help=verb.help, description=verb.help)
        verb.declare(part)
        part.set_defaults(run=verb.run)
    return parser


def _plain(error: Exception) -> str:
    """Return what is wrong; what the system refused without its number, under the file's name where it has one."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    why = f"{error.strerror[0].lower()}{error.strerror[1:]}"
    return why if error.filename is None else f"{error.filename}: {why}"


def find_verbs() -> Iterator[Verb]:
    """Yield every verb; a file beside this one without a ``VERB`` is ours to mend and raises."""
    for module_info in pkgutil.iter_modules(bot.cli.__path__):
        if module_info.name not in PLUMBING:
            module = importlib.import_module(f"bot.cli.{module_info.name}")
            verb = module.VERB
            assert isinstance(verb, Verb), module.__name__  # noqa: S101 - a contract of ours
            yield verb
