"""Every answer that is not a success, in one shape; and the middleware that lets nothing else out."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict

from bot.ports import BotError

log = logging.getLogger(__name__)


class ErrorBody(BaseModel):
    """What a caller gets instead of an answer: a code for programs and a sentence for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    error: str
    message: str
    field: str | None = None
    allowed: tuple[str, ...] | None = None
    near: tuple[str, ...] | None = None
    error_id: str | None = None


class ApiError(Exception):
    """An answer other than success, said on purpose."""

    def __init__(
        self,
        status: HTTPStatus,
        body: ErrorBody,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(body.message)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def bad_request(message: str, *, field: str | None = None, allowed: Sequence[str] = ()) -> ApiError:
    """Return a 400 that names the *field* and, where there are few, the values it may have."""
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        ErrorBody(
            error="bad_request", message=message, field=field, allowed=tuple(allowed) or None
        ),
    )


def not_found(message: str, *, near: Sequence[str] = (), allowed: Sequence[str] = ()) -> ApiError:
    """Return a 404 with the names that look like what was asked for, or all there are."""
    return ApiError(
        HTTPStatus.NOT_FOUND,
        ErrorBody(
            error="not_found",
            message=message,
            near=tuple(near) or None,
            allowed=tuple(allowed) or None,
        ),
    )


def answer_of(error: ApiError) -> web.Response:
    """Return *error* as the response."""
    return web.Response(
        status=error.status,
        text=error.body.model_dump_json(exclude_none=True),
        content_type="application/json",
        headers=error.headers,
    )


BROKEN_REQUEST: Final = (web.RequestPayloadError, HttpProcessingError)
"""What aiohttp raises while a body is read that is not what its headers say."""


@web.middleware
async def clean_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever is raised into a clean JSON answer; only a fault of ours is a 500, logged with its id."""
    try:
        return await handler(request)
    except ApiError as error:
        return answer_of(error)
    except web.HTTPException as error:
        return _of_aiohttp(error)
    except BROKEN_REQUEST:
        return answer_of(bad_request("the body is not what its headers say"))
    except BotError as error:
        return answer_of(bad_request(str(error)))
    except Exception as error:  # noqa: BLE001 - the one place where a fault of ours ends
        return _ours(request, error)


def _of_aiohttp(error: web.HTTPException) -> web.StreamResponse:
    """404, 405 and the like: the same status and headers, our body; a redirect stays as it is."""
    if error.status < HTTPStatus.BAD_REQUEST:
        return web.Response(status=error.status, headers=_kept(error.headers))
    phrase = HTTPStatus(error.status).phrase
    body = ErrorBody(error=phrase.lower().replace(" ", "_"), message=f"{phrase}.")
    return answer_of(ApiError(HTTPStatus(error.status), body, headers=_kept(error.headers)))


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in ("Allow", "Location") if name in headers}


def _ours(request: web.Request, error: Exception) -> web.Response:
    error_id = uuid.uuid4().hex
    route = request.match_info.route.resource
    log.error(
        "a request failed",
        exc_info=error,
        extra={"error_id": error_id, "method": request.method, "route": str(route)},
    )
    body = ErrorBody(
        error="internal_error",
        message=f"Something went wrong on our side. The log has it under {error_id}.",
        error_id=error_id,
    )
    return answer_of(ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, body))
