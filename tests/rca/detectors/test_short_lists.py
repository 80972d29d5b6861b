"""Lists of which only the largest values are told, beside the whole ones they are cut from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.case import Anomaly, AnomalyType, Case, Dataset, DimensionProfile
from rca.evidence import SignalCode
from rca.registry import DETECTORS
from rca.view import view_of

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@st.composite
def steady_lists(draw):
    """Windows of values that hardly move, the judged one last, and how many values of each are listed.

    The largest holds a fifth of the rows or more, none beyond the first five a tenth of that; six at least are listed.
    """
    small = draw(st.lists(st.integers(10, 50), min_size=6, max_size=14))
    usual = [draw(st.integers(500, 900)), 200, 150, 120, 100, *small]
    moved = draw(st.lists(st.sampled_from([-0.02, 0.0, 0.02]), min_size=9, max_size=28))
    windows = [
        {f"v{k}": round(n * (1.0 + by * (-1) ** k)) for k, n in enumerate(usual)} for by in moved
    ]
    return windows, draw(st.integers(6, len(usual)))


def told(windows, listed):
    """Return what distribution_drift says of *windows* of which only the *listed* largest values are told."""
    profiles = []
    for back, counts in enumerate(reversed(windows)):
        held = {value: n for value, n in counts.items() if n}
        largest = sorted(held, key=lambda value: (-held[value], value))[:listed]
        profiles.append(
            DimensionProfile(
                dimension="sku",
                window_start=NOW - (back + 1) * DAY,
                window_end=NOW - back * DAY,
                counts={value: held[value] for value in largest},
                truncated=len(largest) < len(held),
            )
        )
    case = Case(
        case_id="c",
        as_of=NOW,
        anomaly=Anomaly(
            tenant_id="t", dataset="d", anomaly_type=AnomalyType.OTHER, detected_at=NOW
        ),
        dataset=Dataset(name="d"),
        dimension_profiles=tuple(profiles),
    )
    return DETECTORS[SignalCode.DISTRIBUTION_DRIFT].detect(view_of(case))


@pytest.mark.parametrize("form", ["whole", "short"])
@given(steady_lists())
def test_cutting_off_what_is_smaller_than_what_decides_hides_no_loss(form, drawn):
    """The largest value is gone: short lists say it as whole ones do, whatever they leave out."""
    windows, kept = drawn
    windows[-1]["v0"] = 0
    answer = told(windows, len(windows[0]) if form == "whole" else kept)
    assert answer.strength > 0.9
    assert answer.evidence.top_movers[0].value == "v0"


@pytest.mark.parametrize("form", ["whole", "short"])
@given(steady_lists())
def test_cutting_off_where_nothing_happened_makes_no_drift(form, drawn):
    """The nearest thing that must not: neither the whole lists nor the short ones tell anything."""
    windows, kept = drawn
    assert told(windows, len(windows[0]) if form == "whole" else kept) is None
