"""Completes a diagnosis with what the runbook says to do about it. Pure; no fact, however odd, makes it raise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from rca.case import Case
from rca.diagnosis import Diagnosis, Escalation, Guidance, GuidanceStep, Hypothesis, SignalReading
from runbook.conditions import UnanswerableError, Variables, holds, instant, text
from runbook.facts import DiagnosisFacts, IncidentContext, diagnosis_facts, hypothesis_facts
from runbook.front_matter import parameters_of
from runbook.matrix import Row
from runbook.page import Page, Rule, Runbook, Step
from runbook.placeholders import fill, fill_command
from runbook.response import response_to


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What came of a page's rules: the escalations that are due or will be, and what could not be said."""

    escalations: tuple[Escalation, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Situation:
    """What every rule and step of one advice looks at."""

    diagnosis: DiagnosisFacts
    incident: IncidentContext
    now: datetime

    def documents(self) -> Mapping[str, BaseModel]:
        return {"diagnosis": self.diagnosis, "incident": self.incident}


def advise(
    diagnosis: Diagnosis, case: Case, incident: IncidentContext, book: Runbook, now: datetime
) -> Diagnosis:
    """Return *diagnosis* with first actions, escalations and guidance, as *book* has them.

    Args:
        diagnosis: as the engine left it; what an earlier advice added is replaced.
        case: its facts; they tell which queries can be bound.
        incident: from ``runbook.context.context_of``.
        book: the runbook.
        now: the instant of the advice. An escalation is never counted from later than this.

    Returns:
        The completed diagnosis. A rule that could not be evaluated is named in ``guidance.notes``.
    """
    situation = _Situation(diagnosis=diagnosis_facts(diagnosis), incident=incident, now=now)
    answers = [_asked(h, book.page(h.cause_type), situation) for h in diagnosis.hypotheses]
    whole = _asked_of_incident(book.no_signal, situation)
    hypotheses = tuple(
        hypothesis.model_copy(
            update={
                "first_action": book.page(hypothesis.cause_type).quick_reference.first_action,
                "escalations": answer.escalations,
            }
        )
        for hypothesis, answer in zip(diagnosis.hypotheses, answers, strict=True)
    )
    row = book.matrix.row_for(diagnosis.top.confidence if diagnosis.top else None)
    notes = tuple(note for answer in (*answers, whole) for note in answer.notes)
    steps, unbound = _steps(diagnosis, case, row, book, situation)
    guidance = _guidance(diagnosis, row, book).model_copy(
        update={
            "steps": steps,
            "escalations": whole.escalations,
            "connector_id": case.dataset.connector_id if case.dataset else None,
            "notes": tuple(dict.fromkeys((*notes, *unbound))),
        }
    )
    return diagnosis.model_copy(update={"hypotheses": hypotheses, "guidance": guidance})


def _guidance(diagnosis: Diagnosis, row: Row, book: Runbook) -> Guidance:
    """The matrix's part of the guidance."""
    top = diagnosis.top
    reference = book.page(top.cause_type if top else None).quick_reference
    after = row.escalate_after
    return Guidance(
        response=response_to(diagnosis, row.response),
        escalate_after_s=None if after is None else int(after.total_seconds()),
        escalate_to=row.escalate_to or reference.teams[0],
        name_team_at_once=(
            top is not None and reference.floor is not None and top.confidence > reference.floor
        ),
    )


def _asked(hypothesis: Hypothesis, page: Page, situation: _Situation) -> _Asked:
    """Evaluate the page's rules on every reading of *hypothesis*; a rule escalates once, at its earliest."""
    notes: list[str] = []
    found: dict[str, Escalation] = {}
    facts = hypothesis_facts(hypothesis)
    for reading in _readings(hypothesis):
        rules = [rule for rule in page.rules if reading.signal in rule.signals]
        if not rules:
            continue
        documents = {
            **situation.documents(),
            "hypothesis": facts,
            "evidence": reading.evidence,
        }
        answer = _evaluated(rules, documents, situation)
        notes += answer.notes
        for escalation in answer.escalations:
            other = found.get(escalation.rule)
            if other is None or _due(escalation, situation.now) < _due(other, situation.now):
                found[escalation.rule] = escalation
    return _Asked(escalations=tuple(found.values()), notes=tuple(notes))


def _readings(hypothesis: Hypothesis) -> Iterator[SignalReading]:
    """All readings; a hypothesis that lists none still has the evidence of its strongest."""
    if hypothesis.signals:
        yield from hypothesis.signals
        return
    evidence = hypothesis.evidence
    yield SignalReading(signal=evidence.signal, strength=hypothesis.confidence, evidence=evidence)


def _due(escalation: Escalation, now: datetime) -> datetime:
    return escalation.due_at or now


def _asked_of_incident(page: Page, situation: _Situation) -> _Asked:
    return _evaluated(page.rules, situation.documents(), situation)


def _evaluated(
    rules: list[Rule] | tuple[Rule, ...],
    documents: Mapping[str, BaseModel],
    situation: _Situation,
) -> _Asked:
    escalations: list[Escalation] = []
    notes: list[str] = []
    try:
        variables = Variables(documents)
    except UnanswerableError as error:
        notes = [_note(rule, error) for rule in rules]
        return _Asked(escalations=(), notes=tuple(notes))
    for rule in rules:
        try:
            if holds(rule.when, variables):
                escalations.append(_escalation(rule, variables, documents, situation))
        except UnanswerableError as error:
            notes.append(_note(rule, error))
    return _Asked(escalations=tuple(escalations), notes=tuple(notes))


def _note(rule: Rule, error: UnanswerableError) -> str:
    return f"Rule {rule.rule_id} could not be evaluated: {error}"


def _escalation(
    rule: Rule,
    variables: Variables,
    documents: Mapping[str, BaseModel],
    situation: _Situation,
) -> Escalation:
    person = None if rule.person is None else text(rule.person, variables)
    unknown = rule.person is not None and person is None
    return Escalation(
        rule=rule.rule_id,
        team=rule.otherwise if unknown and rule.otherwise is not None else rule.team,
        person=person,
        urgency=rule.urgency,
        reason=fill(rule.reason, documents),
        due_at=_due_at(rule, variables, situation),
    )


def _due_at(rule: Rule, variables: Variables, situation: _Situation) -> datetime | None:
    """``since`` plus ``after``; a source whose clock runs ahead of ours cannot postpone it."""
    if rule.since is None or rule.after is None:
        return None
    since = instant(rule.since, variables) or situation.incident.opened_at
    try:
        return min(since, situation.now) + rule.after
    except OverflowError as error:
        raise UnanswerableError(f"{since.isoformat()} plus {rule.after} is no date") from error


def _steps(
    diagnosis: Diagnosis, case: Case, row: Row, book: Runbook, situation: _Situation
) -> tuple[tuple[GuidanceStep, ...], tuple[str, ...]]:
    """The steps to show, each once, and a note for every query that cannot be bound."""
    shown = diagnosis.hypotheses[: row.hypotheses]
    pages = [book.page(hypothesis.cause_type) for hypothesis in shown]
    pages += [book.no_signal] if row.manual_review else []
    listed = dict.fromkeys([*(step for page in pages for step in page.steps), *book.queries])
    bindable = {"tenant_id", "signal_id"}
    if case.dataset is not None and case.dataset.connector_id:
        bindable.add("connector_id")
    steps: list[GuidanceStep] = []
    notes: list[str] = []
    for step in listed:
        missing = [name for name in parameters_of(step.sql or "") if name not in bindable]
        if missing:
            notes.append(f"{step.title}: not offered, because {', '.join(missing)} is not known")
        else:
            steps.append(_shown(step, situation))
    return tuple(steps), tuple(notes)


def _shown(step: Step, situation: _Situation) -> GuidanceStep:
    command = None if step.command is None else fill_command(step.command, situation.documents())
    return GuidanceStep(
        title=step.title, sql=step.sql, command=command, changes_things=step.changes_things
    )
