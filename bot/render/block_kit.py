"""A message as Slack's blocks, within Slack's limits for any content; what does not fit is counted, not hidden.

What must never be folded away stands in ``blocks``. The foot stands in one attachment, because only an attachment
has a coloured bar; it is short, so Slack does not fold it behind "Show more".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar, assert_never

from bot.render import limits, text
from bot.render.message import (
    Button,
    Buttons,
    ButtonStyle,
    Code,
    Context,
    Divider,
    Fact,
    Facts,
    Group,
    Instant,
    Line,
    Link,
    Message,
    Part,
    Person,
    Span,
    Step,
    Steps,
    Strong,
    Table,
    Text,
    Title,
)
from bot.render.tables import aligned, hidden

Block = dict[str, Any]  # Slack's JSON; it leaves this room only inside a RenderedMessage

MOST_BLOCKS: Final = limits.MESSAGE_BLOCKS - 2  # room for the line that says what is not shown
MOST_BUTTONS: Final = 12  # more than a thumb finds; their texts fit the budget whatever they say
FIELD_SHOWN: Final = 400  # characters of one value beside others; ten of them fit one block's worth
FALLBACK_MAX: Final = 600  # a notification shows less
NOTICE_ROOM: Final = 120  # characters kept free for the line that says what is not shown
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """What goes to chat.postMessage and chat.update: fallback text, blocks, and the coloured foot."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]
    attachments: tuple[Mapping[str, Any], ...] = ()

    def payload(self) -> Mapping[str, Any]:
        """Return all arguments at once: an update that leaves one out would keep its old content."""
        return {
            "text": self.text,
            "blocks": list(self.blocks),
            "attachments": list(self.attachments),
            "unfurl_links": False,
            "unfurl_media": False,
        }


def blocks(message: Message, *, revision: str | None = None) -> RenderedMessage:
    """Return *message* as Slack takes it, whatever its texts hold.

    Args:
        message: what to say.
        revision: stands in every block id, which must be new for each rendering of one message;
            None: made from the content.
    """
    foot_parts = message.foot if message.color else ()
    main_parts = message.parts if message.color else message.parts + message.foot
    foot = [block for part in foot_parts for block in _draw(part)]
    main = [block for part in main_parts for block in _draw(part)]
    main, foot = _fit(main, foot)
    mark = revision if revision is not None else _digest(main, foot)
    for n, block in enumerate(main + foot):
        block["block_id"] = f"{mark[:200]}.{n}"
    fallback = text.clip(text.escape(text.one_line(message.fallback)), FALLBACK_MAX)
    bar = {"color": message.color, "fallback": fallback, "blocks": foot}
    return RenderedMessage(text=fallback, blocks=tuple(main), attachments=(bar,) if foot else ())


def mrkdwn(message: Message, limit: int = limits.SECTION_TEXT) -> str:
    """Return *message* as one text in Slack's markup, for answers that carry no blocks; buttons are left out."""
    said = (words for part in message.parts + message.foot for words in _in_text(part))
    return text.clip("\n".join(said), limit)


def line(spans: Line) -> str:
    """Return a line in Slack's markup."""
    return "".join(_span(span) for span in spans)


def _span(span: Span) -> str:  # noqa: PLR0911 - one return per kind of span reads best
    match span:
        case str():
            return text.words(span)
        case Code():
            return text.code(span.text)
        case Strong():
            return text.strong(span.text)
        case Instant():
            return text.when(span.at)
        case Link():
            return text.link(span.url, span.label)
        case Person():
            return text.mention_user(span.slack_id)
        case Group():
            return text.mention_group(span.usergroup_id, span.name)
        case _:
            assert_never(span)


def _draw(part: Part) -> list[Block]:  # noqa: PLR0911 - one return per kind of part reads best
    match part:
        case Title():
            return [{"type": "header", "text": _plain(part.text, limits.HEADER_TEXT)}]
        case Text():
            return _sections(_lines(part.lines))
        case Facts():
            return [_fields(group) for group in _chunks(part.items, limits.FIELDS)]
        case Steps():
            return _sections("\n".join([text.strong(part.title), *_steps(part.items)]))
        case Table():
            return _sections(_table(part))
        case Context():
            return _context(_lines(part.lines))
        case Divider():
            return [{"type": "divider"}]
        case Buttons():
            sendable = [b for b in part.items if len(b.action_id) <= limits.IDENTIFIER]
            return (
                [{"type": "actions", "elements": [_button(b) for b in sendable[:MOST_BUTTONS]]}]
                if sendable
                else []
            )
        case _:
            assert_never(part)


