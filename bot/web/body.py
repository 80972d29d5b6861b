"""Reads what somebody sent us: bounded in size and time, and only JSON that every database can keep."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Final, NoReturn

from aiohttp import web

from bot.web.errors import ApiError, ErrorBody, bad_request

MAX_BODY_BYTES: Final = 1024 * 1024  # SYSTEM.md and Bolt's own server: 1 MiB
READ_LIMIT_S: Final = 15.0  # a sender slower than this holds a connection and nothing else
MAX_DEPTH: Final = 100  # deeper than any alert, far from every recursion limit


async def read_body(request: web.Request, *, encodings: Collection[str] = ("identity",)) -> bytes:
    """Return the body, unpacked where it came in one of *encodings*.

    Raises:
        ApiError: 413 above ``MAX_BODY_BYTES``, unpacked; 408 when it does not come in time; 415 for another encoding.
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in encodings:
        raise _refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "encoded", "Send the body without Content-Encoding."
        )
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(READ_LIMIT_S):
            async for part in request.content.iter_any():
                body += part
                if len(body) > MAX_BODY_BYTES:
                    raise _too_large()
    except TimeoutError:
        raise _refused(
            HTTPStatus.REQUEST_TIMEOUT, "too_slow", f"The body took over {READ_LIMIT_S:.0f} s."
        ) from None
    return bytes(body)


def _too_large() -> ApiError:
    return _refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"The body is longer than {MAX_BODY_BYTES} bytes.",
    )


def _refused(status: HTTPStatus, error: str, message: str) -> ApiError:
    return ApiError(status, ErrorBody(error=error, message=message))


def utf8(body: bytes) -> str:
    """Return *body* as text.

    Raises:
        ApiError: 400, it is not UTF-8; the text names the first wrong byte.
    """
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad_request(f"the body is not UTF-8 at byte {error.start}", field="body") from None


def json_object(text: str, *, field: str = "body") -> Mapping[str, Any]:
    """Return the JSON object that *text* is.

    Raises:
        ApiError: 400: not JSON, not an object, nested beyond ``MAX_DEPTH``, a number that is not finite, or a
            text with NUL or half a surrogate pair, which no database keeps. *field* is named.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise bad_request(f"not JSON at {where}: {error.msg}", field=field) from None
    except (ValueError, RecursionError):
        raise bad_request("JSON with a number or a nesting beyond reason", field=field) from None
    if not isinstance(value, dict):
        raise bad_request("must be a JSON object", field=field)
    problem = _unkeepable(value)
    if problem:
        raise bad_request(problem, field=field)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _unkeepable(root: object) -> str | None:
    """What is wrong with a value somewhere in *root*, or None."""
    waiting: list[tuple[object, int]] = [(root, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return f"nested deeper than {MAX_DEPTH}"
        problem = _unkeepable_value(value)
        if problem:
            return problem
        waiting.extend((one, depth + 1) for one in _inside(value))
    return None


def _inside(value: object) -> tuple[object, ...]:
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return tuple(value) if isinstance(value, list) else ()


def _unkeepable_value(value: object) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "a number is not finite"
    if isinstance(value, str):
        return unkeepable_text(value)
    return None


def unkeepable_text(text: str) -> str | None:
    """Return why no database keeps *text*, or None."""
    if "\x00" in text:
        return "a text holds a NUL character"
    if any("\ud800" <= char <= "\udfff" for char in text):
        return "a text holds half a surrogate pair"
    return None
