"""Questions to Airbyte over HTTP: with a token that is renewed, a few more tries, and bounded answers.

No redirect is followed, so that a token goes nowhere else, and nothing that comes back is quoted in an error.
"""

from __future__ import annotations

import asyncio
import json
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import aiohttp

from bot.clock import Clock

PAUSES_S: Final = (0.25, 1.0)  # before the second and the third try
LONGEST_PAUSE_S: Final = 3.0  # an Airbyte that asks for more is asked again by the next read
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024  # a page of 200 jobs is below 1 MiB
BIG_BYTES: Final = 256 * 1024  # parsed beside the event loop from here on
CHUNK_BYTES: Final = 64 * 1024
TOKEN_MARGIN: Final = timedelta(seconds=30)  # a token is renewed this long before it ends
TOKEN_LIFE_S: Final = 180.0  # when the answer does not say: the shortest that was ever documented
MAX_TOKEN: Final = 16_000  # characters
REFUSED: Final = frozenset({401, 403, 404, 405, 501})
"""What an API answers that is not there for us; another one may be."""

BUSY: Final = HTTPStatus.TOO_MANY_REQUESTS
FAULT_FROM: Final = HTTPStatus.INTERNAL_SERVER_ERROR


class ApiError(Exception):
    """Airbyte did not give what it was asked for; the text is a sentence about what was asked and what came back."""

    def __init__(self, sentence: str, *, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status

    @property
    def refused(self) -> bool:
        """Whether the API as such is closed or missing, so that another one is worth a try."""
        return self.status in REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A client id and its secret, which are exchanged for tokens at ``urls``."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """A user and a password, as an older self-managed Airbyte asks for."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str = field(repr=False)
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, and what it is for, in the words of an error; ``body`` None asks with GET."""

    url: str
    what: str
    body: Mapping[str, object] | None = None
    params: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Again:
    """The question may be asked again, after this many seconds when Airbyte said so."""

    error: ApiError
    after_s: float | None = None


class Client:
    """Asks Airbyte; one per source, for as long as the source is open."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        shown: str,
        credentials: Application | Basic | None,
        try_s: float,
    ) -> None:
        self._session = session
        self._clock = clock
        self._shown = shown
        self._credentials = credentials
        self._try_s = try_s
        self._token: _Token | None = None
        self._renewing = asyncio.Lock()

    async def ask(self, question: Question) -> object:
        """Return the JSON of the answer.

        Raises:
            ApiError: it could not be reached in time, refused, or gave something else; says what was asked.
        """
        token = await self._current(None)
        try:
            return await self._patiently(question, token)
        except ApiError as error:
            if error.status != HTTPStatus.UNAUTHORIZED or token is None:
                raise
        return await self._patiently(question, await self._current(token))

    async def _patiently(self, question: Question, token: _Token | None) -> object:
        """Ask a few times where Airbyte is busy, broken or cut off."""
        pauses_s = iter(PAUSES_S)
        while True:
            outcome = await self._once(question, token)
            if not isinstance(outcome, _Again):
                return outcome
            pause_s = next(pauses_s, None)
            if pause_s is None or (outcome.after_s or 0.0) > LONGEST_PAUSE_S:
                raise outcome.error
            await asyncio.sleep(max(pause_s, outcome.after_s or 0.0))

    async def _once(self, question: Question, token: _Token | None) -> object:
        """The document, or that it may be asked again. Raises ApiError when that would be useless."""
        try:
            async with self._session.request(
                "GET" if question.body is None else "POST",
                question.url,
                json=question.body,
                params=question.params,
                headers=self._headers(token),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._try_s),
            ) as response:
                if response.status == HTTPStatus.OK:
                    raw = await _bounded(response, MAX_ANSWER_BYTES)
                    return await self._parsed(raw, question)
                error = self._error(question, _phrase(response.status), status=response.status)
                if response.status == BUSY or response.status >= FAULT_FROM:
                    return _Again(error, _seconds(response.headers.get("Retry-After")))
                raise error
        except TimeoutError:
            raise self._error(question, f"no answer within {self._try_s:g} s") from None
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
            return _Again(self._error(question, "the answer was cut off"))
        except aiohttp.ClientConnectionError:
            return _Again(self._error(question, "it could not be reached"))
        except aiohttp.ClientError as error:
            raise self._error(question, f"no usable answer ({type(error).__name__})") from None
        except _TooLargeError:
            limit = MAX_ANSWER_BYTES // (1024 * 1024)
            raise self._error(question, f"the answer is larger than {limit} MiB") from None

    async def _parsed(self, raw: bytes, question: Question) -> object:
        try:
            if len(raw) < BIG_BYTES:
                return json.loads(raw)
            return await asyncio.to_thread(json.loads, raw)
        except (ValueError, RecursionError):
            raise self._error(question, "the answer is no JSON") from None

    def _headers(self, token: _Token | None) -> dict[str, str]:
        if token is not None:
            return {"Authorization": f"Bearer {token.text}"}
        if isinstance(self._credentials, Basic):
            both = f"{self._credentials.user}:{self._credentials.password}"
            return {"Authorization": f"Basic {b64encode(both.encode()).decode()}"}
        return {}

    def _error(self, question: Question, came: str, *, status: int | None = None) -> ApiError:
        return ApiError(
            f"asked Airbyte at {self._shown} for {question.what}: {came}", status=status
        )

    async def _current(self, spent: _Token | None) -> _Token | None:
        """The token that holds, a new one when there is none, or it is *spent* or about to end."""
        if not isinstance(self._credentials, Application):
            return None
        async with self._renewing:
            known = self._token
            holds = known is not None and known.ends_at > self._clock()
            if known is None or not holds or (spent is not None and known.text == spent.text):
                self._token = await self._renewed(self._credentials)
            return self._token

    async def _renewed(self, application: Application) -> _Token:
        problem = ApiError(f"asked Airbyte at {self._shown} for a token: nothing came back")
        for url in application.urls:
            question = Question(
                url=url,
                what="a token",
                body={
                    "client_id": application.client_id,
                    "client_secret": application.client_secret,
                    "grant-type": "client_credentials",
                    "grant_type": "client_credentials",
                },
            )
            try:
                return self._token_of(await self._patiently(question, None), question)
            except ApiError as error:
                problem = error
                if error.status != HTTPStatus.NOT_FOUND:
                    break
        raise problem

    def _token_of(self, document: object, question: Question) -> _Token:
        said = document if isinstance(document, Mapping) else {}
        text, life_s = said.get("access_token"), said.get("expires_in", TOKEN_LIFE_S)
        if not isinstance(text, str) or not text.isprintable() or not 0 < len(text) <= MAX_TOKEN:
            raise self._error(question, "the answer holds no access_token")
        if isinstance(life_s, bool) or not isinstance(life_s, int | float) or life_s <= 0:
            life_s = TOKEN_LIFE_S
        life = timedelta(seconds=min(float(life_s), 86_400.0))
        return _Token(text=text, ends_at=self._clock() + max(life - TOKEN_MARGIN, life / 2))


class _TooLargeError(Exception):
    """The answer is larger than anything that is worth reading."""


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        size += len(chunk)
        if size > limit:
            raise _TooLargeError
        parts.append(chunk)
    return b"".join(parts)


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _seconds(text: str | None) -> float | None:
    """How long it asks us to wait, where it says so in seconds."""
    try:
        seconds = float(text) if text else None
    except ValueError:
        return None
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None
