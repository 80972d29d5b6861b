"""Logs: one line per event, JSON for machines or text for a terminal; details come in ``extra``."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from bot.settings import LogFormat, LogLevel

_STANDARD: Final = frozenset(
    logging.LogRecord("", 0, "", 0, "", (), None).__dict__.keys()
    | {"message", "asctime", "taskName"}
)


class JsonLines(logging.Formatter):
    """Each record as one JSON object: when, how bad, where, what, and its details."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a value that JSON does not know is written as its text."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **_details(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(logging.Formatter):
    """Each record as a line for people, its details behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        details = " ".join(f"{key}={value}" for key, value in _details(record).items())
        text = f"{at} {record.levelname:<7} {record.getMessage()} {details}".rstrip()
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def set_up_logs(form: LogFormat, level: LogLevel) -> None:
    """Send everything from *level* up to standard error, in *form*; other libraries speak from WARNING up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for ours in ("bot", "rca", "runbook"):
        logging.getLogger(ours).setLevel(level.value)


def _details(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
