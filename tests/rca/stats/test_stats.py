"""The numbers: bounds, symmetry, monotony, and agreement with what can be computed by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import xlogy
from scipy.stats import binom

from rca.stats.divergence import (
    expected_jsd_bits,
    expected_jsd_rows,
    jsd_bits,
    jsd_rows,
    jsd_terms,
    left_without_largest_loss,
    shares,
)
from rca.stats.durations import cadence_s, log_level, longer_than, usual_lateness_s
from rca.stats.rates import expected_distinct, poisson_excess, unseen_share
from rca.stats.robust import level, median, quantile, spread, upper_tail, weight_of_tail
from rca.stats.volume import DAY_S, Window, forecast

counts = st.lists(st.integers(0, 10_000), min_size=3, max_size=12).map(
    lambda v: np.array(v, dtype=float)
)
pairs = (
    st.integers(2, 12)
    .flatmap(lambda k: st.tuples(*[st.lists(st.integers(0, 5_000), min_size=k, max_size=k)] * 2))
    .map(lambda ab: (np.array(ab[0], dtype=float), np.array(ab[1], dtype=float)))
)


@given(pairs)
def test_the_divergence_is_symmetric_and_between_zero_and_one(pair):
    """Bits, not its root: 0 for equal shares, never above 1."""
    a, b = pair
    assert 0.0 <= jsd_bits(a, b) <= 1.0
    assert jsd_bits(a, b) == pytest.approx(jsd_bits(b, a), abs=1e-12)
    assert jsd_bits(a, a) == pytest.approx(0.0, abs=1e-12)


@given(pairs, st.integers(2, 50))
def test_the_divergence_ignores_size(pair, factor):
    """Shares count, rows do not."""
    a, b = pair
    assert jsd_bits(a, b) == pytest.approx(jsd_bits(a * factor, b), abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "bits"),
    [
        ([1, 0], [0, 1], 1.0),  # nothing in common
        ([1, 1], [1, 1], 0.0),
        (
            [3, 1],
            [1, 3],
            1.0 - (-(0.75 * math.log2(0.75)) - 0.25 * math.log2(0.25)),
        ),  # H(1/2) - H(3/4, 1/4)
        ([0, 0], [1, 1], 0.0),  # nothing to compare
    ],
)
def test_the_divergence_by_hand(a, b, bits):
    """Two values, base-2 entropy."""
    assert jsd_bits(np.array(a, float), np.array(b, float)) == pytest.approx(bits, abs=1e-12)


@given(pairs)
def test_terms_add_up_to_the_divergence(pair):
    """Each value's part is what the movers are ranked by."""
    a, b = pair
    if a.sum() and b.sum():
        assert jsd_terms(a, b).sum() == pytest.approx(jsd_bits(a, b), abs=1e-9)


@given(st.lists(pairs, min_size=1, max_size=1), st.integers(1, 4))
def test_row_by_row_is_the_same(pair, copies):
    """The vectorised form agrees with the plain one."""
    a, b = pair[0]
    rows = jsd_rows(np.vstack([a] * copies), np.vstack([b] * copies))
    assert rows == pytest.approx([jsd_bits(a, b)] * copies, abs=1e-9)


@given(counts, st.integers(1, 9_999), st.integers(1, 9_999))
def test_what_chance_gives_is_a_divergence(pooled, before, now):
    """Between 0 and 1, alike for both orders and for the vectorised form, and smaller for larger windows."""
    chance = expected_jsd_bits(pooled, before, now)
    assert 0.0 <= chance <= 1.0
    assert chance == pytest.approx(expected_jsd_bits(pooled, now, before))
    assert expected_jsd_rows(pooled, np.array([before], float), np.array([now], float))[
        0
    ] == pytest.approx(chance)


def test_what_chance_gives_is_about_what_it_gives():
    """Against 200 draws of two windows from the same ten shares."""
    random = np.random.default_rng(7)
    p = shares(np.arange(1.0, 11.0))
    draws = [
        jsd_bits(
            random.multinomial(2_000, p).astype(float), random.multinomial(500, p).astype(float)
        )
        for _ in range(200)
    ]
    assert expected_jsd_bits(p * 2_500, 2_000, 500) == pytest.approx(
        float(np.mean(draws)), rel=0.15
    )


