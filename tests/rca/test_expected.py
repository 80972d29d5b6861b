"""A refused body's sender reads which field, and what it must be, in plain words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from rca.case import RcaError, Severity, parse_case
from rca.evaluation import read_truths
from rca.expected import MAX_PROBLEMS, WORDS, path_of, refusal
from rca.model_file import read_model

PYDANTIC = ("Input", "Field required", "valid ", "unable to", "Value error", "'")
"""How pydantic speaks to programmers."""


class _Inner(BaseModel):
    count: Annotated[int, Field(ge=0, lt=10)] = 0


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: Annotated[str, Field(min_length=1, max_length=3)] = "a"
    at: AwareDatetime | None = None
    kind: Literal["x/1"] = "x/1"
    severity: Severity = Severity.ERROR
    share: float = 0.0
    on: bool = False
    inner: _Inner = _Inner()
    many: Annotated[list[_Inner], Field(min_length=1, max_length=2)] = Field(default_factory=list)
    few: Annotated[list[str], Field(min_length=2)] = Field(default_factory=list)
    link: Annotated[str, Field(pattern="^https?://")] = "http://x"
    own: str = ""

    @field_validator("own")
    @classmethod
    def _no_spaces(cls, value: str) -> str:
        if " " in value:
            raise ValueError("must hold no spaces")
        return value


class _Needy(BaseModel):
    dataset: str


TIME = "must be a time with its offset, such as 2026-03-02T07:05:00Z"
SEVERITIES = "must be one of info, warning, error or critical"

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name: must not be empty"),
    ({"name": "abcd"}, "name: must have at most 3 characters"),
    ({"name": 5}, "name: must be text"),
    ({"at": "2026-03-02T07:05:00"}, f"at: {TIME}"),
    ({"at": "yesterday"}, f"at: {TIME}"),
    ({"kind": "x/2"}, "kind: must be x/1"),
    ({"severity": "bad"}, f"severity: {SEVERITIES}"),
    ({"share": "much"}, "share: must be a number"),
    ({"share": float("nan")}, "share: must be a finite number"),
    ({"on": "perhaps"}, "on: must be true or false"),
    ({"inner": []}, "inner: must be an object with named fields"),
    ({"inner": {"count": 1.5}}, "inner.count: must be a whole number"),
    ({"inner": {"count": -1}}, "inner.count: must be at least 0"),
    ({"inner": {"count": 10}}, "inner.count: must be less than 10"),
    ({"many": []}, "many: must have at least one entry"),
    ({"many": [{}, {}, {}]}, "many: must have at most 2 entries"),
    ({"many": [{"count": "x"}]}, "many[0].count: must be a whole number"),
    ({"few": ["a"]}, "few: must have at least 2 entries"),
    ({"few": "ab"}, "few: must be a list"),
    ({"link": "ftp://x"}, "link: must match the pattern ^https?://"),
    ({"nmae": "a"}, "nmae: not a field of this format"),
    ({"own": "a b"}, "own: must hold no spaces"),
    ({"name": "", "on": 7}, "name: must not be empty; on: must be true or false"),
]


def _said(model: type[BaseModel], body: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return refusal(caught.value.errors(include_url=False, include_input=False))


@pytest.mark.parametrize(("body", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_field_that_does_not_fit_is_told_in_plain_words(body: dict[str, Any], said: str) -> None:
    """Its path, and what it must be; nothing of what it was, and none of pydantic's words."""
    assert _said(_Body, body) == said
    assert not any(word in said for word in PYDANTIC)


def test_text_that_is_no_json_is_told_where_it_stops() -> None:
    """Whoever cut a file short finds the place."""
    with pytest.raises(ValidationError) as caught:
        _Body.model_validate_json('{"name": ')
    said = refusal(caught.value.errors(include_url=False, include_input=False))
    assert said == "document: must be JSON; EOF while parsing a value at line 1 column 9"


READERS: tuple[tuple[Callable[[str], object], str, str], ...] = (
    (parse_case, '{"case_id": 7, "as_of": "x"}', "case_id: must be text; as_of: must be a time"),
    (lambda text: read_truths([text]), '{"case_id": "a"}', "line 1: causes: missing"),
    (read_model, '{"format": "rca.model/2"}', "format: must be rca.model/1; made_at: missing"),
)


@pytest.mark.parametrize(("read", "text", "said"), READERS, ids=["case", "truth", "model"])
def test_every_document_is_refused_in_plain_words(
    read: Callable[[str], object], text: str, said: str
) -> None:
    """A case, a truth and a model that do not fit are told alike."""
    with pytest.raises(RcaError) as caught:
        read(text)
    assert said in str(caught.value)
    assert not any(word in str(caught.value) for word in PYDANTIC)


def test_a_missing_field_is_called_missing() -> None:
    """The one problem that is no field's value."""
    assert _said(_Needy, {}) == "dataset: missing"


def test_no_words_are_pydantics_own() -> None:
    """The table itself speaks to people."""
    assert not any(word in text for text in WORDS.values() for word in PYDANTIC)


def test_a_long_list_of_problems_is_cut() -> None:
    """A body in which everything is wrong names ten fields and counts the others."""
    body = {f"key_{number}": 1 for number in range(MAX_PROBLEMS + 3)}
    said = _said(_Body, body)
    assert said.count("not a field of this format") == MAX_PROBLEMS
    assert said.endswith("; and 3 more")


@pytest.mark.parametrize(
    ("loc", "path"),
    [((), "document"), (("a", 0, "b"), "a[0].b"), ((0, "b"), "[0].b"), (("a",), "a")],
)
def test_a_path_is_written_as_people_write_it(loc: tuple[int | str, ...], path: str) -> None:
    """Entries in brackets, fields behind dots, the document by its name."""
    assert path_of(loc) == path
