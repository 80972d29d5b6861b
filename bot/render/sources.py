"""How each source is doing: when it last answered, how far behind it is, and what went wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.render.text import count_of

MOST_PROBLEMS: Final = 3  # different ones per source; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of asking one source about one dataset."""

    dataset: str
    last_success_at: datetime | None
    failures: int
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """One source: ``lag`` is since the dataset that waits longest was last read, None when one never was.

    ``problems`` are what it last said instead of facts, each with the datasets it concerns.
    """

    source_id: str
    datasets: int
    never: int
    failing: int
    last_success_at: datetime | None
    lag: timedelta | None
    problems: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether every dataset was read at the last try."""
        return self.failing == 0 and self.never == 0 and self.datasets > 0


def status_of(source_id: str, heard: Sequence[Heard], now: datetime) -> SourceStatus:
    """Return how a source is doing at *now*, from what came of each of its datasets."""
    successes = [each.last_success_at for each in heard if each.last_success_at is not None]
    complete = heard and len(successes) == len(heard)
    return SourceStatus(
        source_id=source_id,
        datasets=len(heard),
        never=len(heard) - len(successes),
        failing=sum(1 for each in heard if each.failures),
        last_success_at=max(successes, default=None),
        lag=now - min(successes) if complete else None,
        problems=tuple(_problems(heard)),
    )


def _problems(heard: Iterable[Heard]) -> Iterable[str]:
    said: dict[str, list[str]] = {}
    for each in heard:
        if each.problem:
            said.setdefault(each.problem, []).append(each.dataset)
    ranked = sorted(said.items(), key=lambda item: (-len(item[1]), item[0]))
    for problem, datasets in ranked[:MOST_PROBLEMS]:
        others = f" and {len(datasets) - 1} more" if len(datasets) > 1 else ""
        yield f"{datasets[0]}{others}: {problem}"
    if len(ranked) > MOST_PROBLEMS:
        yield f"and {count_of(len(ranked) - MOST_PROBLEMS, 'other problem')}"


def ago(span: timedelta) -> str:
    """Return a span as people say it: ``40 s``, ``12 min``, ``3 h``, ``9 d``."""
    seconds = max(0.0, span.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
