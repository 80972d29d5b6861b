"""Two names of one type are no change of a column's type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.view.column_types import plain_type, types_differ


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timestamptz", "timestamp with time zone"),
        ("TIMESTAMP(6) WITH TIME ZONE", "timestamptz"),
        ("integer", "int4"),
        ("character varying(65535)", "varchar(65535)"),
        ("VARCHAR(16777216)", "TEXT"),
        ("NUMBER(18,2)", "NUMERIC(18, 2)"),
        ("TIMESTAMP_NTZ(9)", "TIMESTAMP_NTZ"),
        ("FLOAT64", "double precision"),
        ("bool", "BOOLEAN"),
        ("int8[]", "bigint[]"),
        ("Geography", "GEOGRAPHY"),
        ("INT64", "INTEGER"),
        ("RECORD", "STRUCT"),
        ("ARRAY<INT64>", "array<integer>"),
        ("STRUCT<a INT64, b STRUCT<c STRING>>", "struct<a INTEGER, b RECORD<c string>>"),
        ("STRUCT<a INT64>", "RECORD"),
        ("struct<a:int>", "struct<a:integer>"),
    ],
)
def test_the_same_type_in_other_words_is_no_change(old, new):
    """Tools spell the types of one warehouse differently."""
    assert not types_differ(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timestamp", "timestamptz"),
        ("integer", "bigint"),
        ("int64", "int32"),
        ("varchar(20)", "varchar(10)"),
        ("numeric(18,2)", "numeric(18,0)"),
        ("numeric", "text"),
        ("bigint", "bigint[]"),
        ("array<int64>", "array<string>"),
        ("array<int64>", "int64"),
        ("struct<a int64>", "struct<a string>"),
        ("struct<a int64>", "struct<b int64>"),
        ("struct<a int64>", "struct<a int64, b int64>"),
        ("struct<a int64>", "json"),
        ("json", "jsonb"),
        ("TIMESTAMP", "DATETIME"),
        ("TIMESTAMP", "TIMESTAMP_NTZ"),
        ("numeric", "numeric(38,0)"),
    ],
)
def test_another_type_is_a_change(old, new):
    """The nearest things that must not be taken for one: a time zone, a length, a scale, an array."""
    assert types_differ(old, new)


@pytest.mark.parametrize(("old", "new"), [(None, "text"), ("text", None), (None, None)])
def test_a_type_that_is_not_known_does_not_differ(old, new):
    """Not known is no change."""
    assert not types_differ(old, new)


@given(st.text(max_size=40))
def test_a_plain_name_is_its_own_plain_name(name):
    """Once in one word, always in one word; whatever the text."""
    assert plain_type(plain_type(name)) == plain_type(name)
    assert not types_differ(name, name.upper()) or name.casefold() != name.upper().casefold()
