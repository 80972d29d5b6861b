"""Reads a TOML file, or a folder of them as one document, and remembers which file says what."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

EXAMPLE: Final = "deploy/directory.example.toml"  # every key with a sentence

Tables = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong at one key: ``("teams", "infra", "next")``."""

    path: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTables:
    """What all files say together, and what is wrong with them as files."""

    tables: Tables
    origins: Mapping[tuple[str, str], str]  # (table, key) -> file name
    problems: tuple[str, ...]

    def placed(self, problems: Iterable[Problem]) -> Iterator[str]:
        """Yield each problem as one line that begins with its file, where one file says it, and its key."""
        for problem in problems:
            file = (
                self.origins.get((problem.path[0], problem.path[1])) if problem.path[1:] else None
            )
            yield f"{f'{file}: ' if file else ''}{'.'.join(problem.path)}: {problem.text}"


def read_tables(path: Path) -> ReadTables:
    """Read a file, or every ``*.toml`` file of a folder; a key said twice is a problem, never a race of files.

    Never raises: what cannot be read is among the problems.
    """
    merged: dict[str, dict[str, object]] = {}
    origins: dict[tuple[str, str], str] = {}
    problems: list[str] = []
    files = tuple(sorted(path.glob("*.toml"))) if path.is_dir() else (path,)
    if not files:
        copied = shlex.quote(str(path / "directory.toml"))
        problems.append(
            f"{path}: the folder holds no .toml file; make one with: cp {EXAMPLE} {copied}"
        )
    for file in files:
        for table, key, value in _entries(file, problems):
            if (table, key) in origins:
                problems.append(
                    f"{file.name}: {table}.{key}: already said in {origins[table, key]}"
                )
                continue
            origins[table, key] = file.name
            merged.setdefault(table, {})[key] = value
    return ReadTables(tables=merged, origins=origins, problems=tuple(problems))


def _entries(file: Path, problems: list[str]) -> Iterator[tuple[str, str, object]]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(
            f"{file}: there is no such file; make one with: cp {EXAMPLE} {shlex.quote(str(file))}"
        )
        return
    except OSError as error:
        problems.append(f"{file}: cannot be read: {error.strerror or type(error).__name__}")
        return
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        problems.append(f"{file.name}: {error}")
        return
    for table, entries in document.items():
        if isinstance(entries, dict):
            yield from ((table, key, value) for key, value in entries.items())
        else:
            problems.append(f"{file.name}: {table}: must be a table")
