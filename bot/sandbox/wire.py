"""Reading what a client of Slack's Web API sends: JSON or form, with any mistake a client can make."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from aiohttp import web

from bot.sandbox.records import Json, SlackRefusedError

MAX_FIELDS: Final = 200  # more than any method takes
MAX_DEPTH: Final = 60  # deeper than any block or view goes


class Args:
    """The arguments of one call; each reader refuses a wrong type with Slack's error for it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """Return a text; numbers count as text, as they do in a form."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise SlackRefusedError("invalid_arguments", f"{name} must be a string")

    def optional(self, name: str) -> str | None:
        """Return a text, or None when it is missing or empty."""
        return self.text(name) or None

    def flag(self, name: str) -> bool:
        """Return a yes or no as clients write it: true, ``1``, ``"true"``."""
        return self._values.get(name) in (True, 1, "1", "true", "True")

    def number(self, name: str, default: int, highest: int) -> int:
        """Return a whole number from 1 to *highest*; ``invalid_limit`` for text that is none."""
        raw = self.text(name, str(default))
        try:
            value = int(raw)
        except ValueError:
            raise SlackRefusedError("invalid_limit") from None
        return min(max(value, 1), highest)

    def objects(self, name: str, error: str) -> tuple[Json, ...] | None:
        """Return a list of JSON objects, or None when it is missing; anything else is refused with *error*."""
        value = self._decoded(name, error)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise SlackRefusedError(error)
        return tuple(value)

    def object(self, name: str, error: str) -> Json | None:
        """Return a JSON object, or None when it is missing; anything else is refused with *error*."""
        value = self._decoded(name, error)
        if value is not None and not isinstance(value, dict):
            raise SlackRefusedError(error)
        return value

    def _decoded(self, name: str, error: str) -> Any:  # noqa: ANN401 - JSON of any shape
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        return parse_json(value, error) if value else None


async def read_args(request: web.Request) -> tuple[Args, str | None]:
    """Return the arguments of a Web API call, and the token it carries, if any.

    Raises:
        SlackRefusedError: ``invalid_json``, ``json_not_object``, ``invalid_form_data`` or ``invalid_post_type``.
    """
    values: dict[str, Any] = {**request.query, **await _body(request)}
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    in_body = values.pop("token", None)
    if scheme.lower() == "bearer" and bearer:
        return Args(values), bearer.strip()
    return Args(values), in_body if isinstance(in_body, str) else None


def parse_json(text: str | bytes, error: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return the value *text* holds; what no JSON writer could send on is refused with *error*.

    Refused are also NaN, half surrogates and deep nesting: they would come out of the
    sandbox as something no reader takes.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()
        _check_depth(value)
    except (ValueError, RecursionError):
        raise SlackRefusedError(error) from None
    return value


async def _body(request: web.Request) -> dict[str, Any]:
    raw = await request.read()
    if not raw:
        return {}
    if request.content_type == "application/json":
        value = parse_json(raw, "invalid_json")
        if not isinstance(value, dict):
            raise SlackRefusedError("json_not_object")
        return value
    if request.content_type == "application/x-www-form-urlencoded":
        return _form(raw)
    raise SlackRefusedError("invalid_post_type")


def _form(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise SlackRefusedError("invalid_form_data") from None
    return dict(pairs)


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise ValueError("nested too deeply")


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