@pytest.mark.parametrize(
    ("baseline", "current", "low", "high"),
    [
        ([50, 30, 20], [0, 30, 20], 0.0, 0.001),  # one value gone, the others as they were
        ([50, 30, 20], [20, 40, 5], 0.4, 9.0),  # everything moved
    ],
)
def test_one_vanished_value_leaves_nothing_to_explain(baseline, current, low, high):
    """The share of the divergence that is left tells the two stories apart."""
    left = left_without_largest_loss(np.array(baseline, float), np.array(current, float))
    assert low <= left <= high


@pytest.mark.parametrize(
    ("a", "b"), [([5, 5], [9, 1]), ([1, 1, 0], [2, 3, 0]), ([2, 3, 4], [2, 3, 4])]
)
def test_two_values_or_no_shift_tell_no_story(a, b):
    """Of two values the one left over always keeps its proportion."""
    assert left_without_largest_loss(np.array(a, float), np.array(b, float)) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_the_median_lies_in_the_middle(values):
    """As many values on either side."""
    middle = median(values)
    assert sum(v < middle for v in values) <= len(values) / 2
    assert sum(v > middle for v in values) <= len(values) / 2


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0.0, 1.0))
def test_a_quantile_lies_straight_between_its_neighbours(values, share):
    """The short way over a sorted list gives what NumPy's linear quantile gives."""
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), abs=1e-6)


def test_a_quantile_of_nothing_is_refused():
    """Without values there is no quantile."""
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


def test_the_median_of_nothing_is_refused():
    """Nothing has no middle."""
    with pytest.raises(ValueError, match="nothing"):
        median([])


def test_one_bad_day_does_not_move_the_level():
    """Robust: the outlier costs the spread nothing."""
    steady = [10.0, 10.1, 9.9, 10.2, 9.8, 10.0, 10.1]
    assert level([*steady, 500.0], floor=0.01).centre == pytest.approx(10.0, abs=0.1)
    assert level([*steady, 500.0], floor=0.01).sigma < 0.5


def test_the_spread_of_a_normal_sample_is_its_deviation():
    """Both readings are scaled to it; strays that repeat one number do not make it 0; nothing has none."""
    sample = (3.0 * np.random.default_rng(5).standard_normal(20_001)).tolist()
    assert spread(sample[:27]) == pytest.approx(3.0, rel=0.3)
    assert spread(sample) == pytest.approx(3.0, rel=0.1)
    assert spread([0.0, 0.0, 0.0, 0.0, 0.0, 1.0, -1.0, 1.0]) > 0.8
    with pytest.raises(ValueError, match="nothing"):
        spread([])


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_tails_fall(a, b):
    """The farther out the less probable, strictly inside (0, 1)."""
    assert 0.0 < upper_tail(a) < 1.0
    assert upper_tail(max(a, b)) <= upper_tail(min(a, b))


@given(st.floats(1e-12, 1.0), st.floats(1e-12, 1.0))
def test_a_smaller_p_weighs_more(a, b):
    """Monotone, capped above, bounded below."""
    assert weight_of_tail(min(a, b), cap=4.0) >= weight_of_tail(max(a, b), cap=4.0) - 1e-9
    assert -3.0 <= weight_of_tail(a, cap=4.0) <= 4.0


def test_the_weight_of_a_tail_by_hand():
    """Sellke, Bayarri, Berger: p = 0.01 is at most 8 : 1."""
    assert weight_of_tail(0.01, cap=9.0) == pytest.approx(
        math.log(1 / (-math.e * 0.01 * math.log(0.01)))
    )


@given(counts, st.floats(0, 1e5))
def test_distinct_values_never_exceed_what_was_seen(history, rows):
    """Rarefaction interpolates: between none and all, growing with the sample."""
    expected = expected_distinct(history, rows)
    assert 0.0 <= expected <= float((history > 0).sum()) + 1e-9
    assert expected <= expected_distinct(history, rows * 2) + 1e-9


@given(counts)
def test_the_unseen_share_is_a_share(history):
    """Never 0: something new is always possible."""
    assert 0.0 < unseen_share(history) <= 1.0


@pytest.mark.parametrize(
    ("observed", "expected", "sign"), [(5, 5, 0), (4, 5, 0), (50, 5, -1), (3, 0, -1)]
)
def test_only_more_than_expected_is_an_excess(observed, expected, sign):
    """Ln of a probability: 0 or below."""
    value = poisson_excess(observed, expected)
    assert (value > 0) - (value < 0) == sign


