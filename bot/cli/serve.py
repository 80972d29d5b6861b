"""``rca-bot serve``: runs the bot until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
from typing import Final

from bot.app import built, running
from bot.cli.verb import Verb
from bot.logs import set_up_logs
from bot.settings import Settings

ENDED_BY_ITSELF: Final = 1  # exit status: a supervisor starts us anew
LONGEST_ERROR: Final = 500  # characters; the whole of it stands in the traceback

log = logging.getLogger(__name__)


def _declare(parser: argparse.ArgumentParser) -> None:
    del parser


def _run(arguments: argparse.Namespace) -> int:
    del arguments
    settings = Settings.from_env(os.environ)
    set_up_logs(settings.log_format, settings.log_level)
    try:
        asyncio.run(_serve(settings))
    except ExceptionGroup as error:  # a part ended by itself, such as one that lost its database
        first = _first_of(error)
        log.critical(
            "rca-bot cannot go on and ends; start it anew",
            exc_info=error,
            extra={"error": f"{type(first).__name__}: {first}"[:LONGEST_ERROR]},
        )
        return ENDED_BY_ITSELF
    return 0


def _first_of(error: BaseException) -> BaseException:
    """Return what went wrong first, out of the groups it is wrapped in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _serve(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    async with built(settings) as app, running(app) as address:
        log.info("rca-bot is running", extra={"address": address, "slack": settings.slack_mode})
        await stopped.wait()
        log.info("rca-bot is stopping")


VERB: Final = Verb(name="serve", help="run the bot", declare=_declare, run=_run)
