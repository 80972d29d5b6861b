"""Who may do what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.directory import Role


class Act(StrEnum):
    """What somebody wants to do."""

    VIEW = "view"
    DIAGNOSE = "diagnose"  # ask for an analysis; sending an alert asks for one too
    ACKNOWLEDGE = "acknowledge"
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    SNOOZE = "snooze"
    RUN_STEP = "run_step"
    ANSWER = "answer"  # say whether a hypothesis was right
    ADMIN = "admin"


ALLOWED: Final[Mapping[Role, frozenset[Act]]] = {
    Role.VIEWER: frozenset({Act.VIEW, Act.DIAGNOSE}),
    Role.RESPONDER: frozenset(Act) - {Act.ADMIN},
    Role.ADMIN: frozenset(Act),
}


def may(role: Role, act: Act) -> bool:
    """Return whether *role* allows *act*."""
    return act in ALLOWED[role]
