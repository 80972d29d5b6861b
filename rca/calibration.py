"""From readings to numbers that mean what they say.

A *strength* is the probability that a reading comes from a fault and not from chance, at even odds.
Its logit is therefore a weight of evidence in natural-log units, the only currency that the ranking adds up.
"""

from __future__ import annotations

import math
from typing import Final

STRONGEST: Final = 6.0  # natural-log units; never surer than 400 : 1, the facts may be wrong


def strength_of(weight: float) -> float:
    """Return the strength in (0, 1) of a weight of evidence in natural-log units, limited to ±STRONGEST."""
    bounded = min(STRONGEST, max(-STRONGEST, weight))
    return 1.0 / (1.0 + math.exp(-bounded))


def weight_of(strength: float) -> float:
    """Return the weight of evidence in natural-log units of a strength in [0, 1]; the inverse of ``strength_of``."""
    bounded = min(1.0 - 1e-9, max(1e-9, strength))
    return min(STRONGEST, max(-STRONGEST, math.log(bounded / (1.0 - bounded))))
