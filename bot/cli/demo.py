"""``rca-bot demo``: the whole story on one machine, without an account."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Final

from bot.cli.verb import Verb
from bot.logs import set_up_logs
from bot.sandbox.story import play_in_browser, play_in_terminal
from bot.settings import LogFormat, LogLevel

PORT: Final = 8765


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--terminal", action="store_true", help="tell the story here, then end")
    parser.add_argument("--no-open", action="store_true", help="serve the page, open no browser")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the page; {PORT} by default")


def _run(arguments: argparse.Namespace) -> int:
    set_up_logs(LogFormat.TEXT, LogLevel.WARNING)
    in_terminal = arguments.terminal or not (arguments.no_open or _has_browser())
    with tempfile.TemporaryDirectory(prefix="rca-bot-demo-") as name:
        folder = Path(name)
        if in_terminal:
            asyncio.run(play_in_terminal(folder))
        else:
            asyncio.run(
                play_in_browser(folder, port=arguments.port, open_page=not arguments.no_open)
            )
    return 0


def _has_browser() -> bool:
    """Whether a page that we open would be seen by somebody."""
    if not sys.stdout.isatty():
        return False
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


VERB: Final = Verb(
    name="demo", help="see the whole story on this machine", declare=_declare, run=_run
)
