"""Why a sync failed, once it was told, is not forgotten because somebody else tells of the sync without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, or_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from bot.store.fact_tables import INGESTION_JOBS
from rca.case import JobStatus

_BROKEN: Final = (JobStatus.FAILED.value, JobStatus.INCOMPLETE.value)
_REASON: Final = ("error_code", "error_message", "failure_origin", "failure_type")


def keep_reasons(told: ReadOnlyColumnCollection[str, Any]) -> Mapping[str, ColumnElement[Any]]:
    """Return what becomes of the reason of a sync that is kept already and *told* of again.

    A tool may tell of a failure twice: by its webhook with the reason, by a poorer API without. A sync that is told
    to have ended otherwise takes everything from what is told.
    """
    kept = INGESTION_JOBS.c
    is_poorer = and_(
        or_(
            *(kept.status == status for status in _BROKEN)
        ),  # a list would need one statement per row
        or_(*(told.status == status for status in _BROKEN)),
        kept.error_code.is_not(None),
        told.error_code.is_(None),
    )
    return {name: case((is_poorer, kept[name]), else_=told[name]) for name in _REASON}
