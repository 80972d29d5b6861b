"""What Slack's refusals mean, whatever stands between Slack and us."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.slack.refusals import FOR_GOOD, THREAD_GONE, TOO_MUCH, code_of, retry_after


def raised(response: object) -> SlackApiError:
    """What the library raises for *response*, which may be its own, aiohttp's or a plain dict."""
    return SlackApiError("refused", response)  # type: ignore[no-untyped-call]  # the library leaves it untyped


def refusal(
    status: int = 200, data: Any = None, headers: dict[str, str] | None = None
) -> SlackApiError:
    """A refusal as the library raises it."""
    answer = SimpleNamespace(status_code=status, data=data, headers=headers or {})
    return raised(answer)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refusal(data={"ok": False, "error": "is_archived"}), "is_archived"),
        (refusal(429, {"ok": False, "error": "ratelimited"}), "ratelimited"),
        (refusal(429, "slow down"), "ratelimited"),
        (refusal(503, "<html>"), "503"),
        (refusal(500, {}), "500"),
        (raised(SimpleNamespace(status=502)), "502"),
        (raised({"ok": False, "error": "fatal_error"}), "fatal_error"),
        (raised(None), "no answer that can be read"),
    ],
)
def test_the_word_for_it(error: SlackApiError, code: str) -> None:
    """Slack's own word, or the status where a proxy answered; never an error of our own."""
    assert code_of(error) == code


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("-3", 1),
        ("1e9", 600),
        ("soon", 30),
        ("nan", 30),
        ("inf", 600),
        (None, 30),
    ],
)
def test_how_long_to_wait(header: str | None, seconds: float) -> None:
    """As Slack says, within reason; half a minute where it says nothing that can be read."""
    headers = {"Retry-After": header} if header is not None else {}
    assert retry_after(refusal(429, headers=headers)) == seconds


def test_each_refusal_has_one_meaning() -> None:
    """No word asks for two different things."""
    assert not FOR_GOOD & TOO_MUCH
    assert not FOR_GOOD & THREAD_GONE
    assert "ratelimited" not in FOR_GOOD | TOO_MUCH | THREAD_GONE
