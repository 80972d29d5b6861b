"""What Slack's refusals mean for a message: wait, say it otherwise, or give it up."""

from __future__ import annotations

from typing import Any, Final

from slack_sdk.errors import SlackApiError

RATE_LIMITED_STATUS: Final = 429
DEFAULT_RETRY_S: Final = 30.0
LONGEST_RETRY_S: Final = 600.0  # beyond Slack's own habit; a header from elsewhere is not believed

FOR_GOOD: Final = frozenset(
    {
        "channel_not_found", "not_in_channel", "is_archived", "message_not_found", "cant_update_message",
        "user_not_in_channel", "user_not_found", "no_text", "restricted_action", "missing_scope",
        "edit_window_closed",
    }
)  # fmt: skip
"""Asking again would be answered the same."""

TOO_MUCH: Final = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "invalid_attachments"}
)  # fmt: skip
"""The message's form is refused; its words alone may pass."""

THREAD_GONE: Final = frozenset({"thread_not_found", "invalid_thread_ts", "cannot_reply_to_message"})
"""There is nothing to reply to any more."""

CANNOT_SEE: Final = frozenset(
    {"user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived"}
)
"""The person, or we, cannot be spoken to in that channel."""


def code_of(error: SlackApiError) -> str:
    """Return Slack's word for the refusal; ``ratelimited`` for every 429, the HTTP status where there is no word."""
    response: Any = error.response
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    if status == RATE_LIMITED_STATUS:
        return "ratelimited"
    data = getattr(response, "data", response)
    word = data.get("error") if isinstance(data, dict) else None
    return str(word or status or "no answer that can be read")


def retry_after(error: SlackApiError) -> float:
    """Return for how many seconds Slack asks to be left alone, from 1 to ``LONGEST_RETRY_S``."""
    headers = getattr(error.response, "headers", None) or {}
    try:
        wanted = float(headers.get("Retry-After", DEFAULT_RETRY_S))
    except (TypeError, ValueError):
        return DEFAULT_RETRY_S
    return min(max(1.0, wanted), LONGEST_RETRY_S) if wanted == wanted else DEFAULT_RETRY_S  # noqa: PLR0124 - not a number is not itself
