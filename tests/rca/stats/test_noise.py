"""Which noise the counts of a history speak for, and what then is too few."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr

from rca.stats.noise import DOF, NOISES, Strays, student_4


def noise_of(rows, log_means, factors):
    """Return the noise after these counts."""
    return Strays(rows=tuple(rows), log_means=tuple(log_means), factors=tuple(factors)).noise()


def steady(rows, windows, factor=1.0):
    """Return the noise of *windows* windows with *rows* rows each, as forecast."""
    return noise_of([rows] * windows, [np.log(rows)] * windows, [factor] * windows)


def test_the_quick_formula_is_the_student_distribution():
    """It agrees with SciPy's general one, in the middle and far out."""
    z = np.concatenate([np.linspace(-80.0, 80.0, 3201), [0.0, 1e-9, -1e9, 1e9]])
    assert np.abs(student_4(z) - stdtr(DOF, z)).max() < 1e-14


@pytest.mark.parametrize(
    ("rows", "left", "windows", "low"),
    [
        (1.0, 0.0, 28, True),  # one row every day for four weeks, and then none
        (1.0, 0.0, 3, False),  # three days show no plan
        (2.0, 0.0, 28, True),
        (2.0, 1.0, 28, False),  # 1.49 of two would have been one as well
        (3.0, 2.0, 28, False),
        (3.0, 1.0, 28, True),
    ],
)
def test_a_handful_is_judged_by_its_steadiness(rows, left, windows, low):
    """Four weeks of the same small number make its half too few; three days do not."""
    assert (steady(rows, windows).at_most(left, np.log(rows)) < 0.01) is low


def test_counts_of_a_random_source_are_given_its_noise():
    """Poisson counts of four vary by a half of the logarithm, and the noise says so; planned ones do not."""
    rows = np.maximum(np.random.default_rng(5).poisson(4.0, 28), 1).tolist()
    random = noise_of(rows, [np.log(4.0)] * 28, [1.0] * 28)
    assert 0.3 < random.usual() < 0.7
    assert random.at_most(1.0, np.log(4.0)) > 0.02
    assert steady(4.0, 28).usual() < 0.12


def test_one_absurd_count_decides_nothing():
    """A lost day among 27 healthy ones widens the noise by less than a tenth of the logarithm."""
    rows = [1000.0 + 10.0 * (d % 3) for d in range(28)]
    means = [np.log(1010.0)] * 28
    lost = noise_of([3.0, *rows[1:]], means, [1.0] * 28)
    assert lost.usual() - noise_of(rows, means, [1.0] * 28).usual() < 0.1


def test_a_forecast_that_knew_the_count_proves_less():
    """Strays that would have been larger, had their forecast not known them, leave more noise possible."""
    assert steady(5.0, 7, factor=2.0).usual() > 1.1 * steady(5.0, 7).usual()


COUNTS = st.lists(st.integers(1, 10**9), min_size=3, max_size=30)


@given(COUNTS, st.integers(0, 10**9), st.integers(1, 10**6), st.randoms(use_true_random=False))
def test_a_noise_is_a_distribution_in_any_order(counts, rows, fewer, rng):
    """Weights are shares of 1, the usual noise lies among those thought possible, and order does not matter."""
    mean = float(np.median(np.log(counts)))
    found = noise_of([float(c) for c in counts], [mean] * len(counts), [1.0] * len(counts))
    assert found.weights.min() >= 0.0
    assert found.weights.sum() == pytest.approx(1.0)
    assert NOISES[0] * 0.999 <= found.usual() <= NOISES[-1] * 1.001
    assert 0.0 < found.at_most(max(0, rows - fewer), mean) <= found.at_most(rows, mean) < 1.0
    mixed = rng.sample(counts, len(counts))
    again = noise_of([float(c) for c in mixed], [mean] * len(counts), [1.0] * len(counts))
    assert again.weights == pytest.approx(found.weights, abs=1e-9)


@given(
    st.lists(st.integers(10**6, 10**8), min_size=3, max_size=30),
    st.integers(10**5, 10**8),
    st.integers(2, 1000),
)
def test_large_counts_may_be_told_in_any_unit(counts, rows, times):
    """From millions on, rows and thousands of rows are judged alike."""
    mean = float(np.median(np.log(counts)))
    tails = [
        noise_of(
            [float(k * c) for c in counts], [mean + np.log(k)] * len(counts), [1.0] * len(counts)
        ).at_most(float(k * rows), mean + np.log(k))
        for k in (1, times)
    ]
    assert tails[0] == pytest.approx(tails[1], rel=1e-3)


@given(COUNTS, st.floats(1.0, 3.0), st.floats(0.0, 0.5))
def test_a_wider_noise_forgives_more(counts, factor, beside):
    """Below the forecast, a wider noise never makes rows less usual."""
    mean = float(np.median(np.log(counts)))
    found = noise_of([float(c) for c in counts], [mean] * len(counts), [1.0] * len(counts))
    rows = max(0.0, np.exp(mean) / 2.0 - 0.5)
    assert found.widened(factor, beside).at_most(rows, mean) >= found.at_most(rows, mean) * 0.999999
