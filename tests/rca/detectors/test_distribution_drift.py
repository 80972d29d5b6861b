"""distribution_drift: shares against their own day-to-day noise."""

from __future__ import annotations

import pytest

from rca.detection import Signal
from rca.engine import diagnose


def test_a_vanished_value_fires(pipeline):
    """A value of half the rows is nearly gone; it leads the movers."""
    answer = pipeline.counts("country", US=10).ask("distribution_drift")
    assert isinstance(answer, Signal)
    assert answer.strength > 0.95
    assert answer.evidence.dimension == "country"
    assert answer.evidence.top_movers[0].value == "US"
    assert 0.0 < answer.evidence.jsd <= 1.0


@pytest.mark.parametrize("counts", [{"US": 510}, {"US": 480, "CA": 310}, {"DE": 53}])
def test_everyday_movement_does_not(pipeline, counts):
    """A few percent of a value are this dimension's noise."""
    answer = pipeline.counts("country", **counts).ask("distribution_drift")
    assert answer is None or answer.strength < 0.5


def test_a_dimension_that_always_moves_a_lot_does_not(pipeline):
    """The same shift is nothing where every day brings one."""
    for index, profile in enumerate(pipeline.document["dimension_profiles"]):
        if profile["dimension"] == "country":
            profile["counts"] |= {"US": (500, 150, 900, 300)[index // 3 % 4]}
    answer = pipeline.counts("country", US=200).ask("distribution_drift")
    assert answer is None or answer.strength < 0.5


def test_fewer_rows_in_the_same_shares_are_no_drift(pipeline):
    """Shares, not counts."""
    answer = pipeline.rows(0.2).ask("distribution_drift")
    assert answer is None or answer.strength < 0.5


def test_a_tiny_window_says_nothing(pipeline):
    """With a dozen rows any shares are possible."""
    pipeline.rows(0.01).counts("country", US=0, CA=11)
    answer = pipeline.ask("distribution_drift")
    assert answer is None or answer.evidence.dimension != "country"


def test_an_unhealthy_ingestion_is_told(pipeline):
    """The runbook asks for it: the shift may be a symptom."""
    pipeline.counts("country", US=10)
    assert pipeline.ask("distribution_drift").evidence.ingestion_healthy is True
    assert (
        pipeline.failed(range(58, 60)).ask("distribution_drift").evidence.ingestion_healthy is False
    )
    assert (
        pipeline.without("ingestion_jobs").ask("distribution_drift").evidence.ingestion_healthy
        is None
    )


def test_rows_lost_everywhere_weigh_less_than_a_single_vanished_value(pipeline):
    """Lost on the way, not at the source."""
    single = pipeline.counts("country", US=5).ask("distribution_drift")
    everywhere = pipeline.counts("country", US=130, CA=260, FR=10, DE=5).ask("distribution_drift")
    assert everywhere.strength < single.strength


USUAL = {"US & web": 300, "US & pos": 200, "CA & web": 400, "CA & pos": 100}


def combined(pipeline, now, usual=USUAL):
    """Add the counts over country and channel: *usual*, a little shaken, and *now* in the newest window."""
    end = pipeline.document["volume_history"][-1]["window_end"]
    for day in range(8):
        window = pipeline.document["volume_history"][-1 - day]
        counts = now if window["window_end"] == end else usual
        pipeline.document.setdefault("segment_profiles", []).append(
            {
                "dimensions": ["country", "channel"],
                "window_start": window["window_start"],
                "window_end": window["window_end"],
                "rows": [[key.split(" & "), rows + day % 3] for key, rows in counts.items()],
            }
        )
    return pipeline


def test_a_shift_of_a_combination_is_seen_where_no_single_dimension_shows_it(pipeline):
    """US web halves while US elsewhere and web elsewhere grow: only the combination tells."""
    now = {"US & web": 150, "US & pos": 350, "CA & web": 550, "CA & pos": 0}
    answer = combined(pipeline, now).ask("distribution_drift")
    assert answer.evidence.dimension == "country & channel"
    assert "US & web" in {mover.value for mover in answer.evidence.top_movers}


def test_a_combination_is_named_where_a_single_dimension_shows_it_too(pipeline):
    """US falls because US web is gone; the sentence names the combination with its shares."""
    pipeline.counts("country", US=200, CA=500)
    answer = combined(pipeline, USUAL | {"US & web": 10}).ask("distribution_drift")
    assert answer.evidence.dimension == "country & channel"
    assert [mover.value for mover in answer.evidence.top_movers] == ["US & web"]
    assert "country = US & channel = web went from 30.0 % to 1.4 % of the rows" in answer.because


def test_a_value_is_named_where_all_its_combinations_moved(pipeline):
    """The nearest thing that must not: US falls in every channel alike, so no channel is named."""
    pipeline.counts("country", US=50, CA=500)
    answer = combined(pipeline, USUAL | {"US & web": 30, "US & pos": 20}).ask("distribution_drift")
    assert answer.evidence.dimension == "country"
    assert answer.evidence.top_movers[0].value == "US"
    assert "; US went from" in answer.because


def test_values_that_did_not_move_are_not_listed(pipeline):
    """One value is gone and the next largest takes up its share; the small ones explain nothing."""
    answer = pipeline.counts("country", US=10).ask("distribution_drift")
    assert [mover.value for mover in answer.evidence.top_movers] == ["US", "CA"]


FAINT = USUAL | {"US & web": 234}


def test_what_the_alert_is_about_is_told_when_a_part_of_it_stands_out(pipeline):
    """A check saw country move: the shares of US alone do not show it, those of US web do, and it is said faintly."""
    pipeline.alert(anomaly_type="distribution_anomaly", column="country")
    answer = combined(pipeline, FAINT).ask("distribution_drift")
    assert 0.2 < answer.strength < 0.5
    assert [mover.value for mover in answer.evidence.top_movers] == ["US & web"]
    assert answer.because.startswith("As a whole the shares of country moved no more than usual")
    assert "but country = US & channel = web went from 30.0 %" in answer.because


@pytest.mark.parametrize(("column", "now"), [("channel_group", FAINT), ("country", USUAL)])
def test_it_is_silent_when_nobody_asked_or_nothing_stands_out(pipeline, column, now):
    """The nearest things that must not: the alert is about another column; nothing moved beyond its noise."""
    pipeline.alert(anomaly_type="distribution_anomaly", column=column)
    assert combined(pipeline, now).ask("distribution_drift") is None


@pytest.mark.parametrize(
    "alert",
    [
        {"anomaly_type": "distribution_anomaly", "column": "country"},
        {"anomaly_type": "quality_check_failure", "check_id": "dimension_anomalies_country"},
        {"anomaly_type": "distribution_anomaly", "column": "", "check_id": "shares_of_country"},
    ],
)
def test_an_alert_about_shares_is_told_which_of_them_moved(pipeline, alert):
    """Nothing is out of the usual, but a check saw country move: faintly, what moved most, and no cause for a page."""
    answer = pipeline.alert(**alert).counts("country", US=590).ask("distribution_drift")
    assert answer.strength < 0.2
    assert answer.evidence.top_movers[0].value == "US"
    assert answer.because.startswith("As a whole the shares of country moved no more than usual")
    assert "and no part stands out; most of it is that US went from" in answer.because
    assert 0.1 < diagnose(pipeline.case()).top_confidence < 0.4


def test_an_alert_about_something_else_is_not_bothered_with_everyday_shares(pipeline):
    """The same shares, and a check that found the column empty: shares are not what it is about."""
    pipeline.alert(anomaly_type="quality_check_failure", check_id="not_null_country")
    assert pipeline.counts("country", US=590).ask("distribution_drift") is None


def test_a_combination_that_leaves_the_named_dimension_out_is_no_answer_about_it(pipeline):
    """The alert is about channel; all of US moved, in every channel alike, so of channel there is nothing to say."""
    pipeline.alert(anomaly_type="distribution_anomaly", column="channel")
    assert (
        combined(pipeline, USUAL | {"US & web": 245, "US & pos": 163}).ask("distribution_drift")
        is None
    )


def test_a_row_that_does_not_fit_its_dimensions_silences_nobody(pipeline):
    """One value for two dimensions is left out, the others are read."""
    combined(pipeline, USUAL | {"US & web": 10}).counts("country", US=200, CA=500)
    for profile in pipeline.document["segment_profiles"]:
        profile["rows"].append([["US"], 7])
    answer = pipeline.ask("distribution_drift")
    assert [mover.value for mover in answer.evidence.top_movers] == ["US & web"]


def test_other_dimensions_that_moved_are_told_too(pipeline):
    """The strongest shift decides, the alert's own column and others follow with their movers."""
    pipeline.alert(anomaly_type="distribution_anomaly", column="channel")
    pipeline.counts("country", US=10, DE=400).counts("channel", web=640, pos=310)
    answer = pipeline.ask("distribution_drift")
    assert answer.evidence.dimension == "country"
    (other,) = answer.evidence.also_moved
    assert (other.dimension, other.top_movers[0].value) == ("channel", "pos")


def test_a_dimension_that_did_not_move_is_not_told_beside_one_that_did(pipeline):
    """Everyday movement is no news."""
    answer = pipeline.counts("country", US=10).ask("distribution_drift")
    assert answer.evidence.also_moved == ()


def _listing(pipeline, kept):
    for profile in pipeline.document["dimension_profiles"]:
        if profile["dimension"] == "sku":
            largest = sorted(profile["counts"].items(), key=lambda item: (-item[1], item[0]))
            profile["counts"] = dict(largest[:kept])
            profile["truncated"] = True
    return pipeline


@pytest.mark.parametrize("kept", [3, 10, 25, 39])
def test_values_at_the_edge_of_a_cut_off_list_neither_vanish_nor_appear(pipeline, kept):
    """Which of forty even SKUs are among the largest changes from day to day and is no drift."""
    assert _listing(pipeline, kept).ask("distribution_drift") is None


@pytest.mark.parametrize("kept", [10, 25])
def test_a_large_value_that_left_a_cut_off_list_is_seen(pipeline, kept):
    """It held a third of the rows and cannot hold more than the smallest that is listed now."""
    for profile in pipeline.document["dimension_profiles"][:-3]:
        if profile["dimension"] == "sku":
            profile["counts"]["large"] = 460
    answer = _listing(pipeline, kept).ask("distribution_drift")
    assert answer.strength > 0.9
    assert answer.evidence.top_movers[0].value == "large"
    assert answer.evidence.top_movers[0].current_share > 0.0
