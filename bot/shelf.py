"""The team's runbook at run time: read again when its files have changed, and never replaced by a broken one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from runbook.load import Runbook, RunbookError, load_runbook

log = logging.getLogger(__name__)

Stamps = Mapping[str, tuple[int, int]]


class Shelf:
    """Holds the last good runbook of a folder, or the shipped one.

    Raises:
        RunbookError: the folder is wrong at the start; later on a wrong one is logged and left aside.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._read = self._seen = _stamps(folder)
        self._book = load_runbook(folder)

    def book(self) -> Runbook:
        """Return the last good runbook."""
        return self._book

    def refresh(self) -> bool:
        """Read the folder again once it has changed and rested; return whether a new runbook is in force.

        A file that is still being written may read as a whole page with half of its rules: so what changed since
        the last look is left for the next one.
        """
        stamps = _stamps(self._folder)
        rested, self._seen = stamps == self._seen, stamps
        if not rested or stamps == self._read:
            return False
        self._read = stamps
        try:
            self._book = load_runbook(self._folder)
        except RunbookError as error:
            log.error(  # noqa: TRY400 - the problems are the message; a traceback would bury them
                "the runbook was changed but is wrong; the last good one stays",
                extra={"problems": str(error)[:2000]},
            )
            return False
        log.info("the runbook was read again", extra={"folder": str(self._folder)})
        return True


def _stamps(folder: Path | None) -> Stamps:
    """Size and time of change of every page; the shipped pages do not change."""
    if folder is None:
        return {}
    found = {}
    for page in folder.glob("*.md"):
        try:
            stat = page.stat()
        except OSError:  # removed while we looked
            continue
        found[page.name] = (stat.st_mtime_ns, stat.st_size)
    return found
