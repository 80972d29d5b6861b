"""What the bot answers to commands and clicks: one text in Slack's markup, mostly for one person's eyes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.ports import PageOrder
from bot.records import (
    InboxItem,
    Incident,
    IncidentState,
    IncidentView,
    Page,
    Refusal,
    Verdict,
)
from bot.render import who_next
from bot.render.block_kit import mrkdwn
from bot.render.message import Code, Group, Instant, Line, Message, Span, Strong, Text
from bot.render.names import CalledTeam, Names, TeamName
from bot.render.notes import undelivered_note
from bot.render.text import count_of, escape, mention_channel, number, one_line
from bot.render.words import (
    EMOJI_OF,
    capital,
    confidence,
    kind_of,
    look_of,
    said,
    sentence,
    verdict,
)

NAME_SHOWN: Final = 200  # characters of a dataset's name, or of what somebody typed instead
ALERT_SHOWN: Final = 160  # characters of an alert that no format knew
LIST_SHOWN: Final = 20

NOBODY: Final = Names()


def usage(commands: Iterable[tuple[str, str]]) -> str:
    """Return one line per command, from pairs of usage and help."""
    return _said(*((Code(text=how), f"  {what}") for how, what in commands))


def looking(dataset: str) -> str:
    """Return the first answer to a question: we look, and where the result will be."""
    return _said(("Looking into ", _name(dataset), ". The card appears here in a moment."))


def card_elsewhere(incident: Incident) -> str:
    """Return where the card of an incident is that was opened somewhere else than where it is read about."""
    place = incident.place
    where = f"its card is in {mention_channel(place.channel_id)}" if place else "it has no card yet"
    since = _said((_name(incident.dataset), " is open since ", Instant(at=incident.opened_at)))
    return f"{since}; {where}."


def card_refused(view: IncidentView, names: Names, now: datetime, error: str) -> str:
    """Return an incident's status for another channel, since its card cannot stand where it belongs."""
    place = view.incident.place
    where = mention_channel(place.channel_id) if place else "its channel"
    return f"{status(view, names, now)}\nIts card cannot be posted in {where}: {escape(error)}."


def unknown_dataset(name: str, near: Sequence[str]) -> str:
    """Return that nobody knows this dataset, with the names that come close; a misspelt command reads this, too."""
    closing = _near(near) or (" ", Code(text="/rca help"), " shows what can be asked.")
    return _said(("I do not know a dataset called ", _name(name), ".", *closing))


def nothing_open(name: str | None, near: Sequence[str]) -> str:
    """Return that nothing is open, for a dataset or at all, with the names that come close."""
    if name is None:
        return _said(("Nothing is open.",))
    return _said(("Nothing is open for ", _name(name), ".", *_near(near)))


def which_one(found: Sequence[Incident]) -> str:
    """Return the open incidents of several datasets, to choose from."""
    return _said(("Several are open. Say which dataset:",), *_bullets(found))


def list_open(found: Sequence[Incident], now: datetime) -> str:
    """Return the open incidents in the order given, one line each."""
    if not found:
        return nothing_open(None, ())
    return _said((Strong(text=f"{count_of(len(found), 'incident')} open"),), *_bullets(found, now))


def status(view: IncidentView, names: Names, now: datetime) -> str:
    """Return where one incident stands: verdict, who has it, who is paged and when."""
    incident, top = view.incident, view.diagnosis.top if view.diagnosis else None
    sure = f" ({confidence(top.confidence)} sure)" if top else ""
    lines: list[Line] = [
        _bullet(incident, now, view),
        (f"{capital(verdict(view.diagnosis))}{sure}.",),
    ]
    if top and top.first_action:
        lines.append((f"First: {sentence(one_line(top.first_action, 300))}.",))
    return _said(*lines, *who_next.lines(view, names, now))


def acknowledged(incident: Incident, *, changed: bool) -> str:
    """Return that the asker has it now, or who had it before."""
    if changed:
        return _said(("You have ", _name(incident.dataset), ". Nobody is paged by time any more."))
    if incident.state is IncidentState.RESOLVED:
        return resolved(incident, changed=False)
    if incident.acknowledged_by is None:
        return _said((_name(incident.dataset), f" is {incident.state} already."))
    return _said(
        (
            _name(incident.dataset),
            " was already acknowledged by ",
            NOBODY.actor(incident.acknowledged_by),
            *_at(incident.acknowledged_at),
            ".",
        )
    )


def resolved(incident: Incident, *, changed: bool) -> str:
    """Return that it is over, or who had said so before."""
    if changed:
        return _said((_name(incident.dataset), " is resolved. Its pages are closed too."))
    by: Line = (" by ", NOBODY.actor(incident.resolved_by)) if incident.resolved_by else ()
    return _said(
        (_name(incident.dataset), " was already resolved", *by, *_at(incident.resolved_at), ".")
    )


def reopened(incident: Incident, *, changed: bool) -> str:
    """Return that it is open again, or that there was nothing to reopen."""
    if changed:
        return _said((_name(incident.dataset), " is open again. Nobody has it yet."))
    if incident.is_open:
        return _said((_name(incident.dataset), f" is {incident.state} already."))
    return _said(("A newer incident of ", _name(incident.dataset), " is open already."))


