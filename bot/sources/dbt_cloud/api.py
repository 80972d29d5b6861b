"""dbt Cloud's API, version 2: one GET at a time, each with a limit of time and size."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import aiohttp

from bot.payloads.dbt_document import ArtifactError

TIME_LIMIT_S: Final = 20.0  # of one call; a manifest of 20 MB takes a few seconds
MAX_BYTES: Final = 256 * 1024 * 1024
MOST_REDIRECTS: Final = 3  # artifacts may lie in a store of their own

MEANING: Final = {
    HTTPStatus.UNAUTHORIZED: "the token is wrong or was revoked",
    HTTPStatus.FORBIDDEN: "the token may not read this",
    HTTPStatus.NOT_FOUND: "there is no such account, project or run, or the token may not see it",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudApi:
    """Reads one account; errors name what was asked of whom, never the token."""

    session: aiohttp.ClientSession
    address: str
    account_id: int
    token: str = field(repr=False)

    async def get(self, path: str, what: str, params: Mapping[str, str]) -> bytes | None:
        """Return the body of ``/accounts/ID/PATH``; None when it says that there is no such thing (404).

        Raises:
            ArtifactError: any other answer, or none in time.
        """
        asked = f"asked dbt Cloud at {self.address} for {what}"
        try:
            async with (
                asyncio.timeout(TIME_LIMIT_S),
                self.session.get(
                    f"{self.address}/api/v2/accounts/{self.account_id}/{path}",
                    params=params,
                    headers={"Authorization": f"Token {self.token}", "Accept": "application/json"},
                    max_redirects=MOST_REDIRECTS,
                ) as response,
            ):
                if response.status == HTTPStatus.NOT_FOUND:
                    return None
                if response.status != HTTPStatus.OK:
                    raise ArtifactError(f"{asked}: {_words(response.status)}")
                return await _body(response, asked)
        except TimeoutError:
            raise ArtifactError(f"{asked}: no answer within {TIME_LIMIT_S:g} s") from None
        except aiohttp.TooManyRedirects:
            raise ArtifactError(f"{asked}: sent elsewhere too often") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ArtifactError(f"{asked}: not reached ({type(error).__name__})") from None


async def _body(response: aiohttp.ClientResponse, asked: str) -> bytes:
    body = bytearray()
    async for part in response.content.iter_chunked(1024 * 1024):
        body += part
        if len(body) > MAX_BYTES:
            raise ArtifactError(f"{asked}: the answer has over {MAX_BYTES / 1e6:.0f} MB")
    return bytes(body)


def _words(status: int) -> str:
    try:
        known = HTTPStatus(status)
    except ValueError:
        return str(status)
    meaning = MEANING.get(known)
    return f"{status} {known.phrase}" + (f", {meaning}" if meaning else "")
