"""The one reply below a card: every hypothesis with its evidence, what to do step by step, and when to escalate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from bot.records import IncidentView
from bot.render import blind, evidence, who_next
from bot.render.message import (
    Code,
    Context,
    Divider,
    Line,
    Message,
    Part,
    Span,
    Step,
    Steps,
    Strong,
    Text,
)
from bot.render.names import Names
from bot.render.queries import filled
from bot.render.text import number, one_line
from bot.render.words import capital, confidence, said, sentence, verdict
from rca.diagnosis import Diagnosis, Escalation, GuidanceStep, Hypothesis, SignalReading, Urgency

HYPOTHESES_SHOWN: Final = 4  # there are four causes
SIGNALS_SHOWN: Final = 5  # of one hypothesis; a cause has at most four kinds of signal
STEPS_SHOWN: Final = 10
ESCALATIONS_SHOWN: Final = 6
FACTORS_SHOWN: Final = 8
CODE_SHOWN: Final = 1_000  # characters of one query or command
CHANGES_THINGS: Final = "changes things, run it yourself"


def details(view: IncidentView, names: Names, now: datetime) -> Message:
    """Return everything behind the card.

    What to do comes first and evidence after it, because a message has an end: what does not fit is the evidence of
    the least likely hypothesis.

    Args:
        view: the incident with its latest diagnosis.
        names: how teams and people are called.
        now: the instant the reply is drawn for.
    """
    diagnosis = view.diagnosis
    dataset = one_line(view.incident.dataset, 200)
    if diagnosis is None:
        return Message(
            parts=(Text(lines=(("No diagnosis yet.",),)),),
            fallback=f"Details of {dataset}: none yet",
        )
    parts: tuple[Part, ...] = (
        *_steps(diagnosis),
        *_escalations(view, diagnosis, names, now),
        *_blind(diagnosis),
        *(part for h in diagnosis.hypotheses[:HYPOTHESES_SHOWN] for part in _hypothesis(h)),
        Context(
            lines=(
                (
                    "Signal ",
                    Code(text=diagnosis.signal_id),
                    " of case ",
                    Code(text=diagnosis.case_id),
                ),
            )
        ),
    )
    return Message(parts=parts, fallback=f"Details of {dataset}: {verdict(diagnosis)}")


def _hypothesis(hypothesis: Hypothesis) -> Iterator[Part]:
    yield Divider()
    yield Text(lines=(_heading(hypothesis), (f"{sentence(one_line(hypothesis.because, 600))}.",)))
    for reading in hypothesis.signals[:SIGNALS_SHOWN]:
        yield Text(lines=(_signal(reading),))
        yield from evidence.parts(reading.evidence)
    if hypothesis.factors:
        yield Context(lines=(_factors(hypothesis),))


def _heading(hypothesis: Hypothesis) -> Line:
    name = f"{hypothesis.rank}. {capital(said(hypothesis.cause_type))}"
    symptom = f", a symptom of {said(hypothesis.symptom_of)}" if hypothesis.symptom_of else ""
    return (Strong(text=name), f", {confidence(hypothesis.confidence)} sure{symptom}.")


def _signal(reading: SignalReading) -> Line:
    return ("Signal ", Code(text=str(reading.signal)), f", strength {number(reading.strength)}")


def _factors(hypothesis: Hypothesis) -> Line:
    shown = sorted(hypothesis.factors, key=lambda f: -abs(f.value))[:FACTORS_SHOWN]
    terms = ", ".join(f"{one_line(said(f.text or f.name), 80)} {f.value:+.2f}" for f in shown)
    more = len(hypothesis.factors) - len(shown)
    return (
        f"What made the confidence (log odds): {terms}{f' and {number(more)} more' if more else ''}.",
    )


def _steps(diagnosis: Diagnosis) -> Iterator[Part]:
    guidance = diagnosis.guidance
    if guidance and guidance.steps:
        shown = tuple(_step(step, diagnosis) for step in guidance.steps[:STEPS_SHOWN])
        more = len(guidance.steps) - len(shown)
        yield Steps(title="What to do", items=shown)
        if more:
            yield Context(lines=((f"and {number(more)} more steps in the runbook",),))


def _step(step: GuidanceStep, diagnosis: Diagnosis) -> Step:
    return Step(
        line=(one_line(step.title, 300),),
        code=_cut(filled(step.sql, diagnosis) if step.sql else step.command),
        warning=CHANGES_THINGS if step.changes_things else None,
    )


def _cut(code: str | None) -> str | None:
    if code is None or len(code) <= CODE_SHOWN:
        return code
    return f"{code[:CODE_SHOWN]}\n… ({number(len(code) - CODE_SHOWN)} more characters, see the runbook)"


def _escalations(
    view: IncidentView, diagnosis: Diagnosis, names: Names, now: datetime
) -> Iterator[Part]:
    """Which rules hold; when all is over, nobody is to be told any more, and the card says who was."""
    rules = list(who_next.rules(diagnosis)) if view.incident.is_open else []
    if rules:
        lines = tuple(_rule(rule, view, names, now) for rule in rules[:ESCALATIONS_SHOWN])
        more: tuple[Line, ...] = ()
        if len(rules) > ESCALATIONS_SHOWN:
            more = ((f"and {number(len(rules) - ESCALATIONS_SHOWN)} more rules",),)
        yield Text(lines=((Strong(text="When to escalate"),), *lines, *more))


def _rule(rule: Escalation, view: IncidentView, names: Names, now: datetime) -> Line:
    code = Code(text=one_line(rule.rule, 100))
    if rule.urgency is Urgency.NOW and rule.team in who_next.paged(view):
        reason = one_line(rule.reason, who_next.REASON_SHOWN)
        return ("• ", f"{names.team(rule.team)} was paged: {reason} ", code)
    due: tuple[Span, ...] = () if rule.due_at is None or rule.due_at > now else (" (due)",)
    return ("• ", *who_next.reason_of(rule, names), *due, " ", code)


def _blind(diagnosis: Diagnosis) -> Iterator[Part]:
    quiet = blind.looked_and_found_nothing(diagnosis)
    if quiet:
        yield Context(lines=(("Looked and found nothing: ", *quiet),))
    reasons = blind.could_not_look(diagnosis, most=8)
    if reasons:
        yield Context(lines=(("Could not be checked:",), *reasons))
