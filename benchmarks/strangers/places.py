"""Incidents about nothing but shares: in few or a thousand values, crossed, cut off, noisy, several at once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import numpy as np

from benchmarks.strangers.blocks import (
    Axis,
    Cell,
    Cells,
    Counts,
    applied,
    combined,
    drawn,
    joint,
    over,
    wandered,
)
from benchmarks.strangers.faults import blame, swell
from benchmarks.strangers.making import fitting, surround
from benchmarks.strangers.place import happens
from benchmarks.strangers.shares import PROFILED
from benchmarks.strangers.story import Facts, Story, begin
from benchmarks.strangers.telling import as_text, tell
from benchmarks.strangers.upheavals import PLANS, Ground, Upheaval, crossed_share, something

SIZES: Final = (3, 4, 6, 9, 15, 40, 150, 1000)  # values of a dimension
LARGEST_BLOCK: Final = 60_000  # cells; more would take seconds to draw
LARGEST_CROSSING: Final = 2_000  # combinations that a segment profile holds
STEADY: Final = (None, 20_000.0, 5_000.0, 1_500.0, 400.0, 100.0)
KEPT: Final = (5, 10, 20, 50, 100)  # most frequent values of a profile that is cut off
CUT_OFF: Final = 0.25  # of the places
STORMY: Final = 0.2  # of the places have one earlier window that was unusual, too
NAMES: Final = (
    "branch",
    "Produktgruppe",
    "code_postal",
    "sku",
    "ip_range",
    "agent",
    "terminal",
    "lote",
)
SHAPES: Final = ("{0}-{1:04d}", "{1:05d}", "{0} {1}", "{0}/{1:x}")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The usual cells of a place, the unusual window it once had, and what happens now."""

    ground: Ground
    upheaval: Upheaval
    storm: tuple[int, Cells] | None  # window (below 0) and its cells


def places(seed: int, number: int) -> Iterator[tuple[Facts, Facts]]:
    """Yield *number* cases with the truth of each; the same seed yields the same ones.

    The truth has ``top_mover`` or ``segment`` for the largest change, and under ``places`` all of them.
    """
    for k in range(number):
        draw = Random(f"places/{seed}/{k}")  # noqa: S311 - a repeatable draw, no secret
        yield _incident(f"p{seed}-{k:04d}", draw, np.random.default_rng(draw.getrandbits(64)))


def _incident(case_id: str, draw: Random, numbers: np.random.Generator) -> tuple[Facts, Facts]:
    story = begin(case_id, "place", fitting(draw, "busy"), draw, numbers)
    kind = something(draw)
    world = _world(story, kind)
    before = float(world.ground.cells.sum())
    swell(story, float(applied(world.ground.cells, world.upheaval.changes).sum()) / before)
    story.anomaly_type = draw.choice(
        ("distribution_anomaly", "volume_anomaly", "quality_check_failure")
    )
    blame(story, "upstream_data_shift", "distribution_drift", "new_values_appearing")
    if happens(draw, 0.3):  # of the alerts name the dimension, or the first one of a combination
        story.column = _dimensions(world, world.upheaval.named[0])[0]
    surround(story)
    document = tell(story)
    _profiled(story, world, document)
    story.tags[:0] = [f"kind:{kind}"]
    text: Facts = json.loads(json.dumps(as_text(story, document)))
    return text, _truth(story, world)


def _world(story: Story, kind: str) -> World:
    for _ in itertools.count():
        ground = _ground(story, kind)
        upheaval = PLANS[kind](ground)
        if upheaval is None:
            continue
        storm = None
        if happens(story.draw, STORMY):
            other = PLANS[something(story.draw)](replace(ground, crossed=(0, 1)))
            if other is not None:
                storm = (-story.draw.randint(1, 6), applied(ground.cells, other.changes))
        return World(ground=ground, upheaval=upheaval, storm=storm)
    raise AssertionError  # the count has no end


def _ground(story: Story, kind: str) -> Ground:
    """Return a place's cells: two or three axes, each with one value more that has no rows yet."""
    draw = story.draw
    sizes = [draw.choice(SIZES) for _ in range(draw.choice((2, 3)))]
    while np.prod([s + 1 for s in sizes]) > LARGEST_BLOCK:
        sizes[sizes.index(max(sizes))] = draw.choice(SIZES[:4])
    crossed: tuple[int, ...] = ()
    if crossed_share(kind, draw):
        while (sizes[0] + 1) * (sizes[1] + 1) > LARGEST_CROSSING:
            sizes[sizes.index(max(sizes[:2]))] = draw.choice(SIZES[:4])
        three = len(sizes) > 2 and np.prod([s + 1 for s in sizes]) <= LARGEST_CROSSING  # noqa: PLR2004 - a third axis
        crossed = (0, 1, 2) if three and happens(draw, 0.5) else (0, 1)
    axes = tuple(_axis(story, size, k) for k, size in enumerate(sizes))
    cells = joint(story.numbers, [_shares(draw, a) for a in axes], draw.choice((0.0, 0.3, 0.7)))
    return Ground(draw=draw, cells=cells, axes=axes, crossed=crossed)


