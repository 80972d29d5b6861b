"""Moves a case in time: the same incident, as if it happened at another instant."""

from __future__ import annotations

from datetime import datetime, timedelta

from rca.case import Case


def shifted_to(case: Case, as_of: datetime) -> Case:
    """Return *case* with every time moved by the same span, so that its ``as_of`` is the one given.

    Args:
        case: any case.
        as_of: aware; the new instant of diagnosis.
    """
    span = as_of - case.as_of
    return Case.model_validate(_moved(case.model_dump(), span))


def _moved(value: object, span: timedelta) -> object:
    if isinstance(value, datetime):
        return value + span
    if isinstance(value, dict):
        return {key: _moved(part, span) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_moved(part, span) for part in value)
    return value
