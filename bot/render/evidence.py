"""Evidence as people read it, under the runbook's own keys; units come from the key's ending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from bot.render.message import Code, Fact, Instant, Line, Part, Table
from bot.render.message import Facts as FactsPart
from bot.render.text import count_of, duration, number, one_line, percent
from bot.render.words import capital, said
from rca.case import Column, Document
from rca.evidence import ColumnChange, FailingModel, MovedDimension, Mover, NewValue, Transition

VALUE_SHOWN: Final = 300  # characters of one message; the card is scanned, not read
ITEMS_ON_A_CARD: Final = 3
NAMES_IN_A_ROW: Final = 8
ROWS_IN_DETAILS: Final = 6
FACTS_ON_A_CARD: Final = 6

_NO_NEWS_WHEN_EMPTY: Final = frozenset({"also_moved"})
_SHARES: Final = frozenset({"share", "baseline_share", "current_share", "delta"})


def facts(evidence: Document) -> tuple[Fact, ...]:
    """Return the evidence's single values; lists of names too, but not the tables."""
    return tuple(
        Fact(label=key, value=_value(key, value))
        for key, value in _items(evidence)
        if value is not None and not _is_table(key, value)
    )


def highlights(evidence: Document) -> tuple[Fact, ...]:
    """Return what belongs on the card: the signal, the first items of each table, and the main values."""
    short = tuple(
        Fact(label=key, value=_first_items(value))
        for key, value in _items(evidence)
        if _is_table(key, value) and isinstance(value, tuple) and value
    )
    single = tuple(
        fact
        for fact in facts(evidence)
        if fact.label not in {"current_columns", "baseline_columns"}
    )
    return (single[:1] + short + single[1:])[:FACTS_ON_A_CARD]


def parts(evidence: Document) -> tuple[Part, ...]:
    """Return all of the evidence: single values first, then a short table for each list."""
    single = facts(evidence)
    tables = tuple(
        _table(key, value)
        for key, value in _items(evidence)
        if _is_table(key, value) and isinstance(value, tuple) and value
    )
    return ((FactsPart(items=single),) if single else ()) + tables


def _items(evidence: Document) -> Iterator[tuple[str, object]]:
    """The runbook's keys with their values, ``signal`` first, as the runbook reads them."""
    fields = type(evidence).model_fields
    for name in sorted(fields, key=lambda name: name != "signal"):
        value = getattr(evidence, name)
        if value or name not in _NO_NEWS_WHEN_EMPTY:
            yield fields[name].alias or name, value


def _is_table(key: str, value: object) -> bool:
    """Whether a value is a list of records; the columns of a relation are only counted."""
    is_columns = key in {"current_columns", "baseline_columns"}
    return (
        isinstance(value, tuple)
        and not is_columns
        and any(isinstance(v, Document) for v in value[:1])
    )


def _value(key: str, value: object) -> Line:
    match value:
        case datetime():
            return (Instant(at=value),)
        case bool():
            return (Code(text="true" if value else "false"),)
        case int() | float():
            return (_measure(key, value),)
        case tuple() if value and isinstance(value[0], Column):
            return (count_of(len(value), "column"),)
        case tuple():
            return _names(value)
        case _:
            return (Code(text=one_line(str(value), VALUE_SHOWN)),)


def _measure(key: str, value: float) -> str:
    if key in _SHARES:
        return f"{value * 100:+.0f} points" if key == "delta" else percent(value)
    if key.endswith("_s"):
        return duration(value)
    if key.endswith("_pct"):
        return f"{number(value)} %"
    if key == "ratio":
        return f"{number(value)} times"
    return f"{number(value)} bits" if key == "jsd" else number(value)


def _names(values: tuple[object, ...]) -> Line:
    if not values:
        return ("none",)
    shown = [Code(text=one_line(str(v), VALUE_SHOWN)) for v in values[:NAMES_IN_A_ROW]]
    spans: list[str | Code] = []
    for name in shown:
        spans.extend((", ", name) if spans else (name,))
    more = len(values) - len(shown)
    return (*spans, f" and {number(more)} more") if more > 0 else tuple(spans)


def _first_items(values: tuple[object, ...]) -> Line:
    spans: list[str | Code] = []
    for value in values[:ITEMS_ON_A_CARD]:
        item = _in_brief(value)
        spans.extend((", ", *item) if spans else item)
    more = len(values) - ITEMS_ON_A_CARD
    return (*spans, f" and {number(more)} more") if more > 0 else tuple(spans)


def _in_brief(item: object) -> tuple[str | Code, ...]:  # noqa: PLR0911 - one return per kind of item reads best
    match item:
        case ColumnChange(change="type_changed"):
            return (_short(item.column), f" {one_line(f'{item.from_} → {item.to}', 80)}")
        case ColumnChange():
            return (_short(item.column), f" {item.change}")
        case FailingModel():
            said_so = f": {one_line(item.message, 120)}" if item.message else ""
            return (_short(item.unique_id), said_so)
        case Transition():
            return (_short(item.unique_id), f" {one_line(f'{item.from_} → {item.to}', 80)}")
        case Mover():
            return (
                _short(item.value),
                f" {percent(item.baseline_share)} → {percent(item.current_share)}",
            )
        case MovedDimension():
            return (_short(item.dimension), f" ({_plain(item.top_movers[:1])})")
        case NewValue():
            return (
                _short(item.value),
                f" in {one_line(item.dimension, 60)}: {count_of(item.count, 'row')}",
            )
        case _:
            return (_short(str(item)),)


def _plain(movers: tuple[Mover, ...]) -> str:
    """Return the values that moved as text, for a place that takes no marks of its own."""
    return ", ".join(
        f"{one_line(m.value, 90)} {percent(m.baseline_share)} → {percent(m.current_share)}"
        for m in movers
    )


def _short(text: str) -> Code:
    return Code(text=one_line(text, 90))


def _table(key: str, values: tuple[object, ...]) -> Table:
    documents = [v for v in islice(values, ROWS_IN_DETAILS) if isinstance(v, Document)]
    rows = tuple(tuple(_cell(k, v) for k, v in _items(document)) for document in documents)
    header = tuple(k for k, _ in _items(documents[0]))
    return Table(
        caption=f"{capital(said(key))} ({number(len(values))})",
        header=header,
        rows=rows,
        more=len(values) - len(documents),
    )


def _cell(key: str, value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return _plain(tuple(v for v in value if isinstance(v, Mover))) or "none"
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        return str(value)
    return _measure(key, value)
