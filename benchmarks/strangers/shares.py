"""How the rows of a window fall over the values of each dimension, and over combinations of two."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.strangers.place import Dimension
from benchmarks.strangers.story import Facts, Shares, Story

PROFILED: Final = 24  # windows at most
SHOWN: Final = 60  # values of a truncated profile


def profiles(story: Story, totals: Sequence[float]) -> tuple[list[Facts], list[Facts]]:
    """Return the dimension profiles, and segment profiles where the story has a combination that moves."""
    single: list[Facts] = []
    joint: list[Facts] = []
    dimensions = story.place.dimensions
    first = max(1 - len(totals), 1 - PROFILED)
    pair = dimensions[:2] if story.joint else ()
    for index in range(first, 1):
        rows = round(totals[index - 1])
        frame = {"window_start": story.edge(index), "window_end": story.edge(index + 1)}
        if pair:
            cells = _cells(story, (pair[0], pair[1]), index, rows)
            for place, dimension in enumerate(pair):
                counts: dict[str, int] = {}
                for values, n in cells.items():
                    counts[values[place]] = counts.get(values[place], 0) + n
                single.append(
                    {"dimension": dimension.name, **frame, "counts": counts, "truncated": False}
                )
            joint.append(
                {
                    "dimensions": [d.name for d in pair],
                    **frame,
                    "rows": [[list(v), n] for v, n in cells.items()],
                }
            )
        for dimension in dimensions[len(pair) :]:
            counts = _counts(story, dimension, index, rows)
            single.append(
                {"dimension": dimension.name, **frame, "counts": counts, "truncated": False}
            )
    return single, joint


def shares_of(story: Story, dimension: Dimension, index: int) -> Shares:
    """Return the shares that window *index* is drawn from."""
    alpha = np.array(dimension.shares)
    if dimension.steadiness is not None:
        alpha = story.numbers.dirichlet(np.maximum(alpha * dimension.steadiness, 1e-3))
    shares = dict(zip(dimension.values, alpha.tolist(), strict=True))
    for shift in story.shifts:
        if shift.dimension == dimension.name and index >= shift.first:
            shares = shift.change(shares)
    return shares


def _counts(story: Story, dimension: Dimension, index: int, rows: int) -> dict[str, int]:
    shares = shares_of(story, dimension, index)
    drawn = _multinomial(story, rows, list(shares.values()))
    return {value: n for value, n in zip(shares, drawn, strict=True) if n > 0}


def _cells(
    story: Story, pair: tuple[Dimension, Dimension], index: int, rows: int
) -> dict[tuple[str, str], int]:
    one, two = (shares_of(story, dimension, index) for dimension in pair)
    weights = {
        (a, b): one[a] * two[b] * (story.joint.get((a, b), 1.0) if index == 0 else 1.0)
        for a, b in itertools.product(one, two)
    }
    drawn = _multinomial(story, rows, list(weights.values()))
    return {values: n for values, n in zip(weights, drawn, strict=True) if n > 0}


def _multinomial(story: Story, rows: int, weights: Sequence[float]) -> list[int]:
    chances = np.maximum(np.array(weights), 0.0)
    if chances.sum() <= 0:
        return [0 for _ in weights]
    return [int(n) for n in story.numbers.multinomial(rows, chances / chances.sum())]