def _axis(story: Story, size: int, at: int) -> Axis:
    known = [d for d in story.place.dimensions if len(d.values) >= size]
    steadiness = story.draw.choice(STEADY)
    if len(known) > at:
        values = (*known[at].values[:size], story.draw.choice(story.place.fresh))
        return Axis(name=known[at].name, values=values, steadiness=steadiness)
    shape, start = story.draw.choice(SHAPES), story.draw.randrange(1, 9000)
    name = f"{story.draw.choice(NAMES)}_{at}"
    values = tuple(shape.format(name[:2].upper(), start + 7 * k) for k in range(size + 1))
    return Axis(name=name, values=values, steadiness=steadiness)


def _shares(draw: Random, axis: Axis) -> list[float]:
    """Return shares like a long tail or like a handful of equals; the last value has none."""
    tail = draw.choice((0.5, 1.0, 1.4))
    known = len(axis.values) - 1
    weights = [draw.gammavariate(3.0, 1.0) / (rank + 1) ** tail for rank in range(known)]
    return [w / sum(weights) for w in weights] + [0.0]


def _profiled(story: Story, world: World, document: Facts) -> None:
    """Put profiles of the same rows into *document*, as the volume history counts them."""
    ground = world.ground
    singles: list[Facts] = []
    crossings: list[Facts] = []
    limit = story.draw.choice(KEPT) if happens(story.draw, CUT_OFF) else None
    history = sorted(document["volume_history"], key=lambda window: window["window_start"])
    newest = history[-PROFILED:]
    for index, window in zip(range(1 - len(newest), 1), newest, strict=True):
        counts = _window(story, world, index, window["rows"])
        frame = {"window_start": window["window_start"], "window_end": window["window_end"]}
        for place, axis in enumerate(ground.axes):
            told = _cut(over(counts, place, axis), limit)
            singles.append({"dimension": axis.name, **frame, **told})
        if ground.crossed:
            names = [ground.axes[p].name for p in ground.crossed]
            rows = combined(counts, ground.crossed, ground.axes)
            crossings.append({"dimensions": names, **frame, "rows": rows})
    document |= {"dimension_profiles": singles, "segment_profiles": crossings}
    story.tags += ["truncated"] if any(p["truncated"] for p in singles) else []
    story.tags += ["stormy"] if world.storm is not None else []


def _window(story: Story, world: World, index: int, rows: int) -> Counts:
    ground = world.ground
    cells = ground.cells
    if world.storm is not None and index == world.storm[0]:
        cells = world.storm[1]
    wandering = wandered(story.numbers, cells, ground.axes)
    if index == 0:
        wandering = applied(wandering, world.upheaval.changes)
    return drawn(story.numbers, wandering, rows)


def _cut(counts: dict[str, int], limit: int | None) -> Facts:
    if limit is None or len(counts) <= limit:
        return {"counts": counts, "truncated": False}
    kept = sorted(counts, key=lambda value: -counts[value])[:limit]
    return {"counts": {value: counts[value] for value in kept}, "truncated": True}


def _dimensions(world: World, cell: Cell) -> list[str]:
    return [a.name for a, at in zip(world.ground.axes, cell, strict=True) if at is not None]


def _named(world: World, cell: Cell) -> Facts:
    values = [a.values[at] for a, at in zip(world.ground.axes, cell, strict=True) if at is not None]
    return {"dimensions": _dimensions(world, cell), "values": values}


def _truth(story: Story, world: World) -> Facts:
    named: Sequence[Facts] = [_named(world, cell) for cell in world.upheaval.named]
    truth: Facts = {
        "case_id": story.case_id, "causes": story.causes, "signal": story.signals,
        "symptoms": sorted(story.symptoms - set(story.causes)), "diagnosable": True, "difficulty": story.difficulty,
        "tags": [*story.tags, *_sizes(world)], "holes": [], "places": named,
    }  # fmt: skip
    first = named[0]
    if len(first["dimensions"]) > 1:
        return truth | {"segment": first}
    return truth | {"top_mover": {"dimension": first["dimensions"][0], "value": first["values"][0]}}


def _sizes(world: World) -> list[str]:
    """Return how many values the moved dimension has, at most three, nine, forty or more, and how it was counted."""
    cell = world.upheaval.named[0]
    most = max(
        len(a.values) - 1 for a, at in zip(world.ground.axes, cell, strict=True) if at is not None
    )
    size = next((top for top in (9, 40, 150) if most <= top), 1000)
    return [f"values:{size}", "crossed" if world.ground.crossed else "single"]
