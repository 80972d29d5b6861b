"""One incident as a card, in the order in which it is read at three in the morning.

What happened, the verdict with its confidence, why, the first action, who is next and when, what could not be
checked, and the buttons that its state allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from bot.records import Incident, IncidentState, IncidentView, PersonsAnswer, Verdict
from bot.render import blind, who_next
from bot.render.details import details
from bot.render.evidence import highlights
from bot.render.message import (
    Button,
    Buttons,
    ButtonStyle,
    Context,
    Facts,
    Instant,
    Line,
    Link,
    Message,
    Part,
    Span,
    Strong,
    Text,
    Title,
)
from bot.render.names import Names
from bot.render.notes import changed_note, paged_note, undelivered_note
from bot.render.text import count_of, one_line
from bot.render.words import (
    COLOR_OF,
    EMOJI_OF,
    Look,
    capital,
    confidence,
    kind_of,
    look_of,
    said,
    sentence,
    verdict,
)
from rca.diagnosis import Band, Diagnosis, Hypothesis
from runbook.response import stands_alone

__all__ = ["Names", "card", "changed_note", "details", "paged_note", "undelivered_note"]

ACKNOWLEDGE: Final = "incident_ack"
RESOLVE: Final = "incident_resolve"
RIGHT: Final = "incident_right"
WRONG: Final = "incident_wrong"
NO_CAUSE: Final = "none"  # how an answer says that it was none of the causes

WHAT_TO_DO: Final = {
    Band.ACT: "act on it",
    Band.INVESTIGATE_TOP: "investigate the top 2",
    Band.INVESTIGATE_ALL: "investigate all, and look by hand",
    Band.MANUAL: "look by hand",
}
"""The bands in a few words; the runbook's own sentence stands beside the deadline."""

BECAUSE_SHOWN: Final = 600  # characters; one sentence
TITLE_SHOWN: Final = 300  # characters of the alert's own title
OTHERS_SHOWN: Final = 3  # hypotheses after the first


def card(view: IncidentView, names: Names, now: datetime) -> Message:
    """Return the card of one incident.

    Args:
        view: the incident with its latest diagnosis, deadlines and pages.
        names: how teams and people are called.
        now: decides what is still to come.
    """
    look = _look(view, now)
    parts: list[Part] = [
        Title(text=_title(view.incident, look)),
        Text(lines=_happened(view.incident)),
    ]
    if view.diagnosis is None:
        parts.append(
            Text(lines=((Strong(text="No diagnosis yet."), " The facts are being collected."),))
        )
    else:
        parts.extend(_diagnosed(view.diagnosis, names, is_open=view.incident.is_open))
    following = who_next.lines(view, names, now)
    if following:
        parts.append(
            Text(lines=((Strong(text="Next:" if view.incident.is_open else "Pages:"),), *following))
        )
    return Message(
        parts=tuple(parts),
        fallback=_fallback(view, look),
        color=COLOR_OF[look],
        foot=tuple(_foot(view, names, look)),
    )


def _look(view: IncidentView, now: datetime) -> Look:
    until = view.incident.snoozed_until
    return look_of(view.incident, view.pages, snoozed=until is not None and until > now)


def _title(incident: Incident, look: Look) -> str:
    loud = " · PAGE NOT DELIVERED" if look is Look.UNDELIVERED else ""
    room = 150 - len(loud) - 40  # a header's limit, less the kind of anomaly
    what = kind_of(incident.anomaly_type)
    return f"{EMOJI_OF[look]} {one_line(incident.dataset, room)}: {what}{loud}"


def _happened(incident: Incident) -> tuple[Line, ...]:
    facts: list[Span] = ["Detected ", Instant(at=incident.detected_at)]
    if incident.severity:
        facts.append(f" · severity {incident.severity}")
    if incident.alert_count > 1:
        facts.append(f" · {count_of(incident.alert_count, 'alert')}")
    if incident.alert_url:
        facts.extend((" · ", Link(url=incident.alert_url, label="alert")))
    title = ((one_line(incident.title, TITLE_SHOWN),),) if incident.title else ()
    return (*title, tuple(facts))


def _diagnosed(diagnosis: Diagnosis, names: Names, *, is_open: bool) -> Iterator[Part]:
    """The verdict and why; what to do about it only while somebody has to."""
    top = diagnosis.top
    if top is None:
        yield Text(lines=tuple(_no_signal(diagnosis, is_open=is_open)))
        return
    yield Text(lines=tuple(_verdict(diagnosis, top, names, is_open=is_open)))
    because = sentence(one_line(top.because, BECAUSE_SHOWN))
    yield Text(lines=((Strong(text="Why:"), f" {because}."),))
    facts = highlights(top.evidence)
    if facts:
        yield Facts(items=facts)
    if top.first_action and is_open:
        yield Text(
            lines=(
                (Strong(text="First:"), f" {sentence(one_line(top.first_action, TITLE_SHOWN))}."),
            )
        )


def _verdict(
    diagnosis: Diagnosis, top: Hypothesis, names: Names, *, is_open: bool
) -> Iterator[Line]:
    weak = "" if diagnosis.band is Band.ACT else "Most likely: "
    sure = f"{confidence(top.confidence)} sure"
    response = f": {_to_do(diagnosis)}" if is_open else ""
    yield (
        weak,
        Strong(text=capital(said(top.cause_type))),
        f" ({said(top.evidence.signal)}), {sure}{response}.",
    )
    guidance = diagnosis.guidance
    if is_open and guidance and guidance.name_team_at_once and guidance.escalate_to:
        yield (f"This is for {names.team(guidance.escalate_to)}.",)
    others = diagnosis.hypotheses[1:]
    for other in others[:OTHERS_SHOWN]:
        yield _other(other)
    if len(others) > OTHERS_SHOWN:
        yield (
            f"and {count_of(len(others) - OTHERS_SHOWN, 'more hypothesis', 'more hypotheses')} in the thread",
        )


