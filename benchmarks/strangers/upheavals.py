"""Every kind of change of shares, as changes of cells and the places where an expert would look."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np

from benchmarks.strangers.blocks import Arrive, Axis, Cell, Cells, Change, Move, Push
from benchmarks.strangers.place import happens

CHANGED: Final = (0.015, 0.4)  # of all rows, drawn evenly in logs
MOST_OF_A_PARENT: Final = 0.6  # a combination with more of a value's rows is that value
LEAST_FALL: Final = 0.5  # of a value's own rows, for a fall worth the name
MOST_TIMES: Final = 12.0  # rows of a value that swells, for each row before


@dataclass(frozen=True, slots=True, kw_only=True)
class Upheaval:
    """What changes, and the cells that an expert would name, the largest change first."""

    changes: tuple[Change, ...]
    named: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where it happens: the usual cells, their axes (the last value of each has no rows yet), and which are crossed."""

    draw: Random
    cells: Cells
    axes: tuple[Axis, ...]
    crossed: tuple[int, ...]  # axes that a segment profile combines; empty where there is none

    def share(self, cell: Cell) -> float:
        """Return the usual share of the rows of *cell*."""
        return float(self.cells[tuple(slice(None) if at is None else at for at in cell)].sum())

    def only(self, place: int, at: int) -> Cell:
        """Return the cell of one value of one axis."""
        return tuple(at if k == place else None for k in range(len(self.axes)))

    def new(self, place: int) -> int:
        """Return the index of the value of axis *place* that never came before."""
        return len(self.axes[place].values) - 1


Plan = Callable[[Ground], Upheaval | None]


def _need(draw: Random) -> float:
    return math.exp(draw.uniform(math.log(CHANGED[0]), math.log(CHANGED[1])))


def _near(ground: Ground, place: int, need: float, without: Sequence[int] = ()) -> int:
    """Return the value of axis *place* whose share is nearest *need*, one of the three nearest at random."""
    known = [k for k in range(ground.new(place)) if k not in without]
    known.sort(key=lambda k: abs(ground.share(ground.only(place, k)) - need))
    return ground.draw.choice(known[:3])


def _somewhere(ground: Ground) -> int:
    return ground.draw.randrange(len(ground.axes))


def _up(ground: Ground, cell: Cell) -> Push:
    times = 1.0 + _need(ground.draw) / max(ground.share(cell), 1e-6)
    return Push(cell=cell, factor=min(MOST_TIMES, max(1.5, times)))


def vanish(ground: Ground) -> Upheaval:
    """One value nearly or wholly stops coming, and its rows with it."""
    place = _somewhere(ground)
    cell = ground.only(place, _near(ground, place, _need(ground.draw)))
    factor = ground.draw.choice((0.0, 0.0, ground.draw.uniform(0.02, LEAST_FALL)))
    return Upheaval(changes=(Push(cell=cell, factor=factor),), named=(cell,))


def swell(ground: Ground) -> Upheaval:
    """One value brings several times its rows."""
    place = _somewhere(ground)
    cell = ground.only(place, ground.draw.randrange(ground.new(place)))
    return Upheaval(changes=(_up(ground, cell),), named=(cell,))


def mix(ground: Ground) -> Upheaval:
    """Rows of one value come under another known one; their number stays."""
    place = _somewhere(ground)
    need = _need(ground.draw)
    source = _near(ground, place, need * ground.draw.uniform(1.0, 3.0))
    target = ground.draw.choice([k for k in range(ground.new(place)) if k != source])
    most = ground.share(ground.only(place, source))
    part = min(1.0, need / max(most, 1e-9))
    change = Move(axis=place, source=source, target=target, part=part)
    return Upheaval(
        changes=(change,), named=(ground.only(place, target), ground.only(place, source))
    )


def renamed(ground: Ground) -> Upheaval:
    """A value is spelled another way from now on."""
    place = _somewhere(ground)
    source = _near(ground, place, _need(ground.draw))
    change = Move(axis=place, source=source, target=ground.new(place), part=1.0)
    named = (ground.only(place, ground.new(place)), ground.only(place, source))
    return Upheaval(changes=(change,), named=named)


def new(ground: Ground) -> Upheaval:
    """Rows come with a value nobody has seen."""
    place = _somewhere(ground)
    change = Arrive(axis=place, target=ground.new(place), share=_need(ground.draw))
    return Upheaval(changes=(change,), named=(ground.only(place, ground.new(place)),))


