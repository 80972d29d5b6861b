"""Where a shift sits: what a drift's evidence names."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rca.case import parse_case
from rca.engine import diagnose
from rca.evidence import Mover
from rca.view.dimensions import DimensionView
from rca.whereabouts import MOST_VALUES, Whereabouts, _in_values

END = datetime(2026, 3, 2, tzinfo=UTC)


def dimension(current, usual, windows=8):
    """One dimension with *windows* days of *usual* counts, a little shaken."""
    history = np.tile(np.asarray(usual, dtype=float), (windows, 1))
    history += np.arange(float(windows))[:, np.newaxis] % 3 * (history > 0)
    return DimensionView(
        dimension="sku",
        values=tuple(f"v{place}" for place in range(len(usual))),
        current=np.asarray(current, dtype=float),
        history=history,
        window_start=END - timedelta(days=1),
        window_end=END,
    )


@pytest.mark.parametrize("values", [3, MOST_VALUES, MOST_VALUES + 1, 20 * MOST_VALUES])
def test_a_large_value_that_fell_leads_however_many_there_are(values):
    """The long tail is searched as one value, and never named."""
    usual = [900.0, 400.0, *([3.0] * (values - 2))]
    found = _in_values(dimension([200.0, *usual[1:]], usual))
    assert found.movers[0].value == "v0"
    assert 1 <= len(found.movers) <= 5
    assert {mover.value for mover in found.movers} <= {f"v{place}" for place in range(values)}
    assert found.movers[0].delta == pytest.approx(
        found.movers[0].current_share - found.movers[0].baseline_share, abs=2e-6
    )


def test_a_tail_that_is_gone_is_told_by_its_largest_parts():
    """All small values vanish at once: no single one is named for it, but the list is not empty."""
    usual = [900.0, 400.0, *([30.0] * (2 * MOST_VALUES))]
    found = _in_values(dimension([*usual[:2], *([0.0] * (2 * MOST_VALUES))], usual))
    assert 1 <= len(found.movers) <= 5


def test_nothing_that_moved_beyond_chance_still_names_the_largest_part():
    """Movers are never empty, because a drift is never told without a value."""
    found = _in_values(dimension([503.0, 401.0], [500.0, 400.0]))
    assert len(found.movers) >= 1
    assert 0.0 <= found.bits <= 1.0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("country", "US", "US"),
        ("country & channel", "US & web", "country = US & channel = web"),
        ("country & channel", "null & web", "country = null & channel = web"),
        ("country", "Bosnia & Herzegovina", "Bosnia & Herzegovina"),
        ("country & channel", "A & B & web", "A & B & web"),
    ],
)
def test_a_combination_is_said_pair_by_pair(name, value, said):
    """A value that holds the joint itself is not cut in two."""
    mover = Mover(value=value, baseline_share=0.5, current_share=0.1, delta=-0.4)
    assert Whereabouts(dimension=name, bits=0.1, movers=(mover,), stands_out=True).first() == said


USUAL = {"DE": 400, "FR": 300, "IT": 300}
CHANNELS = {"web": 0.5, "pos": 0.3, "app": 0.2}
STORMY_DAY = 4  # days back


def crossed(change, storm, seed=3):
    """A case with two dimensions and their crossing; *change* gives each cell's factor in the newest window.

    Three windows before, the rows of IT are *storm* times as many as usual.
    """
    numbers = np.random.default_rng(seed)
    singles, crossings = [], []
    for back in range(10, 0, -1):
        start = END - timedelta(days=back)
        frame = {"window_start": start, "window_end": start + timedelta(days=1)}
        level = {
            a: n * (storm if (a, back) == ("IT", STORMY_DAY) else 1.0) for a, n in USUAL.items()
        }
        cells = {
            (a, b): int(numbers.poisson(10 * n * s * (change(a, b) if back == 1 else 1.0)))
            for a, n in level.items()
            for b, s in CHANNELS.items()
        }
        for place, name in enumerate(("country", "channel")):
            counts = Counter()
            for key, rows in cells.items():
                counts[key[place]] += rows
            singles.append({"dimension": name, **frame, "counts": dict(counts)})
        rows = [[list(key), n] for key, n in cells.items()]
        crossings.append({"dimensions": ["country", "channel"], **frame, "rows": rows})
    anomaly = {"tenant_id": "acme", "dataset": "orders", "anomaly_type": "distribution_anomaly"}
    case, _ = parse_case({
        "case_id": "c", "as_of": END + timedelta(hours=2),
        "anomaly": {**anomaly, "detected_at": END + timedelta(hours=1)},
        "dimension_profiles": singles, "segment_profiles": crossings,
    })  # fmt: skip
    return case


@pytest.mark.parametrize(
    ("change", "dimension", "first"),
    [
        (lambda a, b: 6.0 if (a, b) == ("DE", "app") else 1.0, "country & channel", "DE & app"),
        (lambda a, b: 0.0 if (a, b) == ("FR", "web") else 1.0, "country & channel", "FR & web"),
        (lambda _, b: 6.0 if b == "app" else 1.0, "channel", "app"),
        (lambda _, b: 0.0 if b == "pos" else 1.0, "channel", "pos"),
    ],
)
@pytest.mark.parametrize("storm", [1.0, 0.0, 8.0])
def test_a_combination_is_told_only_where_the_rest_stayed(change, dimension, first, storm):
    """A cell that moved alone is told as a combination, a value that moved as a whole as itself.

    It holds also where another value stormed on one day before, after which the search is sure of nothing.
    """
    diagnosis = diagnose(crossed(change, storm))
    evidence = diagnosis.hypotheses[0].evidence
    assert evidence.dimension == dimension
    assert evidence.top_movers[0].value == first