def _in_text(part: Part) -> Iterable[str]:
    """A part without its block; a header has no escapes, so it is said anew."""
    match part:
        case Title():
            return (text.strong(part.text),)
        case Buttons():
            return ()
        case _:
            return limits.texts(_draw(part))


def _lines(lines: Iterable[Line]) -> str:
    return "\n".join(line(spans) for spans in lines)


def _sections(markup: str) -> list[Block]:
    if not markup.strip():
        return []
    return [{"type": "section", "text": _mrkdwn(text.clip(markup, limits.SECTION_TEXT))}]


def _context(markup: str) -> list[Block]:
    if not markup.strip():
        return []
    return [{"type": "context", "elements": [_mrkdwn(text.clip(markup, limits.CONTEXT_TEXT))]}]


def _fields(items: Sequence[Fact]) -> Block:
    shown = (f"{text.code(fact.label)}\n{line(fact.value) or '-'}" for fact in items)
    return {
        "type": "section",
        "fields": [_mrkdwn(text.clip(words, FIELD_SHOWN)) for words in shown],
    }


def _steps(items: Iterable[Step]) -> Iterable[str]:
    for n, step in enumerate(items, start=1):
        warning = f" ({text.strong(step.warning)})" if step.warning else ""
        yield f"{n}. {line(step.line)}{warning}"
        if step.code is not None:
            yield text.code_block(step.code, limits.SECTION_TEXT // 2)


def _table(table: Table) -> str:
    caption = f"{text.strong(table.caption)}\n" if table.caption else ""
    unseen = hidden(table)
    more = f"\n… and {text.count_of(unseen, 'more row')}" if unseen else ""
    room = limits.SECTION_TEXT - text.size(caption) - len(more) - 100
    return f"{caption}{text.code_block(aligned(table), room)}{more}"


def _button(button: Button) -> Block:
    drawn: Block = {
        "type": "button",
        "action_id": button.action_id,
        "text": _plain(button.text, limits.BUTTON_TEXT),
        "value": button.value[: limits.BUTTON_VALUE],
    }
    if button.style is not ButtonStyle.PLAIN:
        drawn["style"] = str(button.style)
    if button.confirm:
        drawn["confirm"] = {
            "title": _plain(button.confirm.title, limits.CONFIRM_TITLE),
            "text": _plain(button.confirm.text, limits.CONFIRM_TEXT),
            "confirm": _plain(button.confirm.yes, limits.CONFIRM_BUTTON),
            "deny": _plain(button.confirm.no, limits.CONFIRM_BUTTON),
        }
        if button.style is ButtonStyle.DANGER:
            drawn["confirm"]["style"] = "danger"
    return drawn


def _mrkdwn(markup: str) -> Block:
    # verbatim: Slack reads our tokens and nothing else, so words of data become neither links nor channel names
    return {"type": "mrkdwn", "text": markup, "verbatim": True}


def _plain(words: str, limit: int) -> Block:
    return {"type": "plain_text", "text": text.plain(words, limit), "emoji": True}


def _fit(main: list[Block], foot: list[Block]) -> tuple[list[Block], list[Block]]:
    """Keep what fits, first come first kept; buttons always, and a line that counts what is left out."""
    room = (
        limits.TEXT_BUDGET
        - NOTICE_ROOM
        - sum(_size(b) for b in main + foot if b["type"] == "actions")
    )
    slots = MOST_BLOCKS - sum(1 for b in main + foot if b["type"] == "actions")
    left_out = 0
    kept: tuple[list[Block], list[Block]] = ([], [])
    for source, target in zip((main, foot), kept, strict=True):
        for block in source:
            if block["type"] != "actions":
                if _size(block) > room or slots <= 0:
                    left_out += _size(block)
                    continue
                room -= _size(block)
                slots -= 1
            target.append(block)
    if left_out:
        kept[0].extend(_context(f"Not shown here: {text.number(left_out)} more characters."))
    return kept


def _size(block: Block) -> int:
    return sum(text.size(words) for words in limits.texts(block))


def _digest(main: list[Block], foot: list[Block]) -> str:
    return hashlib.sha256(json.dumps([main, foot], sort_keys=True).encode()).hexdigest()[:12]


def _chunks(items: Sequence[T], most: int) -> Iterable[Sequence[T]]:
    rest = iter(items)
    while group := tuple(islice(rest, most)):
        yield group
