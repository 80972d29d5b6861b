"""How a benchmark prints what it measured: Markdown tables, small shares as ``.012``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from time import perf_counter


def say(line: str = "") -> None:
    """Print one line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    say(f"| {' | '.join(head)} |")
    say(f"|{'---|' * len(head)}")
    for row in rows:
        say(f"| {' | '.join(row)} |")
    say()


def share(value: float) -> str:
    """Return a share in [0, 1] with three places and no leading zero."""
    return f"{value:.3f}".lstrip("0") if value < 1.0 else "1"


def fastest_s(call: Callable[[], object], *, rounds: int) -> float:
    """Return the seconds of the fastest of *rounds* calls: what is left when nothing else disturbs."""
    spans = []
    for _ in range(rounds):
        begun = perf_counter()
        call()
        spans.append(perf_counter() - begun)
    return min(spans)
