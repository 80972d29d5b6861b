"""Leaves from a table of text: one row per combination of values, its numbers in columns of known names."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Never

import numpy as np

from rca.case import RcaError
from rca.stats.localise_cube import Numbers
from rca.stats.localise_leaves import AdditiveLeaves, CountLeaves, Leaves, RateLeaves, combined

MOST_ROWS: Final = 200_000  # a search of so many takes some seconds and half a gigabyte
MOST_DIMENSIONS: Final = 16  # of more only single values could be searched
CHUNK: Final = 1_000  # rows that are turned into columns at once
SHOWN: Final = 12  # names of columns in a message
SHOWN_CHARACTERS: Final = 40  # of what stands in a cell, in a message
LARGEST: Final = 1e15  # from here on a number no longer tells one from the next
SEPARATORS: Final = (",", ";", "\t")

REAL: Final = "real"
PREDICT: Final = "predict"
ROWS: Final = "rows"
RATE_COLUMNS: Final = ("hits", "trials", "past_hits", "past_trials")
_PAST_ROWS: Final = re.compile(r"past_rows(_\d+)?")
SETS: Final = f"{REAL} and {PREDICT}, or {', '.join(RATE_COLUMNS)}, or {ROWS} and past_rows"


class Measure(StrEnum):
    """What the numbers of a table are."""

    ADDITIVE = "additive"
    RATE = "rate"
    COUNTS = "counts"


class TableError(RcaError):
    """A table that cannot be read as leaves; the text names the column or the line, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Columns of text by name, and the text they are from."""

    columns: Mapping[str, Sequence[str]]
    text: str


def read_leaves(text: str, measure: Measure | None = None) -> Leaves:
    """Return the leaves in *text*: comma, semicolon or tab separated, with a header.

    Columns named ``real`` and ``predict`` are an additive measure and its forecast; ``hits``, ``trials``, ``past_hits``
    and ``past_trials`` a rate; ``rows`` and ``past_rows``, ``past_rows_2`` and so on counts of windows. All others are
    dimensions.

    Args:
        text: the file.
        measure: what the numbers are; None when their names say it. Sums and counts also read each other's columns.

    Raises:
        TableError: a column is missing, doubled or not clear, a number is none, or the table is too large.
    """
    table = _parsed(text)
    chosen = measure or _measure_in(table)
    numbered = _columns_for(chosen, table)
    places = {name: column for name, column in table.columns.items() if not _is_known(name)}
    if not places:
        raise TableError(
            f"no column says where: beside {', '.join(numbered)} name at least one, such as country"
        )
    if len(places) > MOST_DIMENSIONS:
        raise TableError(
            f"{len(places)} columns say where, at most {MOST_DIMENSIONS} can be searched:"
            f" leave out some of {_listed(places)}"
        )
    numbers = {name: _numbers(table, name) for name in numbered}
    if chosen is not Measure.ADDITIVE:
        _check_counts(table, numbers)
    names, sums = combined(places, list(numbers.values()))
    match chosen:
        case Measure.ADDITIVE:
            forecast = np.mean(np.stack(sums[1:]), axis=0)
            return AdditiveLeaves(names=names, expected=forecast, observed=sums[0])
        case Measure.RATE:
            hits, trials, past_hits, past_trials = sums
            return RateLeaves(
                names=names,
                hits=hits,
                trials=trials,
                past_hits=past_hits,
                past_trials=past_trials,
            )
        case Measure.COUNTS:
            return CountLeaves(names=names, current=sums[0], baseline=np.stack(sums[1:]))


def _parsed(text: str) -> _Table:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    try:
        header = _header(next(reader, []))
        columns = _columns(filter(None, reader), len(header), text)
    except csv.Error as error:
        raise TableError(f"line {reader.line_num} cannot be read: {error}") from error
    if not columns[0]:
        raise TableError("the table holds no rows below its header")
    return _Table(columns=dict(zip(header, columns, strict=True)), text=text)


def _columns(rows: Iterator[list[str]], width: int, text: str) -> list[list[str]]:
    """Return the cells by column; rows are dropped early, because keeping them all takes a quarter longer."""
    columns: list[list[str]] = [[] for _ in range(width)]
    while chunk := list(itertools.islice(rows, CHUNK)):
        for place, row in enumerate(chunk, start=len(columns[0])):
            if len(row) != width:
                cells = f"{len(row)} cell{'' if len(row) == 1 else 's'}"
                raise TableError(
                    f"line {_line(text, place)} has {cells}, the header {width}:"
                    " quote a value that holds the separator"
                )
        for column, held in zip(columns, zip(*chunk, strict=True), strict=True):
            column.extend(held)
        if len(columns[0]) > MOST_ROWS:
            raise TableError(
                f"more than {MOST_ROWS:,} rows: sum up over fewer columns, or over rarer values"
            )
    return columns


def _separator(text: str) -> str:
    head = text[: text.find("\n")] if "\n" in text else text
    return max(SEPARATORS, key=head.count)


def _line(text: str, row: int) -> int:
    """Return the line of the file on which *row*, counted from 0 below the header, ends."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    next(itertools.islice(filter(None, reader), row + 1, None))
    return int(reader.line_num)


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    names = tuple(bare.casefold() if _is_known(bare := cell.strip()) else bare for cell in cells)
    if not any(names):
        raise TableError("the table has no header: its first line must name the columns")
    if "" in names:
        raise TableError(f"column {names.index('') + 1} has no name: name it, or leave it out")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise TableError(f"more than one column is named {_listed(doubled)}: rename or drop one")
    return names


