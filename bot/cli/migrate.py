"""``rca-bot migrate``: brings the database up to date; safe to run on every replica at once."""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import Final

from bot.cli.verb import Verb
from bot.settings import Settings
from bot.store.engine import create_engine
from bot.store.migrate import current, upgrade


def _declare(parser: argparse.ArgumentParser) -> None:
    del parser


def _run(arguments: argparse.Namespace) -> int:
    del arguments
    print(asyncio.run(_migrate(Settings.for_tools(os.environ))))
    return 0


async def _migrate(settings: Settings) -> str:
    engine = create_engine(settings.database_url.get_secret_value())
    try:
        await upgrade(engine)
        return f"The database is at {await current(engine)}."
    finally:
        await engine.dispose()


VERB: Final = Verb(name="migrate", help="bring the database up to date", declare=_declare, run=_run)
