"""cardinality_explosion and new_values_appearing: more values than ever, or values never seen."""

from __future__ import annotations

import pytest

from rca.detection import Signal, Skipped


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


@pytest.mark.parametrize("code", ["cardinality_explosion", "new_values_appearing"])
def test_cut_off_profiles_are_no_look(pipeline, code):
    """Where rare values were left out, nobody knows what is new or how many there are."""
    for profile in pipeline.document["dimension_profiles"]:
        profile["truncated"] = True
    assert isinstance(pipeline.ask(code), Skipped)
