"""A model survives its file, and a file that is not quite a model is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.causal import Model
from rca.evidence import Cause
from rca.model_file import HeldOut, ModelFile, ModelFileError, read_model, write_model

SCORE = HeldOut(n=12, ece=0.03, brier=0.02, top1=0.97, log_loss=0.11)


def document(model: Model) -> ModelFile:
    return ModelFile(
        made_at=datetime(2026, 3, 2, 7, 10, tzinfo=UTC),
        answers=48,
        before=SCORE,
        after=SCORE,
        weights=dict(model.weights),
        offsets=dict(model.offsets),
        sharpness=model.sharpness,
    )


def each(numbers):
    return st.fixed_dictionaries(dict.fromkeys(Cause, numbers))


@given(each(st.floats(0.01, 100)), each(st.floats(-20, 20)), st.floats(0.1, 10))
def test_a_model_survives_its_file(weights, offsets, sharpness):
    """Written and read again it is the same model, to the last bit."""
    model = Model(weights=weights, offsets=offsets, sharpness=sharpness)
    assert read_model(write_model(document(model))).model == model


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_else_is_refused(text):
    """Any bytes: an error of ours, never one of somebody else's."""
    with pytest.raises(ModelFileError):
        read_model(text)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("sharpness",), 0, "sharpness"),
        (("sharpness",), "NaN", "sharpness"),
        (("weights", "schema_drift"), -1.0, "weights.schema_drift"),
        (("weights", "schema_drift"), 0, "weights.schema_drift"),
        (("offsets", "schema_drift"), 21, "offsets.schema_drift"),
        (("offsets", "gremlins"), 0, "offsets.gremlins"),
        (("format",), "rca.model/2", "format"),
        (("made_at",), "2026-03-02T07:10:00", "made_at"),
        (("extra",), 1, "extra"),
    ],
)
def test_what_is_wrong_is_named(path, value, named):
    """One value out of its range, of an unknown name or version, is named by its path."""
    whole = json.loads(write_model(document(Model())))
    place = whole
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ModelFileError, match=named):
        read_model(json.dumps(whole))


@pytest.mark.parametrize("name", ["weights", "offsets"])
def test_a_cause_left_out_is_named(name):
    """A file without one of the causes is not a model."""
    whole = json.loads(write_model(document(Model())))
    del whole[name]["schema_drift"]
    with pytest.raises(ModelFileError, match=f"{name} lacks schema_drift"):
        read_model(json.dumps(whole))
