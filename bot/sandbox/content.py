"""What Slack refuses in the content of a message or a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.render.limits import VIEW_BLOCKS, too_long, validate, validate_attachments
from bot.sandbox.records import Draft, Json, SlackRefusedError
from bot.sandbox.wire import Args

MAX_POST_TEXT: Final = 40_000  # chat.postMessage, characters
MAX_UPDATE_TEXT: Final = 4_000  # chat.update, bytes of the escaped text
MAX_ATTACHMENTS: Final = 100
MAX_VIEW_TITLE: Final = 24


def draft_of(args: Args) -> Draft:
    """Return what a call wants to say.

    Raises:
        SlackRefusedError: with Slack's name for what is wrong: ``no_text``, ``invalid_blocks``,
            ``msg_blocks_too_long``, ``msg_too_long``, ``invalid_attachments`` and others.
    """
    blocks = args.objects("blocks", "invalid_blocks_format") or ()
    attachments = args.objects("attachments", "invalid_attachments") or ()
    text = args.text("text")
    if not text.strip() and not blocks and not attachments:
        raise SlackRefusedError("no_text")
    if len(text) > MAX_POST_TEXT:
        raise SlackRefusedError("msg_too_long")
    _check_parts(blocks, attachments)
    return Draft(text=text, blocks=blocks, attachments=attachments, metadata=_metadata(args))


def check_view(view: Json) -> None:
    """Refuse a view that Slack would not show."""
    kind, blocks = view.get("type"), view.get("blocks")
    if kind not in ("modal", "home"):
        raise SlackRefusedError("invalid_arguments", "view.type must be modal or home")
    problems = validate(blocks, most=VIEW_BLOCKS)
    if problems:
        raise SlackRefusedError("invalid_arguments", *problems)
    if kind == "modal":
        for name in ("title", "submit", "close"):
            _check_label(view, name, required=name == "title")


def _check_parts(blocks: Sequence[Json], attachments: Sequence[Json]) -> None:
    if len(attachments) > MAX_ATTACHMENTS:
        raise SlackRefusedError("too_many_attachments")
    problems = (*validate(blocks), *validate_attachments(attachments))
    if problems:
        raise SlackRefusedError("invalid_blocks", *problems)
    if too_long(blocks, attachments):
        raise SlackRefusedError("msg_blocks_too_long")


def _check_label(view: Json, name: str, *, required: bool) -> None:
    label = view.get(name)
    if label is None and not required:
        return
    text = label.get("text") if isinstance(label, dict) else None
    if not isinstance(text, str) or not 0 < len(text) <= MAX_VIEW_TITLE:
        limit = f"view.{name}: a plain text of 1 to {MAX_VIEW_TITLE} characters"
        raise SlackRefusedError("invalid_arguments", limit)


def _metadata(args: Args) -> Json | None:
    metadata = args.object("metadata", "invalid_metadata_format")
    if metadata is None or not metadata:
        return None
    if not isinstance(metadata.get("event_type"), str) or not isinstance(
        metadata.get("event_payload"), dict
    ):
        raise SlackRefusedError("invalid_metadata_format")
    return metadata
