"""A big object is read piece by piece, with the same result as at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.payloads.json_members import walk

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)
DOCUMENTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=5)


def rebuilt(text: str) -> dict[str, Any]:
    """The document, put together from its pieces."""
    found: dict[str, Any] = {}
    for section, member, value in walk(text):
        if member is None:
            found[section] = value
        elif isinstance(member, int):
            found.setdefault(section, []).append(value)
        else:
            found.setdefault(section, {})[member] = value
    return found


@given(DOCUMENTS, st.sampled_from([None, 0, 2]), st.sampled_from([(",", ":"), (" , ", " : ")]))
def test_the_pieces_are_the_whole(
    document: dict[str, Any], indent: int | None, separators: tuple[str, str]
) -> None:
    """Whatever the layout, nothing is lost, added or out of order."""
    text = json.dumps(document, indent=indent, separators=separators)
    assert rebuilt(text) == document
    assert list(rebuilt(f" \n{text}\t ")) == list(document)


@given(DOCUMENTS.filter(bool), st.data())
def test_a_cut_text_is_refused(document: dict[str, Any], data: st.DataObject) -> None:
    """Half a file is never taken for a whole one."""
    text = json.dumps(document)
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own error is one
        rebuilt(text[:cut])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "{} {}",
        '{"a": {}} x',
        '{"a" 1}',
        '{"a": 1,}',
        '{"a": [1,]}',
        '{"a": {"b": 1,}}',
        '{"a": 1 "b": 2}',
        "{1: 2}",
        '{"a": [1 2]}',
        '{"a": {"b": 1}',
        "{,}",
    ],
)
def test_what_is_no_object(text: str) -> None:
    """Mistakes between the pieces are found like those inside them."""
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own error is one
        rebuilt(text)


def test_the_last_of_two_equal_keys_counts() -> None:
    """As in json.loads, a member that comes twice is what it was last."""
    assert rebuilt('{"a": {"b": 1, "b": 2}}') == {"a": {"b": 2}}
