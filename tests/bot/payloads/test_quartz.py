"""How long a Quartz schedule leaves between two firings."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.payloads.quartz import LOOK, longest_gap_s

TODAY = date(2026, 11, 22)  # a Sunday
MINUTE, HOUR, DAY = 60, 3_600, 86_400


@pytest.mark.parametrize(
    ("expression", "gap_s"),
    [
        ("0 0 * * * ?", HOUR),
        ("0 0/15 * * * ?", 15 * MINUTE),
        ("0 */10 * * * ?", 10 * MINUTE),
        ("* * * * * ?", MINUTE),
        ("0 0 6 * * ?", DAY),
        ("0 30 6,18 * * ?", 12 * HOUR),
        ("0 0 8-18 * * ?", 14 * HOUR),
        ("0 0 22-2 * * ?", 20 * HOUR),
        ("0 0 6 ? * MON-FRI", 3 * DAY),
        ("0 0 6 ? * 2-6", 3 * DAY),
        ("0 0 6 ? * SUN", 7 * DAY),
        ("0 0 6 ? * 1", 7 * DAY),
        ("0 0 6 ? * FRI-MON", 4 * DAY),
        ("0 0 0 1 * ?", 31 * DAY),
        ("0 0 0 L * ?", 31 * DAY),
        ("0 0 0 L-3 * ?", 31 * DAY),
        ("0 0 12 1/5 * ?", 5 * DAY),
        ("0 0 6 ? * 6L", 35 * DAY),
        ("0 0 6 ? * MON#1", 35 * DAY),
        ("0 0 6 ? * L", 7 * DAY),
        ("0 0 6 15W * ?", 32 * DAY),
        ("0 0 6 LW * ?", 33 * DAY),
        ("0 0 0 1 1 ?", 366 * DAY),
        ("0 0 6 * * ? *", DAY),
        ("0 0 6 * * ? 2026-2099", DAY),
        ("0 0 6 ? jan-dec mon-fri", 3 * DAY),
    ],
)
def test_the_longest_gap(expression: str, gap_s: float) -> None:
    """Weekends, nights and months count as they usually fall; weekdays are counted from Sunday."""
    assert longest_gap_s(expression, TODAY) == gap_s


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "0 6 * * *",  # five fields are Unix's, and mean something else
        "0 0 6 * * ? * *",
        "0 0 24 * * ?",
        "0 60 * * * ?",
        "61 0 * * * ?",
        "0 0/0 * * * ?",
        "0 0 6 ? * 8",
        "0 0 6 ? * MO",
        "0 0 6 0W * ?",
        "0 0 6 31 2 ?",  # never
        "0 0 6 * * ? 2001",  # over
        "every day at six",
        "0 0 6 * * ? " + " " * 500,
        "0 0 ٦ * * ?",
    ],
)
def test_no_schedule(expression: str) -> None:
    """What Quartz would not take, or what never fires twice, has no gap."""
    assert longest_gap_s(expression, TODAY) is None


@given(
    expression=st.lists(
        st.text(alphabet="0123456789*?/,-LW#MONFRI", max_size=6), min_size=6, max_size=7
    ).map(" ".join)
)
def test_any_text_has_an_answer(expression: str) -> None:
    """No text raises, and a gap is at least a minute and shorter than the time that was looked at."""
    gap_s = longest_gap_s(expression, TODAY)
    assert gap_s is None or MINUTE <= gap_s < LOOK * DAY
