"""Segments of a dataset that moved: a short list for people, from profiles as a case holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.case import SegmentProfile
from rca.stats.localise import MOST_SEGMENTS, _divergence, segments, segments_of_values

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
SHARES = {"US": 0.5, "CA": 0.3, "GB": 0.15, "DE": 0.05}
CHANNELS = {"web": 0.6, "pos": 0.3, "app": 0.1}


def profile(day, rows, dimensions=("country", "channel")):
    """One window's counts per combination."""
    start = FIRST + day * DAY
    return SegmentProfile(
        dimensions=dimensions,
        window_start=start,
        window_end=start + DAY,
        rows=tuple((values, count) for values, count in rows.items()),
    )


def usual(rows=6_000, seed=0):
    """A healthy day of about *rows* rows."""
    rng = np.random.default_rng(seed)
    return {
        (country, channel): int(rng.poisson(rows * a * b))
        for country, a in SHARES.items()
        for channel, b in CHANNELS.items()
    }


def question(today, days=8, **options):
    """What is said about *today* after *days* healthy ones."""
    windows = [profile(day, usual(seed=day)) for day in range(days)]
    ends = [window.window_end for window in windows]
    now = profile(days, today)
    return segments([*windows, now], current=now.window_end, baseline=ends, **options)


def named(found):
    return [dict(segment.elements) for segment in found]


def changed(factors, rows=6_000, seed=99):
    """Today's counts with some combinations multiplied; a factor's key is part of a combination."""
    today = usual(rows, seed)
    for part, factor in factors.items():
        for combination in today:
            if set(part) <= set(combination):
                today[combination] = int(today[combination] * factor)
    return today


@pytest.mark.parametrize(
    ("factors", "truth"),
    [
        ({("GB",): 0.1}, [{"country": "GB"}]),
        ({("US", "web"): 0.2}, [{"country": "US", "channel": "web"}]),
        ({("CA", "pos"): 0.0}, [{"country": "CA", "channel": "pos"}]),
        ({("DE",): 4.0}, [{"country": "DE"}]),
        ({("US",): 0.0}, [{"country": "US"}]),
    ],
    ids=["value fell", "pair fell", "pair vanished", "value rose", "largest value vanished"],
)
def test_the_segment_that_moved_is_named_alone(factors, truth):
    """Also when it held half of all rows, so that the shares of all others doubled."""
    assert named(question(changed(factors))) == truth


@pytest.mark.parametrize("rows", [6_000, 3_000, 12_000])
def test_nothing_is_named_on_a_healthy_day_of_any_size(rows):
    """The nearest thing that must not fire: half or twice the rows, the same shares."""
    assert question(changed({}, rows=rows)) == ()


def test_a_swap_has_two_names():
    """What left one value turned up at another: the loss and the gain are both told."""
    found = question(changed({("CA",): 0.3, ("GB",): 2.4}))
    assert {tuple(n.items()) for n in named(found)} == {(("country", "CA"),), (("country", "GB"),)}


def test_a_new_combination_is_named():
    """A value that no window held before, in a handful of rows."""
    today = changed({}) | {("FR", "web"): 60, ("FR", "pos"): 30}
    (found,) = question(today)
    assert dict(found.elements) == {"country": "FR"}
    assert found.baseline_share == 0.0
    assert found.current_share == pytest.approx(90 / sum(today.values()))


def test_shares_are_those_of_all_rows_of_the_segment():
    """The numbers on a card can be checked by counting."""
    today = changed({("GB",): 0.1})
    (found,) = question(today)
    now = sum(count for (country, _), count in today.items() if country == "GB")
    past = [usual(seed=day) for day in range(8)]
    before = sum(c for day in past for (country, _), c in day.items() if country == "GB")
    assert found.current_share == pytest.approx(now / sum(today.values()))
    assert found.baseline_share == pytest.approx(before / sum(sum(day.values()) for day in past))
    assert 0.5 < found.explained_share <= 1.0


def test_profiles_over_other_dimensions_never_repeat_a_parent_as_its_child():
    """One profile shows the country, another country and channel: the country is said once."""
    today = changed({("GB",): 0.1})
    windows = [profile(day, usual(seed=day)) for day in range(8)] + [profile(8, today)]
    totals = []
    for window in windows:
        counts = dict.fromkeys(((country,) for country in SHARES), 0)
        for (country, _), count in window.rows:
            counts[country,] += count
        day = (window.window_start - FIRST).days
        totals.append(profile(day, counts, dimensions=("country",)))
    ends = [window.window_end for window in windows]
    found = segments([*windows, *totals], current=ends[-1], baseline=ends[:-1])
    assert {"country": "GB"} in named(found)
    assert not any(len(names) > 1 for names in named(found))