def snoozed(incident: Incident) -> str:
    """Return until when we keep quiet."""
    if incident.snoozed_until is None or not incident.is_open:
        return _said(
            (_name(incident.dataset), f" is {incident.state}; there is nothing to snooze.")
        )
    until = Instant(at=incident.snoozed_until)
    return _said(
        (
            "Quiet about ",
            _name(incident.dataset),
            " until ",
            until,
            ". Its deadlines have moved there.",
        )
    )


def paging(page: Page, names: Names, *, fresh: bool) -> str:
    """Return that a team is being paged, or that it already was, by whom and when."""
    if fresh:
        through = names.pager(page.team)
        way = f" through {through}" if through else ""
        return _said((f"Paging {names.team(page.team)}{way}. The card says when it was taken.",))
    return _said(("Already asked for. ", *who_next.page_line(page, names)))


def page_undelivered(page: Page, team: CalledTeam | None) -> str:
    """Return the text that mentions the user group of a team whose pager did not take the page."""
    called = {page.team: TeamName(name=team.name, usergroup=team.usergroup)} if team else {}
    return mrkdwn(undelivered_note(page, Names(teams=called)))


def paged_by_mention(usergroup: str, order: PageOrder) -> str:
    """Return the text that wakes a user group: what is wrong, and why they are asked."""
    group = Group(usergroup_id=usergroup, name="")
    return _said((group, " ", one_line(order.summary, 500)))


def unrecognised(count: int, newest: Sequence[InboxItem], refused: Sequence[Refusal] = ()) -> str:
    """Return how many alerts no format knew, the first words of the newest, and what webhooks were refused."""
    lines = [_refused(each) for each in refused[:LIST_SHOWN]]
    if count == 0:
        return _said(*lines) if lines else _said(("Every alert was recognised.",))
    head = f"{count_of(count, 'alert')} {'was' if count == 1 else 'were'} left alone because no format knew them."
    return _said((head,), *(_unknown(item) for item in newest[:LIST_SHOWN]), *lines)


def _refused(refusal: Refusal) -> Line:
    bodies = count_of(refusal.count, "body", "bodies")
    problem = Code(text=one_line(refusal.problem, ALERT_SHOWN))
    head = f"Webhook {refusal.format_name}: {bodies} refused, the last "
    return (head, Instant(at=refusal.last_at), ", the first for: ", problem)


def _unknown(item: InboxItem) -> Line:
    words = next(_words(item.payload), "(no words)")
    return ("• ", Instant(at=item.received_at), " ", Code(text=one_line(words, ALERT_SHOWN)))


def _words(payload: Mapping[str, object]) -> Iterator[str]:
    """The texts of a message, wherever its sender put them; the shape is anybody's."""
    message = payload.get("message", payload)
    waiting: list[object] = [message]
    for _ in range(200):  # places looked at; a message says something earlier than that or never
        if not waiting:
            return
        value = waiting.pop(0)
        if isinstance(value, Mapping):
            for key in ("text", "fallback", "title"):
                if isinstance(value.get(key), str) and value[key].strip():
                    yield value[key]
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)


def _said(*lines: Line) -> str:
    return mrkdwn(Message(parts=(Text(lines=lines),), fallback=""))


def _name(dataset: str) -> Code:
    return Code(text=one_line(dataset, NAME_SHOWN))


def _near(near: Sequence[str]) -> Line:
    spans: list[Span] = []
    for name in near:
        spans.extend((", ", _name(name)) if spans else (" Did you mean ", _name(name)))
    return (*spans, "?") if spans else ()


def _at(instant: datetime | None) -> Line:
    return (" ", Instant(at=instant)) if instant else ()


def _bullets(found: Sequence[Incident], now: datetime | None = None) -> Iterator[Line]:
    yield from (_bullet(incident, now) for incident in found[:LIST_SHOWN])
    if len(found) > LIST_SHOWN:
        yield (f"and {number(len(found) - LIST_SHOWN)} more",)


def _bullet(incident: Incident, now: datetime | None, view: IncidentView | None = None) -> Line:
    until = incident.snoozed_until
    quiet = until is not None and now is not None and until > now
    look = look_of(incident, view.pages if view else (), snoozed=quiet)
    spans: list[Span] = [
        f"{EMOJI_OF[look]} ",
        _name(incident.dataset),
        f" {kind_of(incident.anomaly_type)}",
    ]
    spans.extend((f" · {look} · since ", Instant(at=incident.opened_at)))
    if incident.acknowledged_by and incident.is_open:
        spans.extend((" · ", NOBODY.actor(incident.acknowledged_by), " has it"))
    return tuple(spans)


def marked(causes: Mapping[str, Verdict], incident: Incident, *, changed: bool) -> str:
    """Return what somebody said of an incident's causes, and how to say more."""
    words = "; ".join(f"{said(cause)} marked {verdict}" for cause, verdict in causes.items())
    spans: list[Span] = [f"{capital(words)} for ", _name(incident.dataset), "."]
    if not changed:
        spans.append(" You said so before.")
    if Verdict.RIGHT not in causes.values():
        command = f"/rca cause CAUSE {incident.dataset}"
        spans.extend((" If you know what it was: ", Code(text=command)))
    return _said(tuple(spans))