def test_a_run_is_less_and_less_likely_to_last():
    """Survival of a steady ten-minute sync: usual at ten, rare at twenty, absurd at sixty."""
    history = log_level([600, 620, 580, 610, 590, 605])
    at = [longer_than(minutes * 60.0, history) for minutes in (5, 10, 20, 60)]
    assert at == sorted(at, reverse=True)
    assert at[0] > 0.9
    assert at[1] == pytest.approx(0.5, abs=0.1)
    assert at[2] < 0.01


@pytest.mark.parametrize(
    ("starts", "gap"), [([0, 10, 20, 30], 10), ([0, 10], None), ([], None), ([0, 10, 20, 99], 10)]
)
def test_the_rhythm_is_the_usual_gap(starts, gap):
    """One late start does not change it; two starts are no rhythm."""
    assert cadence_s(starts) == gap


def test_punctual_starts_have_little_lateness():
    """And irregular ones much."""
    assert usual_lateness_s([0, 100, 200, 300], 100) < usual_lateness_s([0, 90, 230, 300], 100)


MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def windows(rows_of, days=28):
    start = MONDAY.timestamp()
    return [
        Window(start_s=start + d * DAY_S, end_s=start + (d + 1) * DAY_S, rows=rows_of(d))
        for d in range(days)
    ]


def test_a_quiet_weekend_is_no_drop():
    """Saturdays are compared with Saturdays."""
    weekly = windows(lambda d: 400.0 if d % 7 >= 5 else 1000.0, days=34)  # day 33 is a Saturday
    assert (MONDAY + timedelta(days=33)).weekday() == 5
    assert abs(forecast(weekly[:33], weekly[33]).z) < 2
    workday = Window(start_s=weekly[32].start_s, end_s=weekly[32].end_s, rows=400.0)
    assert forecast(weekly[:32], workday).z < -5


@pytest.mark.parametrize(
    ("rows", "low"), [(1000.0, False), (960.0, False), (500.0, True), (0.0, True)]
)
def test_missing_rows_stand_out(rows, low):
    """A few percent are noise, half is not; the expectation is the level."""
    days = windows(lambda d: 1000.0 * (1 + 0.03 * math.sin(d)))
    judged = forecast(days[:-1], Window(start_s=days[-1].start_s, end_s=days[-1].end_s, rows=rows))
    assert judged.expected == pytest.approx(1000, rel=0.05)
    assert (judged.p_low < 0.01) is low
    assert judged.drop == pytest.approx(max(0.0, 1 - rows / judged.expected))


@pytest.mark.parametrize(
    ("days", "rows", "low"),
    [
        (35, 4.0, True),  # planned loads of eight hardly ever hold four
        (35, 7.0, False),  # one fewer is nothing
        (5, 4.0, False),  # five days cannot show that they are planned
        (5, 0.0, True),
    ],
)
def test_small_planned_loads_lose_their_half(days, rows, low):
    """What is steadier than a random source is judged by its own steadiness, once enough windows show it."""
    past = windows(lambda d: 8.0 + (d % 5 == 0), days=days)
    judged = Window(start_s=past[-1].end_s, end_s=past[-1].end_s + DAY_S, rows=rows)
    assert (forecast(past, judged).p_low < 0.01) is low


def test_a_level_of_last_quarter_is_forgotten():
    """Two months at double the rows do not make four weeks at the new level look like a loss."""
    past = windows(lambda d: (2000.0 if d < 60 else 1000.0) * (1 + 0.03 * math.sin(d)), days=88)
    judged = Window(start_s=past[-1].end_s, end_s=past[-1].end_s + DAY_S, rows=1000.0)
    assert forecast(past, judged).expected == pytest.approx(1000.0, rel=0.06)


def test_a_weekday_never_seen_is_trusted_less():
    """Five days from Monday on say little of the Saturday."""
    past = windows(lambda d: 1000.0 * (1 + 0.03 * math.sin(d)), days=7)
    saturday, monday = (
        forecast(before, Window(start_s=at, end_s=at + DAY_S, rows=800.0))
        for before, at in ((past[:5], past[5].start_s), (past, past[-1].end_s))
    )
    assert saturday.noise > 1.5 * monday.noise
    assert saturday.p_low > 2 * monday.p_low


@given(
    st.lists(st.integers(0, 10**9), min_size=3, max_size=40),
    st.integers(0, 10**9),
    st.integers(1, 10**6),
)
def test_fewer_rows_are_never_more_usual(history, rows, fewer):
    """Monotone, finite and a probability for any counts."""
    past = windows(lambda d: float(history[d]), days=len(history))
    ends = past[-1].end_s
    found = [
        forecast(past, Window(start_s=ends, end_s=ends + DAY_S, rows=float(r)))
        for r in (max(0, rows - fewer), rows)
    ]
    if None not in found:
        assert 0.0 < found[0].p_low <= found[1].p_low < 1.0
        assert 0.0 <= found[1].drop <= found[0].drop <= 1.0


