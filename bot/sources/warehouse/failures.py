"""What went wrong with a query, in words that people may read."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

MAX_REASON: Final = 300  # characters of the driver's own words
_LATE: Final = re.compile(
    r"statement timeout|query_?canceled|interrupt|statement_?timeout|timed? ?out|job.*exceeded",
    re.IGNORECASE,
)
_SECRET: Final = re.compile(r"token|secret|key|pass|credential", re.IGNORECASE)
_CLASS: Final = re.compile(r"^<class '[^']*'>: ")


class QueryError(Exception):
    """A query that brought nothing; the text says what came back, and never a secret."""


class LateError(QueryError):
    """A query that did not end in time; fewer rows might."""


def described(error: Exception, url: URL, limit_s: float) -> Exception:
    """Return *error* in words: the first line of what the driver said, without the password.

    A mistake of our own (a TypeError, say) comes back as it is: it is no answer of the warehouse.
    """
    if isinstance(error, QueryError):
        return error
    if type(error).__module__ == "builtins" and not isinstance(error, OSError):
        return error
    if isinstance(error, TimeoutError):
        return LateError(f"no answer within {limit_s:g} s")
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = _CLASS.sub("", str(cause).strip()).partition("\n")[0].strip()
    if isinstance(error, DBAPIError | OSError) and _LATE.search(said):
        return LateError(f"no answer within {limit_s:g} s")
    if isinstance(error, SQLAlchemyError) and not isinstance(error, DBAPIError):
        said = type(error).__name__  # its text may quote the statement
    return QueryError(without_secret(said or type(cause).__name__, url)[:MAX_REASON])


def without_secret(text: str, url: URL) -> str:
    """Return *text* without the URL's password and the secrets in its query, however they got there."""
    secrets = [url.password, *(v for k, v in url.query.items() if _SECRET.search(k))]
    for secret in secrets:
        if secret and len(str(secret)) > 3:  # noqa: PLR2004 - shorter ones are parts of words
            text = text.replace(str(secret), "***")
    return text
