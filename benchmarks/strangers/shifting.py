"""Shifts that come with the rows themselves: values that vanish, grow, are new, or multiply."""

from __future__ import annotations

import math
from typing import Final

from benchmarks.strangers.faults import Fault, blame, suffer, swell
from benchmarks.strangers.place import Dimension, happens
from benchmarks.strangers.story import NodeTrouble, Shares, Shift, Story

FLOOR: Final = {
    "weak": 0.04,
    "medium": 0.1,
    "strong": 0.25,
}  # of all rows; below it nobody would care
SPREADS: Final = {
    "weak": 8.0,
    "medium": 15.0,
    "strong": 30.0,
}  # times the usual wandering of the share
MOST: Final = 0.6  # of all rows
DRIFT: Final = "distribution_drift"


def spread(story: Story, dimension: Dimension, share: float) -> float:
    """Return the standard deviation of a share from window to window."""
    wander = 0.0 if dimension.steadiness is None else 1.0 / (dimension.steadiness + 1.0)
    return math.sqrt(
        share * (1.0 - share) * (1.0 / max(story.place.traffic.rows * 0.3, 1.0) + wander)
    )


def size(story: Story, dimension: Dimension, share: float, strength: str) -> float:
    """Return a change of *share* that stands out as *strength* says."""
    return min(
        MOST,
        max(FLOOR[strength], SPREADS[strength] * spread(story, dimension, share))
        * story.draw.uniform(1.0, 1.3),
    )


def _upstream(story: Story, *signals: str) -> None:
    story.anomaly_type = story.draw.choice(
        ("distribution_anomaly", "distribution_anomaly", "quality_check_failure")
    )
    blame(story, "upstream_data_shift", *signals)


def vanish(story: Story, strength: str) -> None:
    """One value stops coming, and its rows with it."""
    dimension = story.draw.choice(story.place.dimensions)
    need = {"weak": 0.06, "medium": 0.15, "strong": 0.3}[strength]
    value, share = min(
        zip(dimension.values, dimension.shares, strict=True), key=lambda vs: abs(vs[1] - need)
    )
    story.shifts.append(
        Shift(first=0, dimension=dimension.name, change=lambda shares: _scaled(shares, value, 0.0))
    )
    swell(story, 1.0 - share)
    _upstream(story, DRIFT)
    story.mover = {"dimension": dimension.name, "value": value}
    if share > 0.25:  # noqa: PLR2004 - every sync brings a quarter less
        suffer(story, "ingestion_failure")
        story.tags.append("looks_like_partial")
        story.anomaly_type = story.draw.choice(("volume_anomaly", "distribution_anomaly"))


def _scaled(shares: Shares, value: str, factor: float) -> Shares:
    changed = {v: s * (factor if v == value else 1.0) for v, s in shares.items()}
    total = sum(changed.values()) or 1.0
    return {v: s / total for v, s in changed.items()}


def mix(story: Story, strength: str) -> None:
    """One value takes over shares of another."""
    dimension = story.draw.choice(story.place.dimensions)
    ordered = sorted(zip(dimension.values, dimension.shares, strict=True), key=lambda vs: -vs[1])
    (loser, most), (gainer, _) = ordered[0], story.draw.choice(ordered[1:])
    moved = min(size(story, dimension, most, strength), most * 0.9)

    def change(shares: Shares) -> Shares:
        taken = min(moved, shares[loser] * 0.95)
        return shares | {loser: shares[loser] - taken, gainer: shares[gainer] + taken}

    story.shifts.append(Shift(first=0, dimension=dimension.name, change=change))
    _upstream(story, DRIFT)
    story.mover = {"dimension": dimension.name, "value": gainer}


def segment(story: Story, strength: str) -> None:
    """One combination of two values grows or nearly stops."""
    one, two = story.place.dimensions[:2]
    pairs = [
        (a, b, p * q)
        for a, p in zip(one.values, one.shares, strict=True)
        for b, q in zip(two.values, two.shares, strict=True)
    ]
    need = {"weak": 0.08, "medium": 0.12, "strong": 0.2}[strength]
    a, b, share = min(pairs, key=lambda pair: abs(pair[2] - need))
    factor = (
        1.0 + {"weak": 1.5, "medium": 2.5, "strong": 5.0}[strength]
        if happens(story.draw, 0.5)
        else 0.05
    )
    story.joint[a, b] = factor
    swell(story, 1.0 + share * (factor - 1.0))
    _upstream(story, DRIFT)
    story.segment = {"dimensions": [one.name, two.name], "values": [a, b]}


def new_values(*, many: bool) -> Fault:
    """Return the shift of values that were never seen, in one dimension or in several."""

    def inject(story: Story, strength: str) -> None:
        share = {"weak": 0.02, "medium": 0.06, "strong": 0.2}[strength] * story.draw.uniform(
            1.0, 1.5
        )
        chosen = story.place.dimensions if many else (story.draw.choice(story.place.dimensions),)
        fresh = list(story.place.fresh)
        story.draw.shuffle(fresh)
        for dimension in chosen:
            value = fresh.pop()

            def change(shares: Shares, value: str = value) -> Shares:
                return {v: s * (1.0 - share) for v, s in shares.items()} | {value: share}

            story.shifts.append(Shift(first=0, dimension=dimension.name, change=change))
            story.mover = {"dimension": dimension.name, "value": value}
        _upstream(story, "new_values_appearing", *([DRIFT] if share > 0.04 else []))  # noqa: PLR2004 - moves the shares too
        _refused(story)

    return inject


def _refused(story: Story) -> None:
    """Let an accepted-values test on the way refuse what is new."""
    tests = [
        t
        for n in story.place.models.chain
        for t in story.place.models.tests[n]
        if ".accepted_values" in t
    ]
    if tests and happens(story.draw, 0.5):
        story.nodes.append(
            NodeTrouble(
                first=story.first_run,
                last=0,
                node=story.draw.choice(tests),
                status="fail",
                message="Got 1 result, configured to fail if != 0",
            )
        )
        suffer(story, "transformation_regression")
        story.tags.append("symptoms")


def _garbled(story: Story, value: str, number: int) -> str:
    shapes = (
        f"{value}-{story.draw.getrandbits(28):07x}",
        f"{value} {number}",
        str(story.draw.randint(10**6, 10**7)),
    )
    return story.draw.choice(shapes)


def multiply(story: Story, strength: str) -> None:
    """A column fills with values that should be few: ids, free text, broken encodings."""
    dimension = story.draw.choice(story.place.dimensions)
    times = {"weak": 3, "medium": 8, "strong": 30}[strength]
    share = {"weak": 0.1, "medium": 0.25, "strong": 0.5}[strength]
    new = [_garbled(story, v, k) for k in range(times) for v in dimension.values]

    def change(shares: Shares) -> Shares:
        return {v: s * (1.0 - share) for v, s in shares.items()} | dict.fromkeys(
            new, share / len(new)
        )

    story.shifts.append(Shift(first=0, dimension=dimension.name, change=change))
    _upstream(story, "cardinality_explosion", "new_values_appearing")
    story.mover = {"dimension": dimension.name, "value": None}
