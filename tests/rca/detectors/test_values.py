"""cardinality_explosion and new_values_appearing: more values than ever, or values never seen."""

from __future__ import annotations

import pytest

from rca.detection import Signal, Skipped
from rca.engine import diagnose
from rca.evidence import Cause


def test_duplicated_ids_fire(pipeline):
    """Three times the distinct values on as many rows."""
    extra = {f"sku-{i}-dup": 6 for i in range(80)}
    answer = pipeline.counts("sku", **extra).ask("cardinality_explosion")
    assert isinstance(answer, Signal)
    assert answer.strength > 0.95
    assert answer.evidence.current_cardinality == 120
    assert answer.evidence.cardinality_change_pct == pytest.approx(200, abs=5)


@pytest.mark.parametrize("factor", [0.2, 1.0, 3.0])
def test_more_or_fewer_rows_of_the_same_values_do_not(pipeline, factor):
    """Volume is not variety."""
    assert pipeline.rows(factor).ask("cardinality_explosion") is None


def test_a_handful_of_new_values_is_no_explosion(pipeline):
    """That is what new_values_appearing is for."""
    assert pipeline.counts("country", PL=40, SE=30).ask("cardinality_explosion") is None


def test_values_never_seen_fire(pipeline):
    """A new country with many rows; count and share are told."""
    answer = pipeline.counts("country", PL=60).ask("new_values_appearing")
    assert isinstance(answer, Signal)
    assert answer.strength > 0.9
    new = answer.evidence.new_values[0]
    assert (new.dimension, new.value, new.count) == ("country", "PL", 60)
    assert new.share == pytest.approx(60 / (1000 + 60), rel=0.05)


def test_new_values_in_several_dimensions_weigh_more(pipeline):
    """One new market shows in country and channel at once."""
    one = pipeline.counts("country", PL=12).ask("new_values_appearing")
    two = pipeline.counts("channel", tiktok=12).ask("new_values_appearing")
    assert two.strength > one.strength
    assert set(two.evidence.dimensions_affected) == {"country", "channel"}


@pytest.mark.parametrize("rows", [1, 2])
def test_a_typing_error_does_not(pipeline, rows):
    """One or two rows of a new value are noise."""
    assert pipeline.counts("country", XX=rows).ask("new_values_appearing") is None


def test_a_dimension_that_grows_every_day_does_not(pipeline):
    """New SKUs every day make today's new SKUs ordinary."""
    for day, profile in enumerate(
        p for p in pipeline.document["dimension_profiles"] if p["dimension"] == "sku"
    ):
        profile["counts"] |= {f"new-{day}-{k}": 5 for k in range(4)}
    answer = pipeline.ask("new_values_appearing")
    assert answer is None or answer.strength < 0.5


def _cut(pipeline, kept, *, windows=slice(None)):
    """List only the *kept* largest SKUs of some windows, as sources do that bound what they bring."""
    skus = [p for p in pipeline.document["dimension_profiles"] if p["dimension"] == "sku"]
    for profile in skus[windows]:
        largest = sorted(profile["counts"].items(), key=lambda item: (-item[1], item[0]))
        profile["counts"] = dict(largest[:kept])
        profile["truncated"] = True
    return pipeline


@pytest.mark.parametrize("code", ["cardinality_explosion", "new_values_appearing"])
def test_cut_off_profiles_are_no_look(pipeline, code):
    """Where rare values were left out everywhere, nobody knows that none is new, or how many there are."""
    for profile in pipeline.document["dimension_profiles"]:
        profile["truncated"] = True
    answer = pipeline.ask(code)
    assert isinstance(answer, Skipped)
    assert "cut off" in answer.reason


@pytest.mark.parametrize(("rows", "is_new"), [(90, True), (27, False)])
def test_only_a_value_too_large_to_have_been_hidden_is_new(pipeline, rows, is_new):
    """Of a list of the ten largest SKUs one with 27 rows may always have been the eleventh; one with 90 may not."""
    answer = _cut(pipeline.counts("sku", fresh=rows), 10).ask("new_values_appearing")
    fired = isinstance(answer, Signal) and answer.strength > 0.5
    assert fired is is_new
    if fired:
        assert [v.value for v in answer.evidence.new_values] == ["fresh"]
        assert "windows before never listed: sku=fresh" in answer.because


@pytest.mark.parametrize(("kept", "fires"), [(100, True), (40, False)])
def test_a_list_that_had_to_be_cut_off_holds_at_least_what_it_lists(pipeline, kept, fires):
    """A hundred of its SKUs are told where forty were usual; that forty are told says nothing of the others."""
    extra = {f"sku-{i}-dup": 6 for i in range(80)}
    answer = _cut(pipeline.counts("sku", **extra), kept, windows=slice(-1, None)).ask(
        "cardinality_explosion"
    )
    fired = isinstance(answer, Signal) and answer.strength > 0.5
    assert fired is fires
    if fired:
        assert answer.evidence.current_cardinality == kept
        assert "at least 100 distinct values" in answer.because


def a_hundred_times(pipeline):
    """Give every value of every window a hundred times the rows."""
    for profile in pipeline.document["dimension_profiles"]:
        profile["counts"] = {value: 100 * rows for value, rows in profile["counts"].items()}
    return pipeline


def test_few_new_rows_of_very_many_weigh_less_unless_asked_about(pipeline):
    """As many rows of a new country are little beside 100,000; a check of the country saw them all the same."""
    a_hundred_times(pipeline).counts("country", PL=60)
    few = pipeline.ask("new_values_appearing")
    asked = pipeline.alert(column="country").ask("new_values_appearing")
    many = pipeline.counts("country", PL=6_000).alert(column=None).ask("new_values_appearing")
    assert few.strength < asked.strength
    assert few.strength < many.strength


def test_a_failing_test_is_not_laid_to_a_few_new_rows(pipeline):
    """A test turned to fail after new code, and six in ten thousand rows came from a new country."""
    a_hundred_times(pipeline).counts("country", PL=60).alert(anomaly_type="quality_check_failure")
    pipeline.node("test.shop.unique_orders_id.1", 1, status="fail")
    pipeline.node("model.shop.orders", 1, checksum="sha256:new")
    first, *_ = diagnose(pipeline.case()).hypotheses
    assert first.cause_type is Cause.TRANSFORMATION_REGRESSION
