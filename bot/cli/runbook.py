"""``rca-bot runbook check|show``: the team's own pages, validated and read."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from bot.cli.verb import Verb
from bot.settings import Settings
from runbook.check import check_folder
from runbook.load import load_runbook
from runbook.show import show


def _declare(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(dest="part", required=True)
    check = parts.add_parser("check", help="validate a folder of pages")
    check.add_argument("folder", type=Path)
    shown = parts.add_parser("show", help="print the runbook, or one cause's page")
    shown.add_argument("page", nargs="?", metavar="CAUSE", help="a cause, or no_signal")
    shown.add_argument("--folder", type=Path, help="your own pages; without it the shipped ones")


def _run(arguments: argparse.Namespace) -> int:
    return _check(arguments.folder) if arguments.part == "check" else _show(arguments)


def _check(folder: Path) -> int:
    teams = Settings.for_tools(os.environ).directory.teams
    problems = check_folder(folder, set(teams) if teams else None)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{folder}: {len(problems) or 'no'} problem{'s' if len(problems) != 1 else ''}")
    return 1 if problems else 0


def _show(arguments: argparse.Namespace) -> int:
    print(show(load_runbook(arguments.folder), arguments.page))
    return 0


VERB: Final = Verb(
    name="runbook", help="check or show the runbook's pages", declare=_declare, run=_run
)
