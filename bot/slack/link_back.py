"""Tells an alert's sender where its card is: one small JSON document to the address that the alert carried."""

from __future__ import annotations

from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout

TIME_LIMIT: Final = ClientTimeout(total=10)  # well within a post's claim
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500
REDIRECT: Final = 300


async def post_link(address: str, link: str, text: str) -> str | None:
    """Send ``{"url": link, "text": text}`` to *address*, and follow it nowhere else.

    Returns:
        Why the sender will not take it, or None when it did; never the address, which is a secret of its own.

    Raises:
        TimeoutError: no answer, or one that says to try again.
    """
    try:
        async with (
            ClientSession(timeout=TIME_LIMIT) as session,
            session.post(
                address, json={"url": link, "text": text}, allow_redirects=False
            ) as answer,
        ):
            status = answer.status
    except (ClientError, OSError) as error:
        raise TimeoutError from error
    if status == TOO_MANY or status >= SERVER_ERROR:
        raise TimeoutError
    return f"the alert's sender answered {status}" if status >= REDIRECT else None
