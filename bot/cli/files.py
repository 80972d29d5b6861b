"""Reads what a verb is given: documents and files of lines, packed or not, from a path or standard input."""

from __future__ import annotations

import codecs
import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from bot.ports import BotError
from rca.evaluation import Truth, TruthError, read_truths

STDIN: Final = "-"
PACKED: Final = ".gz"
MOST_BYTES: Final = 256 * 2**20  # of one line or document, unpacked: thousands of typical cases


@contextmanager
def reading(path: str) -> Iterator[IO[bytes]]:
    """Open a file, packed or not; ``-`` is standard input.

    Raises:
        BotError: what is packed is cut or broken; also while it is read.
    """
    try:
        if path == STDIN:
            yield sys.stdin.buffer
        elif path.endswith(PACKED):
            with gzip.open(path, "rb") as packed:
                yield packed  # type: ignore[misc]  # a GzipFile reads like any other file
        else:
            with Path(path).open("rb") as plain:
                yield plain
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BotError(f"{path}: the packed file is cut or broken: pack it again") from error


def lines_in(path: str) -> Iterator[bytes]:
    """Yield the lines of a file; none is ever held beyond ``MOST_BYTES``.

    Raises:
        BotError: a line is longer, or what is packed is broken; the text names the file.
    """
    with reading(path) as file:
        number = 0
        while line := file.readline(MOST_BYTES + 1):
            number += 1
            if len(line) > MOST_BYTES:
                raise BotError(
                    f"{path}:{number}: longer than {MOST_BYTES // 2**20} MiB: put one document on each line"
                )
            yield _unmarked(line) if number == 1 else line


def document_in(path: str) -> bytes:
    """Return the one document a file holds.

    Raises:
        BotError: it is larger than ``MOST_BYTES``, or what is packed is broken; the text names the file.
    """
    with reading(path) as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise BotError(f"{path}: larger than {MOST_BYTES // 2**20} MiB: leave out facts")
    return _unmarked(raw)


def _unmarked(raw: bytes) -> bytes:
    """Return *raw* without the mark that some programs put before UTF-8."""
    return raw.removeprefix(codecs.BOM_UTF8)


def truths_in(path: str) -> tuple[Truth, ...]:
    """Return the truths of a file, one on each line.

    Raises:
        TruthError: a line is none; the text names the file, the line and the field.
        BotError: the file cannot be read.
    """
    try:
        return read_truths(lines_in(path))
    except TruthError as error:
        raise TruthError(f"{path}: {error}") from error
