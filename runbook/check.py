"""Checks a folder of pages before a bot obeys it: everything wrong with it, at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from runbook.load import Folder, read_folder
from runbook.parse import parse_runbook
from runbook.problem import Problem, RunbookError

_CODE: Final = re.compile(r"^(`{3,}|~{3,}).*?^\1\s*$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK: Final = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)")
_ELSEWHERE: Final = re.compile(
    r"^[a-z][a-z0-9+.-]*:|^//", re.IGNORECASE
)  # http:, mailto: and the like


def check_folder(path: Path, teams: Collection[str] | None = None) -> tuple[Problem, ...]:
    """Return everything that is wrong with the pages in *path*; empty when a bot may obey them.

    Args:
        path: the folder.
        teams: the team ids of the directory; None when there is no directory to ask.
    """
    try:
        folder = read_folder(path)
    except RunbookError as error:
        return error.problems
    problems: tuple[Problem, ...] = ()
    try:
        parse_runbook(folder.pages, teams)
    except RunbookError as error:
        problems = error.problems
    return problems + tuple(_broken_links(folder))


def _broken_links(folder: Folder) -> Iterator[Problem]:
    for file, text in sorted(folder.pages.items()):
        for link in dict.fromkeys(_LINK.findall(_CODE.sub("", text))):
            target = unquote(link.split("#", maxsplit=1)[0])
            if _ELSEWHERE.match(link) or not target or _resolves(target, folder.files):
                continue
            yield Problem(
                file=file, key="body", message=f"link {link} leads to no file of the folder"
            )


def _resolves(target: str, files: frozenset[str]) -> bool:
    """Whether *target*, relative to the folder, is a file in it or a folder with files."""
    parts: list[str] = []
    for part in target.split("/"):
        if part == "..":
            if not parts:
                return False
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    path = "/".join(parts)
    return path in files or any(file.startswith(f"{path}/") for file in files) or not path
