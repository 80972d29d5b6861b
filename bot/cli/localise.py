"""``rca-bot localise``: which part of a table of numbers carries the change; for "revenue fell, where?"."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Final, assert_never

from bot.cli.files import reading
from bot.cli.verb import Verb
from bot.render.text import count_of, number, one_line, percent
from rca.stats.localise import Place, localise
from rca.stats.localise_leaves import AdditiveLeaves, CountLeaves, Leaves, RateLeaves
from rca.stats.localise_table import Measure, TableError, read_leaves

FORMAT: Final = "rca.segments/1"
MOST_BYTES: Final = 64 * 2**20  # unpacked; two hundred thousand rows of three hundred characters
NAME_SHOWN: Final = 80  # characters of one value
SHARE_DIGITS: Final = 6  # beyond, a share is only how its sums were rounded
ONE_WINDOW: Final = (
    "One past window does not show how much windows stray; with more of them"
    " (past_rows_2, past_rows_3, …) less is blamed on an ordinary day."
)
BELOW_NOTHING: Final = (
    "Numbers below 0 count as 0 in every place; the sum above holds them as they are."
)
JOINT: Final = " & "


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table",
        metavar="FILE",
        help="CSV with a header, packed or not; - is standard input. Columns real,predict, or"
        " hits,trials,past_hits,past_trials, or rows,past_rows; all others say where",
    )
    parser.add_argument(
        "--measure",
        choices=[measure.value for measure in Measure],
        help="what the numbers are; without it the columns say it",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")


def _run(arguments: argparse.Namespace) -> int:
    measure = Measure(arguments.measure) if arguments.measure else None
    try:
        leaves = read_leaves(_text(arguments.table), measure)
    except TableError as error:
        raise TableError(f"{arguments.table}: {error}") from error
    places = localise(leaves)
    if arguments.json:
        print(json.dumps(_document(leaves, places)))
    else:
        print("\n".join(_lines(leaves, places)))
    return 0


def _text(path: str) -> str:
    with reading(path) as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise TableError(
            f"larger than {MOST_BYTES // 2**20} MiB: sum up over fewer columns, or over rarer values"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"byte {error.start + 1} is not UTF-8: save the table as UTF-8") from error


def _lines(leaves: Leaves, places: tuple[Place, ...]) -> Iterator[str]:
    """Yield what people read: the whole first, then every place with its own numbers."""
    dimensions = ", ".join(one_line(name, NAME_SHOWN) for name in leaves.names.dimensions)
    combinations = count_of(len(leaves.names.codes), "combination")
    yield f"{_whole(leaves)}, over {combinations} of {dimensions}."
    if not places:
        yield "No part of it stands out from the noise of its own rows."
    for rank, place in enumerate(places, start=1):
        where = JOINT.join(_condition(name, value) for name, value in place.elements.items())
        rose = place.observed > place.expected
        yield f"{rank}. {where}"
        yield (
            f"   {_change(place.expected, place.observed, place.trials)};"
            f" {percent(round(place.explained_share, SHARE_DIGITS))} of the {'rise' if rose else 'fall'}"
        )
    if places and isinstance(leaves, CountLeaves) and len(leaves.baseline) == 1:
        yield ONE_WINDOW
    if places and isinstance(leaves, AdditiveLeaves) and _below_nothing(leaves):
        yield BELOW_NOTHING


def _below_nothing(leaves: AdditiveLeaves) -> bool:
    return bool(min(leaves.expected.min(), leaves.observed.min()) < 0.0)


def _condition(name: str, value: str | None) -> str:
    said = one_line(value or "", NAME_SHOWN) or "(empty)"
    return f"{one_line(name, NAME_SHOWN)} = {said}"


def _whole(leaves: Leaves) -> str:
    match leaves:
        case AdditiveLeaves():
            expected, observed = float(leaves.expected.sum()), float(leaves.observed.sum())
            return f"Sum: {_change(expected, observed, None)}"
        case RateLeaves():
            before = _ratio(float(leaves.past_hits.sum()), float(leaves.past_trials.sum()))
            hits, trials = float(leaves.hits.sum()), float(leaves.trials.sum())
            return f"Rate: {before} before, now {_ratio(hits, trials)}"
        case CountLeaves():
            usual = float(leaves.baseline.sum()) / len(leaves.baseline)
            return f"Rows: {_change(usual, float(leaves.current.sum()), None)}"
        case _:
            assert_never(leaves)


def _change(expected: float, observed: float, trials: float | None) -> str:
    """Return what was expected and what is, as sums or as a rate of *trials*."""
    if trials is not None:
        return f"{_ratio(expected, trials)} expected, now {_ratio(observed, trials)}"
    change = f" ({100.0 * (observed / expected - 1.0):+.1f} %)" if expected > 0.0 else ""
    return f"{number(expected)} expected, now {number(observed)}{change}"


def _ratio(hits: float, trials: float) -> str:
    rate = f"{100.0 * hits / trials:.2f} %" if trials > 0.0 else "no rate"
    return f"{rate} ({number(round(hits, 1))} of {number(trials)})"


def _document(leaves: Leaves, places: tuple[Place, ...]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "measure": _measure(leaves).value,
        "dimensions": leaves.names.dimensions,
        "combinations": len(leaves.names.codes),
        "segments": [
            {
                "elements": dict(place.elements),
                "expected": place.expected,
                "observed": place.observed,
                "trials": place.trials,
                "explained_share": place.explained_share,
            }
            for place in places
        ],
    }


def _measure(leaves: Leaves) -> Measure:
    match leaves:
        case AdditiveLeaves():
            return Measure.ADDITIVE
        case RateLeaves():
            return Measure.RATE
        case CountLeaves():
            return Measure.COUNTS
        case _:
            assert_never(leaves)


VERB: Final = Verb(
    name="localise",
    help="say which part of a table of numbers carries a change",
    declare=_declare,
    run=_run,
)
