"""Profiles that list only their largest values: false alarms and power, beside whole ones and beside reading 0.

Made-up dimensions with known shifts; "as if whole" is the same short list without its mark that it was cut off, so
that what it does not list is read as no rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.table import say, say_table, share
from rca.case import Anomaly, AnomalyType, Case, Dataset, DimensionProfile
from rca.detection import Signal
from rca.evidence import DistributionDriftEvidence, SignalCode
from rca.registry import DETECTORS
from rca.view import CaseView, view_of

Floats = npt.NDArray[np.float64]

NOW: Final = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)
SEED: Final = 5
VALUES: Final = (20, 60, 300)
ROWS: Final = (300, 3_000, 30_000)  # of a window
HISTORIES: Final = (4, 8, 28)  # windows
STEEPNESS: Final = (1.0, 0.3)  # Zipf's exponent
STRAYING: Final = (0.0, 0.1, 0.2)  # standard deviation of the logarithm of a share from day to day
KEPT: Final = (5, 10, 20)  # values listed
LARGEST: Final = 3  # one of so many largest values is changed
NEW_SHARES: Final = (0.02, 0.05, 0.1)
EVEN_ODDS: Final = 0.5  # strength

WHOLE, CUT, AS_WHOLE = "whole", "cut off", "cut off, as if whole"
Change = Callable[[Floats, np.random.Generator], tuple[Floats, int | None]]
TOLD: Final = (
    SignalCode.DISTRIBUTION_DRIFT,
    SignalCode.NEW_VALUES_APPEARING,
    SignalCode.CARDINALITY_EXPLOSION,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Rows per value of each window, the judged one last; ``moved`` is the value that was changed."""

    windows: Sequence[Sequence[int]]
    kept: int
    moved: str | None


def nothing(shares: Floats, _rng: np.random.Generator) -> tuple[Floats, int | None]:
    """Return the shares as they are."""
    return shares, None


def gone(shares: Floats, rng: np.random.Generator) -> tuple[Floats, int | None]:
    """Return the shares without one of the largest values."""
    return _times(shares, int(rng.integers(LARGEST)), 0.0)


def swollen(shares: Floats, rng: np.random.Generator) -> tuple[Floats, int | None]:
    """Return the shares with one of the largest values two and a half times as large."""
    return _times(shares, int(rng.integers(LARGEST)), 2.5)


def new(shares: Floats, rng: np.random.Generator) -> tuple[Floats, int | None]:
    """Return the shares with one further value."""
    size = float(rng.choice(NEW_SHARES))
    return np.append(shares * (1.0 - size), size), len(shares)


def many_new(shares: Floats, _rng: np.random.Generator) -> tuple[Floats, int | None]:
    """Return the shares with twice as many further values, which hold two fifths of the rows."""
    further = 2 * len(shares)
    return np.append(shares * 0.6, np.full(further, 0.4 / further)), None


CHANGES: Final[Mapping[str, Change]] = {
    "nothing": nothing,
    "a large value gone": gone,
    "a large value 2.5 times": swollen,
    "a new value": new,
    "thrice the values": many_new,
}


def _times(shares: Floats, place: int, factor: float) -> tuple[Floats, int]:
    changed = shares.copy()
    changed[place] *= factor
    return changed / changed.sum(), place


def draw(change: Change, rng: np.random.Generator) -> Draw:
    """Return a dimension whose last window suffered *change*."""
    number, rows, days = (int(rng.choice(choices)) for choices in (VALUES, ROWS, HISTORIES))
    usual = np.arange(1, number + 1) ** -float(rng.choice(STEEPNESS))
    strays = rng.normal(0.0, float(rng.choice(STRAYING)), (days + 1, number))
    shares = usual * np.exp(strays)
    shares /= shares.sum(axis=1, keepdims=True)
    today, place = change(shares[-1], rng)
    sizes = [int(rows * np.exp(rng.normal(0.0, 0.1))) for _ in range(days + 1)]
    windows = [rng.multinomial(n, p).tolist() for n, p in zip(sizes, shares, strict=True)]
    windows[-1] = rng.multinomial(sizes[-1], today).tolist()
    moved = None if place is None else f"value {place}"
    return Draw(windows=windows, kept=int(rng.choice(KEPT)), moved=moved)


def view(drawn: Draw, form: str) -> CaseView:
    """Return a case of that one dimension in one of the three forms."""
    profiles = []
    for back, window in enumerate(reversed(drawn.windows)):
        counts = {f"value {i}": rows for i, rows in enumerate(window) if rows}
        cut = form != WHOLE and len(counts) > drawn.kept
        if cut:
            largest = sorted(counts, key=lambda value: (-counts[value], value))[: drawn.kept]
            counts = {value: counts[value] for value in largest}
        profiles.append(
            DimensionProfile(
                dimension="dimension",
                window_start=NOW - (back + 1) * DAY,
                window_end=NOW - back * DAY,
                counts=counts,
                truncated=cut and form == CUT,
            )
        )
    anomaly = Anomaly(tenant_id="t", dataset="d", anomaly_type=AnomalyType.OTHER, detected_at=NOW)
    case = Case(
        case_id="c",
        as_of=NOW,
        anomaly=anomaly,
        dataset=Dataset(name="d"),
        dimension_profiles=tuple(profiles),
    )
    return view_of(case)


def measure(change: Change, form: str, number: int) -> list[str]:
    """Return the share of *number* draws in which each detector told it above even odds, and drift named the value."""
    rng = np.random.default_rng(SEED)
    fired = dict.fromkeys(TOLD, 0)
    named = 0
    for _ in range(number):
        drawn = draw(change, rng)
        seen = view(drawn, form)
        for code in TOLD:
            answer = DETECTORS[code].detect(seen)
            if not isinstance(answer, Signal) or answer.strength <= EVEN_ODDS:
                continue
            fired[code] += 1
            if isinstance(answer.evidence, DistributionDriftEvidence):
                named += answer.evidence.top_movers[0].value == drawn.moved
    return [share(n / number) for n in (fired[TOLD[0]], named, fired[TOLD[1]], fired[TOLD[2]])]


def main(argv: Sequence[str] = ()) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cut_off", description=__doc__)
    parser.add_argument("--number", type=int, default=1_000, help="dimensions of each kind")
    number = parser.parse_args(argv).number
    say(f"Share of {number} dimensions, above even odds.\n")
    head = ("what happened", "profiles", "drift", "names it first", "new values", "cardinality")
    rows = [
        (about, form, *measure(change, form, number))
        for about, change in CHANGES.items()
        for form in (WHOLE, CUT, AS_WHOLE)
    ]
    say_table(head, rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