def random_days(dispersion, days, lam=40.0):
    """Return counts whose variance is *dispersion* times that of a random source, with a quieter week-end."""
    draw = np.random.default_rng(11)
    means = np.array([lam * (0.6 if d % 7 >= 5 else 1.0) for d in range(days)])
    return np.rint(means + np.sqrt(dispersion * means) * draw.standard_normal((400, days))).clip(0)


@pytest.mark.parametrize(("dispersion", "halves"), [(0.1, 0.95), (1.0, 0.4), (3.0, 0.05)])
@pytest.mark.parametrize("days", [10, 28, 60])
def test_false_alarms_keep_their_rate_whatever_the_dispersion(dispersion, halves, days):
    """At most 2 % of 400 healthy days at a nominal 1 %; from four weeks on halves are found as far as they can be."""
    rates = []
    for factor in (1.0, 0.5):
        tails = []
        for rows in random_days(dispersion, days + 1):
            past = windows(lambda d, rows=rows: float(rows[d]), days=days)
            ends = past[-1].end_s
            judged = Window(start_s=ends, end_s=ends + DAY_S, rows=float(factor * rows[days]))
            tails.append(forecast(past, judged).p_low)
        rates.append(float((np.array(tails) < 0.01).mean()))
    assert rates[0] <= 0.02
    assert rates[1] >= (0.0 if days < 28 else halves)


def test_one_lost_day_in_the_history_does_not_matter():
    """An outage is not an observation of the level."""
    days = windows(lambda d: 0.0 if d == 20 else 1000.0 * (1 + 0.03 * math.sin(d)))
    assert forecast(days[:-1], days[-1]).expected == pytest.approx(1000, rel=0.05)


def test_only_comparable_windows_count():
    """Hours say nothing of days, nights nothing of noons; two windows are no history."""
    days = windows(lambda _: 1000.0, days=10)
    hour = Window(start_s=days[9].start_s, end_s=days[9].start_s + 3600, rows=10.0)
    assert forecast(days[:9], hour) is None
    assert forecast(days[:2], days[2]) is None
    shifted = [
        Window(start_s=w.start_s + DAY_S / 2, end_s=w.end_s + DAY_S / 2, rows=w.rows)
        for w in days[:9]
    ]
    assert forecast(shifted, days[9]) is None


@pytest.mark.parametrize("exponent", [0.3, 1.1])
@pytest.mark.parametrize(("before", "now"), [(5_000, 5_000), (15_000, 5_000), (140_000, 5_000)])
@pytest.mark.parametrize("values", [10, 300, 20_000])
def test_what_chance_gives_long_tails_is_about_what_it_gives(values, before, now, exponent):
    """Also where most values have a row or two: within a tenth of what two windows from the same shares show."""
    random = np.random.default_rng(5)
    p = shares(np.arange(1.0, values + 1.0) ** -exponent)
    seen, told = [], []
    for _ in range(400 if values < 100 else 20):
        a, b = (random.multinomial(rows, p).astype(float) for rows in (before, now))
        seen.append(jsd_bits(a, b))
        told.append(expected_jsd_bits(a + b, before, now))
    assert float(np.mean(told)) == pytest.approx(float(np.mean(seen)), rel=0.1)


@pytest.mark.parametrize("part", [0.5, 0.25, 0.1, 0.01])
@given(rows=st.integers(1, 200))
def test_a_value_of_few_rows_adds_what_its_draws_add(rows, part):
    """Within three twentieths of the sum over all ways in which its rows may fall to the two windows."""
    fallen = np.arange(rows + 1)
    now, before = fallen / (rows * part), fallen[::-1] / (rows * (1.0 - part))
    middle = (now + before) / 2.0
    terms = (xlogy(now, now) + xlogy(before, before)) / 2.0 - xlogy(middle, middle)
    exact = 8.0 * rows * part * (1.0 - part) * float(binom.pmf(fallen, rows, part).dot(terms))
    beside_a_common_one = np.array([1e9 - rows, rows], dtype=float)
    told = expected_jsd_bits(beside_a_common_one, 1e9 * (1.0 - part), 1e9 * part)
    assert told * 8.0 * math.log(2.0) * 1e9 * part * (1.0 - part) == pytest.approx(exact, rel=0.15)
