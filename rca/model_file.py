"""A fitted model as text: what ``rca-bot calibrate`` writes and ``--model`` reads; pure, and the same in both ways."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from rca.case import RcaError
from rca.causal import SHIPPED, Model
from rca.evidence import Cause
from rca.expected import refusal

MODEL_FORMAT: Final = "rca.model/1"

Weight = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Offset = Annotated[float, Field(ge=-20, le=20, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ModelFileError(RcaError):
    """The text is not a model we can use; it names what is wrong."""


class HeldOut(BaseModel):
    """Measures on the answers that the fit did not see; None where there was nothing to measure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: Annotated[int, Field(ge=0)]
    ece: Rate | None
    brier: Rate | None
    top1: Rate | None
    log_loss: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ModelFile(BaseModel):
    """The weights, and where they come from.

    ``weights`` multiply a cause's own evidence, ``offsets`` shift its prior in natural-log units, ``sharpness``
    scales all evidence at once; every cause has to be there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["rca.model/1"] = MODEL_FORMAT
    made_at: AwareDatetime
    answers: Annotated[int, Field(ge=0)]
    before: HeldOut
    after: HeldOut
    weights: dict[Cause, Weight]
    offsets: dict[Cause, Offset]
    sharpness: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = SHIPPED.sharpness

    @model_validator(mode="after")
    def _every_cause(self) -> Self:
        for name, given in (("weights", self.weights), ("offsets", self.offsets)):
            missing = [cause.value for cause in Cause if cause not in given]
            if missing:
                raise ValueError(f"{name} lacks {', '.join(missing)}")
        return self

    @property
    def model(self) -> Model:
        """The model itself."""
        return Model(weights=self.weights, offsets=self.offsets, sharpness=self.sharpness)


def write_model(document: ModelFile) -> str:
    """Return *document* as the text of a model file."""
    return document.model_dump_json(indent=2) + "\n"


def read_model(text: str | bytes) -> ModelFile:
    """Return the document in *text*.

    Raises:
        ModelFileError: it is no JSON, a key is unknown or missing, or a value is out of its range; all are named.
    """
    try:
        return ModelFile.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise ModelFileError(refusal(problems)) from None
