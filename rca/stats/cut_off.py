"""Counts of which only the largest were told: what is not listed lies between nothing and the smallest that is.

Source: reading a value below a limit of detection as the value nearest to what is expected is the substitution that
biases a test towards no difference (Helsel 2012, Statistics for Censored Environmental Data, chapter 1).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def ceilings(told: Counts, listed: Mask) -> Counts:
    """Return for each window the most rows that a value may have had in it without being listed.

    Args:
        told: rows per value, a row for each window; 0 where a value is not listed.
        listed: the same shape; False where a value may have been cut off, so a whole window's row is all True.

    Returns:
        The smallest count that the window lists; 0 where nothing was cut off or nothing is listed.
    """
    smallest = np.where(listed & (told > 0.0), told, np.inf).min(axis=1, initial=np.inf)
    open_: Mask = ~listed.all(axis=1) & np.isfinite(smallest)
    return np.where(open_, smallest, 0.0)


def least_surprising(told: Counts, listed: Mask) -> Counts:
    """Return *told* with every value that is not listed at the count that surprises least.

    That is its share in the windows that do list it, on as many rows, but no more than its window's ceiling: a value
    that always lies near the edge neither vanishes nor appears, and one that was large and is gone still fell.

    Args:
        told: rows per value, a row for each window; 0 where a value is not listed.
        listed: the same shape; False where a value may have been cut off.

    Returns:
        The same shape; what is listed is unchanged, all else lies in [0, ceiling of its window].
    """
    rows = told.sum(axis=1, keepdims=True)
    beside = (rows * listed).sum(axis=0)
    share = told.sum(axis=0) / np.maximum(beside, 1.0)
    most = ceilings(told, listed)[:, np.newaxis]
    filled: Counts = np.where(listed, told, np.minimum(share * rows, most))
    return filled
