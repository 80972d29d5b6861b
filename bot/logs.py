"""Logs: one line per event, JSON for machines or text for a terminal; details come in ``extra``."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final

from bot.settings import LogFormat, LogLevel

_STANDARD: Final = frozenset(
    logging.LogRecord("", 0, "", 0, "", (), None).__dict__.keys()
    | {"message", "asctime", "taskName"}
)


QUOTED: Final = re.compile(
    r"(?<=input_value=).*?(?=, input_type=)"  # pydantic's, of what it refused
    r"|(?<=\[parameters: ).*?(?=\]\s*$|\]\n)",  # SQLAlchemy's, of the statement's values
    re.DOTALL | re.MULTILINE,
)
UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)
LONGEST_VALUE: Final = 2_000  # characters; a log is no place for documents


class _Lines(logging.Formatter):
    """What both forms share: an exception's text quotes no data, and a value is no longer than it need be."""

    def formatException(self, ei: Any) -> str:  # noqa: N802, ANN401 - the library's name and type
        """Return the traceback with the values that libraries quote left out."""
        return QUOTED.sub("…", super().formatException(ei))

    def details(self, record: logging.LogRecord) -> dict[str, object]:
        """Return what came in ``extra``, under names of its own."""
        found = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        return {f"{key}_" if key in OURS else key: _short(value) for key, value in found.items()}


OURS: Final = frozenset({"at", "level", "logger", "event", "exception"})


class JsonLines(_Lines):
    """Each record as one JSON object: when, how bad, where, what, and its details."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a value that JSON does not know is written as its text."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **self.details(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        text = json.dumps(line, default=str, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair


class TextLines(_Lines):
    """Each record as a line for people, its details behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; nothing in a value can begin another one."""
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        details = " ".join(f"{key}={value}" for key, value in self.details(record).items())
        said = f"{record.getMessage()} {details}".rstrip()
        text = f"{at} {record.levelname:<7} {UNPRINTABLE.sub(_escaped, said)}"
        if not record.exc_info:
            return text
        trace = self.formatException(record.exc_info)
        return f"{text}\n{trace}".encode("utf-8", "backslashreplace").decode()


def set_up_logs(form: LogFormat, level: LogLevel) -> None:
    """Send everything from *level* up to standard error, in *form*; other libraries speak from WARNING up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for ours in ("bot", "rca", "runbook"):
        logging.getLogger(ours).setLevel(level.value)


def _short(value: object) -> object:
    if not isinstance(value, str) or len(value) <= LONGEST_VALUE:
        return value
    return f"{value[:LONGEST_VALUE]}… ({len(value)} characters)"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
