"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, DateTime, Dialect, Integer, Text, TypeDecorator
from sqlalchemy.types import BigInteger

from rca.case import in_utc

REPLACEMENT: Final = "\ufffd"  # what Unicode itself puts in place of what cannot be written

Json: Final = JSON(none_as_null=True)
"""JSON as text on both: PostgreSQL's JSONB refuses an escaped NUL, which a payload of somebody else may hold."""

Serial: Final = BigInteger().with_variant(Integer, "sqlite")
"""A growing number; SQLite numbers rows by itself only for INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in, aware in UTC out; SQLite keeps UTC as text that sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time.

        Raises:
            ValueError: *value* has no offset.
        """
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"a time without an offset cannot be kept: {value.isoformat()}")
        instant = in_utc(value)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class KeptText(TypeDecorator[str]):
    """Text from anywhere: what PostgreSQL cannot keep (NUL, half a surrogate pair) becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002, ANN401 - SQLAlchemy's signature
        """Return *value* as both databases can keep it."""
        return None if value is None else keepable(str(value))


def keepable(text: str) -> str:
    """Return *text* with every character that no database keeps replaced by U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return "".join(
        REPLACEMENT if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text
    )
