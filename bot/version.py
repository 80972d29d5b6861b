"""Which version of the bot this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """Return the installed version, or ``0+checkout`` when the package is not installed."""
    try:
        return installed("rca-bot")
    except PackageNotFoundError:
        return "0+checkout"
