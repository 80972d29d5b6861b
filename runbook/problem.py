"""What is wrong with a folder of pages, said so that whoever edits it finds the place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to correct: the file, the key in its front matter (empty for the file itself), and what is wrong."""

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        """Return the problem as one line."""
        place = f"{self.file}: {self.key}" if self.key else self.file
        return f"{place}: {self.message}"


class RunbookError(Exception):
    """The runbook cannot be used; every problem is named at once, each with its file and key."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
