"""Answers move the model a little, in the right direction, and only when they help."""

from __future__ import annotations

import pytest

from rca.causal import SHIPPED
from rca.engine import diagnose
from rca.evidence import Cause
from rca.learning import ENOUGH, Answer, learn


@pytest.fixture
def shaky(pipeline):
    """A case with a shift that is likely but not certain."""
    return pipeline.alert(anomaly_type="distribution_anomaly").counts("country", US=390).case()


def answers(case, *, right, count):
    return [Answer(case=case, cause=Cause.UPSTREAM_DATA_SHIFT, right=right)] * count


@pytest.mark.parametrize("count", [0, 1, ENOUGH - 1])
def test_a_few_answers_change_nothing(shaky, count):
    """The shipped model is the better guess until there are enough."""
    assert learn(answers(shaky, right=False, count=count)) is SHIPPED


def test_rejections_make_the_same_reading_less_sure(shaky):
    """People said that it was something else, again and again."""
    before = diagnose(shaky).top.confidence
    after = diagnose(shaky, model=learn(answers(shaky, right=False, count=40))).top.confidence
    assert after < before - 0.1


def test_confirmations_never_make_it_less_sure(shaky):
    """And the other way round."""
    before = diagnose(shaky).top.confidence
    after = diagnose(shaky, model=learn(answers(shaky, right=True, count=40))).top.confidence
    assert after >= before - 1e-6


def test_a_clear_case_of_another_family_keeps_its_verdict(pipeline, shaky):
    """What was learnt about shifts does not unlearn outages."""
    model = learn(answers(shaky, right=False, count=40))
    outage = (
        pipeline.alert(anomaly_type="volume_anomaly")
        .failed(range(57, 60), error_code="auth_error")
        .rows(0.3)
    )
    assert diagnose(outage.case(), model=model).top.cause_type is Cause.INGESTION_FAILURE


def test_answers_that_contradict_one_another_change_nothing_much(shaky):
    """Half right, half wrong, in turns: no weight strays far."""
    mixed = [
        a
        for pair in zip(
            answers(shaky, right=True, count=20), answers(shaky, right=False, count=20), strict=True
        )
        for a in pair
    ]
    model = learn(mixed)
    assert all(0.5 < weight < 2.0 for weight in model.weights.values())
    assert model.sharpness == SHIPPED.sharpness