def _is_known(name: str) -> bool:
    """Whether columns of this name hold numbers and no values of a dimension."""
    bare = name.casefold()
    return bare in (REAL, PREDICT, ROWS, *RATE_COLUMNS) or _PAST_ROWS.fullmatch(bare) is not None


def _measure_in(table: _Table) -> Measure:
    """Return the one measure whose columns are all there."""
    fits = [
        measure
        for measure, wanted in (
            (Measure.ADDITIVE, {REAL, PREDICT}),
            (Measure.RATE, set(RATE_COLUMNS)),
            (Measure.COUNTS, {ROWS, "past_rows"}),
        )
        if wanted <= table.columns.keys()
    ]
    if len(fits) > 1:
        raise TableError(f"the columns fit {' and '.join(fits)}: say which, with --measure")
    if not fits:
        raise TableError(
            f"no columns of numbers: it takes {SETS}; there are {_listed(table.columns)}"
        )
    return fits[0]


def _columns_for(measure: Measure, table: _Table) -> tuple[str, ...]:
    """Return the names of the columns to read: what is now first, then what was to be expected."""
    there = table.columns.keys()
    if measure is Measure.RATE:
        wanted: tuple[str, ...] = RATE_COLUMNS
    else:
        windows = (ROWS, *(sorted(filter(_PAST_ROWS.fullmatch, there)) or ("past_rows",)))
        pairs = [(REAL, PREDICT), windows]
        own, other = pairs if measure is Measure.ADDITIVE else pairs[::-1]
        wanted = other if there >= set(other) and not there >= set(own) else own
    missing = [name for name in wanted if name not in there]
    if missing:
        raise TableError(
            f"measure {measure.value} needs also {_listed(missing)}: add what is missing,"
            f" or choose another --measure; there are {_listed(there)}"
        )
    return wanted


def _numbers(table: _Table, name: str) -> Numbers:
    """Return a column as numbers, all of them finite."""
    cells = table.columns[name]
    try:
        column = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        column = np.array([_number(cell) for cell in cells])
    wrong = np.flatnonzero(~np.isfinite(column))
    if len(wrong):
        cell = cells[int(wrong[0])].strip()
        problem = (
            f"{_quoted(cell)} is not a number: write it as 1234.5" if cell else "is empty: write 0"
        )
        _refuse(table, name, int(wrong[0]), problem)
    large = np.flatnonzero(np.abs(column) > LARGEST)
    if len(large):
        _refuse(table, name, int(large[0]), f"is beyond {LARGEST:.0e}: write it in a larger unit")
    return column


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _check_counts(table: _Table, numbers: Mapping[str, Numbers]) -> None:
    """Refuse counts below 0, and more hits than trials."""
    for name, column in numbers.items():
        below = np.flatnonzero(column < 0.0)
        if len(below):
            _refuse(table, name, int(below[0]), "is below 0: a count is not")
    for hits, trials in (("hits", "trials"), ("past_hits", "past_trials")):
        if hits in numbers:
            more = np.flatnonzero(numbers[hits] > numbers[trials])
            if len(more):
                _refuse(table, hits, int(more[0]), f"is more than {trials}: hits are some of them")


def _refuse(table: _Table, name: str, row: int, problem: str) -> Never:
    raise TableError(f"column {name}, line {_line(table.text, row)}: {problem}")


def _quoted(cell: str) -> str:
    return repr(cell if len(cell) <= SHOWN_CHARACTERS else cell[:SHOWN_CHARACTERS] + "…")


def _listed(names: Iterable[str]) -> str:
    """Return names as a list in a message: safe to print, and not too long."""
    every = [repr(name)[1:-1][:SHOWN_CHARACTERS] for name in names]
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more
