"""``rca-bot status``: per source, when it last answered, how far behind it is, and what went wrong."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.table import Table

from bot.cli.stored import with_store
from bot.cli.verb import Verb
from bot.clock import system_clock
from bot.directory import Directory
from bot.render.sources import Heard, SourceStatus, ago, status_of
from bot.settings import Settings
from bot.store import Store
from bot.store.polls import Poll

UNWELL: Final = 1  # exit status when a source lacks something


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--datasets", action="store_true", help="one line per source and dataset as well"
    )


def _run(arguments: argparse.Namespace) -> int:
    settings = Settings.for_tools(os.environ)
    polls = asyncio.run(with_store(settings, _polls))
    now = system_clock()
    console = Console(markup=False)
    if not settings.directory.sources:
        print(
            "No source is named in the directory: facts come only from webhooks and rca-bot load."
        )
        return 0
    statuses = _statuses(settings.directory, polls, now)
    console.print(_table(settings.directory, statuses, now))
    for status in statuses:
        for problem in status.problems:
            print(f"{status.source_id}: {problem}")
    if arguments.datasets:
        console.print(_by_dataset(polls, now))
    return 0 if all(status.is_well for status in statuses) else UNWELL


async def _polls(store: Store) -> tuple[Poll, ...]:
    return await store.polls.list()


def _statuses(
    directory: Directory, polls: Sequence[Poll], now: datetime
) -> tuple[SourceStatus, ...]:
    """The directory's sources, in its order."""
    return tuple(
        status_of(
            source_id,
            [
                Heard(
                    dataset=poll.key.dataset,
                    last_success_at=poll.last_success_at,
                    failures=poll.failures,
                    problem=poll.last_problem,
                )
                for poll in polls
                if poll.key.source_id == source_id
            ],
            now,
        )
        for source_id in directory.sources
    )


def _table(directory: Directory, statuses: Sequence[SourceStatus], now: datetime) -> Table:
    table = Table("source", "kind", "datasets", "never read", "failing", "last success", "lag")
    for each in statuses:
        last = each.last_success_at
        table.add_row(
            each.source_id,
            directory.sources[each.source_id].kind,
            str(each.datasets),
            str(each.never),
            str(each.failing),
            f"{ago(now - last)} ago" if last else "never",
            ago(each.lag) if each.lag is not None else "none",
        )
    return table


def _by_dataset(polls: Sequence[Poll], now: datetime) -> Table:
    table = Table("source", "tenant", "dataset", "last success", "failures", "next")
    for poll in polls:
        last = poll.last_success_at
        table.add_row(
            poll.key.source_id,
            poll.key.tenant_id,
            poll.key.dataset,
            f"{ago(now - last)} ago" if last else "never",
            str(poll.failures),
            f"in {ago(poll.next_at - now)}",
        )
    return table


VERB: Final = Verb(
    name="status",
    help="per source: last success, lag and what went wrong",
    declare=_declare,
    run=_run,
)
