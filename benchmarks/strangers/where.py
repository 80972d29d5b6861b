"""How often a diagnosis names the place that moved, kind by kind; what no profile shows is counted apart."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmarks.strangers.story import Facts
from benchmarks.table import say, say_table, share
from rca.case import parse_case
from rca.diagnosis import Diagnosis
from rca.engine import diagnose
from rca.evidence import DistributionDriftEvidence, NewValuesEvidence
from rca.view.dimensions import joined

LEAST_WINDOWS: Final = 3  # before that nobody knows what is usual
LEAST_CHANGE: Final = 0.01  # of all rows
LEAST_SPREADS: Final = 5.0  # standard deviations of the window's own noise
MAD_TO_SIGMA: Final = 1.4826  # of a normal distribution
Place = tuple[str, str]  # dimension and value, both joined for a combination


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One incident: what was to be named, and what was."""

    case_id: str
    tags: tuple[str, ...]
    visible: bool
    wanted: tuple[Place, ...]
    named: tuple[Place, ...]

    @property
    def first(self) -> bool:
        """Whether the largest change is among what was named."""
        return self.wanted[0] in self.named

    @property
    def every(self) -> bool:
        """Whether all changes are among what was named."""
        return set(self.wanted) <= set(self.named)

    @property
    def at_top(self) -> bool:
        """Whether what was named first is one of the changes."""
        return bool(self.named) and self.named[0] in self.wanted


def look(case: Facts, truth: Facts) -> Found:
    """Diagnose *case* and compare the places with *truth*."""
    diagnosis = diagnose(parse_case(case)[0])
    wanted = tuple((joined(p["dimensions"]), joined(p["values"])) for p in truth["places"])
    return Found(
        case_id=case["case_id"],
        tags=tuple(truth["tags"]),
        visible=visible(case, truth["places"][0]),
        wanted=wanted,
        named=tuple(dict.fromkeys(_named(diagnosis))),
    )


def _named(diagnosis: Diagnosis) -> Iterable[Place]:
    """Yield every place of the evidence, in the order in which people read it."""
    for signal in (s for h in diagnosis.hypotheses for s in h.signals):
        match signal.evidence:
            case DistributionDriftEvidence() as evidence:
                yield from ((evidence.dimension, m.value) for m in evidence.top_movers)
                for other in evidence.also_moved:
                    yield from ((other.dimension, m.value) for m in other.top_movers)
            case NewValuesEvidence() as evidence:
                yield from ((new.dimension, new.value) for new in evidence.new_values)
            case _:
                pass


def visible(case: Facts, place: Mapping[str, Sequence[str]]) -> bool:
    """Return whether the share of *place* stands out of its own history in the profiles of *case*.

    An expert with the profile on the screen sees a change of at least a hundredth of the rows that is five times as
    large as what the share does from window to window and what so few rows do by chance.
    """
    shares = _shares(case, place)
    if shares is None or len(shares) <= LEAST_WINDOWS:
        return False
    *before, (now, rows) = shares
    usual = statistics.median(s for s, _ in before)
    wander = MAD_TO_SIGMA * statistics.median(abs(s - usual) for s, _ in before)
    chance = math.sqrt(max(usual * (1.0 - usual), 1.0 / rows) / rows)
    return abs(now - usual) >= max(LEAST_CHANGE, LEAST_SPREADS * max(wander, chance))


def _shares(case: Facts, place: Mapping[str, Sequence[str]]) -> list[tuple[float, int]] | None:
    """Return the share of *place* and all rows of each window that has any, oldest first; None when not counted."""
    dimensions, values = list(place["dimensions"]), list(place["values"])
    found: list[tuple[datetime, int, int]] = []
    if len(dimensions) == 1:
        for p in case["dimension_profiles"]:
            if p["dimension"] == dimensions[0]:
                least = min(p["counts"].values(), default=0) if p["truncated"] else 0
                told = p["counts"].get(values[0], least)
                found.append((_start(p), told, sum(p["counts"].values())))
    for p in case["segment_profiles"] if len(dimensions) > 1 else ():
        at = [p["dimensions"].index(d) for d in dimensions]
        mine = sum(n for combination, n in p["rows"] if [combination[k] for k in at] == values)
        found.append((_start(p), mine, sum(n for _, n in p["rows"])))
    counted = [(n / rows, rows) for _, n, rows in sorted(found) if rows > 0]
    newest = max((start for start, _, _ in found), default=None)
    seen = any(start == newest and rows > 0 for start, _, rows in found)
    return counted if seen else None


def _start(profile: Facts) -> datetime:
    return datetime.fromisoformat(profile["window_start"])


def report_places(made: Sequence[tuple[Facts, Facts]], errors: int) -> None:
    """Look at every case and print what was found, by kind and by circumstance."""
    found = [look(case, truth) for case, truth in made]
    by_tag: dict[str, list[Found]] = {}
    for one in found:
        for tag in one.tags:
            if tag in COUNTED or tag.startswith(("kind:", "values:")):
                by_tag.setdefault(tag, []).append(one)
    rows = [["all", *_cells(found)], *([t, *_cells(by_tag[t])] for t in sorted(by_tag))]
    say_table(
        ["places", "n", "not visible", "found", "every one", "first named is one", "named"], rows
    )
    missed = [one for one in found if one.visible and not one.first]
    for one in missed[:errors]:
        say(f"{one.case_id} {' '.join(one.tags)}: {one.wanted} -> {one.named}")


COUNTED: Final = frozenset({"crossed", "single", "truncated", "stormy", "short_history"})


def _cells(found: Sequence[Found]) -> list[str]:
    seen = [one for one in found if one.visible]

    def rate(of: Callable[[Found], bool]) -> str:
        return share(sum(map(of, seen)) / len(seen)) if seen else "-"

    named = f"{statistics.mean(len(one.named) for one in seen):.1f}" if seen else "-"
    return [
        str(len(found)), str(len(found) - len(seen)), rate(lambda one: one.first), rate(lambda one: one.every),
        rate(lambda one: one.at_top), named,
    ]  # fmt: skip
