"""The whole HTTP side as one application."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from bot.web.body import MAX_BODY_BYTES
from bot.web.errors import ApiError, ErrorBody, answer_of, clean_errors

CONTINUE: Final = "100-continue"  # RFC 9110, Expect: the only value there is


def build_site(*rooms: Iterable[web.AbstractRouteDef]) -> web.Application:
    """Return an application with the routes of every room, behind ``clean_errors``.

    Answers are not cached and not sniffed unless a room says otherwise. Routes are given here and not added
    later: what stands at the end answers for every other path.
    """
    app = web.Application(middlewares=[clean_errors], client_max_size=MAX_BODY_BYTES)
    for routes in rooms:
        app.add_routes([_careful(route) for route in routes])
    nowhere = Nowhere("/")
    nowhere.add_route(hdrs.METH_ANY, _nowhere, expect_handler=expect)
    app.router.register_resource(nowhere)
    app.on_response_prepare.append(_plain_headers)
    return app


def _careful(route: web.AbstractRouteDef) -> web.AbstractRouteDef:
    """The same route with our own answer to ``Expect``; a static folder keeps aiohttp's."""
    if not isinstance(route, web.RouteDef):
        return route
    kwargs = {"expect_handler": expect, **route.kwargs}
    return web.RouteDef(route.method, route.path, route.handler, kwargs)


async def expect(request: web.Request) -> web.Response | None:
    """Answer ``Expect`` before the request is handled.

    aiohttp's own repeats the header in its answer, and fails with a 500 when that is not UTF-8.
    """
    if request.version != HttpVersion11:
        return None
    if request.headers.get(hdrs.EXPECT, "").lower() == CONTINUE:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
        return None
    body = ErrorBody(error="expectation_failed", message=f"Only Expect: {CONTINUE} is understood.")
    return answer_of(ApiError(HTTPStatus.EXPECTATION_FAILED, body))


class Nowhere(web.PlainResource):
    """Matches whatever no other resource does, so that these requests are ours to answer too."""

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        """Match every path and every method."""
        return await super().resolve(request.clone(rel_url="/"))


async def _nowhere(request: web.Request) -> web.StreamResponse:
    """405 with the methods that the path has, 404 when it has none."""
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if not isinstance(resource, Nowhere):
            _, methods = await resource.resolve(request)
            allowed |= methods
    if allowed:
        raise web.HTTPMethodNotAllowed(request.method, allowed)
    raise web.HTTPNotFound


async def _plain_headers(request: web.Request, response: web.StreamResponse) -> None:  # noqa: ARG001 - aiohttp's signature
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
