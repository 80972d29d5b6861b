"""The text of a Slack message, from wherever the sender put it. Pure, bounded, and it never raises.

A message says what it says in ``text``, in blocks, in blocks of attachments, or in an attachment's older
fields; senders leave any of them empty. All are walked, in the order in which people see them.
Slack's markup stays (``*bold*``), its escapes and links are undone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MAX_DEPTH: Final = 8  # of nested elements; rich text needs five
MAX_NODES: Final = 5_000  # blocks and elements of one message; Slack's own limit is about 50 blocks
MAX_CHARS: Final = 100_000  # of all text; Slack cuts at 40,000
MAX_HEADER: Final = 300  # characters; Slack's own limit is 150
MAX_LABEL: Final = 80  # characters; a longer bold text is a sentence and no label

_REFERENCE: Final = re.compile(r"<([^<>\n]{1,3000})>")
_LABELLED: Final = re.compile(r"^(?:[^\w*`\"]{1,6} ?)?\*([^*\n]{1,80}?):?\*:? ?(.*)$")
_FENCE: Final = re.compile(r"^```(?:json\n)?|```$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link in a message and the words it was put under."""

    url: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackText:
    """What a message says.

    ``fields`` are pairs of label and value, however they were laid out (``*Table*`` above its value,
    ``*Test:* x | *Status:* fail``, two columns, an attachment's fields); a label may come several times.
    ``paragraphs`` are the texts as their blocks held them, ``lines`` the same cut at line ends.
    """

    paragraphs: tuple[str, ...] = ()
    header: str | None = None
    color: str | None = None
    links: tuple[Link, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Every line that is not blank, without spaces around it."""
        lines = (line.strip() for paragraph in self.paragraphs for line in paragraph.split("\n"))
        return tuple(line for line in lines if line)

    def value(self, *labels: str) -> str | None:
        """Return the first value under any of *labels*, in any case; None when there is none."""
        wanted = {label.casefold() for label in labels}
        return next((v for k, v in self.fields if k.casefold() in wanted and v), None)

    def link(self, *words: str) -> str | None:
        """Return the first link whose label holds one of *words*; with no words, the first link."""
        for link in self.links:
            if not words or any(word.casefold() in link.label.casefold() for word in words):
                return link.url
        return None


def read_slack(message: object) -> SlackText:
    """Return the text of *message*, a Slack message as JSON; whatever is not of Slack's shape is passed over."""
    walk = _Walk()
    walk.message(_mapping(message))
    return SlackText(
        paragraphs=tuple(walk.paragraphs),
        header=walk.header,
        color=walk.color,
        links=tuple(walk.links),
        fields=tuple(_fields(walk.paragraphs)),
    )


def code_of(text: str) -> str:
    """Return *text* without the fence or the backticks of a code span around it."""
    return _FENCE.sub("", text.strip()).strip().strip("`").strip()


def plain(text: str) -> str:
    """Return *text* without emphasis and code marks: ``*0* of *4*`` gives ``0 of 4``."""
    return re.sub(r"[*`]", "", text).strip()


@dataclass(slots=True)
class _Walk:
    """What the walk has found so far, and how much it may still look at."""

    paragraphs: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    header: str | None = None
    color: str | None = None
    nodes: int = MAX_NODES
    chars: int = MAX_CHARS

    def message(self, message: Mapping[str, object]) -> None:
        blocks = _list(message.get("blocks"))
        attachments = [_mapping(item) for item in _list(message.get("attachments"))]
        if not blocks:  # with blocks, the text is their stand-in for notifications
            self.say(message.get("text"))
        self.blocks(blocks)
        for attachment in attachments:
            self.attachment(attachment)
        if not self.paragraphs:
            self.say(message.get("text"))

    def attachment(self, attachment: Mapping[str, object]) -> None:
        if self.color is None and isinstance(color := attachment.get("color"), str) and color:
            self.color = color[:MAX_LABEL]
        before = len(self.paragraphs)
        self.blocks(_list(attachment.get("blocks")))
        for key in ("pretext", "title", "text"):
            self.say(attachment.get(key))
        title, link = attachment.get("title"), attachment.get("title_link")
        if isinstance(link, str) and link:
            self.links.append(
                Link(url=link[:3000], label=title[:300] if isinstance(title, str) else "")
            )
        for item in _list(attachment.get("fields")):
            pair = _mapping(item)
            label, value = _str(pair.get("title")), _str(pair.get("value"))
            self.say(f"*{label}*\n{value}" if label else value)
        if len(self.paragraphs) == before:
            self.say(attachment.get("fallback"))

    def blocks(self, blocks: Sequence[object]) -> None:
        for item in blocks:
            block = _mapping(item)
            if not self.spend():
                return
            match block.get("type"):
                case "header":
                    text = self.say(_mapping(block.get("text")).get("text"))
                    self.header = self.header or (text[:MAX_HEADER] if text else None)
                case "section":
                    self.section(block)
                case "table":
                    self.table(block)
                case "rich_text":
                    self.rich_parts(block)
                case _:
                    self.other(block)

    def section(self, block: Mapping[str, object]) -> None:
        self.say(_mapping(block.get("text")).get("text"))
        texts = [_str(_mapping(item).get("text")) for item in _list(block.get("fields"))]
        waiting = ""
        for (
            text
        ) in texts:  # two columns of fields may hold a label on the left and its value on the right
            if not waiting and _is_label(text):
                waiting = text
            else:
                self.say(f"{waiting}\n{text}" if waiting else text)
                waiting = ""
        self.say(waiting)

    def other(self, block: Mapping[str, object]) -> None:
        """A context, markdown, image or later kind of block: whatever text it carries."""
        for key in ("title", "text", "alt_text"):
            value = block.get(key)
            self.say(value if isinstance(value, str) else _mapping(value).get("text"))
        for item in _list(block.get("elements")):
            element = _mapping(item)
            text = element.get("text")
            if self.spend() and element.get("type") != "button":
                self.say(text if isinstance(text, str) else _mapping(text).get("text"))

    def table(self, block: Mapping[str, object]) -> None:
        for row in _list(block.get("rows")):
            if not self.spend():
                return
            cells = [_mapping(cell) for cell in _list(row)]
            self.say(" | ".join(_str(c.get("text")) or self.rich(c, MAX_DEPTH) for c in cells))

    def rich_parts(self, block: Mapping[str, object]) -> None:
        for item in _list(block.get("elements")):
            part = _mapping(item)
            text = self.rich(part, MAX_DEPTH)
            self.say(
                f"```{text}```" if part.get("type") == "rich_text_preformatted" else text, raw=True
            )

    def rich(self, element: Mapping[str, object], depth: int) -> str:
        """The text of one rich-text element, which is not escaped and may hold others."""
        if depth == 0 or not self.spend():
            return ""
        children = _list(element.get("elements"))
        if children:
            glue = "\n" if _str(element.get("type")) in {"rich_text_list", "rich_text"} else ""
            return glue.join(self.rich(_mapping(child), depth - 1) for child in children)
        text = _str(element.get("text"))
        if isinstance(url := element.get("url"), str) and url:
            self.links.append(Link(url=url[:3000], label=text[:300]))
            return text or url[:3000]
        if text and _mapping(element.get("style")).get("bold") is True:
            return f"*{text}*"
        return text or _str(element.get("fallback")) or _str(element.get("name"))

    def say(self, text: object, *, raw: bool = False) -> str | None:
        """Keep one paragraph; *raw* text has no escapes to undo."""
        if not isinstance(text, str) or not text.strip() or self.chars <= 0:
            return None
        cut = text[: self.chars]
        self.chars -= len(cut)
        said = cut if raw else self.undo(cut)
        self.paragraphs.append(said)
        return said

    def undo(self, text: str) -> str:
        """Put labels for links and names for references, then undo the three escapes."""
        shown = _REFERENCE.sub(self._shown, text)
        return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    def _shown(self, match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target[0] in "@#!":
            sign = target[0] if target[0] != "!" else ""
            return f"{sign}{label or target[1:]}" if not label.startswith(sign or "@") else label
        url = target.replace("&amp;", "&").replace(
            "$amp;", "&"
        )  # the second is how Airbyte writes it
        if re.match(r"^(https?|mailto):", url):
            self.links.append(Link(url=url, label=label))
        return label or url

    def spend(self) -> bool:
        self.nodes -= 1
        return self.nodes >= 0


def _is_label(text: str) -> bool:
    found = _LABELLED.match(text.strip())
    return found is not None and not found[2].strip() and "\n" not in text.strip()


def _fields(paragraphs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of label and value; a label alone takes the rest of its paragraph, or the whole next one."""
    waiting: str | None = None
    for paragraph in paragraphs:
        text = paragraph.strip()
        first, _, rest = text.partition("\n")
        label = _LABELLED.match(first.strip())
        if waiting is not None and not label:
            yield waiting, text
            waiting = None
            continue
        waiting = None
        if label and not label[2].strip():
            if rest.strip():
                yield _clean(label[1]), rest.strip()
            else:
                waiting = _clean(label[1])
            continue
        for line in text.split("\n"):
            yield from _pairs(line)


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """``*Test:* x | *Status:* fail`` gives two pairs; a part without a label belongs to the one before."""
    label, value = "", ""
    for part in line.split(" | "):
        found = _LABELLED.match(part.strip())
        if found:
            if label:
                yield label, value.strip()
            label, value = _clean(found[1]), found[2]
        elif label:
            value = f"{value} | {part}"
    if label:
        yield label, value.strip()


def _clean(label: str) -> str:
    return label.strip().rstrip(":").strip()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""