def several(ground: Ground) -> Upheaval | None:
    """Two or three values of one dimension stop coming at once."""
    place = _somewhere(ground)
    number = ground.draw.choice((2, 2, 3))
    if ground.new(place) < number + 2:  # something has to stay
        return None
    found: list[int] = []
    for _ in range(number):
        found.append(_near(ground, place, _need(ground.draw), found))
    cells = sorted((ground.only(place, k) for k in found), key=ground.share, reverse=True)
    return Upheaval(changes=tuple(Push(cell=c, factor=0.0) for c in cells), named=tuple(cells))


def two_dimensions(ground: Ground) -> Upheaval:
    """A value of one dimension stops, and one of another swells, for reasons of their own."""
    one, two = ground.draw.sample(range(len(ground.axes)), 2)
    gone = ground.only(one, _near(ground, one, _need(ground.draw)))
    more = ground.only(two, _near(ground, two, _need(ground.draw)))
    up = _up(ground, more)
    by_size = sorted(
        ((ground.share(gone), gone), (ground.share(more) * (up.factor - 1.0), more)),
        key=lambda pair: -pair[0],
    )
    return Upheaval(
        changes=(Push(cell=gone, factor=0.0), up), named=tuple(cell for _, cell in by_size)
    )


def _combinations(ground: Ground) -> list[tuple[float, Cell]]:
    """Return every combination that is not nearly all of one of its values, with its share."""
    rest = tuple(k for k in range(len(ground.axes)) if k not in ground.crossed)
    shares = ground.cells.sum(axis=rest, keepdims=True)
    found = []
    for at in np.argwhere(shares > 0.004).tolist():  # noqa: PLR2004 - a smaller one is seen by nobody
        cell = tuple(k if p in ground.crossed else None for p, k in enumerate(at))
        share = float(shares[tuple(at)])
        parents = [tuple(None if p == q else k for p, k in enumerate(cell)) for q in ground.crossed]
        if all(share < MOST_OF_A_PARENT * ground.share(parent) for parent in parents):
            found.append((share, cell))
    return found


def _segment(ground: Ground, taken: Sequence[Cell] = ()) -> Cell | None:
    need = _need(ground.draw)
    free = [
        (abs(share - need), cell)
        for share, cell in _combinations(ground)
        if not any(
            a == b and a is not None for old in taken for a, b in zip(cell, old, strict=True)
        )
    ]
    free.sort(key=lambda pair: pair[0])
    return ground.draw.choice(free[:3])[1] if free else None


def segment_loss(ground: Ground) -> Upheaval | None:
    """One combination of values nearly stops coming."""
    cell = _segment(ground)
    if cell is None:
        return None
    factor = ground.draw.choice((0.0, ground.draw.uniform(0.02, LEAST_FALL)))
    return Upheaval(changes=(Push(cell=cell, factor=factor),), named=(cell,))


def segment_swell(ground: Ground) -> Upheaval | None:
    """One combination of values brings several times its rows."""
    cell = _segment(ground)
    return None if cell is None else Upheaval(changes=(_up(ground, cell),), named=(cell,))


def two_segments(ground: Ground) -> Upheaval | None:
    """Two combinations without a value in common stop coming."""
    one = _segment(ground)
    two = None if one is None else _segment(ground, [one])
    if one is None or two is None:
        return None
    cells = sorted((one, two), key=ground.share, reverse=True)
    return Upheaval(changes=tuple(Push(cell=c, factor=0.0) for c in cells), named=tuple(cells))


PLANS: Final[dict[str, Plan]] = {
    "vanish": vanish, "swell": swell, "mix": mix, "renamed": renamed, "new": new, "several": several,
    "two_dimensions": two_dimensions, "segment_loss": segment_loss, "segment_swell": segment_swell,
    "two_segments": two_segments,
}  # fmt: skip
CROSSED: Final = frozenset({"segment_loss", "segment_swell", "two_segments"})


def something(draw: Random) -> str:
    """Return the name of a plan; each is as likely as any other."""
    return draw.choice(tuple(PLANS))


def crossed_share(kind: str, draw: Random) -> bool:
    """Return whether a segment profile is kept: always where a combination moves, else in half of the places."""
    return kind in CROSSED or happens(draw, 0.5)