def test_a_dataset_that_always_moves_is_not_blamed():
    """The same fall of a value, among windows that stray further every day."""
    rng = np.random.default_rng(1)
    steady = question(changed({("GB",): 0.7}))
    windows = [
        profile(day, changed({("GB",): float(rng.uniform(0.4, 1.6))}, seed=day)) for day in range(8)
    ]
    now = profile(8, changed({("GB",): 0.7}))
    ends = [window.window_end for window in windows]
    assert named(steady) == [{"country": "GB"}]
    assert segments([*windows, now], current=now.window_end, baseline=ends) == ()


def test_null_is_a_value_like_any_other():
    """Rows whose channel got lost are a segment that people want to see."""
    today = changed({("web",): 0.4}) | {("US", None): 900, ("CA", None): 500}
    assert {"channel": None} in named(question(today))


def test_the_later_reading_of_a_window_counts():
    """A window that was read twice is judged by its second reading."""
    wrong, right = profile(8, changed({("GB",): 0.1})), profile(8, changed({}))
    windows = [profile(day, usual(seed=day)) for day in range(8)]
    ends = [window.window_end for window in windows]
    assert segments([*windows, wrong, right], current=right.window_end, baseline=ends) == ()


@pytest.mark.parametrize(
    "profiles",
    [
        [],
        [profile(0, {("US", "web"): 5})],
        [profile(0, {}), profile(1, {})],
        [profile(0, {("US", "web"): 0}), profile(1, {("US", "web"): 9})],
        [profile(0, {("US", "web"): 9}), profile(1, {("US", "web"): 0})],
        [profile(0, {("US",): 9}), profile(1, {("US", "web", "x"): 9})],
        [profile(0, {(): 9}, dimensions=()), profile(1, {(): 90}, dimensions=())],
    ],
    ids=[
        "none",
        "no baseline",
        "no rows",
        "empty past",
        "empty now",
        "wrong width",
        "no dimensions",
    ],
)
def test_nothing_to_compare_gives_nothing(profiles):
    """Empty is an answer and not an error."""
    ends = [FIRST + DAY, FIRST + 2 * DAY]
    assert segments(profiles, current=ends[1], baseline=ends) == ()


counts = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from(["x", "y", None])),
    st.one_of(st.integers(0, 40), st.integers(0, 10**9)),
    max_size=12,
)


@settings(max_examples=120, deadline=None)
@given(st.lists(counts, max_size=7), counts, st.integers(0, 7))
def test_any_profiles_give_a_short_bounded_list(past, today, limit):
    """At most five, what moved the shares most first, shares in [0, 1], nobody's child, no exception."""
    windows = [profile(day, rows) for day, rows in enumerate(past)]
    now = profile(len(past), today)
    ends = [window.window_end for window in windows]
    found = segments([*windows, now], current=now.window_end, baseline=ends, limit=limit)
    assert len(found) <= limit
    assert len(segments([*windows, now], current=now.window_end, baseline=ends)) <= MOST_SEGMENTS
    apart = [_divergence(segment) for segment in found]
    assert apart == sorted(apart, reverse=True)
    for one in found:
        for share in (one.baseline_share, one.current_share, one.explained_share):
            assert 0.0 <= share <= 1.0
        assert not any(other.elements.items() < one.elements.items() for other in found)


def test_a_loss_stands_before_the_gain_that_takes_up_its_share():
    """A tenth of the rows is gone and a half gained as much: the loss moved its own share more."""
    past = np.tile([500.0, 400.0, 100.0], (8, 1)) + np.arange(8.0)[:, np.newaxis] % 3
    found = segments_of_values(
        "state", ("open", "paid", "void"), current=np.array([600.0, 400.0, 0.0]), baseline=past
    )
    assert named(found)[0] == {"state": "void"}


def test_values_that_stayed_are_not_named():
    """The same counts again, and no window at all to compare with."""
    past = np.tile([500.0, 400.0], (8, 1))
    asked = {"current": np.array([500.0, 400.0]), "baseline": past}
    assert segments_of_values("state", ("open", "paid"), **asked) == ()
    assert segments_of_values("state", ("open", "paid"), **asked | {"baseline": past[:0]}) == ()
