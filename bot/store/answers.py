"""What people said of diagnoses: kept once per person and cause, and read again to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records import PersonsAnswer, Verdict
from bot.store.following import bump, locked_incident
from bot.store.tables import ANSWERS, ROOT_CAUSE_SIGNALS
from bot.store.transaction import Database
from rca.case import Case

MOST_SHOWN: Final = 20  # answers of one incident
MOST_READ: Final = 5_000  # answers at once: more than any refit uses


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An answer with the case that it is about."""

    answer: PersonsAnswer
    case: Case


class Answers:
    """People's answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give(self, answers: Sequence[PersonsAnswer]) -> bool:
        """Keep what one person said of one diagnosis, note it and draw the card again; False when all was said before.

        Another answer to the same cause replaces this person's earlier one, and whoever says what it was takes back
        what they named before.
        """
        incident_id = answers[0].incident_id
        async with self._database.writing() as tx:
            await locked_incident(tx, incident_id)
            known = await _said_before(tx.connection, answers[0])
            fresh = [one for one in answers if known.get(one.cause_type) != one.verdict]
            if not fresh:
                return False
            await _take_back(tx.connection, answers)
            await tx.upsert(ANSWERS, [_values(one) for one in fresh])
            for one in fresh:
                details = {"cause_type": one.cause_type, "signal_id": one.signal_id}
                await tx.note(
                    incident_id, one.at, f"marked {one.verdict}", actor=one.by, details=details
                )
            await bump(tx, incident_id)
            return True

    async def labelled(self) -> tuple[Labelled, ...]:
        """Return the newest answers of all tenants with their cases, the oldest first."""
        statement = (
            select(ANSWERS, ROOT_CAUSE_SIGNALS.c.case_document)
            .join(ROOT_CAUSE_SIGNALS, ROOT_CAUSE_SIGNALS.c.id == ANSWERS.c.signal_id)
            .order_by(ANSWERS.c.answered_at.desc(), *ANSWERS.primary_key)
            .limit(MOST_READ)
        )
        async with self._database.reading() as connection:
            found = (await connection.execute(statement)).all()
        return tuple(
            Labelled(answer=_answer(row), case=Case.model_validate(row.case_document))
            for row in reversed(found)
        )


async def of_incident(connection: AsyncConnection, incident_id: str) -> tuple[PersonsAnswer, ...]:
    """Return what people said of an incident, the oldest first."""
    found = await connection.execute(
        select(ANSWERS)
        .where(ANSWERS.c.incident_id == incident_id)
        .order_by(ANSWERS.c.answered_at.desc(), *ANSWERS.primary_key)
        .limit(MOST_SHOWN)
    )
    return tuple(_answer(row) for row in reversed(found.all()))


def _of_person(answer: PersonsAnswer) -> ColumnElement[bool]:
    """What this person said of this diagnosis."""
    return and_(ANSWERS.c.signal_id == answer.signal_id, ANSWERS.c.answered_by == answer.by)


async def _said_before(connection: AsyncConnection, answer: PersonsAnswer) -> dict[str, Verdict]:
    found = await connection.execute(
        select(ANSWERS.c.cause_type, ANSWERS.c.verdict).where(_of_person(answer))
    )
    return {row.cause_type: Verdict(row.verdict) for row in found}


async def _take_back(connection: AsyncConnection, answers: Sequence[PersonsAnswer]) -> None:
    """Forget the cause that the person named before, if they name one now; what they called wrong stays so."""
    named = [one.cause_type for one in answers if one.verdict is Verdict.RIGHT]
    if named:
        await connection.execute(
            delete(ANSWERS).where(
                _of_person(answers[0]),
                ANSWERS.c.verdict == Verdict.RIGHT,
                ANSWERS.c.cause_type.not_in(named),
            )
        )


def _values(answer: PersonsAnswer) -> dict[str, object]:
    return {
        "signal_id": answer.signal_id,
        "cause_type": answer.cause_type,
        "answered_by": answer.by,
        "incident_id": answer.incident_id,
        "tenant_id": answer.tenant_id,
        "verdict": answer.verdict,
        "answered_at": answer.at,
    }


def _answer(row: Row[Any]) -> PersonsAnswer:
    return PersonsAnswer(
        incident_id=row.incident_id,
        signal_id=row.signal_id,
        tenant_id=row.tenant_id,
        cause_type=row.cause_type,
        verdict=Verdict(row.verdict),
        by=row.answered_by,
        at=row.answered_at,
    )
