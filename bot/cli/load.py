"""``rca-bot load CASE…``: stores the facts of case files, so that live diagnosis has something to read."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import Final

from bot.cli.stored import with_store
from bot.cli.verb import Verb
from bot.clock import system_clock
from bot.settings import Settings
from bot.store import Store
from rca.case import Case, CaseError, parse_case
from rca.shift import shifted_to


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="CASE.json")
    parser.add_argument(
        "--now",
        action="store_true",
        help="move all times so that the incident happens now: for trying things out",
    )


def _run(arguments: argparse.Namespace) -> int:
    cases = [
        _read(path) for path in arguments.files
    ]  # all of them first: a broken file stores nothing
    if arguments.now:
        now = system_clock()
        cases = [shifted_to(case, now) for case in cases]
    settings = Settings.for_tools(os.environ)
    asyncio.run(with_store(settings, lambda store: _load(cases, store)))
    return 0


def _read(path: Path) -> Case:
    try:
        case, _ = parse_case(path.read_bytes())
    except CaseError as error:
        raise CaseError(f"{path}: {error}") from error
    return case


async def _load(cases: list[Case], store: Store) -> None:
    for case in cases:
        report = await store.facts.load(case, system_clock())
        counts = ", ".join(f"{count} {fact}" for fact, count in report.counts.items() if count)
        print(f"{case.anomaly.tenant_id}/{case.anomaly.dataset}: {counts or 'nothing'}")


VERB: Final = Verb(name="load", help="store the facts of case files", declare=_declare, run=_run)
