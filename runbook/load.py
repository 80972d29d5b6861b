"""Reads the runbook's pages from a folder, or those shipped with the package: the only place here that reads files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from runbook.page import Runbook
from runbook.parse import parse_runbook
from runbook.problem import Problem, RunbookError

__all__ = ["Folder", "Runbook", "RunbookError", "load_runbook", "read_folder"]

MAX_FILE_BYTES: Final = (
    1_000_000  # ours: far beyond any page; a larger file is not read into memory
)
_MAX_DEPTH: Final = 5  # folders within folders whose files links may lead to


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What a folder of pages holds: the text of its own ``.md`` files, and the paths of all files in it."""

    pages: Mapping[str, str]
    files: frozenset[str]


def load_runbook(folder: Path | None = None) -> Runbook:
    """Return the runbook in *folder*, or the shipped one.

    Raises:
        RunbookError: the folder cannot be read, or its pages are wrong; every problem is named at once.
    """
    return parse_runbook(read_folder(folder).pages)


def read_folder(folder: Path | None = None) -> Folder:
    """Return the content of *folder*, or of the shipped pages.

    Raises:
        RunbookError: the folder or one of its pages cannot be read as UTF-8 text.
    """
    root: Traversable = folder or resources.files("runbook").joinpath("pages")
    if not root.is_dir():
        raise RunbookError([Problem(file=str(folder), key="", message="is not a folder")])
    pages: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        for entry in sorted(root.iterdir(), key=lambda entry: entry.name):
            if entry.is_file() and entry.name.endswith(".md"):
                try:
                    pages[entry.name] = _text(entry)
                except (OSError, ValueError) as error:
                    problems.append(
                        Problem(file=entry.name, key="", message=f"cannot be read: {error}")
                    )
        files = frozenset(_files(root, "", _MAX_DEPTH))
    except OSError as error:
        problems.append(Problem(file=str(folder), key="", message=f"cannot be read: {error}"))
    if problems:
        raise RunbookError(problems)
    return Folder(pages=pages, files=files)


def _text(entry: Traversable) -> str:
    with entry.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES} bytes")
    return content.decode("utf-8")


def _files(root: Traversable, prefix: str, depth: int) -> Iterator[str]:
    for entry in root.iterdir():
        if entry.is_file():
            yield f"{prefix}{entry.name}"
        elif depth and entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/", depth - 1)
