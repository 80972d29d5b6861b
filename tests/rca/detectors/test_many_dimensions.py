"""Many dimensions looked at in one case: the best of many strays far by chance alone, and must not be believed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rca.stats.robust import price_of_looking

VALUES = 10
SHARES = np.arange(1, VALUES + 1) ** -1.1 / (np.arange(1, VALUES + 1) ** -1.1).sum()


def with_dimensions(pipeline, number, seed, moved=0.0, newcomer=0):
    """Give the case *number* dimensions of 15 days; in the last of the first one shares or values are new."""
    draw = np.random.default_rng(seed)
    newest = pipeline.document["dimension_profiles"][-1]["window_end"]
    profiles = []
    for dimension in range(number):
        for back in range(14, -1, -1):
            end = np.datetime64(newest[:19]) - np.timedelta64(back, "D")
            shares = SHARES.copy()
            if back == 0 and dimension == 0:
                shares[:2] += (-moved, moved)
            counts = draw.multinomial(1_000, shares).tolist()
            held = {f"v{i}": count for i, count in enumerate(counts)}
            if back == 0 and dimension == 0 and newcomer:
                held["new"] = newcomer
            profiles.append(
                {
                    "dimension": f"d{dimension}",
                    "window_start": f"{end - np.timedelta64(1, 'D')}+00:00",
                    "window_end": f"{end}+00:00",
                    "counts": held,
                }
            )
    pipeline.document["dimension_profiles"] = profiles
    return pipeline


def strengths(pipeline, code, number, seeds, **changes):
    answers = (with_dimensions(pipeline, number, s, **changes).ask(code) for s in range(seeds))
    return np.array([0.0 if a is None else a.strength for a in answers])


@pytest.mark.parametrize(("number", "seeds"), [(1, 80), (4, 80), (16, 40), (48, 20)])
def test_false_drifts_do_not_grow_with_the_dimensions(pipeline, number, seeds):
    """However many are looked at: at most a tenth of the healthy cases at even odds, none that anybody acts on."""
    quiet = strengths(pipeline, "distribution_drift", number, seeds)
    assert (quiet > 0.5).mean() <= 0.1
    assert quiet.max() < 0.85


@pytest.mark.parametrize("number", [1, 16, 48])
def test_a_shift_in_one_of_many_is_found(pipeline, number):
    """Twenty points of share moved in one dimension out of many."""
    assert strengths(pipeline, "distribution_drift", number, 5, moved=0.2).min() > 0.5


@pytest.mark.parametrize(
    ("code", "changes"),
    [("distribution_drift", {"moved": 0.1}), ("new_values_appearing", {"newcomer": 12})],
)
def test_the_same_reading_among_many_weighs_less(pipeline, code, changes):
    """And more when the alert named that very dimension: then nobody had to look for it."""
    few = strengths(pipeline, code, 2, 1, **changes)[0]
    many = strengths(pipeline, code, 40, 1, **changes)[0]
    named = strengths(pipeline.alert(column="d0"), code, 40, 1, **changes)[0]
    assert many < few < named


@pytest.mark.parametrize(
    ("looked", "price"), [(0, 0.0), (1, 0.0), (4, 0.0), (8, math.log(2)), (400, math.log(100))]
)
def test_looking_costs_its_share_of_the_odds(looked, price):
    """Nothing for the few that a case usually holds."""
    assert price_of_looking(looked) == pytest.approx(price)
