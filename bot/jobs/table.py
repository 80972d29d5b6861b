"""The embedded queue's one table; times are microseconds since 1970, so that SQLite compares numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text, false

JOBS_METADATA: Final = MetaData()

JOBS: Final = Table(
    "jobs",
    JOBS_METADATA,
    Column("key", Text, primary_key=True, comment="kind:row_id; one job per key"),
    Column("kind", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("row_id", Text, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("running", Boolean, nullable=False, server_default=false()),
    Column("next_due_us", BigInteger, comment="submitted again while it ran"),
    Column("failures", Integer, nullable=False, server_default="0", comment="in a row"),
    Index("ix_jobs_due", "lane", "running", "due_us"),
)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return *instant*, which is aware, as microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


def from_us(us: int) -> datetime:
    """Return the instant *us* microseconds after 1970, in UTC."""
    return EPOCH + us * MICROSECOND
