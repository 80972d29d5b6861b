"""How long the drift score and the top movers take from counts, codes and text, beside SciPy and Evidently."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from time import process_time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import jensenshannon  # type: ignore[import-untyped]  # scipy ships no types

from benchmarks import evidently_rival
from benchmarks.table import say, say_table
from rca.stats.divergence import Counts, jsd_bits, jsd_terms

SEED: Final = 20_131_231
ZIPF: Final = 1.1
TOP: Final = 10
ROUNDS: Final = 7
EVIDENTLY_ROUNDS: Final = 3

Codes = npt.NDArray[np.int64]


def zipf(values: int) -> Counts:
    """Return the shares of *values* values under Zipf's law."""
    weights = np.arange(1, values + 1) ** -ZIPF
    return np.asarray(weights / weights.sum())


def top_movers(before: Counts, now: Counts) -> tuple[float, tuple[int, ...]]:
    """Return the divergence in bits, and where the values are that make most of it, the largest part first."""
    top = np.argsort(-jsd_terms(before, now))[:TOP]
    return jsd_bits(before, now), tuple(top.tolist())


def _windows(values: int, rows: int) -> tuple[Codes, Codes]:
    draw = np.random.default_rng(SEED)
    before, now = (draw.choice(values, rows, p=zipf(values)) for _ in range(2))
    return before, now


def _text(codes: Codes) -> list[str]:
    return [f"v{code}" for code in codes.tolist()]


def _counts(before: Codes, now: Codes, values: int) -> tuple[Counts, Counts]:
    first, second = (np.bincount(c, minlength=values).astype(np.float64) for c in (before, now))
    return first, second


def _from_text(before: Sequence[str], now: Sequence[str]) -> object:
    place: dict[str, int] = defaultdict(itertools.count().__next__)  # faster than two Counters
    first, second = (np.fromiter(map(place.__getitem__, t), np.intp, len(t)) for t in (before, now))
    return top_movers(*_counts(first, second, len(place)))


FRAMES: Final[Mapping[str, Callable[[Codes], Any]]] = {
    "text": lambda codes: evidently_rival.text_frame(_text(codes)),
    "codes": lambda codes: evidently_rival.text_frame(codes.tolist()),
    "categories": lambda codes: evidently_rival.category_frame(_text(codes)),
}
"""What Evidently is given; making it is not counted."""


def _datasets(form: str, values: int, rows: int) -> tuple[Any, Any]:
    before, now = (evidently_rival.dataset(FRAMES[form](codes)) for codes in _windows(values, rows))
    return before, now


def evidently(form: str, values: int, rows: int) -> float:
    """Make the windows in one of the forms and score them by Evidently's report."""
    return evidently_rival.report(*_datasets(form, values, rows))


def _calls(values: int, rows: int) -> dict[str, Callable[[], object]]:
    """Return ours and SciPy's, by name."""
    before, now = _windows(values, rows)
    p, q = _counts(before, now, values)
    text = _text(before), _text(now)
    return {
        "ours, from counts": lambda: top_movers(p, q),
        "SciPy's distance alone, from counts": lambda: jensenshannon(p, q),
        "ours, from codes": lambda: top_movers(*_counts(before, now, values)),
        "ours, from text": lambda: _from_text(*text),
        "each text asked for its length": lambda: [sum(map(len, t)) for t in text],
    }


def _medians_s(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds that each call keeps the processor busy; they take turns, so that load hits all."""
    spans: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(-1, ROUNDS):  # the first warms up
        for name, call in calls.items():
            if name.startswith("Evidently") and round_ >= EVIDENTLY_ROUNDS:
                continue
            begun = process_time()
            call()
            if round_ >= 0:
                spans[name].append(process_time() - begun)
    return {name: median(each) for name, each in spans.items()}


def _speed(values: int, rows: int, limit_s: float) -> dict[str, float]:
    """Return the seconds of everything that comes to an end in time."""
    calls = _calls(values, rows)
    for form in FRAMES if evidently_rival.is_installed() else ():
        if not evidently_rival.finishes(evidently, form, values, rows, limit_s=limit_s):
            continue
        sets = _datasets(form, values, rows)
        calls[f"Evidently, {form}"] = partial(evidently_rival.report, *sets)
    return _medians_s(calls)


PAIRS: Final = (("text", "text"), ("codes", "codes"), ("codes", "categories"), ("counts", "text"))
"""Which of ours is set against which of Evidently's: codes with the names beside them are categories."""


def tell(values: Sequence[int], rows: int, limit_s: float) -> None:
    """Measure for each number of distinct values and print the seconds, then the ratios."""
    found = {distinct: _speed(distinct, rows, limit_s) for distinct in values}
    say(
        f"Seconds of the processor for the score and the top {TOP} movers of 2 x {rows:,} rows in memory; "
        f"medians of {ROUNDS}, Evidently's of {EVIDENTLY_ROUNDS}\n"
    )
    say_table(["", *(f"{v:,} values" for v in values)], _rows(list(found.values())))


def _rows(found: Sequence[Mapping[str, float]]) -> list[list[str]]:
    rows = []
    for name in dict.fromkeys(itertools.chain.from_iterable(found)):
        cells = [f"{spans[name]:.5f}" if name in spans else "too long" for spans in found]
        rows.append([name, *cells])
    for ours, theirs in PAIRS:
        pairs = [(s.get(f"ours, from {ours}"), s.get(f"Evidently, {theirs}")) for s in found]
        cells = [f"{t / o:.1f}" if o and t else "-" for o, t in pairs]
        rows.append([f"Evidently from {theirs} / ours from {ours}", *cells])
    return rows
