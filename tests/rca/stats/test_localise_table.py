"""Reading leaves from text: which columns are numbers, what is refused, and with which words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.case import RcaError
from rca.stats.localise import localise
from rca.stats.localise_leaves import AdditiveLeaves, CountLeaves, RateLeaves
from rca.stats.localise_table import (
    MOST_DIMENSIONS,
    MOST_ROWS,
    Measure,
    TableError,
    read_leaves,
)

RATE = "hits,trials,past_hits,past_trials"


def test_columns_of_sums_are_additive_leaves():
    """Dimensions keep their order, values are sorted, rows of one combination are added; names may be in capitals."""
    leaves = read_leaves("b, Real ,a,PREDICT\ny,1.5,u,2\nx,4,u,8\ny,1,u,3\n")
    assert isinstance(leaves, AdditiveLeaves)
    assert leaves.names.dimensions == ("b", "a")
    assert leaves.names.values == (("x", "y"), ("u",))
    assert (leaves.observed.tolist(), leaves.expected.tolist()) == ([4.0, 2.5], [8.0, 5.0])


def test_columns_of_tries_are_a_rate():
    """In whatever order they stand."""
    leaves = read_leaves("past_trials,a,hits,past_hits,trials\n40,x,1,4,10\n")
    assert isinstance(leaves, RateLeaves)
    read = (leaves.hits, leaves.trials, leaves.past_hits, leaves.past_trials)
    assert [column.tolist() for column in read] == [[1.0], [10.0], [4.0], [40.0]]


def test_every_column_of_past_rows_is_a_window():
    """One window, or as many as there are."""
    leaves = read_leaves("a,past_rows_2,rows,past_rows\nx,2,3,1\ny,5,6,4\n")
    assert isinstance(leaves, CountLeaves)
    assert leaves.current.tolist() == [3.0, 6.0]
    assert leaves.baseline.tolist() == [[1.0, 4.0], [2.0, 5.0]]


def test_sums_and_counts_read_each_others_columns_when_asked():
    """A forecast is one past window; of several past windows the mean is a forecast."""
    counts = read_leaves("a,real,predict\nx,1,2\n", Measure.COUNTS)
    assert isinstance(counts, CountLeaves)
    assert (counts.current.tolist(), counts.baseline.tolist()) == ([1.0], [[2.0]])
    sums = read_leaves("a,rows,past_rows,past_rows_2\nx,1,2,4\n", Measure.ADDITIVE)
    assert isinstance(sums, AdditiveLeaves)
    assert (sums.observed.tolist(), sums.expected.tolist()) == ([1.0], [3.0])


def test_a_measure_chooses_between_columns_that_fit_two():
    """Both are there: without a word it is not clear, with one the others are neither numbers nor places."""
    text = "a,real,predict,rows,past_rows\nx,1,2,3,4\n"
    with pytest.raises(TableError, match="fit additive and counts: say which, with --measure"):
        read_leaves(text)
    sums, counts = read_leaves(text, Measure.ADDITIVE), read_leaves(text, Measure.COUNTS)
    assert sums.names.dimensions == counts.names.dimensions == ("a",)
    assert isinstance(sums, AdditiveLeaves)
    assert isinstance(counts, CountLeaves)
    assert (sums.observed.tolist(), counts.current.tolist()) == ([1.0], [3.0])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_spreadsheets_and_databases_write_it_differently(separator, end):
    """Comma, semicolon or tab; either end of line; empty lines; a quoted value may hold the separator."""
    rows = [["a", "real", "predict"], [f'"x{separator}y"', "1", "2"], ["", "3", "4"]]
    leaves = read_leaves(end.join(separator.join(row) for row in rows))
    assert leaves.names.values == (("", f"x{separator}y"),)
    assert isinstance(leaves, AdditiveLeaves)
    assert leaves.observed.tolist() == [3.0, 1.0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no header"),
        ("\n\n", "no header"),
        ("a,real,predict\n", "no rows"),
        ("a,,real,predict\nx,y,1,2\n", "column 2 has no name"),
        ("a,a,real,predict\nx,y,1,2\n", "more than one column is named a"),
        ("a,real,Real,predict\nx,1,1,2\n", "more than one column is named real"),
        ("real,predict\n1,2\n", "no column says where: beside real, predict"),
        ("a,b\nx,y\n", "takes real and predict, or hits.*; there are a, b"),
        ("a,real,predict\nx,1,2\ny,1\n", "line 3 has 2 cells, the header 3: quote"),
        ("a,real,predict\nx,1,2\ny\n", "line 3 has 1 cell, the header 3: quote"),
        ('a,real,predict\n"x\ny",1,2\nz,1,2,3\n', "line 4 has 4 cells"),
        ("a,real,predict\nx,1,2\ny,,2\n", "column real, line 3: is empty: write 0"),
        ("a,real,predict\nx,1,nan\n", "column predict, line 2: 'nan' is not a number"),
        ("a,real,predict\n\nx,1,inf\n", "column predict, line 3: 'inf' is not a number"),
        ('a,real,predict\nx,"1,234",2\n', "column real, line 2: '1,234' is not a number"),
        ("a,real,predict\nx,1e300,2\n", r"column real, line 2: is beyond 1e\+15"),
        ("a,rows,past_rows\nx,1,-1\n", "column past_rows, line 2: is below 0"),
        (f"a,{RATE}\nx,1,2,3,4\ny,5,4,1,2\n", "column hits, line 3: is more than trials"),
        (f"a,{RATE}\nx,1,2,5,4\n", "column past_hits, line 2: is more than past_trials"),
        ("a,real,predict\n" + "x" * 200_000 + ",1,2\n", "line 2 cannot be read"),
    ],
)
def test_what_will_not_do_is_refused_with_its_place_and_a_way_out(text, problem):
    """The column or the line of the file, and what to write instead."""
    with pytest.raises(TableError, match=problem) as caught:
        read_leaves(text)
    assert isinstance(caught.value, RcaError)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("measure", "missing"),
    [
        (Measure.RATE, "hits, trials, past_hits"),
        (Measure.ADDITIVE, "real"),
        (Measure.COUNTS, "rows, past_rows"),
    ],
)
def test_a_measure_without_its_columns_says_which_are_missing(measure, missing):
    """Some of the columns are there, none of the sets is whole."""
    with pytest.raises(TableError, match=f"measure {measure} needs also {missing}: add"):
        read_leaves("a,predict,past_trials\nx,1,2\n", measure)


def test_additive_numbers_may_be_below_zero():
    """A refund is a number like any other; a count is not."""
    leaves = read_leaves("a,real,predict\nx,-5,3\n")
    assert isinstance(leaves, AdditiveLeaves)
    assert leaves.observed.tolist() == [-5.0]


def test_a_table_is_bounded():
    """One row, or one column that says where, beyond what is searched in seconds."""
    row = "x,1,1\n"
    full = "a,real,predict\n" + row * MOST_ROWS
    assert read_leaves(full).names.sizes == (1,)
    with pytest.raises(TableError, match="more than 200,000 rows"):
        read_leaves(full + row)
    wide = [f"d{n}" for n in range(MOST_DIMENSIONS + 1)]
    for names in (wide[:-1], wide):
        text = f"{','.join(names)},real,predict\n{','.join(['x'] * len(names))},1,1\n"
        if names is wide:
            with pytest.raises(TableError, match="17 columns say where, at most 16"):
                read_leaves(text)
        else:
            assert read_leaves(text).names.dimensions == tuple(wide[:-1])


def test_names_in_a_message_are_harmless_and_few():
    """Escape codes are spelled out, and of many columns the first are named."""
    header = ",".join(["\x1b[31mred", *(f"c{n}" for n in range(40))])
    with pytest.raises(TableError) as caught:
        read_leaves(f"{header}\n{','.join(['1'] * 41)}\n")
    assert "\x1b" not in str(caught.value)
    assert str(caught.value).endswith("c10 and 29 more")


cells = st.one_of(
    st.integers(0, 99).map(str),
    st.floats().map(str),
    st.text(alphabet='ab,;"\n\r\t 1-', max_size=5),
    st.text(max_size=5),
)
heads = st.sampled_from(["a", "b", "real", "predict", "rows", "past_rows", *RATE.split(",")])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(heads, min_size=1, max_size=6),
    st.lists(st.lists(cells, min_size=1, max_size=6), max_size=6),
    st.sampled_from([None, *Measure]),
)
def test_any_text_is_leaves_or_a_word_why_not(header, rows, measure):
    """Whatever a file holds, it is read and can be searched, or it is refused as a table."""
    text = "\n".join(",".join(row) for row in [header, *rows])
    try:
        leaves = read_leaves(text, measure)
    except TableError:
        return
    assert len(localise(leaves)) <= 5


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=4), st.integers(-(10**6), 10**6), st.floats(0.0, 1e6)),
        min_size=1,
        max_size=8,
    )
)
def test_what_a_csv_writer_writes_is_what_is_read(rows):
    """Values of any characters and numbers of any form come back."""
    quoted = ('"' + value.replace('"', '""') + '"' for value, _, _ in rows)
    lines = (
        f"{value},{real},{predict!r}"
        for value, (_, real, predict) in zip(quoted, rows, strict=True)
    )
    leaves = read_leaves("a,real,predict\n" + "\n".join(lines))
    assert isinstance(leaves, AdditiveLeaves)
    assert set(leaves.names.values[0]) == {value for value, _, _ in rows}
    assert leaves.observed.sum() == pytest.approx(sum(real for _, real, _ in rows))
    assert np.isclose(leaves.expected.sum(), sum(predict for _, _, predict in rows))
