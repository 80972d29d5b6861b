"""Is it the combination or its values: set one aside, and see whether what is left of the other is as usual.

Source: the ripple effect, by which all children of a moved parent move alike (Squeeze, Li et al. 2019), turned round:
where the rest of a value stays as it was, the value did not move.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rca.stats.divergence import jsd_terms
from rca.stats.robust import MAD_TO_SIGMA, median

Counts = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Key = tuple[str | None, ...]
Elements = Mapping[str, str | None]

CLEARLY: Final = 5.0  # spreads; far enough for one of thousands of combinations
BARELY: Final = 3.0  # spreads; as far as what stays may stray
ALIKE: Final = 0.5  # of the logarithmic change of the children; a rest that changes by less did not move with them
STILL: Final = (
    0.25  # of the logarithmic change of the combination; a rest that changes by less stayed
)
ENOUGH_ROWS: Final = 10.0  # expected; of fewer nobody can say whether they are as usual
WORTH_A_LOOK: Final = 0.1  # share of the divergence; smaller parts are not the story
MOST_TRIED: Final = 5  # combinations; what a person reads
HALF_A_ROW: Final = 0.5  # keeps the logarithm of nothing finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Cube:
    """Rows per combination of values: ``before`` has a row for each window, ``now`` is the one that is judged."""

    dimensions: tuple[str, ...]
    keys: tuple[Key, ...]
    before: Counts
    now: Counts

    def inside(self, elements: Elements) -> Mask:
        """Return which combinations lie in *elements*."""
        places = [(self.dimensions.index(name), value) for name, value in elements.items()]
        return np.array([all(key[p] == v for p, v in places) for key in self.keys], dtype=np.bool_)

    def over(self, names: Sequence[str]) -> Cube:
        """Return the same rows counted by *names* only."""
        places = [self.dimensions.index(name) for name in names]
        at: dict[Key, int] = {}
        codes = [at.setdefault(tuple(key[p] for p in places), len(at)) for key in self.keys]
        before, now = np.zeros((len(self.before), len(at))), np.zeros(len(at))
        np.add.at(before.T, codes, self.before.T)
        np.add.at(now, codes, self.now)
        return Cube(dimensions=tuple(names), keys=tuple(at), before=before, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The change of one part beside another, in ln units, and how much of that is usual; rows of the part expected."""

    ln: float
    spread: float
    expected: float

    @property
    def spreads(self) -> float:
        """How many times the usual straying the change is, at least 0."""
        return abs(self.ln) / self.spread


def change(cube: Cube, part: Mask, beside: Mask) -> Change:
    """Return by how much the rows of *part* changed for each row *beside* it, against the windows before.

    The spread is the straying of the windows before, and what chance alone does to so few rows.
    """
    ratios = np.log((cube.before[:, part].sum(axis=1) + HALF_A_ROW)
                    / (cube.before[:, beside].sum(axis=1) + HALF_A_ROW))  # fmt: skip
    usual = median(ratios.tolist())
    stray = MAD_TO_SIGMA * median(np.abs(ratios - usual).tolist())
    held, others = float(cube.now[part].sum()), float(cube.now[beside].sum())
    expected = (others + HALF_A_ROW) * math.exp(usual)
    chance = 1.0 / (expected + HALF_A_ROW) + 1.0 / (others + HALF_A_ROW)
    return Change(
        ln=math.log((held + HALF_A_ROW) / (others + HALF_A_ROW)) - usual,
        spread=math.sqrt(stray**2 + chance),
        expected=expected,
    )


def whole(cube: Cube, found: Sequence[Elements]) -> Elements | None:
    """Return the value, or the smaller combination, that all of *found* are mere parts of; None when there is none.

    What is left of it without *found* moved as they did, or it has several of them and nothing worth counting is left.
    """
    aside = _any(cube, found)
    for elements in _wholes(found[0]):
        parts = [part for part in found if elements.items() <= part.items()]
        of_it = cube.inside(elements)
        beside = ~(of_it | aside)
        if not beside.any():
            continue
        moved = change(cube, _any(cube, parts), beside)
        rest = change(cube, of_it & ~aside, beside)
        if rest.expected < ENOUGH_ROWS:
            if len(parts) > 1:
                return elements
        elif (
            rest.spreads > BARELY
            and rest.ln * moved.ln > 0.0
            and abs(rest.ln) >= ALIKE * abs(moved.ln)
        ):
            return elements
    return None


def _any(cube: Cube, parts: Iterable[Elements]) -> Mask:
    inside: Mask = np.logical_or.reduce([cube.inside(elements) for elements in parts])
    return inside


def _wholes(elements: Elements) -> Iterator[Elements]:
    """Yield what *elements* is part of, the largest first."""
    for size in range(1, len(elements)):
        for names in itertools.combinations(elements, size):
            yield {name: elements[name] for name in names}


def combinations(cube: Cube) -> tuple[Elements, ...]:
    """Return the combinations of as many dimensions as it takes that moved while the rest of their values stayed.

    Returns:
        What changed the shares most first, MOST_TRIED at most, all of the same dimensions; nothing where the values
        themselves moved, or where too few rows are left of them to say.
    """
    if len(cube.before) < 2 or not cube.now.any():  # noqa: PLR2004 - one window does not show what is usual
        return ()
    for size in range(len(cube.dimensions), 1, -1):
        for names in itertools.combinations(cube.dimensions, size):
            part = cube.over(names) if size < len(cube.dimensions) else cube
            found = _alone(part)
            if found:
                return found
    return ()


def _alone(cube: Cube) -> tuple[Elements, ...]:
    terms = jsd_terms(cube.before.sum(axis=0), cube.now)
    least = WORTH_A_LOOK * float(terms.sum())
    largest = np.argsort(-terms, kind="stable")[:MOST_TRIED].tolist()
    tried = [
        dict(zip(cube.dimensions, cube.keys[k], strict=True)) for k in largest if terms[k] > least
    ]
    return tuple(elements for elements in tried if _stands_alone(cube, elements, tried))


def _stands_alone(cube: Cube, elements: Elements, tried: Sequence[Elements]) -> bool:
    """Return whether *elements* moved clearly, and what is left of everything it is part of did not."""
    aside = _any(cube, tried)
    moved = change(cube, cube.inside(elements), ~aside)
    return moved.spreads > CLEARLY and all(
        _stayed(change(cube, of_it & ~aside, ~(of_it | aside)), moved)
        for of_it in (cube.inside(parent) for parent in _wholes(elements))
    )


def _stayed(rest: Change, moved: Change) -> bool:
    enough = rest.expected >= ENOUGH_ROWS
    return enough and (rest.spreads <= BARELY or abs(rest.ln) < STILL * abs(moved.ln))
