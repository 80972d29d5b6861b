"""Who is told next and when, who was told already, and who can be: the escalation part of a card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from bot.records import Deadline, DeadlineState, IncidentState, IncidentView, Page, PageState
from bot.render.message import Button, ButtonStyle, Confirm, Instant, Line, Link, Span, Strong
from bot.render.names import Names, pager_name
from bot.render.text import one_line
from bot.render.words import response as response_of
from bot.render.words import sentence
from rca.diagnosis import Diagnosis, Escalation, Guidance, Urgency

ESCALATE_PREFIX: Final = "incident_escalate:"
ESCALATE_TARGETS: Final = 5  # buttons; more is a list to read, and reading is slow at night
LINES_SHOWN: Final = 6  # of deadlines, of pages, of people to tell
REASON_SHOWN: Final = 200  # characters of one reason on the card
MATRIX_RULE: Final = "matrix"
BY_HAND: Final = "escalated by hand"  # a page's reason when a person pressed the button


def lines(view: IncidentView, names: Names, now: datetime) -> tuple[Line, ...]:
    """Return who is next and when: pages (undelivered first), the response with its deadline, people to tell."""
    ordered = sorted(view.pages, key=lambda p: p.state is not PageState.UNDELIVERED)
    pages = [page_line(page, names) for page in ordered[:LINES_SHOWN]]
    waiting = list(_deadlines(view, names, now))[:LINES_SHOWN]
    told = list(_others(view, names))[:LINES_SHOWN]
    return (*pages, *_response(view, names, now), *waiting, *told)


def page_line(page: Page, names: Names) -> Line:
    """Return how far one page is; "paged" is said only of a page the provider took."""
    whom = _whom(page.team, page.person, names)
    by = names.actor(page.requested_by)
    match page.state:
        case PageState.REQUESTED:
            return (
                "Paging ",
                *whom,
                ", asked for by ",
                by,
                " ",
                Instant(at=page.requested_at),
                ".",
            )
        case PageState.UNDELIVERED:
            why = one_line(page.error or "no answer", REASON_SHOWN)
            return (
                Strong(text="PAGE NOT DELIVERED"),
                ": ",
                *whom,
                f" was not reached ({why}). Call them directly.",
            )
        case PageState.RESOLVED if page.accepted_at is None:
            return (
                "Asked for ",
                *whom,
                " at ",
                Instant(at=page.requested_at),
                "; the page was dropped undelivered.",
            )
        case PageState.ACCEPTED | PageState.RESOLVED:
            at = page.accepted_at or page.requested_at
            instead = (
                (f", because {names.team(page.fallback_of)} was not reached",)
                if page.fallback_of
                else ()
            )
            after = ". The page is closed." if page.state is PageState.RESOLVED else "."
            return (
                "Paged ",
                *whom,
                " by ",
                by,
                " ",
                Instant(at=at),
                *_where(page),
                *_because(page),
                *instead,
                after,
            )


def paged(view: IncidentView) -> frozenset[str]:
    """Return the teams whose page the provider took."""
    return frozenset(page.team for page in view.pages if page.accepted_at is not None)


def targets(view: IncidentView) -> tuple[str, ...]:
    """Return the teams that somebody may page from this card: each once, the nearest first, none that was asked."""
    asked = _asked(view)
    wanted = dict.fromkeys(_wanted(view))
    return tuple(team for team in wanted if team not in asked)[:ESCALATE_TARGETS]


def buttons(view: IncidentView, names: Names) -> tuple[Button, ...]:
    """Return a button for each target; it asks first, because a click wakes somebody."""
    return tuple(
        Button(
            action_id=f"{ESCALATE_PREFIX}{team}",
            text=f"Escalate to {names.team(team)}",
            value=view.incident.incident_id,
            style=ButtonStyle.DANGER,
            confirm=Confirm(
                title=f"Page {names.team(team)}?",
                text=f"Page {names.team(team)}{_through(names.pager(team))} now?",
                yes="Page now",
            ),
        )
        for team in targets(view)
    )


def rules(diagnosis: Diagnosis) -> Iterator[Escalation]:
    """Return the escalation rules that hold: of the whole incident, then by hypothesis.

    For a symptom nobody is to be told; where to look instead still counts.
    """
    if diagnosis.guidance:
        yield from diagnosis.guidance.escalations
    for hypothesis in diagnosis.hypotheses:
        for rule in hypothesis.escalations:
            if hypothesis.symptom_of is None or rule.urgency is Urgency.REDIRECT:
                yield rule


def reason_of(escalation: Escalation, names: Names) -> Line:
    """Return one escalation rule in words: whom to tell, how, and why."""
    reason = one_line(escalation.reason, REASON_SHOWN)
    who = _whom(escalation.team, escalation.person, names)
    match escalation.urgency:
        case Urgency.NOW:
            return ("Page ", *who, *_from(escalation.due_at), f": {reason}")
        case Urgency.NOTIFY:
            return ("Tell ", *who, *_from(escalation.due_at), f": {reason}")
        case Urgency.REDIRECT:
            return ("Look elsewhere first: ", reason)


def _from(due_at: datetime | None) -> tuple[Span, ...]:
    return (" from ", Instant(at=due_at)) if due_at else ()


def _where(page: Page) -> tuple[Span, ...]:
    if page.url:
        return (" · ", Link(url=page.url, label=pager_name(page.pager or "page")))
    return (f" · {pager_name(page.pager)}",) if page.pager else ()


def _because(page: Page) -> tuple[Span, ...]:
    """Why they were paged, where it was a rule; who asked by hand stands in the line already."""
    if page.reason == BY_HAND or page.fallback_of:
        return ()
    return (f": {sentence(one_line(page.reason, REASON_SHOWN))}",)


def _through(pager: str | None) -> str:
    return f" through {pager}" if pager else ""


def _asked(view: IncidentView) -> frozenset[str]:
    """Teams that have a page: one per incident and team, so nothing pages them again."""
    return frozenset(page.team for page in view.pages)


def _pending(view: IncidentView) -> list[Deadline]:
    """Deadlines that will still page somebody, soonest first."""
    if not view.incident.is_open:
        return []
    asked = _asked(view)
    waiting = (
        d for d in view.deadlines if d.state is DeadlineState.PENDING and d.team not in asked
    )
    return sorted(waiting, key=lambda d: (d.due_at, d.rule))


def _response(view: IncidentView, names: Names, now: datetime) -> Iterator[Line]:
    """The matrix row: what to do, and who is paged by when if it does not help."""
    diagnosis = view.diagnosis
    guidance = diagnosis.guidance if diagnosis else None
    if diagnosis is None or guidance is None or not view.incident.is_open:
        return
    response = response_of(diagnosis)
    matrix = next((d for d in _pending(view) if d.rule == MATRIX_RULE), None)
    if matrix and matrix.due_at > now:
        yield (
            f"{response}; if not resolved by ",
            Instant(at=matrix.due_at),
            " ",
            *_whom(matrix.team, matrix.person, names),
            " is paged.",
        )
    elif matrix:
        yield (response, "; ", *_whom(matrix.team, matrix.person, names), " is being paged now.")
    elif _only_if_it_fails(guidance) and guidance.escalate_to not in _asked(view):
        yield (
            f"{response}; escalate to {names.team(guidance.escalate_to or '')} only if the action fails.",
        )
    else:
        yield (f"{response}.",)


def _only_if_it_fails(guidance: Guidance) -> bool:
    """The runbook's row above 0.85: a team to turn to, and no time at which it is paged."""
    return guidance.escalate_to is not None and guidance.escalate_after_s is None


