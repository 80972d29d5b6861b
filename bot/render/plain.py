"""A message as plain text: for terminals, e-mail, and services that know no markup. Times are in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from bot.render.message import (
    Buttons,
    Code,
    Context,
    Divider,
    Facts,
    Group,
    Instant,
    Line,
    Link,
    Message,
    Part,
    Person,
    Span,
    Steps,
    Strong,
    Table,
    Text,
    Title,
)
from bot.render.tables import aligned, hidden
from bot.render.text import clean, count_of, iso, one_line

RULE = "-" * 40


def text(message: Message) -> str:
    """Return the whole message as lines of text; buttons are named, as nobody can click them here."""
    return "\n".join(line for part in message.parts + message.foot for line in _draw(part))


def plain_line(line: Line) -> str:
    """Return one line without markup."""
    return "".join(_span(span) for span in line)


def _span(span: Span) -> str:
    match span:
        case str():
            return clean(span).replace("\n", " ")
        case Code() | Strong():
            return one_line(span.text)
        case Instant():
            return iso(span.at)
        case Link():
            return f"{one_line(span.label)} ({one_line(span.url)})"
        case Person():
            return f"@{one_line(span.slack_id)}"
        case Group():
            return f"@{one_line(span.name)}"
        case _:
            assert_never(span)


def _draw(part: Part) -> Iterable[str]:  # noqa: PLR0911 - one return per kind of part reads best
    match part:
        case Title():
            return (one_line(part.text),)
        case Text() | Context():
            return (plain_line(line) for line in part.lines)
        case Facts():
            return (f"  {one_line(fact.label)}: {plain_line(fact.value)}" for fact in part.items)
        case Steps():
            return _steps(part)
        case Table():
            return _table(part)
        case Divider():
            return (RULE,)
        case Buttons():
            return ("[" + "] [".join(one_line(button.text) for button in part.items) + "]",)
        case _:
            assert_never(part)


def _steps(part: Steps) -> Iterator[str]:
    yield one_line(part.title)
    for n, step in enumerate(part.items, start=1):
        warning = f" ({step.warning})" if step.warning else ""
        yield f"  {n}. {plain_line(step.line)}{warning}"
        if step.code is not None:
            yield from (f"     {line}" for line in clean(step.code).splitlines())


def _table(part: Table) -> Iterator[str]:
    if part.caption:
        yield one_line(part.caption)
    yield from (f"  {line}" for line in aligned(part).splitlines())
    if hidden(part):
        yield f"  … and {count_of(hidden(part), 'more row')}"
