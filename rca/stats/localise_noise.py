"""What one leaf's deviation says: healthy noise, or part of a segment that moved by a common ratio.

The side of the deviations on which nothing happened (gains, when losses are looked for) shows the noise: it is
mirrored, its tail is fitted, and every leaf's loss becomes a log-likelihood ratio against it. Nothing is assumed about
the size of the noise, and all counts may be multiplied by anything.

Source: the mirrored quiet side is the cut-off of RiskLoc (arXiv 2205.10004), made into a distribution; the common ratio
is the ripple effect of HotSpot (2018) and Squeeze (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]  # scipy ships no types

from rca.stats.localise_cube import Codes, Flags, Numbers

BINS: Final = 50  # of the loss, 2 % each: finer than the spread of any ratio below
SMALLEST_RATIO: Final = 0.1  # share lost; what moved less is not worth a person's time
RATIOS: Final = 24  # from the smallest to a total loss, 4 % apart: two spreads of the narrower kind
SPREADS: Final = (
    0.02,
    0.08,
)  # of the leaves' own ratios around the common one: rounding, and a loose fault
COLD: Final = 0.1  # share of a moved segment's leaves that may look untouched: small counts round to no change
SPRAY: Final = 0.02  # share that may have lost anything at all
STRAY: Final = 1e-7  # share of healthy leaves that are off for no reason; caps what one leaf can say at 19 nats
CLASS_LEAVES: Final = 10_000  # leaves that have a noise of their own size class
MOST_CLASSES: Final = 4
FEW_QUIET: Final = 20  # leaves; fewer do not show their noise
USUAL_NOISE: Final = 0.1  # deviation assumed then, with an exponential tail
MIDDLE: Final = 0.5
TAIL: Final = (
    0.999  # the quantile that the tail is fitted through, when enough leaves lie beyond it
)
BEYOND: Final = 5.0  # leaves
MOST_NORMAL: Final = 2.0  # exponent of a normal tail; noise is never lighter
LEAST_NOISE: Final = 1e-4  # deviation; half a row in five thousand


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Each leaf's row of ``odds``: the log-likelihood ratio in nats of "moved by ratio g" (columns) against noise.

    ``best`` is each leaf's largest ratio over all columns.
    """

    rows: Codes
    odds: Numbers
    best: Numbers


def readings(expected: Numbers, observed: Numbers) -> Readings:
    """Read every leaf's loss against the noise of leaves of its size.

    Args:
        expected: per leaf, 0 or more.
        observed: per leaf, 0 or more, never 0 where *expected* is 0 too.
    """
    larger = np.maximum(expected, observed)
    lost = (expected - observed) / larger
    deviation = 2.0 * lost / (2.0 - np.abs(lost))  # twice the difference over the sum
    # the nudge keeps a loss that lies on an edge in one bin, whatever the counts are multiplied by
    binned = np.clip(np.floor(lost * BINS + 1e-9), 0, BINS - 1).astype(np.intp)
    classes, count = _size_classes(larger)
    odds = np.concatenate([_odds(deviation[classes == c]) for c in range(count)])
    rows = classes * BINS + binned
    return Readings(rows=rows, odds=odds, best=odds.max(axis=1)[rows])


def _size_classes(sizes: Numbers) -> tuple[Codes, int]:
    """Return a class for every leaf by its size, as equal in number as ties allow, and how many classes there are."""
    count = max(1, min(MOST_CLASSES, len(sizes) // CLASS_LEAVES))
    shares = np.arange(1, count) / count
    # "lower" gives sizes that leaves have: an edge computed between two might fall on either side of a leaf
    edges = np.quantile(sizes, shares, method="lower") if count > 1 else np.empty(0)
    return np.searchsorted(edges, sizes).astype(np.intp), count


def _odds(deviation: Numbers) -> Numbers:
    """Return the log-likelihood ratios of every bin (rows) and ratio (columns) for leaves that deviate like these."""
    healthy = _healthy_bins(-deviation[deviation < 0.0])
    moved = _moved_bins()
    mixed = (1.0 - COLD - SPRAY) * moved + SPRAY / BINS + COLD * healthy[:, np.newaxis]
    ratio: Numbers = np.log(mixed) - np.log(healthy)[:, np.newaxis]
    return ratio


def _healthy_bins(quiet: Numbers) -> Numbers:
    """Return the probability of each bin of loss under noise, from the mirrored *quiet* deviations."""
    scale, exponent = _tail(quiet)
    lost = np.linspace(0.0, 1.0, BINS + 1)
    survival = 0.5 * np.exp(-((2.0 * lost / (2.0 - lost) / scale) ** exponent))
    bins = -np.diff(survival)
    bins[0] += 0.5
    bins[-1] += survival[-1]
    healthy: Numbers = (1.0 - STRAY) * bins + STRAY / BINS
    return healthy


def _tail(quiet: Numbers) -> tuple[float, float]:
    """Return scale and exponent of ``P(beyond x) = exp(-(x/scale)^exponent)`` through the middle and the tail."""
    if len(quiet) < FEW_QUIET:
        return USUAL_NOISE, 1.0
    far = min(TAIL, 1.0 - BEYOND / len(quiet))
    low, high = (float(q) for q in np.quantile(quiet, (MIDDLE, far), method="lower"))
    low = max(low, LEAST_NOISE)
    steps = math.log(math.log(1.0 - far) / math.log(MIDDLE))
    exponent = MOST_NORMAL
    if high > low:
        exponent = min(MOST_NORMAL, steps / math.log(high / low))
    return low / (-math.log(MIDDLE)) ** (1.0 / exponent), exponent


def _moved_bins() -> Numbers:
    """Return the probability of each bin (rows) for a leaf that moved, for every ratio and spread (columns)."""
    edges = np.linspace(0.0, 1.0, BINS + 1)[:, np.newaxis]
    ratios = np.linspace(SMALLEST_RATIO, 1.0, RATIOS)[np.newaxis, :]
    below = [ndtr((edges - ratios) / spread) for spread in SPREADS]
    for part in below:
        part[0], part[-1] = 0.0, 1.0
    return np.concatenate([np.diff(part, axis=0) for part in below], axis=1)


def counted(expected: Numbers, observed: Numbers) -> Flags:
    """Return which leaves hold anything at all; the others say nothing."""
    held: Flags = (expected > 0.0) | (observed > 0.0)
    return held