def _deadlines(view: IncidentView, names: Names, now: datetime) -> Iterator[Line]:
    pending = _pending(view)
    told: set[str] = set()
    for (
        deadline
    ) in pending:  # soonest first: a team is paged once, so its later ones will never fire
        if deadline.team in told:
            continue
        told.add(deadline.team)
        if deadline.rule == MATRIX_RULE:
            continue
        whom = _whom(deadline.team, deadline.person, names)
        reason = one_line(deadline.reason, REASON_SHOWN)
        if deadline.due_at > now:
            yield ("At ", Instant(at=deadline.due_at), " ", *whom, f" is paged: {reason}")
        else:
            yield (*whom, f" is being paged now: {reason}")
    if view.incident.state is IncidentState.ACKNOWLEDGED and not pending:
        yield ("Nobody is paged by time while somebody has this.",)


def _whom(team: str, person: str | None, names: Names) -> Line:
    return (names.team(team), " (", names.person(person), ")") if person else (names.team(team),)


def _others(view: IncidentView, names: Names) -> Iterator[Line]:
    """People to tell and places to look first: they wake nobody, so no deadline shows them."""
    if view.diagnosis is None or not view.incident.is_open:
        return
    for rule in rules(view.diagnosis):
        if rule.urgency is not Urgency.NOW:
            yield reason_of(rule, names)


def _wanted(view: IncidentView) -> Iterable[str]:
    yield from (d.team for d in _pending(view))
    guidance = view.diagnosis.guidance if view.diagnosis else None
    if guidance and guidance.escalate_to:
        yield guidance.escalate_to
    if view.diagnosis:
        yield from (e.team for e in rules(view.diagnosis) if e.urgency is not Urgency.REDIRECT)
