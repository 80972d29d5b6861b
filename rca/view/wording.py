"""How numbers and times are said in the sentences that people read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rca.case import in_utc

UNITS: Final = (("days", 172_800.0, 86_400.0), ("h", 7_200.0, 3_600.0), ("min", 120.0, 60.0))
"""Name, seconds from which it is used (two of it at least, so that none is coarse), length in seconds."""
LONGEST: Final = 36_525 * 86_400.0  # s, a hundred years; beyond, digits say nothing
LEAST_SHARE: Final = 0.0005  # below, or as near to all, one decimal of a percentage says nothing
ONE_DECIMAL_BELOW: Final = 10.0  # of a unit; from here on whole numbers tell as much


def span(seconds: float) -> str:
    """Return *seconds* (0 or more) in the unit that reads best: ``45 s``, ``12 min``, ``3.5 h``, ``16 days``.

    Beyond a hundred years it is ``over 100 years``: such a number is a fault of who sent it, not a time.
    """
    if seconds > LONGEST:
        return "over 100 years"
    for name, used_from, length in UNITS:
        if seconds >= used_from:
            return f"{_short(seconds / length)} {name}"
    return f"{_short(seconds)} s"


def _short(value: float) -> str:
    text = f"{value:.1f}" if value < ONE_DECIMAL_BELOW else f"{value:,.0f}"
    return text.removesuffix(".0")


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return *number* with its noun: ``1 sync``, ``3 syncs``; *many* where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def minute(instant: datetime) -> str:
    """Return *instant* (aware, of any offset) as ``2026-03-02 07:10 UTC``."""
    return f"{in_utc(instant):%Y-%m-%d %H:%M} UTC"


def share(part: float) -> str:
    """Return *part* in [0, 1] as ``28.5 %``; only nothing is ``0 %`` and only all is ``100 %``."""
    if part in (0.0, 1.0):
        return f"{100.0 * part:.0f} %"
    if part < LEAST_SHARE:
        return "<0.1 %"
    return ">99.9 %" if part > 1.0 - LEAST_SHARE else f"{100.0 * part:.1f} %"


def quoted(value: str) -> str:
    """Return a *value* of data, in quotes where its spaces would not be seen; ``(empty)`` when it has no letter."""
    if not value:
        return "(empty)"
    return value if value == " ".join(value.split()) else f'"{value}"'


def listed(names: Sequence[str], most: int) -> str:
    """Return *names* as ``a, b and 3 more``, *most* of them at most; all of them when no more are there."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
