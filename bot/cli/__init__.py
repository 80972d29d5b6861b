"""rca-bot: the command line. One file per verb, found through its constant ``VERB``."""

from bot.cli.main import main

__all__ = ["main"]
