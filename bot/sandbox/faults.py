"""Faults on order: what goes wrong with the next calls of a method, so that a test can prove what comes after."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, assert_never

from aiohttp import web

EVERYTHING: Final = "*"
"""Target of a fault that may hit any call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimited:
    """Answer 429 and how many seconds to wait; nothing is done."""

    retry_after_s: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Answer with a server error; nothing is done."""

    status: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """Do it, and answer late."""

    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Cut the connection; nothing is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Do it, then cut the connection: the caller cannot know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """Do it twice and answer once, as when a proxy sends a call again."""


Fault = RateLimited | Broken | Slow | Cut | Unanswered | Twice
Answer = Callable[[], Awaitable[web.Response]]


class Faults:
    """The faults that wait for their calls, in the order they were ordered."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = defaultdict(deque)

    def add(self, target: str, fault: Fault, times: int = 1) -> None:
        """Let the next *times* calls of *target* fail.

        Args:
            target: a method (``chat.postMessage``), ``response_url``, ``upload``, ``pagerduty``, ``webhook``, or
                ``EVERYTHING``.
            fault: what happens.
            times: to how many calls.
        """
        self._waiting[target].extend([fault] * times)

    def clear(self, target: str | None = None) -> None:
        """Call off the faults of *target*, or all of them."""
        if target is None:
            self._waiting.clear()
        else:
            self._waiting.pop(target, None)

    def waiting(self, target: str) -> int:
        """Return how many calls of *target* are still to fail."""
        return len(self._waiting.get(target, ()))

    def take(self, target: str) -> Fault | None:
        """Return the fault that hits this call of *target*, and count it as done."""
        for name in (target, EVERYTHING):
            waiting = self._waiting.get(name)
            if waiting:
                return waiting.popleft()
        return None


async def answered(request: web.Request, fault: Fault | None, answer: Answer) -> web.StreamResponse:
    """Answer *request* by *answer*, spoilt by *fault*."""
    match fault:
        case RateLimited() | Broken() | Cut():
            return _refused(request, fault)
        case Twice():
            await answer()
        case Slow() | Unanswered() | None:
            pass
        case _:
            assert_never(fault)
    response = await answer()
    if isinstance(fault, Slow):
        await asyncio.sleep(fault.delay_s)
    return _cut(request) if isinstance(fault, Unanswered) else response


def _refused(request: web.Request, fault: RateLimited | Broken | Cut) -> web.StreamResponse:
    """Answer without having done anything."""
    match fault:
        case RateLimited(retry_after_s=seconds):
            body = {"ok": False, "error": "ratelimited"}
            return web.json_response(body, status=429, headers={"Retry-After": str(seconds)})
        case Broken(status=status):
            return web.Response(status=status, text="the sandbox was told to break")
        case Cut():
            return _cut(request)
        case _:
            assert_never(fault)


def _cut(request: web.Request) -> web.StreamResponse:
    """Close the line under the caller; the response that is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