def _to_do(diagnosis: Diagnosis) -> str:
    """The band in a few words; where one cause stands alone, there are no two to look into."""
    if diagnosis.band is Band.INVESTIGATE_TOP and stands_alone(diagnosis):
        return "investigate it"
    return WHAT_TO_DO[diagnosis.band]


def _other(hypothesis: Hypothesis) -> Line:
    name = capital(said(hypothesis.cause_type))
    if hypothesis.symptom_of:
        return (
            f"Also seen: {said(hypothesis.cause_type)}, a symptom of {said(hypothesis.symptom_of)}.",
        )
    return (
        f"{hypothesis.rank}. {name} ({said(hypothesis.evidence.signal)}), {confidence(hypothesis.confidence)}.",
    )


def _no_signal(diagnosis: Diagnosis, *, is_open: bool) -> Iterator[Line]:
    """Step 5 of the runbook; what found nothing and what could not look stay apart."""
    to_do = " A person has to look: runbook, step 5." if is_open else ""
    yield (Strong(text="No signal detected."), to_do)
    quiet = blind.looked_and_found_nothing(diagnosis)
    if quiet:
        yield ("Looked and found nothing: ", *quiet, ".")
    else:
        yield ("No check could look, so this says nothing about the data.",)
    if diagnosis.guidance and is_open:
        for n, step in enumerate(diagnosis.guidance.steps[:4], start=1):
            yield (f"{n}. {sentence(one_line(step.title, TITLE_SHOWN))}.",)


def _fallback(view: IncidentView, look: Look) -> str:
    incident = view.incident
    words = f"{one_line(incident.dataset, 200)}: {kind_of(incident.anomaly_type)}, {verdict(view.diagnosis)}"
    top = view.diagnosis.top if view.diagnosis else None
    sure = f" ({confidence(top.confidence)} sure)" if top else ""
    state = (
        ""
        if look is Look.OPEN
        else f" [{'PAGE NOT DELIVERED' if look is Look.UNDELIVERED else look}]"
    )
    return f"{words}{sure}{state}"


def _foot(view: IncidentView, names: Names, look: Look) -> Iterator[Part]:
    diagnosis = view.diagnosis
    if diagnosis and diagnosis.blind_spots:
        reasons = blind.could_not_look(diagnosis)
        yield Text(lines=((Strong(text="Could not be checked:"),), *reasons))
    yield Context(
        lines=(
            _state(view.incident, names, look),
            *_marks(view.answers, names),
            *((blind.coverage(diagnosis),) if diagnosis else ()),
        )
    )
    buttons = tuple(_buttons(view, names))
    if buttons:
        yield Buttons(items=buttons)


def _state(incident: Incident, names: Names, look: Look) -> Line:
    if incident.state is IncidentState.RESOLVED:
        return ("Resolved by ", names.actor(incident.resolved_by), *_at(incident.resolved_at), ".")
    spans: list[Span] = [f"{capital(str(incident.state))} since ", Instant(at=incident.opened_at)]
    if incident.acknowledged_by:
        acknowledged = _at(incident.acknowledged_at)
        spans = ["Acknowledged by ", names.actor(incident.acknowledged_by), *acknowledged]
    if incident.state is IncidentState.MONITORING:
        spans = ["Monitoring: the check passes again; this resolves by itself if it stays so"]
    if look is Look.SNOOZED and incident.snoozed_until:
        spans.extend((" · snoozed until ", Instant(at=incident.snoozed_until)))
    return (*spans, ".")


def _marks(answers: Sequence[PersonsAnswer], names: Names) -> Iterator[Line]:
    """Who said what of which cause: "Marked right by @alice"; each person's last word, about one diagnosis."""
    last = {answer.by: answer.signal_id for answer in answers}
    by_word: dict[tuple[str, Verdict], list[Span]] = {}
    for answer in (each for each in answers if last[each.by] == each.signal_id):
        who = by_word.setdefault((answer.cause_type, answer.verdict), [])
        who.extend((", ", names.actor(answer.by)) if who else (names.actor(answer.by),))
    for (cause, verdict_said), who in by_word.items():
        what = "none of the causes" if cause == NO_CAUSE else said(cause)
        yield (f"{capital(what)} marked {verdict_said} by ", *who, ".")


def _at(instant: datetime | None) -> tuple[Span, ...]:
    return (" ", Instant(at=instant)) if instant else ()


def _buttons(view: IncidentView, names: Names) -> Iterator[Button]:
    incident = view.incident
    if incident.is_open:
        yield from _working(view, names)
    if view.diagnosis is not None and view.diagnosis.top is not None:
        yield Button(action_id=RIGHT, text="Right", value=incident.incident_id)
        yield Button(action_id=WRONG, text="Wrong", value=incident.incident_id)


def _working(view: IncidentView, names: Names) -> Iterator[Button]:
    """What can be done while somebody has to."""
    incident = view.incident
    if incident.state is IncidentState.OPEN:
        yield Button(
            action_id=ACKNOWLEDGE,
            text="Acknowledge",
            value=incident.incident_id,
            style=ButtonStyle.PRIMARY,
        )
    yield from who_next.buttons(view, names)
    yield Button(action_id=RESOLVE, text="Resolve", value=incident.incident_id)
