"""Slack's limits for blocks, and a validator that says which of them a message breaks.

slack_sdk's own models check some of these; this one checks what chat.postMessage would refuse, and never raises.
Source: docs.slack.dev/reference/block-kit and the constants of slack_sdk.models.blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100  # a modal or App Home
SECTION_TEXT: Final = 3_000
FIELD_TEXT: Final = 2_000
FIELDS: Final = 10
HEADER_TEXT: Final = 150
CONTEXT_ELEMENTS: Final = 10
CONTEXT_TEXT: Final = 3_000
ACTIONS_ELEMENTS: Final = 25
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
URL: Final = 3_000
IDENTIFIER: Final = 255  # block_id and action_id
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
OPTIONS: Final = 100
OVERFLOW_OPTIONS: Final = 5
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
PLACEHOLDER: Final = 150
LABEL_TEXT: Final = 2_000
ALT_TEXT: Final = 2_000
MARKDOWN_TEXT: Final = 12_000
TABLE_ROWS: Final = 100
TABLE_COLUMNS: Final = 20
MESSAGE_TEXT: Final = 40_000  # the top-level text is cut there
TEXT_REFUSED_FROM: Final = (
    13_200  # all block text together: msg_blocks_too_long, found by its users (bolt-js#2509)
)
TEXT_BUDGET: Final = 12_000  # what we allow ourselves of it

Json = Mapping[str, object]

_OPEN_TYPES: Final = frozenset(
    {
        "card", "carousel", "container", "context_actions", "data_table", "data_visualization", "divider", "file",
        "plan", "rich_text", "task_card", "video",
    }
)  # fmt: skip
_TEXT_ELEMENTS: Final = frozenset({"mrkdwn", "plain_text"})
_SELECTS: Final = (
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
)
_ELEMENTS: Final = frozenset(
    {
        "button", "overflow", "datepicker", "timepicker", "datetimepicker", "radio_buttons", "checkboxes",
        "workflow_button", "image", "plain_text_input", "email_text_input", "url_text_input", "number_input",
        "rich_text_input", "file_input", "feedback_buttons", "icon_button",
        *_SELECTS, *(f"multi_{name}" for name in _SELECTS),
    }
)  # fmt: skip


def texts(value: object) -> Iterator[str]:
    """Yield every text that *value* (blocks, attachments; anything) shows, in reading order, at any depth."""
    waiting: list[object] = [value]
    while waiting:
        match waiting.pop():
            case Mapping() as holder:
                own = holder.get("text")
                if isinstance(own, str):
                    yield own
                waiting.extend(reversed(list(holder.values())))
            case [*items]:
                waiting.extend(reversed(items))


def text_size(value: object) -> int:
    """Return how many characters of text all of *value* holds together."""
    return sum(map(len, texts(value)))


def validate(blocks: object, *, most: int = MESSAGE_BLOCKS) -> tuple[str, ...]:
    """Return what Slack would refuse in *blocks*, each with its path; empty when all is well.

    Args:
        blocks: as read from JSON; may be anything.
        most: how many blocks the surface takes, ``MESSAGE_BLOCKS`` or ``VIEW_BLOCKS``.
    """
    if not isinstance(blocks, Sequence) or isinstance(blocks, str | bytes):
        return ("blocks: must be a list",)
    return tuple(_problems(blocks, most))


def validate_attachments(attachments: object) -> tuple[str, ...]:
    """Return what Slack would refuse in the blocks of *attachments*, each with its path."""
    if not isinstance(attachments, Sequence) or isinstance(attachments, str | bytes):
        return ("attachments: must be a list",)
    return tuple(
        f"attachments[{n}].{problem}"
        for n, attachment in enumerate(attachments)
        for problem in (
            validate(attachment.get("blocks", ()))
            if isinstance(attachment, Mapping)
            else ("must be an object",)
        )
    )


def too_long(blocks: object, attachments: object = ()) -> bool:
    """Whether Slack would answer ``msg_blocks_too_long``: every block may be legal and all together are not."""
    return text_size(blocks) + text_size(attachments) >= TEXT_REFUSED_FROM


def _problems(blocks: Sequence[object], most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield f"blocks: {len(blocks)} blocks, at most {most}"
    seen: set[str] = set()
    for n, block in enumerate(blocks):
        at = f"blocks[{n}]"
        if not isinstance(block, Mapping):
            yield f"{at}: must be an object"
            continue
        yield from _block(block, at)
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in seen:
                yield f"{at}.block_id: used twice"
            seen.add(block_id)


def _block(block: Json, at: str) -> Iterator[str]:
    yield from _identifier(block, "block_id", at)
    match block.get("type"):
        case "section":
            yield from _section(block, at)
        case "header":
            yield from _text(block.get("text"), f"{at}.text", HEADER_TEXT, only="plain_text")
        case "context":
            yield from _elements(block, at, CONTEXT_ELEMENTS, _context_element)
        case "actions":
            yield from _elements(block, at, ACTIONS_ELEMENTS, _element)
        case "markdown":
            yield from _string(block.get("text"), f"{at}.text", MARKDOWN_TEXT)
        case "image":
            yield from _image(block, at)
        case "input":
            yield from _text(block.get("label"), f"{at}.label", LABEL_TEXT, only="plain_text")
            yield from _element(block.get("element"), f"{at}.element")
        case "table":
            yield from _table(block, at)
        case str() as known if known in _OPEN_TYPES:
            return
        case other:
            yield f"{at}.type: unknown block type {str(other)[:50]!r}"


def _section(block: Json, at: str) -> Iterator[str]:
    fields = block.get("fields")
    if block.get("text") is None and not fields:
        yield f"{at}: needs text or fields"
    if block.get("text") is not None:
        yield from _text(block.get("text"), f"{at}.text", SECTION_TEXT)
    if fields is not None:
        if not isinstance(fields, Sequence) or isinstance(fields, str | bytes) or not fields:
            yield f"{at}.fields: must be a list with something in it"
            return
        if len(fields) > FIELDS:
            yield f"{at}.fields: {len(fields)} fields, at most {FIELDS}"
        for n, field in enumerate(fields):
            yield from _text(field, f"{at}.fields[{n}]", FIELD_TEXT)
    if block.get("accessory") is not None:
        yield from _element(block.get("accessory"), f"{at}.accessory")


def _image(block: Json, at: str) -> Iterator[str]:
    yield from _string(block.get("alt_text"), f"{at}.alt_text", ALT_TEXT)
    if block.get("slack_file") is None:
        yield from _string(block.get("image_url"), f"{at}.image_url", URL)


def _table(block: Json, at: str) -> Iterator[str]:
    rows = block.get("rows")
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes) or not rows:
        yield f"{at}.rows: must be a list with something in it"
        return
    if len(rows) > TABLE_ROWS:
        yield f"{at}.rows: {len(rows)} rows, at most {TABLE_ROWS}"
    for n, row in enumerate(rows):
        if not isinstance(row, Sequence) or isinstance(row, str | bytes):
            yield f"{at}.rows[{n}]: must be a list"
        elif len(row) > TABLE_COLUMNS:
            yield f"{at}.rows[{n}]: {len(row)} cells, at most {TABLE_COLUMNS}"


def _elements(
    block: Json, at: str, most: int, check: Callable[[object, str], Iterator[str]]
) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, Sequence) or isinstance(elements, str | bytes) or not elements:
        yield f"{at}.elements: must be a list with something in it"
        return
    if len(elements) > most:
        yield f"{at}.elements: {len(elements)} elements, at most {most}"
    seen: set[str] = set()
    for n, element in enumerate(elements):
        yield from check(element, f"{at}.elements[{n}]")
        action_id = element.get("action_id") if isinstance(element, Mapping) else None
        if isinstance(action_id, str):
            if action_id in seen:
                yield f"{at}.elements[{n}].action_id: used twice in this block"
            seen.add(action_id)


def _context_element(element: object, at: str) -> Iterator[str]:
    if isinstance(element, Mapping) and element.get("type") == "image":
        yield from _image(element, at)
    else:
        yield from _text(element, at, CONTEXT_TEXT)


def _element(element: object, at: str) -> Iterator[str]:
    if not isinstance(element, Mapping):
        yield f"{at}: must be an object"
        return
    kind = element.get("type")
    if not isinstance(kind, str) or kind not in _ELEMENTS:
        yield f"{at}.type: unknown element type {str(kind)[:50]!r}"
        return
    yield from _identifier(element, "action_id", at)
    if kind == "button":
        yield from _button(element, at)
    if element.get("placeholder") is not None:
        yield from _text(
            element.get("placeholder"), f"{at}.placeholder", PLACEHOLDER, only="plain_text"
        )
    if element.get("confirm") is not None:
        yield from _confirm(element.get("confirm"), f"{at}.confirm")
    if kind in {"static_select", "multi_static_select", "overflow", "radio_buttons", "checkboxes"}:
        yield from _options(element, at, OVERFLOW_OPTIONS if kind == "overflow" else OPTIONS)


def _button(button: Json, at: str) -> Iterator[str]:
    yield from _text(button.get("text"), f"{at}.text", BUTTON_TEXT, only="plain_text")
    if button.get("value") is not None:
        yield from _string(button.get("value"), f"{at}.value", BUTTON_VALUE, least=0)
    if button.get("url") is not None:
        yield from _string(button.get("url"), f"{at}.url", URL)
    if button.get("style") not in (
        None,
        "primary",
        "danger",
    ):  # a tuple, for a style may be unhashable
        yield f"{at}.style: must be primary or danger"


def _confirm(confirm: object, at: str) -> Iterator[str]:
    if not isinstance(confirm, Mapping):
        yield f"{at}: must be an object"
        return
    for key, most in (
        ("title", CONFIRM_TITLE), ("text", CONFIRM_TEXT), ("confirm", CONFIRM_BUTTON), ("deny", CONFIRM_BUTTON),
    ):  # fmt: skip
        yield from _text(
            confirm.get(key), f"{at}.{key}", most, only=None if key == "text" else "plain_text"
        )


def _options(element: Json, at: str, most: int) -> Iterator[str]:
    options = element.get("options")
    if options is None and element.get("option_groups") is not None:
        return
    if (
        not isinstance(options, Sequence)
        or isinstance(options, str | bytes)
        or not 0 < len(options) <= most
    ):
        yield f"{at}.options: must be a list of 1 to {most}"
        return
    for n, option in enumerate(options):
        if not isinstance(option, Mapping):
            yield f"{at}.options[{n}]: must be an object"
            continue
        yield from _text(option.get("text"), f"{at}.options[{n}].text", OPTION_TEXT)
        yield from _string(option.get("value"), f"{at}.options[{n}].value", OPTION_VALUE)


def _text(text: object, at: str, most: int, *, only: str | None = None) -> Iterator[str]:
    if not isinstance(text, Mapping):
        yield f"{at}: must be a text object"
        return
    kind = text.get("type")
    if not isinstance(kind, str) or kind not in _TEXT_ELEMENTS or (only and kind != only):
        yield f"{at}.type: must be {only or 'mrkdwn or plain_text'}"
    yield from _string(text.get("text"), f"{at}.text", most)


def _string(value: object, at: str, most: int, *, least: int = 1) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{at}: must be a string"
    elif not least <= len(value) <= most:
        yield f"{at}: {len(value)} characters, must be {least} to {most}"


def _identifier(holder: Json, key: str, at: str) -> Iterator[str]:
    if holder.get(key) is not None:
        yield from _string(holder.get(key), f"{at}.{key}", IDENTIFIER)
